"""The case of any two records that a reviewer names, whether or not a night proposed them.

It is gathered from the warehouse as it is now, and kept beside the report of the last night, so that from then on every
interface reads it as it reads a candidate of that night.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from itertools import chain, combinations

from pipelines.decisions.entry import Entry, Pair, candidate_id
from pipelines.decisions.statement import DecisionRefusedError
from pipelines.review import contents
from pipelines.review.evidence import gather_named
from pipelines.review.joined import Joined
from pipelines.review.published import NoReportError, keep_named, read_candidates, read_confusions, read_run
from pipelines.settings import Settings
from pipelines.warehouse import Warehouse, open_warehouse

MOST_RECORDS = 10


def cases_of(settings: Settings, entries: Iterable[Entry], day: date, refs: Sequence[str]) -> list[contents.Candidate]:
    """The case of each two of the records that a reviewer names by their client refs, in capitals or not.

    For a record that was merged away its survivor is taken. Raises DecisionRefusedError for a ref that is unknown or
    forgotten, for fewer than two records, and for two that are one record already; WarehouseBusyError while a nightly
    run or a merge has the warehouse and no night published the case.
    """
    if not 2 <= len(refs) <= MOST_RECORDS:
        raise DecisionRefusedError(f"Name two to {MOST_RECORDS} records by their client refs.", code="D5")
    joined, refs = Joined(entries), [ref.strip() for ref in refs]
    try:
        return read_candidates(settings, day, _ids(_pairs_of_survivors(joined, refs)))
    except NoReportError:
        run = read_run(settings, day)
    with open_warehouse(settings) as warehouse:
        pairs = _pairs_of_survivors(joined, _as_recorded(warehouse, refs))
        cases = gather_named(settings, warehouse, contents.Report(run, ()), _client_ids(warehouse, pairs))
    if len(cases) < len(pairs):
        raise DecisionRefusedError(
            "Matching cannot compare these records now: a merge run is not finished, or no night has matched them. "
            "Run: oneclient nightly; then again.",
            code="D5",
        )
    keep_named(settings, day, cases)
    return list(cases)


def reopened(settings: Settings, entries: Sequence[Entry], day: date, wanted: str) -> contents.Candidate | None:
    """The case of that id, if it is a confusion of the night, or was decided once: the merge that followed may have
    been undone since, so that it is no candidate of this night. None if it is neither. Raises as ``cases_of``."""
    confused = (one.pair for one in read_confusions(settings, day) if one.candidate_id == wanted)
    decided = (entry.pair for entry in reversed(entries) if entry.candidate_id == wanted)
    pair = next(chain(confused, decided), None)
    return cases_of(settings, entries, day, pair)[0] if pair else None


def _pairs_of_survivors(joined: Joined, refs: Sequence[str]) -> set[Pair]:
    """Each two of the records, a merged one by its survivor. Raises DecisionRefusedError for two that are one."""
    pairs: set[Pair] = set()
    for pair in combinations(refs, 2):
        one, other = sorted(joined.crosswalk.get(ref, ref) for ref in pair)
        if pair[0] == pair[1]:
            raise DecisionRefusedError("One record is named twice. Name two different ones.", code="D5")
        if one == other:
            past = joined.merge_of(pair)
            merge = f" ({past.merge_id}). To part them: oneclient merge undo {past.merge_id} --by NAME" if past else ""
            raise DecisionRefusedError(f"Two of these records are one record already{merge}.", code="D5")
        pairs.add((one, other))
    return pairs


def _ids(pairs: Iterable[Pair]) -> set[str]:
    return {candidate_id(*pair) for pair in pairs}


def _as_recorded(warehouse: Warehouse, refs: Sequence[str]) -> list[str]:
    """The client refs as the register writes them. Raises DecisionRefusedError for one that it has not, or forgot."""
    there = warehouse.rows(_RECORDED, {"refs": [ref.lower() for ref in refs]})
    exact = dict(there)
    written = {ref.lower(): ref for ref in sorted(exact)}
    found = [ref if ref in exact else written.get(ref.lower(), "") for ref in refs]
    for place, ref in enumerate(found, start=1):
        if not ref:
            raise DecisionRefusedError(
                f"There is no client record of the name that stands in place {place}. Write its client ref as "
                "candidates, reports and published files show it.",
                code="D5",
            )
        if exact[ref]:
            raise DecisionRefusedError(
                f"The record in place {place} is of a person who was forgotten: nothing can be decided of it.",
                code="D5",
            )
    return found


def _client_ids(warehouse: Warehouse, pairs: set[Pair]) -> set[tuple[int, int]]:
    refs = sorted({ref for pair in pairs for ref in pair})
    number = dict(warehouse.rows(_NUMBERS, {"refs": refs}))
    return {(min(number[a], number[b]), max(number[a], number[b])) for a, b in pairs}


_RECORDED = """
    select client_ref, client_ref in (select client_ref from staged.forgotten)
    from staged.client_ids where list_contains($refs, lower(client_ref))
"""
_NUMBERS = "select client_ref, client_id from staged.client_ids where list_contains($refs, client_ref)"
