"""Confusions as cases: one identifier on two records, which a reviewer settles by the case id like any other pair.

*Different*: another person was given the identifier; the case is settled and the two stay apart. *Same*: one person
whose details changed; the two become one by a merge, which can be undone. Until then the confusion is open.
"""

from __future__ import annotations

from dataclasses import replace

from pipelines.decisions.store import DecisionStore
from pipelines.review.contents import Confusion
from pipelines.review.decide import last_published, standings_of
from pipelines.review.joined import Joined
from pipelines.review.published import read_confusions
from pipelines.settings import Settings


def open_confusions(settings: Settings, store: DecisionStore) -> list[Confusion]:
    """The confusions of the last night that no decision or merge has settled since. Raises NoReportError."""
    day, entries = last_published(settings), store.entries()
    standings, joined = standings_of(settings, store, entries, day), Joined(entries)
    found = []
    for confusion in read_confusions(settings, day):
        now = standings.get(confusion.pair)
        if not joined.merge_of(confusion.pair) and not (now and now.standing == "different"):
            standing, reason = (now.standing, now.reason) if now else ("", "")
            found.append(replace(confusion, standing=standing, standing_reason=reason))
    return found
