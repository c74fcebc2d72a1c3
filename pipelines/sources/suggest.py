"""A first source mapping for a file of unknown layout, by how its headings sound and what its values look like.

Each column says how sure it is, and why. A person reads it before its use.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from glob import escape
from pathlib import Path

import yaml

from pipelines.feeds import FEEDS, Feed, Field
from pipelines.sources import Source, heading_key
from pipelines.sources.dates import written_dates
from pipelines.sources.values import FORMAL, TELLING, are_births, are_ids, filled, share_like
from pipelines.sources.wanted import not_there

_OTHER_WORDS: dict[str, tuple[str, ...]] = {
    "client_id": (
        "clientid", "clientno", "clientnumber", "clientref", "serviceuserid", "serviceuserno", "serviceuserref", "suid",
        "customerid", "personid",
    ),
    "social_services_ref": (
        "socialservicesref", "ssref", "ssnumber", "ssr", "laref", "councilref", "mosaicid", "liquidlogicid", "swiftid",
        "carefirstid", "lasid", "ascref", "socialcareid", "socialcareref",
    ),
    "nhs_number": ("nhsnumber", "nhsno", "nhs"),
    "forename": ("forename", "firstname", "givenname", "christianname"),
    "surname": ("surname", "lastname", "familyname"),
    "known_as": ("knownas", "preferredname", "nickname"),
    "other_names": ("othernames", "maidenname", "alias", "previousname"),
    "date_of_birth": ("dateofbirth", "dob", "birthdate", "born"),
    "gender": ("gender", "sex"),
    "address_1": ("address1", "addressline1", "address", "street"),
    "address_2": ("address2", "addressline2"),
    "town": ("town", "city", "towncity", "suburb"),
    "postcode": ("postcode", "postalcode", "zip", "zipcode"),
    "phone": ("phone", "telephone", "tel", "telno", "landline", "hometelephone", "phonenumber", "contactnumber"),
    "mobile": ("mobile", "mobilephone", "mobileno", "mobilenumber", "cell"),
    "email": ("email", "emailaddress"),
    "purchase_order_number": ("purchaseordernumber", "ponumber", "pono", "ordernumber", "orderno"),
    "authority_code": ("authority", "authoritycode", "council", "lacode"),
    "service_type": ("servicetype", "typeofservice", "servicedescription"),
    "weekly_units": ("weeklyunits", "unitsperweek", "weeklyhours", "hoursperweek", "hrspw", "hourspw", "hrsperweek"),
    "visit_id": ("visitid", "visitno", "bookingid", "callid"),
    "visit_date": ("visitdate", "calldate", "date"),
    "start_time": ("starttime", "start", "plannedstart", "scheduledstart", "timein"),
    "planned_minutes": ("plannedminutes", "duration", "plannedduration", "minutes", "mins"),
    "start_date": (
        "startdate", "start", "startedon", "from", "datefrom", "effectivefrom", "commencement", "commencementdate",
    ),
    "end_date": ("enddate", "end", "endedon", "to", "dateto", "effectiveto", "cessation"),
    "contract_number": ("contractnumber", "contractno", "contract"),
    "rate": ("rate", "unitrate", "hourlyrate", "price", "unitprice", "unitcost"),
}  # fmt: skip
_WHOSE = re.compile(r"^(?:client|serviceuser|su|customer|citizen|person|resident|service|package|home)(?=.{3})")
_NEAR = 0.82
_ENOUGH = 3  # columns and rows from which what is left may be concluded
_NEVER_STORE = re.compile(r"key.?safe|access.?(detail|code|note)|door.?code|alarm", re.IGNORECASE)
_SOMEBODY_ELSE = re.compile(
    r"next.?of.?kin|\bnok\b|\bgp\b|doctor|surgery|carer|worker|emergency|advocate|relative|relation|family.(contact|member)|contact.?name",
    re.IGNORECASE,
)
_WHOLE_NAME = {"name", "clientname", "fullname", "serviceusername", "customername", "personname"}
_TO_BE_WRITTEN = "WRITE THE COUNCIL'S OR ROSTERING SYSTEM'S CODE HERE"


@dataclass(frozen=True)
class Column:
    """One heading: the field that it may carry, how sure that is from 0 to 1, and why. ``filled`` distinct values of it
    were looked at. Without a field it is left out, and ``because`` may say why."""

    heading: str
    field: str | None = None
    confidence: float = 0.0
    because: str = ""
    filled: int = 0


@dataclass(frozen=True)
class Suggestion:
    """A suggested mapping as YAML, with the headings that fit no field and the required fields that no heading fits.

    ``notes`` say what a person should look at; first, what follows from the fields ``without`` a heading that a
    feed of people should have (``address_1 or postcode`` is one).
    """

    feed: str
    mapping: str
    unmapped: tuple[str, ...]
    missing: tuple[str, ...]
    columns: tuple[Column, ...] = ()
    notes: tuple[str, ...] = ()
    without: tuple[str, ...] = ()


@dataclass(frozen=True)
class Known:
    """What the person who asks knows better: the feed, the code of the issuer, the council of the references."""

    feed: str | None = None
    issuer: str | None = None
    authority: str | None = None


NOTHING_KNOWN = Known()


def heading_vocabulary() -> list[str]:
    """Every heading key that any feed is known to use, for finding the header row of an unknown file."""
    return sorted({heading_key(f) for feed in FEEDS.values() for f in feed.field_names}.union(*_OTHER_WORDS.values()))


def suggest_mapping(
    path: Path,
    values: Mapping[str, Sequence[str]],
    built_in: Sequence[Source],
    known: Known = NOTHING_KNOWN,
    sheet: str | None = None,
) -> Suggestion:
    """The feed that headings and values fit best, and which heading carries which field.

    ``values`` are the cells of the first rows under each heading.
    """
    never = [h for h in values if _NEVER_STORE.search(h)]
    first_of_key = {heading_key(h): h for h in reversed(list(values)) if heading_key(h)}
    offered = {h: filled(cells) for h, cells in values.items() if h in first_of_key.values() and h not in never}
    feeds = [FEEDS[known.feed]] if known.feed else list(FEEDS.values())
    fits = {feed.name: _fit(feed, offered, values) for feed in feeds}
    feed = max(feeds, key=lambda f: _score(f, fits[f.name]))
    columns = fits[feed.name]
    fields = {column.field: column for column in columns if column.field}
    template = next(s for s in built_in if s.feed == feed.name)
    typed = {field.name for field in feed.fields if field.type == "date"}
    days = [value for name, c in fields.items() if name in typed for value in offered[c.heading]]
    dates = written_dates(days, template.date_formats)
    mapping = {
        "feed": feed.name,
        "files": [_pattern(path)],
        "issuer": {"fixed": known.issuer or _TO_BE_WRITTEN},
        **({"authority_code": known.authority} if known.authority else {}),
        **({"sheet": sheet} if sheet else {}),
        "date_formats": list(dates.formats),
        **({"reference_prefixes": list(template.reference_prefixes)} if template.reference_prefixes else {}),
        **({"never_store": never} if never else {}),
    }
    missing = tuple(f.name for f in feed.fields if f.required and f.name not in fields)
    without = not_there(feed.name, fields)
    notes = [f"no column is the {one.called}: {one.follows}" for one in without]
    notes += [f"dates: {note}" for note in dates.notes]
    notes += [f"{c.heading}: {c.because}" for c in columns if not c.field and c.because]
    unmapped = tuple(c.heading for c in columns if not c.field)
    written = _written(mapping, [c for c in columns if c.field], notes, unmapped, missing)
    return Suggestion(
        feed.name, written, unmapped, missing, tuple(columns), tuple(notes), tuple(w.name for w in without)
    )


def _pattern(path: Path) -> str:
    """The file's name with its date or number left open, unless nothing else would be left of it."""
    stem = "*".join(map(escape, re.split(r"\d+(?:[-_. ]?\d+)*", path.stem)))
    telling = any(letter.isalnum() for letter in stem)
    return f"{stem if telling else escape(path.stem)}{path.suffix}"


