"""Any labelled file as records to match: read, given roles, and standardised as the night does with a client export."""

from __future__ import annotations

import glob
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pandas as pd

from pipelines.match.comparisons import REGISTER_COLUMNS
from pipelines.match.roles import ROLES, guess_roles, read_roles
from pipelines.settings import Settings, SettingsError
from pipelines.sources import load_sources
from pipelines.stage.standardise import learn_standard_forms, load_placeholder_names
from pipelines.warehouse import Warehouse, sql_text

EXTRA_COLUMNS = ("national_id", "birth_place", "occupation")
LEAST_FILLED = 0.02
AS_SENT = (
    "feed", "issuer", "file_id", "sent_on", "reference", "nhs_as_sent", "title", "forename", "known_as", "other_names",
    "surname", "address_1", "address_2", "postcode", "phone", "mobile", "email", "active_from", "active_to", "status",
)  # fmt: skip


@dataclass(frozen=True)
class Labelled:
    """The table ``records``: which heading was taken for which role, the columns filled enough to compare, and what was
    withheld of each row (one row a record, in the order of the file)."""

    roles: dict[str, str]
    columns: list[str]
    withheld: pd.DataFrame


def load_labelled(
    scratch: Warehouse, settings: Settings, records: Path, mapping: Path | None, withhold: Sequence[str]
) -> Labelled:
    """Make the table ``records`` from a CSV or Parquet file, without the columns to withhold.

    Each table is dropped as soon as the next one is made, since a million people should fit into a laptop. Raises
    SettingsError for an unusable mapping, a column that is not there, or a file in which nobody can be recognised.
    """
    headings = _read(scratch, records)
    if missing := [column for column in withhold if column not in headings]:
        raise SettingsError(f"The file has no column {missing[0]}. Its columns: {', '.join(headings)}", code="S5")
    withheld = scratch.frame(
        f"select {', '.join(_quoted(column) for column in withhold)} from file_rows_as_sent order by row_id"
    )
    others = [heading for heading in headings if heading not in withhold]
    roles = read_roles(mapping, others) if mapping else guess_roles(others)
    if not roles:
        raise SettingsError(
            "No heading sounds like a name, birth date or address: write a mapping (--mapping).", code="S5"
        )
    _standardise(scratch, settings, roles)
    offered = (*REGISTER_COLUMNS, *EXTRA_COLUMNS)
    shares = ", ".join(f"count({column}) / count(*)" for column in offered)
    filled = dict(zip(offered, scratch.rows(f"select {shares} from records")[0], strict=True))
    return Labelled(roles, [column for column in offered if filled[column] >= LEAST_FILLED], withheld)


def _read(scratch: Warehouse, records: Path) -> list[str]:
    is_parquet = records.suffix.lower() in {".parquet", ".pq"}
    kind = "Parquet" if is_parquet else "CSV"
    reader = "read_parquet($path)" if is_parquet else "read_csv($path, all_varchar=true)"
    try:
        scratch.execute(
            f"create table file_rows_as_sent as select (row_number() over () - 1)::integer as row_id, * from {reader}",
            {"path": glob.escape(str(records))},
        )
    except (duckdb.Error, UnicodeError):
        raise SettingsError(
            f"The file cannot be read as {kind}: see that it is whole, in UTF-8, with one line of headings, none of "
            "them twice or row_id, and as many cells in every row.",
            code="S5",
        ) from None
    return [name for name, *_ in scratch.rows("describe file_rows_as_sent")][1:]


def _standardise(scratch: Warehouse, settings: Settings, roles: Mapping[str, str]) -> None:
    heading = {role: f"{_quoted(name)}::varchar" for name, role in roles.items()}
    parts = [heading.get(part) for part in ("birth_year", "birth_month", "birth_day")]
    if "birth" not in heading and all(parts):
        heading["birth"] = f"concat_ws('-', {parts[0]}, lpad({parts[1]}, 2, '0'), lpad({parts[2]}, 2, '0'))"
    columns = ", ".join(f"{heading.get(role, 'null::varchar')} as {role}" for role in ROLES)
    scratch.execute(f"create table file_rows as select row_id, {columns} from file_rows_as_sent")
    scratch.execute("drop table file_rows_as_sent")
    source = next(source for source in load_sources(settings.sources) if source.feed == "roster_clients")
    reading = {"date_formats": [*source.date_formats, "%Y%m%d"], "prefix_pattern": source.prefix_pattern}
    scratch.work("sent_people", "matched.sent_people", reading)
    scratch.execute(
        "create table extras as select row_id as client_id, name_key(birth_place) as birth_place,"
        " name_key(occupation) as occupation, reference_key(national_id) as national_id from file_rows"
    )
    scratch.execute("drop table file_rows")
    learn_standard_forms(scratch, settings.phone_region)
    load_placeholder_names(scratch)
    scratch.execute(
        f"create table staged.clients as select * exclude ({', '.join(AS_SENT)}), row_number::integer as client_id,"
        f" record_id as client_ref, row_number::integer as survivor_id from ({sql_text('staged.people')})"
    )
    scratch.execute("drop table sent_people")
    scratch.execute("create temp view compared as from staged.clients")
    scratch.execute("create temp table profiles (client_id integer, compared_hash ubigint)")
    scratch.execute(
        f"create table records as select * from ({sql_text('matched.records')}) join extras using (client_id)"
        " order by client_id"
    )
    scratch.execute("drop view compared; drop table staged.clients; drop table extras")


def _quoted(heading: str) -> str:
    return '"' + heading.replace('"', '""') + '"'
