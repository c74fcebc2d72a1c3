"""Is this home in good health? Each check says what it found and what to do next."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from pipelines.decisions.database import StoreUnavailableError
from pipelines.decisions.entry import Entry, first_broken
from pipelines.decisions.forgetting import first_broken_forgetting, read_forgettings
from pipelines.decisions.snapshot import first_missing
from pipelines.decisions.store import open_decisions
from pipelines.decisions.two_persons import SWITCHED_OFF
from pipelines.match.models import load_model
from pipelines.match.spark.submit import spark_submit
from pipelines.private import too_open
from pipelines.providers import Provider
from pipelines.sealing import is_sealed, originals
from pipelines.settings import KeyRefusedError, Settings, SettingsError, listed_providers, load_settings
from pipelines.sources import load_sources
from pipelines.warehouse import Warehouse, WarehouseBusyError, WarehouseDamagedError, open_warehouse

ENOUGH_DISK_GIGABYTES = 2


@dataclass(frozen=True)
class Finding:
    """One check: what was found, and if it is not well, what to do next."""

    check: str
    well: bool
    found: str
    next: str = ""

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def examine(settings: Settings) -> list[Finding]:
    """Every check, in the order in which one would mend them."""
    checks = (_sources, _disk, _private, _model, _quarantine, _two_persons)
    findings = [check(settings) for check in checks]
    findings += [_spark()] if settings.match.engine == "spark" else []
    entries, decisions = _decisions(settings)
    findings.append(decisions)
    try:
        with open_warehouse(settings) as warehouse:
            findings += [check(warehouse) for check in _WAREHOUSE_CHECKS]
            findings += [_decisions_kept(warehouse, entries)] if entries is not None else []
            findings += [_forgotten(warehouse, settings)] if entries is not None else []
        findings.append(_encrypted(settings))
    except WarehouseBusyError as error:
        findings.append(Finding("warehouse", False, str(error), "Run doctor again when it is free."))
    except KeyRefusedError as error:
        findings.append(Finding("encryption", False, str(error), "Do that, then run doctor again."))
    except WarehouseDamagedError as error:
        findings.append(Finding("warehouse", False, str(error), "Do that, then run doctor again."))
    return findings


def examine_providers() -> list[Finding]:
    """Whether each provider can be served: its settings, its key, and a decision store that is its own.

    Raises SettingsError for a list that cannot be used.
    """
    return [_served(provider) for provider in listed_providers()]


def _served(provider: Provider) -> Finding:
    check = provider.name or "the only provider"
    try:
        settings = load_settings(provider.home)
        with open_decisions(settings):
            return Finding(check, True, f"{settings.home}, DAG {provider.called('nightly')}, pool {provider.pool}")
    except (SettingsError, StoreUnavailableError) as error:
        return Finding(check, False, str(error), "Its runs fail until then; those of others do not.")
    except OSError as error:
        return Finding(
            check, False, f"its home cannot be used: {error.strerror}", "See that the folder can be written."
        )


def _sources(settings: Settings) -> Finding:
    try:
        return Finding("source mappings", True, f"{len(load_sources(settings.sources))} mappings can be read")
    except SettingsError as error:
        return Finding("source mappings", False, str(error), "Correct the mapping in HOME/sources.")


def _disk(settings: Settings) -> Finding:
    free = shutil.disk_usage(settings.home).free / 1e9
    return Finding(
        "disk", free >= ENOUGH_DISK_GIGABYTES, f"{free:.0f} GB free", "Free some disk before the next night."
    )


def _private(settings: Settings) -> Finding:
    """Whether others than their owner have a right to what oneclient keeps; what people deliver keeps its own."""
    people_write = {settings.inbox, settings.sources, settings.home / "settings.toml"}
    found = too_open(settings.home, people_write)
    return Finding(
        "private", not found, f"{len(found)} paths in the home are open to others than their owner",
        f"Run: chmod -R go= {shlex.quote(str(settings.home))}",
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


def _model(settings: Settings) -> Finding:
    try:
        model = load_model(settings)
    except SettingsError as error:
        return Finding("model", False, str(error), "Run: oneclient train")
    return Finding("model", True, f"model {model.version}" if model else "none yet: the first night trains one")


def _spark() -> Finding:
    try:
        return Finding("spark", True, f"{spark_submit()}")
    except SettingsError as error:
        return Finding("spark", False, "the engine of matching is Spark, which cannot be started", str(error))


def _model_holds(warehouse: Warehouse) -> Finding:
    reasons = [reason for (reason,) in warehouse.rows("select reason from matched.drift order by reason")]
    found = " ".join(reasons) or "the register is as it was when the model was trained"
    return Finding("model holds", not reasons, found, "Run: oneclient train")


def _quarantine(settings: Settings) -> Finding:
    notes = len(list(settings.quarantine.glob("*.reason.json")))
    found = f"{notes} files in quarantine"
    return Finding("quarantine", notes == 0, found, "Read the .reason.json beside each, act on it, and delete both.")


def _two_persons(settings: Settings) -> Finding:
    on = settings.decisions.two_persons
    return Finding("two persons", True, "approver and executor of a merge are two" if on else SWITCHED_OFF)


def _decisions(settings: Settings) -> tuple[list[Entry] | None, Finding]:
    """The decision log, None if it cannot be read, and whether each entry is as it was recorded."""
    try:
        with open_decisions(settings) as store:
            entries = store.entries()
    except (StoreUnavailableError, SettingsError) as error:
        return None, Finding("decisions", False, str(error), "Make the store available, then run doctor again.")
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


def _forgotten(warehouse: Warehouse, settings: Settings) -> Finding:
    with open_decisions(settings) as store:
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


def _every_run_ended(warehouse: Warehouse) -> Finding:
    begun = [number for (number,) in warehouse.rows("select signed_in from merged.runs where state = 'begun'")]
    return Finding(
        "merge runs", not begun, f"{len(begun)} merge runs are not finished",
        "A night finishes them, or: oneclient merge apply. If something stops one, that says what.",
    )  # fmt: skip


_LAST_NIGHT = "select coalesce(max(taken_on), date '1900-01-01') from staged.taken_files"
_WAREHOUSE_CHECKS: tuple[Callable[[Warehouse], Finding], ...] = (
    _model_holds,
    _nothing_lost,
    _everything_taken,
    _nothing_on_merged_away_records,
    _every_run_ended,
)


def _count(warehouse: Warehouse, table: str, sql: str) -> int:
    return int(warehouse.one(sql)) if warehouse.exists(table) else 0
