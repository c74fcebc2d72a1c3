"""Which heading of an unknown file carries which field of a feed: how sure that is, and why."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pipelines.feeds import FEEDS, Feed, Field
from pipelines.sources.heading_words import NEAR, SECOND_BEST, likeness
from pipelines.sources.split import Split
from pipelines.sources.splits import Found, find_split
from pipelines.sources.values import (
    FORMAL,
    TELLING,
    are_births,
    are_ids,
    share_different,
    share_like,
    share_of_ids,
)

SURE = 0.6  # from which a required field counts as found
_ENOUGH = 3  # columns and rows from which what is left may be concluded
_DIFFERENT = 0.9  # of the ids that number the rows
_OTHERS = re.compile(
    r"next.?of.?kin|\bnok\b|\bgp\b|doctor|surgery|carer|worker|emergency|advocate|relative|relation|family.(contact|member)"
    r"|contact.?name|social.?work|manager|coordinator|provider|supplier|staff|employee|invoice|payment|created.?by|author",
    re.IGNORECASE,
)
_IDS = frozenset(("client_id", "visit_id", "purchase_order_number", "social_services_ref"))
_NUMBERING = frozenset((("roster_clients", "client_id"), ("roster_visits", "visit_id")))
_GIVES_WAY = frozenset(("service_type", "line_number", "provider_ref", "contract_number", "area", "branch"))
_MAY_BE_OTHERS = frozenset(("carers", "key_worker", "provider_ref", "contract_number"))


@dataclass(frozen=True)
class Column:
    """One heading: the field that it may carry, how sure that is from 0 to 1, and why. ``filled`` distinct values of it
    were looked at. ``split`` says which fields its cells are taken apart into. Without either it is left out, and
    ``because`` says why."""

    heading: str
    field: str | None = None
    confidence: float = 0.0
    because: str = ""
    filled: int = 0
    split: Split | None = None

    def fields_in(self, feed: Feed) -> tuple[str, ...]:
        """The fields of the feed that the heading carries."""
        if self.split:
            return self.split.fields_in(feed)
        return (self.field,) if self.field else ()

    @property
    def carries(self) -> str | Split | None:
        """What the mapping says of the heading."""
        return self.split or self.field


@dataclass(frozen=True)
class Offered:
    """The columns of a file: for each heading its distinct filled values, and all cells of the first rows."""

    values: Mapping[str, Sequence[str]]
    cells: Mapping[str, Sequence[str]]


def fit(feed: Feed, offered: Offered, *, certainly: bool = False) -> list[Column]:
    """Each heading with what it carries in this feed, the surest first served, each field used once.

    ``certainly``: the person who asks said that the file is of this feed, so a required field takes what fits best.
    """
    weighed = [
        (_weigh(feed, heading, field, offered), place, order)
        for place, heading in enumerate(offered.values)
        for order, field in enumerate(feed.fields)
    ]
    weighed.sort(key=lambda each: (-each[0].confidence, *each[1:]))
    plain: dict[str, str] = {}
    for column, *_ in weighed:
        if column.field and column.confidence >= 0.7 and column.heading not in plain.values():
            plain.setdefault(column.field, column.heading)
    splits = {
        heading: found
        for heading, values in offered.values.items()
        if not _OTHERS.search(heading) and (found := find_split(heading, values, feed, plain))
    }
    taken, doubts = _serve(feed, weighed, splits)
    taken |= _by_elimination(feed, offered, taken)
    if certainly:
        taken |= _best_left(feed, offered, taken)
    taken = _reference_as_id(feed, offered, taken)
    rest = {h: _left_out(h, feed, offered, doubts.get(h), taken) for h in offered.values if h not in taken}
    return [taken.get(heading) or rest[heading] for heading in offered.values]


def _serve(
    feed: Feed, weighed: Sequence[tuple[Column, int, int]], splits: Mapping[str, Found]
) -> tuple[dict[str, Column], dict[str, Column]]:
    """The columns that carry something, and those of the others that nearly would."""
    taken: dict[str, Column] = {}
    doubts: dict[str, Column] = {}
    used: set[str] = set()
    both = any(found.kind == "full_name" for found in splits.values())
    plain = [column for column, *_ in weighed if column.heading not in splits]
    if both:  # a whole name goes before a column of one name alone
        plain = [replace(c, confidence=0.0) if c.field in {"forename", "surname"} else c for c in plain]
    candidates: list[tuple[float, str, Column | Found]] = [(c.confidence, c.heading, c) for c in plain]
    candidates += [(found.confidence, heading, found) for heading, found in splits.items()]
    for confidence, heading, one in sorted(candidates, key=lambda each: -each[0]):
        if isinstance(one, Found):
            split = one.split(used)
            if heading not in taken and split and split.fields_in(feed):
                taken[heading] = Column(heading, None, confidence, one.because, 0, split)
                used.update(split.fields)
        elif confidence > 0 and heading not in taken and one.field and one.field not in used:
            taken[heading] = one
            used.add(one.field)
        elif one.because and confidence == 0:
            doubts.setdefault(heading, Column(heading, None, 0.0, one.because, one.filled))
    return _narrowed(feed, taken), doubts


def _narrowed(feed: Feed, taken: Mapping[str, Column]) -> dict[str, Column]:
    """The columns with splits that do without the fields that a surer column served later carries."""
    plain = {column.field for column in taken.values() if column.field}
    narrowed: dict[str, Column] = {}
    for heading, column in taken.items():
        split = column.split
        if split:
            fields = tuple(field for field in split.fields if field not in plain)
            split = Split(**{split.kind: fields}, order=split.order) if fields != split.fields else split
        narrowed[heading] = replace(column, split=split)
    return narrowed


def _by_elimination(feed: Feed, offered: Offered, taken: Mapping[str, Column]) -> dict[str, Column]:
    """A field that the feed cannot do without, if one column alone is left that can be it."""
    if len(taken) < _ENOUGH:
        return {}
    found: dict[str, Column] = {}
    for field in _lacking(feed, taken):
        left = _left(feed, offered, {**taken, **found}, field)
        if len(left) == 1:
            (h,) = left
            found[h] = Column(h, field.name, 0.4, "by its values: no other column can be it", len(offered.values[h]))
    return found


def _best_left(feed: Feed, offered: Offered, taken: Mapping[str, Column]) -> dict[str, Column]:
    """A field that the feed cannot do without, from the first column that can be it."""
    found: dict[str, Column] = {}
    for field in _lacking(feed, taken):
        served = {h: c for h, c in {**taken, **found}.items() if c.field not in _GIVES_WAY}
        left = _left(feed, offered, served, field)
        if left:
            because = "the first column that can be it, since --feed says what the file carries: check it"
            found[left[0]] = Column(left[0], field.name, 0.3, because, len(offered.values[left[0]]))
    return found


def _lacking(feed: Feed, taken: Mapping[str, Column]) -> list[Field]:
    has = {name for column in taken.values() for name in column.fields_in(feed)}
    return [field for field in feed.fields if field.required and field.name not in has]


def _left(feed: Feed, offered: Offered, taken: Mapping[str, Column], field: Field) -> list[str]:
    left = [h for h in offered.values if h not in taken and not _OTHERS.search(h) and not _of_another(h, feed)]
    return [h for h in left if _may_be(feed, field, offered.values[h], offered.cells[h])]


def _of_another(heading: str, feed: Feed) -> bool:
    """Whether a heading plainly names a field that other feeds have and this one does not."""
    others = {name for other in FEEDS.values() for name in other.field_names} - set(feed.field_names)
    return any(likeness(heading, name) >= 0.95 for name in others)


def _may_be(feed: Feed, field: Field, values: Sequence[str], cells: Sequence[str]) -> bool:
    if field.type == "date":
        return (share_like(field, values) or 0) >= 0.8 and not are_births(values)
    if field.name not in _IDS:
        return False
    if (feed.name, field.name) in _NUMBERING:
        return len(cells) >= _ENOUGH and are_ids(cells)
    return len(cells) >= _ENOUGH and share_of_ids(values) >= 0.9 and all(cell.strip() for cell in cells)


def _reference_as_id(feed: Feed, offered: Offered, taken: dict[str, Column]) -> dict[str, Column]:
    """A list of clients with a council's reference and no id of a rostering system: the reference is both."""
    if feed.name != "roster_clients" or not any(f.name == "client_id" for f in _lacking(feed, taken)):
        return taken
    for heading, column in taken.items():
        if column.field == "social_services_ref" and share_different(offered.cells[heading]) >= _DIFFERENT:
            because = f"{column.because}; there is no other id, so it is the client's id, too"
            both = Split(same=("client_id", "social_services_ref"))
            return {**taken, heading: replace(column, field=None, split=both, because=because, confidence=0.75)}
    return taken