def _written(
    mapping: Mapping[str, object],
    columns: Sequence[Column],
    notes: Sequence[str],
    unmapped: Sequence[str],
    missing: Sequence[str],
) -> str:
    """The mapping as YAML; what is only for the person who reads it stands in comments."""
    lines = [_yaml(mapping).rstrip(), "columns:"]
    pairs = [_yaml({column.heading: column.field}).rstrip() for column in columns]
    width = min(60, max(map(len, pairs), default=0))
    for pair, column in zip(pairs, columns, strict=True):
        lines.append(f"  {pair:<{width}}  # {column.confidence:.0%}: {column.because}")
    if not columns:
        lines[-1] = "columns: {}"
    lines += [f"# {note}" for note in notes]
    lines += [f"# headings without a field: {', '.join(unmapped)}"] if unmapped else []
    lines += [f"# required fields without a heading: {', '.join(missing)}"] if missing else []
    return "".join(f"{line}\n" for line in lines)


def _yaml(value: Mapping[str, object]) -> str:
    return str(yaml.safe_dump(dict(value), sort_keys=False, allow_unicode=True, width=1_000_000))


def _fit(feed: Feed, offered: Mapping[str, Sequence[str]], cells: Mapping[str, Sequence[str]]) -> list[Column]:
    """Each heading with the field that it carries in this feed, the surest first served, each field used once."""
    weighed = sorted(
        (
            (_weigh(heading, field, offered[heading], cells[heading]), place, order)
            for place, heading in enumerate(offered)
            for order, field in enumerate(feed.fields)
        ),
        key=lambda each: (-each[0].confidence, *each[1:]),
    )
    taken: dict[str, Column] = {}
    doubts: dict[str, Column] = {}
    for column, *_ in weighed:
        used = {one.field for one in taken.values()}
        if column.confidence > 0 and column.heading not in taken and column.field not in used:
            taken[column.heading] = column
        elif column.because and column.confidence == 0:
            doubts.setdefault(column.heading, Column(column.heading, None, 0.0, column.because, column.filled))
    taken |= _by_elimination(feed, offered, cells, taken)
    rest = {heading: _left_out(heading, offered[heading], doubts.get(heading), taken) for heading in offered}
    return [taken.get(heading) or rest[heading] for heading in offered]


