"""What the warehouse and the decision store of a home hold, once they can be opened."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import duckdb
from sqlalchemy.exc import DatabaseError

from pipelines.decisions.crosswalk import signed_off
from pipelines.decisions.database import (
    NEWEST_SCHEMA,
    StoreUnavailableError,
    open_database,
    pending_of_store,
    schema_of_store,
)
from pipelines.decisions.entry import Entry, first_broken
from pipelines.decisions.forgetting import first_broken_forgetting, read_forgettings
from pipelines.decisions.snapshot import first_missing
from pipelines.decisions.store import DecisionStore, open_decisions
from pipelines.disk import disk_trouble
from pipelines.doctor import kept
from pipelines.doctor.finding import Finding
from pipelines.merge.watch import watch
from pipelines.schema import made_by, newest_schema, pending, schema_of, see_that_it_is_not_newer
from pipelines.sealing import is_sealed, originals
from pipelines.settings import KeyRefusedError, Settings, SettingsError
from pipelines.warehouse import (
    Warehouse,
    WarehouseBusyError,
    WarehouseDamagedError,
    WarehouseShapeError,
    open_warehouse,
)


def examine(settings: Settings) -> list[Finding]:
    """Every check of both stores; of one that cannot be opened, why."""
    entries, decisions = _decisions(settings)
    return [decisions, *_warehouse(settings, entries)]


def _warehouse(settings: Settings, entries: list[Entry] | None) -> list[Finding]:
    findings = []
    try:
        findings.append(_schemas(settings))
        if findings[0].well:
            with open_warehouse(settings) as warehouse:
                findings += [check(warehouse) for check in _WAREHOUSE_CHECKS]
                findings += [_decisions_kept(warehouse, entries)] if entries is not None else []
                findings += [_standing_merges(warehouse, entries)] if entries is not None else []
                findings += [_every_run_ended(warehouse, entries or [])]
                if entries is not None:
                    with open_decisions(settings) as store:
                        findings += [_forgotten(warehouse, store), *kept.examine(settings, warehouse, store)]
        findings.append(_encrypted(settings))
    except WarehouseBusyError as error:
        findings.append(Finding("warehouse", False, str(error), "Run doctor again when it is free."))
    except KeyRefusedError as error:
        findings.append(Finding("encryption", False, str(error), "Do that, then run doctor again."))
    except WarehouseDamagedError as error:
        findings.append(Finding("warehouse", False, str(error), "Do that, then run doctor again."))
    except (OSError, duckdb.Error) as error:
        if not (said := disk_trouble(error)):
            raise
        findings.append(Finding("warehouse", False, str(said), "Then run doctor again."))
    return findings


def _schemas(settings: Settings) -> Finding:
    """Whether both stores have the schemas that this oneclient works with."""
    try:
        with open_warehouse(settings, as_it_is=True) as warehouse:
            see_that_it_is_not_newer(warehouse)
            schema = schema_of(warehouse)
            maker = made_by(warehouse) if schema else "nobody yet"
        with open_database(settings, older="as it is") as store:
            of_decisions = schema_of_store(store)
    except (WarehouseShapeError, StoreUnavailableError) as error:
        return Finding("schemas", False, str(error), "Do that, then run doctor again.")
    waiting = len({migration.schema for migration in pending(schema)}) + len(pending_of_store(of_decisions))
    return Finding(
        "schemas", not waiting,
        f"warehouse {schema or newest_schema()} of {newest_schema()}, made so by {maker}; decisions {of_decisions} of "
        f"{NEWEST_SCHEMA}; {waiting} upgrades are pending",
        "Make a backup (oneclient backup --to FILE), then run: oneclient upgrade",
    )  # fmt: skip


def _encrypted(settings: Settings) -> Finding:
    """What is encrypted, once the warehouse was opened with the key or without."""
    if settings.key is None:
        return Finding("encryption", True, "not encrypted by oneclient: keep the home on an encrypted disk")
    plain = [path for path in originals(settings) if not is_sealed(path)]
    weak = ", by DuckDB's own random numbers if httpfs is not installed" if settings.encryption.weak_randomness else ""
    found = (
        f"encrypted{weak}: the warehouse, archive and quarantine but for {len(plain)} files. "
        "Not encrypted: decisions, models, reports, what is published. Keep the home on an encrypted disk"
    )
    return Finding("encryption", not plain, found, "Run: oneclient backup, and restore it into a new home.")


def _model_holds(warehouse: Warehouse) -> Finding:
    reasons = [reason for (reason,) in warehouse.rows("select reason from matched.drift order by reason")]
    found = " ".join(reasons) or "the register is as it was when the model was trained"
    return Finding("model holds", not reasons, found, "Run: oneclient train")


def _decisions(settings: Settings) -> tuple[list[Entry] | None, Finding]:
    """The decision log, None if it cannot be read, and whether each entry is as it was recorded."""
    try:
        with open_decisions(settings) as store:
            entries = store.entries()
    except (StoreUnavailableError, SettingsError) as error:
        return None, Finding("decisions", False, str(error), "Do that, then run doctor again.")
    except (OSError, DatabaseError) as error:
        if not (said := disk_trouble(error)):
            raise
        return None, Finding("decisions", False, str(said), "Then run doctor again.")
    broken = first_broken(entries)
    found = f"entry {broken} is not as it was recorded" if broken else f"{len(entries)} entries, their chain is whole"
    return entries, Finding(
        "decisions", broken is None, found, "Restore the decision store from its backup, and find out who changed it."
    )


def _decisions_kept(warehouse: Warehouse, entries: list[Entry]) -> Finding:
    missing = first_missing(warehouse, entries)
    found = f"entry {missing} is no longer as a night read it" if missing else "the log holds all that a night has read"
    return Finding(
        "decisions kept", missing is None, found,
        "The log was replaced or cut off: restore it from its backup, or correct decisions.url.",
    )  # fmt: skip


def _forgotten(warehouse: Warehouse, store: DecisionStore) -> Finding:
    recorded = read_forgettings(store.engine)
    if broken := first_broken_forgetting(recorded):
        found = f"forgetting {broken} is not as it was recorded"
        return Finding("forgotten", False, found, "Restore the decision store from its backup.")
    done = {number for (number,) in warehouse.rows("select number from staged.forgettings where state = 'done'")}
    left = len({each.number for each in recorded} - done)
    found = f"{len(recorded)} people were forgotten, {left} of them not to the end"
    return Finding("forgotten", not left, found, "Run: oneclient nightly")


def _nothing_lost(warehouse: Warehouse) -> Finding:
    wrong = _count(
        warehouse, "raw.files", "select count(*) from raw.files where rows_read <> rows_loaded + rows_rejected"
    )
    return Finding(
        "nothing lost", wrong == 0, f"{wrong} files whose rows do not add up", "Restore the home from its last backup."
    )


def _everything_taken(warehouse: Warehouse) -> Finding:
    waiting = _count(
        warehouse,
        "raw.files",
        "select count(*) from raw.files where status = 'loaded'"
        " and file_id not in (select file_id from staged.taken_files)",
    )
    return Finding(
        "register", waiting == 0, f"{waiting} landed files are not in the register yet", "Run: oneclient nightly"
    )


def _nothing_on_merged_away_records(warehouse: Warehouse) -> Finding:
    far = date(9999, 12, 31)  # a range without a day: visits of the past may wait for a wider range
    bounds = {"as_of": warehouse.one(_LAST_NIGHT), "from_on": far, "to_on": far}
    known = warehouse.exists("staged.visits")
    rows = sum(found[-1] for found in warehouse.work_rows("merged.left_behind", bounds)) if known else 0
    return Finding(
        "merged-away records", rows == 0, f"{rows} rows of today or to come count for a record that was merged away",
        "They would bring it back to life. Run: oneclient nightly. If they stay, keep the home as it is and report it.",
    )  # fmt: skip


def _standing_merges(warehouse: Warehouse, entries: list[Entry]) -> Finding:
    known = warehouse.exists("staged.visits")
    found = {one.merge_id for one in watch(warehouse, entries) if one.contradicts} if known else set()
    return Finding(
        "standing merges", not found, f"{len(found)} standing merges are contradicted by what came to light since",
        "Run: oneclient merge status. It says what contradicts each, and who can settle it.",
    )  # fmt: skip


def _every_run_ended(warehouse: Warehouse, entries: list[Entry]) -> Finding:
    states = dict(warehouse.rows("select signed_in, state from merged.runs"))
    begun = sum(state == "begun" for state in states.values())
    waiting = sum(entry.sequence_number not in states for entry in signed_off(entries))
    return Finding(
        "merge runs", not begun + waiting,
        f"{begun} merge runs are not finished, {waiting} sign-offs of the log were never begun here",
        "A nightly run finishes them, or: oneclient merge apply. If something stops one, that says what. If they had "
        "been carried out before, the warehouse is older than the log: restore it from the newest backup.",
    )  # fmt: skip


_LAST_NIGHT = "select coalesce(max(taken_on), date '1900-01-01') from staged.taken_files"
_WAREHOUSE_CHECKS: tuple[Callable[[Warehouse], Finding], ...] = (
    _model_holds,
    _nothing_lost,
    _everything_taken,
    _nothing_on_merged_away_records,
)


def _count(warehouse: Warehouse, table: str, sql: str) -> int:
    return int(warehouse.one(sql)) if warehouse.exists(table) else 0