def _left_out(  # noqa: PLR0911 - a table of cases
    heading: str, feed: Feed, offered: Offered, doubt: Column | None, taken: Mapping[str, Column]
) -> Column:
    """A column that carries nothing, with the reason."""
    carriers = {name: column.heading for column in taken.values() for name in column.fields_in(feed)}
    values = offered.values[heading]

    def column(because: str) -> Column:
        return Column(heading, None, 0.0, because, len(values))

    if not values:
        return column("empty in the rows that were looked at")
    if _OTHERS.search(heading):
        return column("sounds like somebody else's, or like no client's, so it is left out")
    alike = [name for name in feed.field_names if likeness(heading, name) >= NEAR]
    if whole := next((n for n in ("full_name", "full_address") if likeness(heading, n) >= NEAR), None):
        part = "surname" if whole == "full_name" else "address_1"
        if part in carriers:
            return column(f"{carriers[part]} carries the {part.replace('_', ' ')} already")
    if doubt:
        return column(doubt.because)
    if used := next((name for name in alike if name in carriers), None):
        return column(f"{carriers[used]} carries {used} already")
    if whole == "full_name" and "surname" in feed.field_names:
        return column("sounds like whole names, but its values cannot be taken apart safely: ask the sender")
    if _of_another(heading, feed):
        return column(f"{feed.name} has no field for it")
    return column("neither its heading nor its values are those of a field")