def _by_elimination(
    feed: Feed, offered: Mapping[str, Sequence[str]], cells: Mapping[str, Sequence[str]], taken: Mapping[str, Column]
) -> dict[str, Column]:
    """A field that the feed cannot do without, if one column alone is left that can be it."""
    if len(taken) < _ENOUGH:
        return {}
    found: dict[str, Column] = {}
    for field in feed.fields:
        if field.required and field.name not in {column.field for column in (*taken.values(), *found.values())}:
            left = [h for h in offered if h not in taken and h not in found and not _SOMEBODY_ELSE.search(h)]
            like = [h for h in left if _may_be(field, offered[h], cells[h])]
            if len(like) == 1:
                (h,) = like
                found[h] = Column(h, field.name, 0.4, "by its values: no other column can be it", len(offered[h]))
    return found


def _may_be(field: Field, values: Sequence[str], cells: Sequence[str]) -> bool:
    if field.type == "date":
        return (share_like(field, values) or 0) >= 0.8 and not are_births(values)
    return len(cells) >= _ENOUGH and are_ids(cells)


def _left_out(heading: str, values: Sequence[str], doubt: Column | None, taken: Mapping[str, Column]) -> Column:
    named = {column.field for column in taken.values()}
    if heading_key(heading) in _WHOLE_NAME and not {"forename", "surname"} <= named:
        because = "a whole name cannot be taken apart safely: ask the sender for forename and surname in two columns"
        return Column(heading, None, 0.0, because, len(values))
    return doubt or Column(heading, None, 0.0, "", len(values))


def _weigh(heading: str, field: Field, values: Sequence[str], cells: Sequence[str]) -> Column:  # noqa: PLR0911
    """How sure it is that a heading carries a field. A form that the values do not have speaks against it."""

    def column(confidence: float, because: str) -> Column:
        return Column(heading, field.name, round(confidence, 2), because, len(values))

    likeness = _likeness(heading_key(heading), field.name)
    share = share_like(field, values)
    formal = field.type != "text" or field.name in FORMAL
    told = f"{share:.0%} of its values fit" if share is not None else ""
    if likeness < _NEAR:
        if share is None or share < TELLING.get(field.name, 2) or _SOMEBODY_ELSE.search(heading):
            return column(0.0, "")
        if field.type == "date" and are_births(values) != (field.name == "date_of_birth"):
            return column(0.0, "")
        return column(0.8 * share, f"by its values alone, {told}")
    if likeness < 1 and _SOMEBODY_ELSE.search(heading):
        return column(0.0, "sounds like somebody else's, so it is left out")
    if share is None:
        numbered = field.required and bool(cells) and are_ids(cells)
        return column(0.95 * likeness, "by its heading" + (", each row another" if numbered else ""))
    if formal and share < 0.1:
        return column(0.0, f"sounds like {field.name}, but {told}")
    if formal:
        return column((likeness + share) / 2, f"by its heading, and {told}")
    return column(likeness * (0.9 + 0.1 * share), f"by its heading, and {told}")


def _likeness(key: str, field: str) -> float:
    """How alike a heading and the words for a field are, from 0 to 1; whose it is ("Client Surname") hardly matters."""
    words = (heading_key(field), *_OTHER_WORDS.get(field, ()))
    if key in words:
        return 1.0
    bare = _WHOSE.sub("", key)
    return max(0.95 if bare in words else 0.0, *(_ratio(key, word) for word in words))


def _ratio(key: str, word: str) -> float:
    """How alike two words are; 0 where their lengths alone, and then their letters, tell that they are not near."""
    if 2 * min(len(key), len(word)) < _NEAR * (len(key) + len(word)):
        return 0.0
    alike = SequenceMatcher(None, key, word)
    return alike.ratio() if alike.quick_ratio() >= _NEAR else 0.0


def _score(feed: Feed, columns: Sequence[Column]) -> tuple[float, float]:
    found = {column.field for column in columns if column.field}
    required = {field.name for field in feed.fields if field.required}
    points = 3 * len(required & found) - 4 * len(required - found) + len(found)
    return points, sum(column.confidence for column in columns)
