"""A first source mapping for a file of unknown layout, by how its headings sound. A person reads it before its use."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path

import yaml

from pipelines.feeds import FEEDS, Feed
from pipelines.sources import Source, heading_key

_OTHER_WORDS: dict[str, tuple[str, ...]] = {
    "client_id": ("clientid", "clientno", "clientnumber", "serviceuserid", "customerid", "personid"),
    "social_services_ref": (
        "socialservicesref", "ssref", "ssnumber", "ssr", "laref", "councilref", "mosaicid", "liquidlogicid",
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
    "town": ("town", "city", "suburb"),
    "postcode": ("postcode", "postalcode", "zip", "zipcode"),
    "phone": ("phone", "telephone", "tel", "landline", "hometelephone", "phonenumber"),
    "mobile": ("mobile", "mobilephone", "cell"),
    "email": ("email", "emailaddress"),
    "purchase_order_number": ("purchaseordernumber", "ponumber", "pono", "ordernumber", "orderno"),
    "visit_id": ("visitid", "visitno", "bookingid", "callid"),
    "visit_date": ("visitdate", "calldate", "date"),
    "start_date": ("startdate", "from", "datefrom", "effectivefrom"),
    "end_date": ("enddate", "to", "dateto", "effectiveto"),
    "contract_number": ("contractnumber", "contractno", "contract"),
    "rate": ("rate", "unitrate", "hourlyrate", "price"),
}  # fmt: skip
_NEAR = 0.82
_NEVER_STORE = re.compile(r"key.?safe|access.?(detail|code|note)|door.?code|alarm", re.IGNORECASE)


@dataclass(frozen=True)
class Suggestion:
    """A suggested mapping as YAML, with the headings that fit no field and the required fields that no heading fits."""

    feed: str
    mapping: str
    unmapped: tuple[str, ...]
    missing: tuple[str, ...]


def heading_vocabulary() -> list[str]:
    """Every heading key that any feed is known to use, for finding the header row of an unknown file."""
    return sorted({heading_key(f) for feed in FEEDS.values() for f in feed.field_names}.union(*_OTHER_WORDS.values()))


def suggest_mapping(path: Path, headings: Sequence[str], built_in: Sequence[Source]) -> Suggestion:
    """The feed whose fields the headings fit best, and which heading carries which field."""
    never = [h for h in headings if _NEVER_STORE.search(h)]
    offered = [h for h in headings if h and h not in never]
    fits = {feed.name: _fit(feed, offered) for feed in FEEDS.values()}
    feed = max(FEEDS.values(), key=lambda f: (_score(f, fits[f.name]), len(fits[f.name])))
    columns = fits[feed.name]
    template = next(s for s in built_in if s.feed == feed.name)
    stem = re.sub(r"\d+", "*", path.stem)
    mapping = {
        "feed": feed.name,
        "files": [f"{stem}{path.suffix}"],
        "issuer": {"fixed": "WRITE THE COUNCIL'S OR ROSTERING SYSTEM'S CODE HERE"},
        "date_formats": list(template.date_formats),
        **({"reference_prefixes": list(template.reference_prefixes)} if template.reference_prefixes else {}),
        **({"never_store": never} if never else {}),
        "columns": columns,
    }
    required = [field.name for field in feed.fields if field.required]
    return Suggestion(
        feed.name,
        yaml.safe_dump(mapping, sort_keys=False, allow_unicode=True, width=120),
        tuple(h for h in offered if h not in columns),
        tuple(f for f in required if f not in columns.values()),
    )


def _fit(feed: Feed, headings: Sequence[str]) -> dict[str, str]:
    """Heading → field, the surest first, each used once."""
    scored = sorted(
        ((_likeness(heading_key(h), field), h, field) for h in headings for field in feed.field_names),
        key=lambda s: -s[0],
    )
    columns: dict[str, str] = {}
    for likeness, heading, field in scored:
        if likeness >= _NEAR and heading not in columns and field not in columns.values():
            columns[heading] = field
    return {heading: columns[heading] for heading in headings if heading in columns}


def _likeness(key: str, field: str) -> float:
    words = (heading_key(field), *_OTHER_WORDS.get(field, ()))
    return 1.0 if key in words else max(_ratio(key, word) for word in words)


def _ratio(key: str, word: str) -> float:
    """How alike two words are; 0 where their lengths alone, and then their letters, tell that they are not near."""
    if 2 * min(len(key), len(word)) < _NEAR * (len(key) + len(word)):
        return 0.0
    alike = SequenceMatcher(None, key, word)
    return alike.ratio() if alike.quick_ratio() >= _NEAR else 0.0


def _score(feed: Feed, columns: dict[str, str]) -> int:
    required = {field.name for field in feed.fields if field.required}
    return 3 * len(required & set(columns.values())) - 4 * len(required - set(columns.values())) + len(columns)