def _weigh(feed: Feed, heading: str, field: Field, offered: Offered) -> Column:  # noqa: PLR0911, PLR0912 - a table of cases
    """How sure it is that a heading carries a field. A form that the values do not have speaks against it."""
    values, cells = offered.values[heading], offered.cells[heading]

    def column(confidence: float, because: str) -> Column:
        return Column(heading, field.name, round(confidence, 2), because, len(values))

    alike = likeness(heading, field.name)
    if field.name == "social_services_ref" and alike < NEAR and likeness(heading, "client_id") >= 0.95:
        alike = SECOND_BEST
    share = share_like(field, values)
    formal = field.type != "text" or field.name in FORMAL
    told = f"{share:.0%} of its values fit" if share is not None else ""
    if alike < NEAR:
        if share is None or share < TELLING.get(field.name, 2) or _OTHERS.search(heading):
            return column(0.0, "")
        if field.name in {"forename", "surname"} and len(values) < _ENOUGH:
            return column(0.0, "")
        if field.type == "date" and are_births(values) != (field.name == "date_of_birth"):
            return column(0.0, "")
        return column(0.8 * share, f"by its values alone, {told}")
    if alike < 1 and _OTHERS.search(heading) and field.name not in _MAY_BE_OTHERS:
        return column(0.0, "sounds like somebody else's, so it is left out")
    if field.name in {"forename", "surname"} and values and sum("," in v for v in values) >= 0.5 * len(values):
        return column(0.0, f"sounds like {field.name}, but its values have commas, as whole names do")
    if field.name in _IDS and values:
        ids = share_of_ids(values)
        if ids < 0.5:
            return column(0.0, f"sounds like {field.name}, but {ids:.0%} of its values can be an id")
        if (feed.name, field.name) in _NUMBERING and len(cells) >= _ENOUGH and share_different(cells) < _DIFFERENT:
            return column(0.4 * alike, "by its heading, but the same value stands on several rows")
        numbered = field.required and bool(cells) and are_ids(cells)
        return column(0.95 * alike * (0.9 + 0.1 * ids), "by its heading" + (", each row another" if numbered else ""))
    if share is None:
        return column(0.95 * alike if values else 0.5 * alike, "by its heading" + ("" if values else ", it is empty"))
    if formal and share < 0.1:
        return column(0.0, f"sounds like {field.name}, but {told}")
    if field.type == "date" and alike < 1 and are_births(values) != (field.name == "date_of_birth"):
        return column(0.0, f"sounds like {field.name}, but its dates are not such")
    if formal:
        return column((alike + share) / 2, f"by its heading, and {told}")
    return column(alike * (0.9 + 0.1 * share), f"by its heading, and {told}")
