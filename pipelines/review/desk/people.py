"""Who sits at the desk, as the decision store knows them, and how often they may search."""

from __future__ import annotations

import time
from collections import defaultdict, deque
from dataclasses import dataclass, field

from pipelines.decisions.statement import DecisionRefusedError, checked_who
from pipelines.troubles import KnownError

SEARCHES = 30
WITHIN_SECONDS = 60.0


class NobodyError(KnownError):
    """The sign-in names no person; the message says what to change."""

    code = "D13"


@dataclass(frozen=True)
class Reviewer:
    """A signed-in person who may review. ``who`` is what their decisions are recorded under."""

    user_id: str
    who: str


def reviewer(user_id: str, name: str) -> Reviewer:
    """The person of a sign-in, by its stable id and its name.

    Raises NobodyError for a machine's name or an anonymous one, since no decision could be put down to a person.
    """
    who = name if name == user_id else f"{name} [{user_id}]"
    try:
        checked_who(name)
        return Reviewer(user_id, checked_who(who))
    except DecisionRefusedError as error:
        raise NobodyError(
            f"This sign-in is not one person's, so nothing could be decided under it: {error} Sign in under your own "
            "name; if Airflow lets everybody in as an administrator, switch simple_auth_manager_all_admins off."
        ) from None


@dataclass
class SearchLimit:
    """At most so many searches of one person within a time; counted in this process."""

    most: int = SEARCHES
    within_seconds: float = WITHIN_SECONDS
    _made: dict[str, deque[float]] = field(default_factory=lambda: defaultdict(deque))

    def wait(self, who: str) -> float:
        """Seconds to wait before the next search; 0 if it may be made now, and then it is counted."""
        now, made = time.monotonic(), self._made[who]
        while made and made[0] <= now - self.within_seconds:
            made.popleft()
        if len(made) >= self.most:
            return made[0] + self.within_seconds - now
        made.append(now)
        return 0.0
