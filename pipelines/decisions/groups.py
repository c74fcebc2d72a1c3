"""Groups: what a set of pairs joins, directly or by a chain."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable


class Groups:
    """Which records a set of pairs joins: each by the first, in alphabetical order, of those that it is joined to."""

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        self._above: dict[str, str] = {}
        for one, other in pairs:
            self.join(one, other)

    def join(self, one: str, other: str) -> None:
        """These two, and all that is joined to either, are one group."""
        low, high = sorted((self.of(one), self.of(other)))
        self._above.setdefault(low, low)
        self._above[high] = low

    def of(self, ref: str) -> str:
        """The name of a record's group: its own if it is joined to none."""
        path = [ref]
        while (above := self._above.get(path[-1], path[-1])) != path[-1]:
            path.append(above)
        for passed in path[:-1]:
            self._above[passed] = path[-1]
        return path[-1]

    def all(self) -> dict[str, list[str]]:
        """Every group of two or more by its name, its records in alphabetical order."""
        found: dict[str, list[str]] = defaultdict(list)
        for ref in sorted(self._above):
            found[self.of(ref)].append(ref)
        return dict(found)
