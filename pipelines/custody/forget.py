"""Forget a client: their personal data erased everywhere, decisions and sums intact.

The intent is recorded first. What has to look at the person's data to find it in files comes before the warehouse
forgets them, and every step finds what it did; so a killed process does no harm, and the next night, or the same
command, brings it to its end.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from pipelines.custody.erase import erase
from pipelines.custody.models import forget_terms
from pipelines.custody.originals import contents_of, erase_elsewhere, erase_original, originals_of, rejected_rows
from pipelines.custody.person import Person, forgotten, gather, new_stem, records_of
from pipelines.custody.published import publish_merges_anew, withdraw_from_plans, withdraw_from_reports
from pipelines.decisions.entry import Entry
from pipelines.decisions.forgetting import Forgetting, read_forgettings, record_forgetting, scrub
from pipelines.decisions.statement import LONGEST_REASON, DecisionRefusedError, checked_who, tidied
from pipelines.decisions.store import open_decisions
from pipelines.match.score import match_clients
from pipelines.settings import Settings
from pipelines.stage.register import require_register
from pipelines.turns import my_turn
from pipelines.warehouse import Warehouse, open_warehouse, rewrite_warehouse

log = logging.getLogger(__name__)

Progress = Callable[[str, int, int], None]
ERASED, DONE = "erased", "done"
_A_DAY = 86_400


@dataclass
class Outcome:
    """What came of it, in client refs, counts and numbers of entries. ``in_care``: why it was refused, with counts.

    ``named_in_reasons``: entries of the decision log whose reason names the person, which nobody can erase. ``others``:
    records that are taken for the same person and are not merged with them. ``not_searched``: damaged files, and
    ``in_inbox`` how many files wait for a night, which may bring the person back.
    """

    client_refs: tuple[str, ...] = ()
    number: int = 0
    in_care: dict[str, int] = field(default_factory=dict)
    already: bool = False
    erased: dict[str, int] = field(default_factory=dict)
    named_in_reasons: tuple[int, ...] = ()
    others: tuple[str, ...] = ()
    not_searched: tuple[str, ...] = ()
    in_inbox: int = 0

    def as_dict(self) -> dict[str, Any]:
        """For JSON: no personal data."""
        return asdict(self)


def waiting(settings: Settings) -> int:
    """How many files lie in the inbox."""
    return sum(path.is_file() and not path.name.startswith(".") for path in settings.inbox.rglob("*"))


def preview(settings: Settings, client_ref: str) -> Outcome:
    """What ``forget`` would find. Changes nothing. Raises DecisionRefusedError when there is no such record."""
    with open_warehouse(settings) as warehouse, open_decisions(settings) as store:
        require_register(warehouse)
        entries = store.entries()
        with warehouse.rehearsal():
            person = gather(warehouse, records_of(warehouse, client_ref), new_stem(), entries)
            outcome = _told(person, entries)
            outcome.in_inbox = waiting(settings)
            outcome.already = any(client_ref in each.forgotten.client_refs for each in read_forgettings(store.engine))
            outcome.erased = dict(warehouse.rows("select feed, count(*) from rows_to_erase group by 1 order by 1"))
        return outcome


def forget(
    settings: Settings, client_ref: str, *, who: str, reason: str, although_in_care: bool = False,
    progress: Progress = lambda step, done, of: None,
) -> Outcome:  # fmt: skip
    """Erase all personal data of the person to whom a client record belongs; gives what was done.

    Refused, with ``Outcome.in_care``, while the next file would bring them back. Raises DecisionRefusedError for what
    cannot be meant, OriginalDiffersError for an archive that is not as it was.
    """
    who, reason = checked_who(who), tidied(reason, "reason", LONGEST_REASON)
    if not reason:
        raise DecisionRefusedError(
            "Say why, without naming anybody: --reason, such as a reference of the request.", code="D12"
        )
    with open_warehouse(settings) as warehouse, open_decisions(settings) as store:
        require_register(warehouse)
        _refuse_halfway(warehouse)
        entries = store.entries()
        recorded = [each for each in read_forgettings(store.engine) if client_ref in each.forgotten.client_refs]
        stem = recorded[-1].forgotten.stem if recorded else new_stem()
        person = gather(warehouse, records_of(warehouse, client_ref), stem, entries)
        outcome = _told(person, entries)
        if not recorded:
            if person.known_by.are_named(reason):
                raise DecisionRefusedError(
                    "The reason names the person, and it can never be erased. Say it without name or number.",
                    code="D12",
                )
            if person.in_care and not although_in_care:
                return outcome
            kept = originals_of(settings, warehouse, rejected_rows(warehouse, person.known_by))
            told = forgotten(warehouse, person, stem, contents_of(settings, kept))
            recorded = [record_forgetting(store.engine, who, reason, told)]
    outcome.in_care, outcome.number, outcome.in_inbox = {}, recorded[-1].number, waiting(settings)
    outcome.already = not _carry_out(settings, recorded[-1], outcome, progress)
    return outcome


def finish_forgettings(settings: Settings, progress: Progress = lambda step, done, of: None) -> list[int]:
    """Bring to its end what was recorded and cut short; gives the numbers."""
    with open_decisions(settings) as store:
        recorded = read_forgettings(store.engine)
    return [each.number for each in recorded if _carry_out(settings, each, Outcome(), progress)]


def _carry_out(settings: Settings, forgetting: Forgetting, outcome: Outcome, progress: Progress) -> bool:
    """Take the steps that are left; False: there was none."""
    state = _state(settings, forgetting.number)
    if state == DONE:
        return False
    refs = forgetting.forgotten.client_refs
    if state != ERASED:
        progress("searching reports and plans", 0, 4)
        outcome.erased["reports"] = withdraw_from_reports(settings, refs)
        outcome.erased["plans"] = withdraw_from_plans(settings, refs)
        progress("erasing", 1, 4)
        with my_turn(settings.archive):
            _erase(settings, forgetting, outcome)
    progress("matching the others again", 2, 4)
    match_again(settings)
    publish_merges_anew(settings)
    with open_decisions(settings) as store:
        scrub(store.engine)
    progress("writing the warehouse anew", 3, 4)
    rewrite_warehouse(settings)
    _clear_scratch(settings)
    _note(settings, forgetting.number, DONE)
    log.info("forgetting %d is done", forgetting.number)
    return True


def _erase(settings: Settings, forgetting: Forgetting, outcome: Outcome) -> None:
    """Erase the person in files that are kept as they came, in models, the decision store and the warehouse."""
    number, told = forgetting.number, forgetting.forgotten
    with open_warehouse(settings) as warehouse, open_decisions(settings) as store:
        if not warehouse.exists("staged.clients"):  # a home that is made again: what comes in holds nobody forgotten
            _note_in(warehouse, number, ERASED)
            return
        entries = store.entries()
        with warehouse.transaction():
            person = gather(warehouse, told.client_refs, told.stem, entries)
            if person.client_refs:
                rejected = rejected_rows(warehouse, person.known_by)
                elsewhere = erase_elsewhere(settings, person.known_by)
                kept = originals_of(settings, warehouse, rejected)
                outcome.erased |= {
                    "rows_of_originals": sum(erase_original(settings, original) for original in kept),
                    "rows_refused_or_handed_back": elsewhere.rows,
                }
                outcome.not_searched = tuple(elsewhere.not_searched)
                hashes = [e.evidence_hash or "" for e in entries if set(e.pair) & set(told.client_refs)]
                outcome.erased["facts"] = store.erase_facts(hashes)
                outcome.erased |= erase(warehouse, read_forgettings(store.engine), rejected)
                outcome.erased["model_terms"] = forget_terms(settings, warehouse)
            _note_in(warehouse, number, ERASED)


def match_again(settings: Settings) -> None:
    """Let matching forget the person too: others are compared as if they had never been there."""
    with open_warehouse(settings) as warehouse:
        if not warehouse.exists("matched.scored"):
            return
        day = warehouse.one("select coalesce(max(taken_on), date '1900-01-01') from staged.taken_files")
    match_clients(settings, day)


def _clear_scratch(settings: Settings) -> None:
    """Delete what killed processes left there; what is in use is younger than a day."""
    for path in settings.scratch.rglob("*"):
        if path.is_file() and time.time() - path.stat().st_mtime > _A_DAY:
            path.unlink(missing_ok=True)


def _told(person: Person, entries: list[Entry]) -> Outcome:
    named = (e.sequence_number for e in entries if e.reason and person.known_by.are_named(e.reason))
    return Outcome(person.client_refs, in_care=person.in_care, named_in_reasons=tuple(named), others=person.others)


def _refuse_halfway(warehouse: Warehouse) -> None:
    waiting = "select count(*) from raw.files where status = 'loaded' and file_id not in (select file_id from {})"
    if warehouse.one(waiting.format("staged.taken_files")):
        raise DecisionRefusedError("A file that came in is not in the register yet. Run: oneclient nightly", code="D12")
    if warehouse.one("select count(*) from merged.runs where state = 'begun'"):
        raise DecisionRefusedError(
            "A merge run is not finished. Run: oneclient merge apply, or the night; then again.", code="D12"
        )


def _state(settings: Settings, number: int) -> str:
    with open_warehouse(settings) as warehouse:
        found = warehouse.rows("select state from staged.forgettings where number = $number", {"number": number})
        return str(found[0][0]) if found else ""


def _note(settings: Settings, number: int, state: str) -> None:
    with open_warehouse(settings) as warehouse, warehouse.transaction():
        _note_in(warehouse, number, state)


def _note_in(warehouse: Warehouse, number: int, state: str) -> None:
    warehouse.execute("delete from staged.forgettings where number = $number", {"number": number})
    warehouse.execute("insert into staged.forgettings values ($number, $state)", {"number": number, "state": state})
