"""Bring the register up to date with the files that landed: the night's one staging transaction.

What is written is decided by ``sql/2_staged``; this module says in which order, and lets nothing through that fails
its suite. Nothing is written for a row that says what is known already.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from pipelines.decisions.crosswalk import signed_off, write_crosswalk
from pipelines.decisions.entry import Entry
from pipelines.decisions.forgetting import read_forgettings
from pipelines.decisions.store import open_decisions
from pipelines.ingest.ledger import create_raw_tables
from pipelines.quality import Gate, pass_gate, suite_columns, unique_columns
from pipelines.settings import Settings, SettingsError
from pipelines.sources import Source, load_sources
from pipelines.stage.absent import keep_known_values
from pipelines.stage.forgotten import keep_apart, write_forgotten
from pipelines.stage.standardise import know_nicknames, learn_standard_forms, load_placeholder_names
from pipelines.troubles import KnownError
from pipelines.warehouse import Warehouse, open_warehouse, sql_text

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)

PROVENANCE = ("file_id", "row_number", "sent_on")
MOVED_BY_MERGES = ("client_id",)  # a row that comes again as it was stays where a merge, perhaps a partial one, put it
KEYS: dict[str, tuple[str, ...]] = {
    "staged.source_records": ("feed", "issuer", "record_id"),
    "staged.clients": ("client_id",),
    "staged.contacts": ("origin_client_id", "kind", "value_key"),
    "staged.aliases": ("origin_client_id", "kind", "name_key"),
    "staged.references": ("origin_client_id", "kind", "issuer", "reference"),
    "staged.purchase_orders": ("issuer", "record_id"),
    "staged.enrolments": ("issuer", "record_id", "contract_number", "start_on"),
    "staged.visits": ("issuer", "visit_id"),
    "staged.contracts": ("contract_number",),
}
DATED = frozenset({"staged.source_records", "staged.purchase_orders", "staged.enrolments", "staged.visits"})
DERIVED_AT_ONCE = WRITTEN_AT_ONCE = 500_000
CHECKED_AT_ONCE = 100_000
"""Fewer: a suite takes pandas, whose memory comes on top of what DuckDB may take."""
DERIVED = ("staged.clients", "staged.contacts", "staged.aliases", "staged.references")


class NoRegisterError(KnownError):
    """No night has run in this home, so there is nobody in its register."""

    code = "R1"


def require_register(warehouse: Warehouse) -> None:
    """Raises NoRegisterError before the first night."""
    if not warehouse.exists("staged.clients"):
        raise NoRegisterError("No night has run in this home yet. Run: oneclient nightly")


@dataclass
class Staging:
    """What one staging run did: files taken in, rows written by table, client records made by how they were linked."""

    files: int = 0
    written: dict[str, int] = field(default_factory=dict)
    new_clients: dict[str, int] = field(default_factory=dict)
    gates: list[Gate] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """For JSON and XCom: counts only."""
        return asdict(self)


def stage_files(settings: Settings, day: date) -> Staging:
    """Take every landed file that the register does not hold yet into it, for the night of ``day``.

    All of it or nothing: raises TableGateError, and leaves the register as it was, when a table fails its suite.
    """
    sources = {source.name: source for source in reversed(load_sources(settings.sources))}
    staging = Staging()
    with open_warehouse(settings) as warehouse, warehouse.transaction():
        with open_decisions(settings) as store:  # once nobody can carry a sign-off out meanwhile
            signed = signed_off(store.entries())
            write_forgotten(warehouse, read_forgettings(store.engine))
        _create_tables(warehouse)
        staging.files = warehouse.one("select count(*) from batch where is_new")
        if staging.files:
            _Register(warehouse, settings, day, sources, staging, signed).take_in()
    log.info("staged %d files, %d rows written", staging.files, sum(staging.written.values()))
    return staging


class _Register:
    def __init__(
        self,
        warehouse: Warehouse,
        settings: Settings,
        day: date,
        sources: dict[str, Source],
        staging: Staging,
        signed: Sequence[Entry],
    ) -> None:
        self.warehouse = warehouse
        self.settings = settings
        self.day = day
        self.sources = sources
        self.staging = staging
        self.signed = signed
        self.turns = 1

    def take_in(self) -> None:
        self._write("staged.contracts", within="true")
        self.warehouse.work("roster_councils", "staged.roster_councils")
        self._learn_councils()
        for _ in self._files_in_turn():
            self._people("roster_clients", "staged.roster_people")
            self._link_rosters()
            self._people("purchase_orders", "staged.order_people")
            self._link("staged.order_links", {})
            self._write("staged.purchase_orders")
        self._unknown_people()
        self._link_rosters()
        self._know_holders()
        self._write("staged.enrolments")
        self._write("staged.visits")
        self._gates()
        self._follow_full_exports()
        self.warehouse.work("taken", "staged.taken_files", {"day": self.day})
        self.warehouse.append("staged.taken_files", "taken")

    def _files_in_turn(self) -> Iterator[int]:
        """The batch in parts: the first file of each sender of a feed, then the second …, by the day they speak for.

        So an id that two files of one night give to two people is compared, as on two nights. ``batch`` holds the
        files of one part at a time, and all of them afterwards.
        """
        self.warehouse.execute(
            "create or replace temp table whole_batch as select b.*, row_number() over"
            " (partition by b.feed, f.issuer order by b.place) as turn"
            " from batch as b join raw.files as f using (file_id)"
        )
        self.turns = int(self.warehouse.one("select max(turn) from whole_batch"))
        for turn in range(1, self.turns + 1):
            if self.turns > 1:
                self.warehouse.execute(
                    "create or replace temp table batch as select * exclude (turn) from whole_batch where turn = $turn",
                    {"turn": turn},
                )
            if self.warehouse.one("select count(*) from batch where feed in ('roster_clients', 'purchase_orders')"):
                yield turn
        self.warehouse.execute("create or replace temp table batch as select * exclude (turn) from whole_batch")

    def _people(self, feed: str, table: str) -> None:
        """Temporary table ``people``: the batch's rows of one feed about people, standardised, none older than kept."""
        self.warehouse.work_empty("sent_people", sql_text(table), _NOTHING)
        sources = self._sources_of(feed)
        for source in sources:
            self.warehouse.work("of_source", table, _of_source(source))
            self.warehouse.append("sent_people", "of_source")
        if len(sources) > 1:
            self._keep_latest()
        learn_standard_forms(self.warehouse, self.settings.phone_region)
        self.warehouse.work("people", "staged.people")
        self._tell_apart()
        self.warehouse.execute(
            "delete from people as sent using staged.source_records as kept where kept.feed = sent.feed"
            " and kept.issuer = sent.issuer and kept.record_id = sent.record_id and kept.sent_on > sent.sent_on"
        )

    def _keep_latest(self) -> None:
        """Of rows that two sources sent of one client or order line, keep the latest in ``sent_people``."""
        self.warehouse.execute(
            "create or replace temp table sent_people as select s.* from sent_people as s"
            " join batch as b using (file_id) qualify row_number() over (partition by s.issuer, s.record_id"
            " order by s.sent_on desc, b.place desc, s.row_number desc) = 1"
        )

    def _tell_apart(self) -> None:
        """Give a row of ``people`` whose id is known the key of the person whose row it is (``told_apart.sql``)."""
        self.warehouse.work("told_apart", "staged.told_apart")
        self.warehouse.work("new_holders", "staged.id_holders")
        self.warehouse.execute(
            "delete from staged.id_holders as kept using new_holders as new where new.feed = kept.feed"
            " and new.issuer = kept.issuer and new.id_sent = kept.id_sent and new.held_from = kept.held_from"
        )
        self.warehouse.append("staged.id_holders", "new_holders")
        self.warehouse.execute(
            "update people set record_id = told.record_id from told_apart as told where told.feed = people.feed"
            " and told.issuer = people.issuer and told.id_sent = people.record_id and told.record_id <> told.id_sent"
        )

    def _know_holders(self) -> None:
        """Temporary tables of who holds an id that more than one person came with, and of their rows that are kept."""
        self.warehouse.work("holdings", "staged.holdings")
        self.warehouse.work("kept_visits", "staged.kept_visits")
        self.warehouse.work("kept_enrolments", "staged.kept_enrolments")

    def _unknown_people(self) -> None:
        self.warehouse.work_empty("sent_people", sql_text("staged.roster_people"), _NOTHING)
        self.warehouse.work("unknown", "staged.unknown_people")
        self.warehouse.append("sent_people", "unknown")
        self.warehouse.work("people", "staged.people")

    def _link_rosters(self) -> None:
        """One rostering system after the other, since a client of the second may join a record of the first."""
        for (issuer,) in self.warehouse.rows("select distinct issuer from people order by issuer"):
            self._link("staged.roster_links", {"issuer": issuer})

    def _link(self, links: str, parameters: dict[str, Any]) -> None:
        """Find or make the client record of each row of ``people``, then bring what follows from it up to date."""
        self.warehouse.work("links", links, parameters)
        keep_apart(self.warehouse)
        self.warehouse.work("new_clients", "staged.client_ids", {"day": self.day})
        for how, count in self.warehouse.rows("select made_how, count(*) from new_clients group by 1 order by 1"):
            self.staging.new_clients[how] = self.staging.new_clients.get(how, 0) + count
        self.warehouse.append("staged.client_ids", "new_clients")
        if self.signed:
            write_crosswalk(self.warehouse, self.signed)
        self.warehouse.execute(
            "update links set client_id = made.client_id from staged.client_ids as made"
            " where links.client_id is null and made.client_ref = links.new_client_ref"
        )
        self.warehouse.work("affected", "staged.affected")
        self._write("staged.source_records")
        self._derive()

    def _learn_councils(self) -> None:
        """A contract that an order of this batch names first tells the council of clients who came before it."""
        if not self.warehouse.work("affected", "staged.councils_learnt"):
            return
        self.warehouse.execute(
            "update staged.source_records as s set council = c.council from roster_councils as c"
            " where s.feed = 'roster_clients' and s.council is null"
            " and s.issuer = c.issuer and s.record_id = c.record_id"
        )
        self._derive()

    def _derive(self) -> None:
        """Write again, for the client records in ``affected``, what follows from their source rows.

        So many records at a time, since whatever groups a record's rows has to hold all that it groups.
        """
        self.warehouse.execute("create or replace temp table all_affected as from affected")
        parts = self.warehouse.parts("all_affected", DERIVED_AT_ONCE)
        for part in range(parts):
            self.warehouse.execute(
                f"create or replace temp table affected as from all_affected where client_id % {parts} = {part}"
            )
            for table in DERIVED:
                owner = "client_id" if table == "staged.clients" else "origin_client_id"
                self._write(table, within=f"kept.{owner} in (select client_id from affected)")

    def _sources_of(self, feed: str) -> list[Source]:
        names = self.warehouse.rows("select distinct source from batch where feed = $feed order by 1", {"feed": feed})
        if gone := [name for (name,) in names if name not in self.sources]:
            raise SettingsError(
                f"The source mapping {gone[0]}, by which a file was read, is no longer in HOME/sources. "
                "Put it back, so that the file can be taken in, and run again.",
                code="S2",
            )
        return [self.sources[name] for (name,) in names]

    def _write(
        self,
        table: str,
        parameters: dict[str, Any] | None = None,
        *,
        within: str | None = None,
    ) -> None:
        self.warehouse.work("incoming", table, parameters)
        checked = _checked(table)
        there = [name for name, *_ in self.warehouse.rows("describe incoming")]
        columns = ", ".join(column for column in suite_columns(table) if column in there)
        first = table not in self.staging.written
        if first:
            self.warehouse.work_empty(checked, f"select {columns} from incoming")
        elif self.turns > 1 and set(KEYS[table]) <= set(columns.split(", ")):  # a later file says the same row again
            same = " and ".join(f"earlier.{column} is not distinct from now.{column}" for column in KEYS[table])
            self.warehouse.execute(f"delete from {checked} as earlier using incoming as now where {same}")
        self.warehouse.append(checked, "incoming", columns)
        dated = table in DATED
        for incoming in ("incoming",) if within else self._parts_to_write(table):
            written = self.warehouse.upsert(
                table,
                KEYS[table],
                incoming,
                keep=(*PROVENANCE, *MOVED_BY_MERGES) if dated else (),
                newest="sent_on" if dated else None,
                within=within,
            )
            self._count(table, written.rows)

    def _parts_to_write(self, table: str) -> Iterator[str]:
        """``incoming``, so many rows at a time where there are kept ones to compare them with."""
        there = self.warehouse.one(f"select count(*) from {table}")
        parts = self.warehouse.parts("incoming", WRITTEN_AT_ONCE) if there else 1
        if parts == 1:
            yield "incoming"
            return
        key = ", ".join(KEYS[table])
        for part in range(parts):
            self.warehouse.execute(
                f"create or replace temp view incoming_part as from incoming where hash({key}) % {parts} = {part}"
            )
            yield "incoming_part"

    def _follow_full_exports(self) -> None:
        """End or cancel what the full exports of a source lack (P12), and drop enrolments whose start was changed.

        What is written here is not checked again: these rows passed their suite when they were read.
        """
        if dropped := self.warehouse.work("superseded", "staged.superseded_enrolments"):
            key = " and ".join(f"kept.{column} = gone.{column}" for column in KEYS["staged.enrolments"])
            self.warehouse.execute(f"delete from staged.enrolments as kept using superseded as gone where {key}")
            self._count("staged.enrolments", dropped)
        full = {
            f for (f,) in self.warehouse.rows("select distinct feed from spoken_files where delivers = 'everything'")
        }
        for feed, table, missing in (
            ("roster_clients", "staged.source_records", "staged.missing_clients"),
            ("roster_enrolments", "staged.enrolments", "staged.missing_enrolments"),
            ("roster_visits", "staged.visits", "staged.missing_visits"),
        ):
            if feed not in full or not self.warehouse.work("incoming", missing):
                continue
            self._count(table, self.warehouse.upsert(table, KEYS[table], "incoming").rows)
            if table == "staged.source_records":
                self.warehouse.execute(
                    "create or replace temp table affected as"
                    " select distinct origin_client_id as client_id from incoming"
                )
                self._derive()

    def _count(self, table: str, rows: int) -> None:
        self.staging.written[table] = self.staging.written.get(table, 0) + rows

    def _gates(self) -> None:
        """Run the suite of every table over the rows that this batch brought to it."""
        self.warehouse.work(_checked("staged.reconciliation"), "staged.reconciliation")
        for table in (*self.staging.written, "staged.reconciliation"):
            self.staging.gates.append(pass_gate(self.warehouse, self.day, table, self._checked_rows(table)))

    def _checked_rows(self, table: str) -> Iterator[pd.DataFrame]:
        """What the suite of a table looks at, so many rows at a time; rows of one key come together."""
        parts = self.warehouse.parts(_checked(table), CHECKED_AT_ONCE)
        there = {name for name, *_ in self.warehouse.rows(f"describe {_checked(table)}")}
        key = ", ".join(column for column in unique_columns(table) if column in there) or "row"
        for part in range(parts):
            yield self.warehouse.frame(f"from {_checked(table)} as row where hash({key}) % {parts} = {part}")


