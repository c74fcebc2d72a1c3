"""What headings mean: which field a heading sounds like, whatever its abbreviations ("Svc User Ref", "No. Carers").

A heading is taken apart into words, each word is written in one form (``svc`` and ``service``, ``no`` and ``number``),
and the words are compared with those that stand for a field.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import SequenceMatcher
from functools import cache
from itertools import product

from pipelines.feeds import FEEDS
from pipelines.sources.headings import heading_key

NEAR = 0.82  # likeness from which a heading may carry a field
OF_A_CLIENT = 0.95  # "Client Surname"
_FEW_WORDS = 3  # of a heading that is written out in every form
SECOND_BEST = 0.85  # "Client ID" of an order, which has no rostering id

_ONE_FORM: Mapping[str, str] = {
    form: word
    for word, forms in {
        "number": "no num nr nos numbers nbr #",
        "reference": "ref refs refno reference's",
        "id": "identifier ident code uid ids",
        "date": "dt dte dates day",
        "birth": "born brth",
        "date birth": "dob birthdate birthday dateofbirth",
        "service": "svc serv srv services srvc",
        "client": (
            "clients clnt cust customer citizen person adult resident patient su usr serviceuser user "
            "member individual "
            "pt recipient tenant"
        ),
        "phone": "tel telephone telno telephones phones ph phoneno landline",
        "mobile": "mob cell mobiles cellphone",
        "address": "addr add addrs adr addresses",
        "postcode": "pcode pc postal zip zipcode postcodes pstcd",
        "hours": "hrs hr hour",
        "minutes": "mins min minute",
        "week": "wk weekly pw wkly weeks",
        "order": "ord orders po pono purchaseorder",
        "quantity": "qty unitsqty volume",
        "start": (
            "commenced commence commencement commences from begin begins begun started starts effectivefrom "
            "strt startdate "
            "since opened"
        ),
        "end": (
            "finish finishes to ceased cessation ends ended termination terminated until expiry till closed "
            "enddate review"
        ),
        "planned": "scheduled sched sch plan rostered booked expected due",
        "actual": "act actl real clock clocked logged",
        "duration": "dur length dura",
        "council": "la authority localauthority auth",
        "social": "ss soc asc",
        "gender": "sex gndr",
        "forename": "fname firstname first given christian forenames fore firstnames",
        "surname": "lname lastname last family sname surnames",
        "preferred": "pref likes nickname known knownas",
        "title": "ttl salutation prefix",
        "carers": "carer staff handed worker workers careworkers",
        "rate": "price cost tariff fee charge",
        "status": "state stat outcome",
        "contract": "contracts cntrct agreement agr framework",
        "visit": "call booking appointment appt visits calls bookings shift attendance",
        "email": "mail e-mail emailaddress",
        "street": "road house property premises building",
        "town": "city towncity suburb locality",
        "type": "category kind typ",
        "unit": "units uom",
        "name": "names nm fullname",
        "care": "package homecare placement",
        "line": "ln element item",
        "in": "arrival arrived",
        "nhs": "nhsno nhsnumber",
    }.items()
    for form in forms.split()
}
# Written as one word, or of words whose own meaning is another.
_PHRASES: Mapping[str, str] = {
    "date of birth": "date birth", "service user": "client", "service users": "client", "d o b": "date birth",
    "post code": "postcode", "zip code": "postcode", "postal code": "postcode", "purchase order": "order",
    "social services": "social", "social service": "social", "social care": "social", "adult social care": "social",
    "local authority": "council", "key worker": "keyworker", "keyworker": "keyworker", "care worker": "carers",
    "time in": "start time", "time out": "end time", "per week": "week", "p w": "week", "p wk": "week",
    "unit of measure": "unit type", "e mail": "email", "known as": "preferred", "po box": "pobox",
    "start date": "start date", "mobile phone": "mobile", "telephone mobile": "mobile", "home phone": "phone",
    "adult id": "client id", "person id": "client id", "pay type": "paytype", "care band": "careband",
    "funding type": "fundingtype", "funding source": "fundingtype", "funder type": "fundingtype",
    "double up": "carers number", "double handed": "carers number", "first names": "forename",
    "service line": "line", "order line": "line", "county": "county", "tel no": "phone", "phone no": "phone",
    "mosaic": "councilsystem", "liquidlogic": "councilsystem", "las": "councilsystem", "swift": "councilsystem",
    "carefirst": "councilsystem", "care first": "councilsystem", "frameworki": "councilsystem",
    "controcc": "councilsystem", "abacus": "councilsystem", "eclipse": "councilsystem", "azeus": "councilsystem",
    "ssr": "social reference", "ssref": "social reference", "ssrefno": "social reference", "ssid": "social id",
    "hrspw": "hours week", "hpw": "hours week", "kin": "kin", "suid": "client id", "suref": "client reference",
    "laref": "council reference", "lasid": "councilsystem id", "nino": "nino", "maiden": "other",
    "previous": "other", "former": "other", "alias": "other", "aliases": "other",
}  # fmt: skip
# Words for each field: one alternative after the other, in the forms of above.
_FIELDS: Mapping[str, str] = {
    "client_id": (
        "client id|client number|client reference|roster id|client unique id|client system id|client|id client number"
    ),
    "social_services_ref": (
        "social services reference|social reference|social number|social id|council reference|"
        "council id|council number|"
        "councilsystem id|councilsystem number|councilsystem reference|councilsystem|council client id|"
        "council client reference|council client number|social client id|social client reference|"
        "councilsystem client id|councilsystem client number|client social reference"
    ),
    "nhs_number": "nhs number|nhs|nhs id",
    "title": "title",
    "forename": "forename|forename name|forename name name",
    "surname": "surname|surname name",
    "known_as": "preferred name|preferred|preferred as|preferred forename|preferred forename name",
    "other_names": "other name|other surname|other|middle name",
    "date_of_birth": "date birth|birth|birth date",
    "gender": "gender",
    "address_1": (
        "address 1|address line 1|address|street|address street|street name|home address|address line|"
        "line 1|"
        "street street|street and street|first line address"
    ),
    "address_2": "address 2|address line 2|line 2|street 2",
    "town": "town|town town|address 3|address line 3|address town|post town|address line town",
    "county": "county|address 4|address line 4|address county",
    "postcode": "postcode|address postcode|postcode address|home postcode",
    "phone": (
        "phone|phone number|contact number|contact phone|home phone|phone home|main phone|contact|"
        "contact details|"
        "home number|phone 1|contact phone number|daytime phone|preferred phone|primary phone"
    ),
    "mobile": "mobile|mobile number|mobile phone|phone mobile|phone 2|mobile phone number|contact mobile",
    "email": "email|email address",
    "branch": "branch|office",
    "area": "area|region|zone|round|team|patch",
    "purchase_order_number": (
        "order number|order reference|order id|order|care reference|care id|care number|"
        "commitment number|commitment reference|commitment id|commitment|"
        "service order number|care line id|service agreement number|service agreement reference|element id|line id|"
        "service id|service reference|line reference|care order reference|care order number|spot contract reference|"
        "authorisation number|authorization number"
    ),
    "line_number": "line number|line|order line number|order line",
    "file_reference": "file reference|batch reference|batch number|batch id",
    "created": "created|created date|date created|issued|issue date|date issued|raised date|date raised",
    "authority_code": "council|council id|council name",
    "provider_ref": (
        "provider reference|provider id|supplier reference|supplier id|supplier number|provider number|vendor number"
    ),
    "contract_number": "contract number|contract reference|contract id|contract|contract name",
    "service_type": (
        "service type|service|service description|type service|care type|service name|type care|"
        "service line type|care|"
        "line type|line name|care service|product|care description"
    ),
    "start_date": (
        "start date|start|date start|start on|service start|service start date|effective start|"
        "period start|care start|"
        "care start date|effective date|client start date|line start|line start date|order start|order start date|"
        "start service|valid start|period start date|effective start date|contract start|contract start date"
    ),
    "end_date": (
        "end date|end|date end|end on|service end|service end date|effective end|period end|care end|care end date|"
        "client end date|line end|line end date|order end|order end date|end service|valid end|period end date|"
        "effective end date|contract end|contract end date|date left|left|leaving date"
    ),
    "weekly_units": (
        "week unit|unit week|week hours|hours week|commissioned hours|planned hours week|hours|unit|"
        "hours commissioned|"
        "week quantity|quantity|quantity week|planned unit week|commissioned unit|approved hours|authorised hours|"
        "planned week hours|total hours week|week commissioned hours|hours per week|unit per week|planned unit|"
        "commissioned hours week|unit quantity|number hours|number unit|quantity hours|assessed hours"
    ),
    "unit_of_measure": (
        "unit type|unit measure|type unit|measure|unit name|unit description|unit of measure|quantity type|frequency"
    ),
    "visit_minutes": (
        "visit minutes|visit duration|visit length|minutes per visit|duration visit|visit duration minutes"
    ),
    "carers": (
        "carers number|number carers|carers|carers required|number carers required|carers per visit|number of carers"
    ),
    "rate": (
        "rate|unit rate|hours rate|hourly rate|rate hours|rate per hours|unit rate net|net rate|rate unit|rate per unit"
    ),
    "status": (
        "status|client status|service status|order status|care status|visit status|line status|live|"
        "active|visit type status"
    ),
    "visit_id": "visit id|visit number|visit reference|visit unique id|visit log id|visit id number",
    "visit_date": (
        "visit date|date|date visit|planned date|service date|date service|actual date|planned visit date|shift date"
    ),
    "start_time": (
        "start time|start|planned start|planned start time|time start|planned visit start|visit start|"
        "visit start time|"
        "planned time|time|visit time|planned start date time|start date time|planned start date|planned in|due time"
    ),
    "planned_minutes": (
        "planned minutes|duration|planned duration|minutes|duration minutes|planned duration minutes|visit duration|"
        "visit minutes|visit length|planned length|commissioned minutes|commissioned duration|duration planned"
    ),
    "actual_start": (
        "actual start|actual start time|actual time|actual in|in time|actual visit start|log in|"
        "start actual|check in|in|"
        "actual start date time|actual start date|actual time in|login time|logged in|tag in|check in time"
    ),
    "actual_minutes": (
        "actual minutes|actual duration|actual duration minutes|actual length|duration actual|delivered minutes"
    ),
    "funding_type": "fundingtype|funding|funder|funding name|funding status|paytype",
    "care_band": "careband|band|care level|level care|level|dependency",
    "contribution": "contribution|client contribution|assessed contribution|week contribution|contribution week",
    "key_worker": "keyworker|client keyworker|social carers|care manager|care coordinator",
}
_NAMES = (
    "name|client name|client|name client|"
    "client full name|full name|surname forename|forename surname|"
    "name surname forename|client surname forename"
)
_ADDRESSES = (
    "full address|address|home address|client address|"
    "address full|address details|contact address|current address|"
    "residential address"
)
_FILLERS = frozenset(("of", "the", "and", "a", "s", "full", "current", "this", "per", "for", "on", "is", "at"))
_WHOSE = frozenset(("client", "home", "service", "care", "main", "their", "primary"))


@cache
def words_of(heading: str) -> tuple[str, ...]:
    """The words of a heading, each in one form."""
    whole = heading_key(heading)
    if told := _PHRASES.get(whole) or _ONE_FORM.get(whole):
        return tuple(told.split())
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[A-Za-z])(?=\d)", " ", heading)
    text = f" {' '.join(re.findall(r'[a-z]+|[0-9]+|#', spaced.lower()))} "
    for phrase, form in _LONGEST_FIRST:
        text = text.replace(f" {phrase} ", f" {form} ")
    found = f" {' '.join(_ONE_FORM.get(each, each) for each in text.split())} "
    for phrase, form in _AFTERWARDS:
        found = found.replace(f" {phrase} ", f" {form} ")
    return tuple(found.split())


# What still means the same once every word has its form.
_AFTERWARDS = (
    ("service client", "client"), ("client client", "client"), ("reference number", "reference"), ("id number", "id"),
    ("number id", "id"), ("social social", "social"), ("order order", "order"), ("forename name", "forename"),
    ("surname name", "surname"), ("forename forename", "forename"),
)  # fmt: skip
_LONGEST_FIRST = sorted(_PHRASES.items(), key=lambda each: -len(each[0]))


@cache
def _meanings(field: str) -> tuple[frozenset[str], ...]:
    """The sets of words that stand for a field, in order."""
    alternatives = [told for each in _written(field).split("|") if (told := words_of(each))]
    return tuple(frozenset(each) for each in (words_of(field.replace("_", " ")), *alternatives))


def _written(field: str) -> str:
    return {"full_name": _NAMES, "full_address": _ADDRESSES}.get(field) or _FIELDS.get(field, "")


@cache
def likeness(heading: str, field: str) -> float:
    """How alike a heading and the words for a field are, from 0 to 1; whose it is ("Client Surname") hardly matters.

    ``field`` may be ``full_name`` or ``full_address``, too.
    """
    words = words_of(heading)
    said = frozenset(words)
    bare = said - _FILLERS
    meant = _meanings(field)
    if said in meant or heading_key(heading) == heading_key(field):
        return 1.0
    if bare and any(bare == each - _FILLERS for each in meant):
        return 0.98
    own = bare - _WHOSE
    if own and any(own == each - _FILLERS for each in meant):
        return OF_A_CLIENT
    if said <= known_words():
        return 0.0
    key = "".join(words)
    return max((_ratio(key, word) for word in _keys(field)), default=0.0)


@cache
def _keys(field: str) -> tuple[str, ...]:
    written = _FIELDS.get(field, "").split("|")
    return tuple(dict.fromkeys("".join(words_of(each)) for each in (field.replace("_", " "), *written) if each))


def _ratio(key: str, word: str) -> float:
    """How alike two words are; 0 where their lengths alone, and then their letters, tell that they are not near."""
    if min(len(key), len(word)) < 5 or 2 * min(len(key), len(word)) < NEAR * (len(key) + len(word)):
        return 0.0
    alike = SequenceMatcher(None, key, word)
    return 0.95 * alike.ratio() if alike.quick_ratio() >= NEAR else 0.0


@cache
def known_words() -> frozenset[str]:
    """Every word that stands in the words for a field, in one form."""
    return frozenset(
        word for field in (*_FIELDS, "full_name", "full_address") for words in _meanings(field) for word in words
    )


@cache
def heading_vocabulary() -> tuple[str, ...]:
    """Keys of headings that any feed is known to use, for finding the header row of an unknown file."""
    forms: dict[str, list[str]] = {}
    for form, word in _ONE_FORM.items():
        forms.setdefault(word, []).append(form)
    for phrase, word in _PHRASES.items():
        forms.setdefault(word, []).append(phrase)
    found = {heading_key(name) for feed in FEEDS.values() for name in feed.field_names}
    found |= {heading_key(form) for form, word in (*_ONE_FORM.items(), *_PHRASES.items()) if " " in word}
    for field in (*_FIELDS, "full_name", "full_address"):
        for each in (words_of(one) for one in _written(field).split("|")):
            if len(each) <= _FEW_WORDS:
                ways = product(*([word, *forms.get(word, ())] for word in each))
                found.update(heading_key("".join(way)) for way in ways)
    return tuple(sorted(found - {""}))
