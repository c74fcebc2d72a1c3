"""Which column of a labelled file plays which role: by a mapping, or by how its heading sounds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pipelines.settings import SettingsError
from pipelines.sources import heading_key
from pipelines.sources.written import read_yaml

_WORDS: dict[str, tuple[str, ...]] = {
    "forename": ("forename", "firstname", "givenname", "fname", "christianname", "first"),
    "surname": ("surname", "lastname", "familyname", "lname", "last"),
    "known_as": ("knownas", "preferredname", "nickname"),
    "other_names": ("othernames", "fullname", "maidenname", "previousname", "alias", "middlename"),
    "title": ("title",),
    "gender": ("gender", "sex"),
    "birth": ("dateofbirth", "dob", "birthdate", "born", "birth", "bdate"),
    "birth_day": ("birthday", "dayofbirth", "dobday", "bd", "day"),
    "birth_month": ("birthmonth", "monthofbirth", "dobmonth", "bm", "month"),
    "birth_year": ("birthyear", "yearofbirth", "dobyear", "by", "yob", "year"),
    "street_number": ("streetnumber", "housenumber", "houseno"),
    "address_1": ("address1", "addressline1", "address", "street", "streetaddress"),
    "address_2": ("address2", "addressline2"),
    "town": ("town", "city", "suburb", "locality"),
    "postcode": ("postcode", "postalcode", "zip", "zipcode", "postcodefake"),
    "phone": ("phone", "telephone", "tel", "landline", "phonenumber", "homephone"),
    "mobile": ("mobile", "mobilephone", "cell", "cellphone"),
    "email": ("email", "emailaddress", "mail"),
    "nhs_number": ("nhsnumber", "nhsno", "nhs"),
    "reference": ("socialservicesref", "ssref", "ssr", "reference", "councilref"),
    "council": ("authoritycode", "council", "authority", "laauthority"),
    "national_id": ("socsecid", "ssn", "socialsecuritynumber", "nationalid", "nino", "nationalinsurancenumber"),
    "birth_place": ("birthplace", "placeofbirth", "townofbirth"),
    "occupation": ("occupation", "job", "profession"),
}  # fmt: skip

ROLES = tuple(_WORDS)


def guess_roles(headings: Iterable[str]) -> dict[str, str]:
    """Heading → role, for the headings that sound like one; the first heading that fits a role has it."""
    roles: dict[str, str] = {}
    for heading in headings:
        key = heading_key(heading)
        role = next((r for r, words in _WORDS.items() if key in words and r not in roles.values()), None)
        if role:
            roles[heading] = role
    return roles


def read_roles(mapping: Path, headings: Iterable[str]) -> dict[str, str]:
    """Heading → role from a YAML file (``columns: {heading: role}``).

    Raises SettingsError for a file that is not of that form, or names a heading or role that there is not.
    """
    written: Any = read_yaml(mapping, "mapping")
    columns = written.get("columns") if isinstance(written, dict) else None
    if not isinstance(columns, Mapping):
        raise SettingsError(
            f"{mapping.name} has no `columns:` with a line `heading: role` for each column to use.", code="S5"
        )
    if unknown := sorted(set(map(str, columns)) - set(headings)):
        raise SettingsError(
            f"{mapping.name} names headings that the file does not have: {', '.join(unknown)}", code="S5"
        )
    if unknown := sorted(set(map(str, columns.values())) - set(ROLES)):
        raise SettingsError(f"{mapping.name}: no such role: {', '.join(unknown)}. Roles: {', '.join(ROLES)}", code="S5")
    return {str(heading): str(role) for heading, role in columns.items()}
