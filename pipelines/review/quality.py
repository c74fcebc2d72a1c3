"""How well people review: whether they agree, how long they take, and what their verdicts say of each tier.

Pure functions of the decision log. A pair that was decided before its score was seen (*blind*) says more of the tier
than one that was decided with the score in view, so the two are counted apart.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median

from pipelines.decisions.entry import Entry
from pipelines.decisions.standing import in_force, undone
from pipelines.decisions.statement import VERDICTS, person
from pipelines.review.practice import Practised, Score, scores
from pipelines.settings import TIERS


@dataclass(frozen=True)
class Agreement:
    """Two people who decided the same pairs. ``kappa`` is None where it is not defined: both always said one thing."""

    one: str
    other: str
    pairs: int
    agreed: int
    kappa: float | None


@dataclass(frozen=True)
class Pace:
    """One person's verdicts at the page. ``median_seconds``: from opening the candidate to the verdict."""

    who: str
    verdicts: dict[str, int]
    taken_back: int
    median_seconds: float | None


@dataclass(frozen=True)
class TierPrecision:
    """Of the pairs of a tier that people settled, the share that are one person, with its 95% interval (Wilson)."""

    tier: str
    blind: bool
    same: int
    different: int
    unsure: int
    precision: float | None
    low: float
    high: float


@dataclass(frozen=True)
class Unproposed:
    """Pairs that reviewers named themselves and that matching never proposed. ``missed``: they are held to be the same,
    so matching missed them; ``different`` are held to be two people; of ``unsettled`` they are unsure or disagree."""

    missed: int = 0
    different: int = 0
    unsettled: int = 0


@dataclass(frozen=True)
class Quality:
    """All of it."""

    agreements: tuple[Agreement, ...]
    paces: tuple[Pace, ...]
    precisions: tuple[TierPrecision, ...]
    practised: tuple[Score, ...] = ()
    unproposed: Unproposed = Unproposed()


def review_quality(entries: Sequence[Entry], practised: Iterable[Practised] = ()) -> Quality:
    """The quality of review that the decision log shows, and beside it what people said of practice pairs."""
    return Quality(
        agreements(entries), paces(entries), tier_precisions(entries), scores(practised), unproposed(entries)
    )


def cohens_kappa(verdicts: Sequence[tuple[str, str]]) -> float | None:
    """How far two people agree beyond chance, from 1 (always) by 0 (as chance would) down to -1.

    ``verdicts``: what the one and the other said of each pair. None without pairs, and where chance alone would agree
    always. After J. Cohen, A coefficient of agreement for nominal scales, Educ. Psychol. Meas. 20 (1960), 37-46.
    """
    if not verdicts:
        return None
    number = len(verdicts)
    agreed = sum(one == other for one, other in verdicts) / number
    ones, others = (Counter(side) for side in zip(*verdicts, strict=True))
    chance = sum(ones[verdict] * others[verdict] for verdict in ones) / number**2
    return None if chance == 1 else (agreed - chance) / (1 - chance)


def agreements(entries: Iterable[Entry]) -> tuple[Agreement, ...]:
    """For each two people, how far they agree on the pairs that both decided on the same evidence."""
    both: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    names: dict[str, str] = {}
    for said in in_force(entries).values():
        names |= {who: entry.who for who, entry in said.items()}
        for one, other in combinations(sorted(said), 2):
            if said[one].evidence_hash == said[other].evidence_hash:
                both[one, other].append((said[one].verdict or "", said[other].verdict or ""))
    return tuple(
        Agreement(
            names[one], names[other], len(verdicts), sum(a == b for a, b in verdicts), cohens_kappa(verdicts)
        )
        for (one, other), verdicts in sorted(both.items())
    )  # fmt: skip


def paces(entries: Sequence[Entry]) -> tuple[Pace, ...]:
    """Each person's verdicts, taken back or not, and how long one took them."""
    gone = undone(entries)
    said: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        if entry.kind == "verdict":
            said[person(entry.who)].append(entry)
    return tuple(_pace(theirs, gone) for _, theirs in sorted(said.items()))


def tier_precisions(entries: Iterable[Entry]) -> tuple[TierPrecision, ...]:
    """For each tier, blind verdicts first: what each person's verdicts in force say of it, a pair once.

    A pair on which people are at odds is counted as *unsure*.
    """
    counts: dict[tuple[str, bool], Counter[str]] = defaultdict(Counter)
    for said in in_force(entries).values():
        for blind in (True, False):
            some = [entry for entry in said.values() if bool(entry.score_was_hidden) == blind]
            if some and (tier := some[-1].tier):
                verdicts = {entry.verdict for entry in some} - {"unsure"}
                counts[tier, blind][verdicts.pop() or "" if len(verdicts) == 1 else "unsure"] += 1
    return tuple(_precision(tier, blind, counts[tier, blind]) for tier in TIERS for blind in (True, False)
                 if (tier, blind) in counts)  # fmt: skip


def unproposed(entries: Sequence[Entry]) -> Unproposed:
    """The pairs of which no verdict ever knew a tier, by what is said of them now."""
    proposed = {entry.pair for entry in entries if entry.tier}
    counts = Counter(
        verdicts.pop() if len(verdicts) == 1 else "unsure"
        for pair, said in in_force(entries).items()
        if pair not in proposed
        for verdicts in ({entry.verdict for entry in said.values()} - {"unsure"},)
    )
    return Unproposed(counts["same"], counts["different"], counts["unsure"])


def most_wrong(checked: int) -> float:
    """The largest share that may be wrong when none of so many was (one-sided, 95%): the exact rule of three."""
    return 1 - 0.05 ** (1 / checked) if checked else 1.0


def _pace(said: Sequence[Entry], gone: frozenset[int]) -> Pace:
    seconds = [entry.seconds_spent for entry in said if entry.seconds_spent is not None]
    verdicts = Counter(entry.verdict or "" for entry in said)
    return Pace(
        said[-1].who,
        {verdict: verdicts[verdict] for verdict in VERDICTS},
        sum(entry.sequence_number in gone for entry in said),
        median(seconds) if seconds else None,
    )


def _precision(tier: str, blind: bool, counts: Counter[str]) -> TierPrecision:
    same, settled = counts["same"], counts["same"] + counts["different"]
    if not settled:
        return TierPrecision(tier, blind, 0, 0, counts["unsure"], None, 0.0, 1.0)
    from scipy.stats import binomtest  # noqa: PLC0415 - takes two seconds, and most nights need none of it

    interval = binomtest(same, settled).proportion_ci(method="wilson")
    low, high = float(interval.low), float(interval.high)
    return TierPrecision(tier, blind, same, counts["different"], counts["unsure"], same / settled, low, high)
