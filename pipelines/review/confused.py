"""Confusions as cases: one identifier on two records, which a reviewer settles by the case id like any other pair.

*Different*: another person was given the identifier; the case is settled and the two stay apart. *Same*: one person
whose details changed; the two become one by a merge, which can be undone. Until then the confusion is open.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pipelines.decisions.evidence import evidence_hash
from pipelines.decisions.statement import Statement
from pipelines.decisions.store import DecisionStore
from pipelines.review.contents import Confusion
from pipelines.review.decide import choices_written, last_published, standings_of
from pipelines.review.joined import Joined
from pipelines.review.published import read_confusions, read_run
from pipelines.settings import Settings


def open_confusions(settings: Settings, store: DecisionStore) -> list[Confusion]:
    """The confusions of the last night that no decision or merge has settled since. Raises NoReportError."""
    day, entries = last_published(settings), store.entries()
    standings, joined = standings_of(settings, entries, day), Joined(entries)
    found = []
    for confusion in read_confusions(settings, day):
        now = standings.get(confusion.pair)
        if not joined.merge_of(confusion.pair) and not (now and now.standing == "different"):
            standing, reason = (now.standing, now.reason) if now else ("", "")
            found.append(replace(confusion, standing=standing, standing_reason=reason))
    return found


def find_confusion(settings: Settings, candidate_id: str) -> Confusion | None:
    """The confusion of the last night with that case id, if there is one. Raises NoReportError without a report."""
    found = (c for c in read_confusions(settings, last_published(settings)) if c.candidate_id == candidate_id)
    return next((confusion for confusion in found if confusion.facts), None)


def state_of_confusion(
    settings: Settings,
    confusion: Confusion,
    *,
    verdict: str,
    who: str,
    door: str,
    reason: str,
    cells: Mapping[str, str],
) -> Statement:
    """A statement on the two records of a confusion, bound to their facts. Raises DecisionRefusedError."""
    left, right = confusion.left_ref, confusion.right_ref
    names = {left.casefold(): left, right.casefold(): right, "left": left, "right": right}
    return Statement(
        candidate_id=confusion.candidate_id,
        left_ref=left,
        right_ref=right,
        verdict=verdict,
        who=who,
        door=door,
        reason=reason,
        evidence_hash=evidence_hash(confusion.facts),
        facts=confusion.facts,
        model_version=read_run(settings, last_published(settings)).model_version,
        choices=choices_written(cells, names),
    )
