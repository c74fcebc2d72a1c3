"""Words of status and unit that other systems use, and those that oneclient knows for them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

MOST_WORDS = 30  # a column of more different words is no vocabulary

_STATUS = {
    "Active": "live|current|open|ongoing|on going|started|approved|authorised|authorized|in progress|yes|true",
    "Suspended": "on hold|hold|paused|in hospital|hospital|respite|temporarily suspended|suspension|away",
    "Ended": (
        "left|ceased|finished|stopped|expired|leaver|discontinued|inactive|former|past|no|false|archived|discharged|"
        "moved away|moved to residential|no longer receiving care|closed down|not active"
    ),
    "Deceased": "rip|r.i.p.|dead|passed|passed on|death|died",
    "Cancelled": "canc|canx|can|cnx|void|voided|deleted|withdrawn|aborted|declined|refused|not required",
}
_UNITS = {
    "Hours": "hr|hrs|h|hour|per hour|hourly|hours per week|hrs pw|hour(s)",
    "Visits": "visit|vst|vsts|call|calls|per visit|visit(s)|call(s)|session|sessions",
    "Days": "day|per day|daily|day(s)",
    "Nights": "night|per night|nightly|night(s)|sleep in|sleep-in|waking night",
    "Weeks": "week|wk|wks|per week|weekly|week(s)",
    "Minutes": "min|mins|minute|per minute|minute(s)",
}
# What the rules of sql/macros.sql read in a status, and the words above: status → what it is read as.
_KNOWN = re.compile(
    r"(cancel|end|clos|complet|reject|terminat|void|withdr|inactiv|left|leaver|archiv|discharg|deceased|died|active|"
    r"suspend|plan|schedul|confirm|pending|book|deliver|visited|attended|done|late|missed|no access|draft|new|future).*"
)


def words_for(field: str, feed: str, values: Sequence[str]) -> dict[str, str]:
    """The words of a status or unit column that stand for another word that oneclient knows, with that word."""
    known = _words(field, feed)
    return {value: known[key] for value in values if (key := _key(value)) in known and known[key].casefold() != key}


def unknown_words(field: str, feed: str, values: Sequence[str]) -> list[str]:
    """Words of a status or unit column of which oneclient does not know what they mean."""
    known = _words(field, feed)
    told = {word.casefold() for word in known.values()}
    found = [value for value in values if _key(value) not in known and _key(value) not in told]
    return [value for value in found if field != "status" or not _KNOWN.match(_key(value))]


def _words(field: str, feed: str) -> Mapping[str, str]:
    if field == "unit_of_measure":
        return {key: word for word, forms in _UNITS.items() for key in forms.split("|")}
    said = {key: word for word, forms in _STATUS.items() for key in forms.split("|")}
    if feed == "roster_visits":  # a visit is cancelled, or it is not
        return {key: word for key, word in said.items() if word == "Cancelled"}
    return said


def _key(value: str) -> str:
    return " ".join(value.split()).casefold()