_NOTHING = {"source": None, "authority_code": None, "prefix_pattern": "^$"}


def _of_source(source: Source) -> dict[str, Any]:
    """What a source mapping says of the people in its files that the files do not."""
    return {
        "source": source.name,
        "authority_code": source.authority_code,
        "prefix_pattern": source.prefix_pattern,
    }


def _checked(table: str) -> str:
    return f"checked_{table.removeprefix('staged.')}"


def _create_tables(warehouse: Warehouse) -> None:
    """Every kept table, empty, in the order in which their SELECTs read each other, unless they are there."""
    create_raw_tables(warehouse)
    load_placeholder_names(warehouse)
    know_nicknames(warehouse)
    warehouse.work("spoken_files", "staged.spoken_files")
    warehouse.work("batch", "staged.batch")
    keep_known_values(warehouse)
    warehouse.execute(
        "create or replace temp table roster_councils (issuer varchar, record_id varchar, council varchar)"
    )
    warehouse.work("sent_people", "staged.roster_people", _NOTHING)
    warehouse.work("people", "staged.people")
    warehouse.execute(
        "create or replace temp table links (feed varchar, issuer varchar, record_id varchar, client_id integer,"
        " new_client_ref varchar, how_linked varchar)"
    )
    warehouse.execute("create or replace temp table affected (client_id integer)")
    warehouse.execute(
        "create or replace temp table holdings (feed varchar, issuer varchar, id_sent varchar,"
        " periods struct(held_from date, record_id varchar, origin_client_id integer)[])"
    )
    warehouse.execute(
        "create or replace temp table kept_visits (issuer varchar, visit_id varchar, origin_client_id integer)"
    )
    warehouse.execute(
        "create or replace temp table kept_enrolments (issuer varchar, id_sent varchar, contract_number varchar,"
        " start_on date, origin_client_id integer)"
    )
    for table in KEYS:
        warehouse.work("incoming", table, _NOTHING)
        warehouse.create(table, "select * from incoming")
