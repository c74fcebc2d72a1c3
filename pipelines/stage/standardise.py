"""Standard forms that a library knows better than SQL: telephone numbers, NHS numbers, nicknames."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cache

import pandas as pd
import phonenumbers
from faker.providers.person import en_GB, en_IE
from nicknames import NickNamer
from stdnum.gb import nhs

from pipelines.warehouse import BATCH, Warehouse

PLACEHOLDER_NAMES = (
    "ADULT", "BABY", "CLIENT", "DECEASED", "DO NOT USE", "DUPLICATE", "ERROR", "FEMALE", "FORGOTTEN", "INFANT", "MALE",
    "MISSING", "NA", "NAME", "NEW CLIENT", "NO NAME", "NONE", "NOT GIVEN", "NOT KNOWN", "SERVICE USER", "TBA", "TBC",
    "TEST", "TEST CLIENT", "UNKNOWN", "UNKNOWN CLIENT", "UNNAMED", "X", "XX", "XXX",
)  # fmt: skip


def phone_e164(as_sent: str, region: str = "GB") -> str | None:
    """A telephone number as E.164 (``+441206123456``), or None when it is not a possible one (all zeros, too short)."""
    try:
        number = phonenumbers.parse(as_sent, region)
    except phonenumbers.NumberParseException:
        return None
    digits = str(number.national_number)
    whole = phonenumbers.is_possible_number_with_reason(number) == phonenumbers.ValidationResult.IS_POSSIBLE
    if not whole or len(set(digits)) <= 2:
        return None
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def nhs_number(as_sent: str) -> str | None:
    """An NHS number as ten digits, or None when its check digit is wrong or all its digits are one.

    Source: NHS Data Dictionary, NHS NUMBER (modulus 11).
    """
    digits = str(nhs.compact(as_sent))
    return digits if nhs.is_valid(digits) and len(set(digits)) > 1 else None


@cache
def _nick_namer() -> NickNamer:
    return NickNamer()


@cache
def _common_forenames() -> frozenset[str]:
    """Forenames that are common in England and Wales in their own right (Office for National Statistics, by Faker)."""
    return frozenset(name.lower() for name in (*en_GB.Provider.first_names, *en_IE.Provider.first_names))


def forename_root(name: str) -> str:
    """One formal name for a forename and its nicknames, in capitals: PEGGY and MARGARET both give MARGARET.

    A name common in its own right stays itself, so that JEAN is not JANE. Where a nickname stands for several formal
    names the common one that shares most other nicknames with it is taken, so that the answer is always the same.
    """
    lowered = name.lower()
    if lowered in _common_forenames():
        return name.upper()
    namer = _nick_namer()
    family = {lowered, *namer.nicknames_of(lowered)}

    def nearness(formal: str) -> tuple[bool, int, int, str]:
        short = namer.nicknames_of(formal)
        return formal not in _common_forenames(), -len(family & short), -len(short), formal

    return min(namer.canonicals_of(lowered), key=nearness, default=name).upper()


def own_name(name: str) -> str | None:
    """The sound of a forename that is common in its own right, or None.

    Two such names that sound different (RONALD and DONALD, JEAN and JOAN) are two names, not a slip of one, however
    few letters part them; twins are often named so. Spellings of one name (STEPHEN and STEVEN) give one sound.
    """
    if name.lower() not in _common_forenames():
        return None
    sound = name.upper()
    for spelling, as_one in (("PH", "F"), ("V", "F"), ("TH", "T"), ("C", "K"), ("Y", "I"), ("IE", "I"), ("EY", "I")):
        sound = sound.replace(spelling, as_one)
    return re.sub(r"(.)\1+", r"\1", sound).removesuffix("E")


def know_nicknames(warehouse: Warehouse) -> None:
    """The variable ``nicknames`` of the connection, which sql/identity.sql reads: short form → its formal names."""
    formal = {short.upper(): sorted(map(str.upper, names)) for short, names in _nick_namer().canonical_lookup.items()}
    names = {"key": list(formal), "value": list(formal.values())}
    warehouse.execute("set variable nicknames = $names::map(varchar, varchar[])", {"names": names})


def load_placeholder_names(warehouse: Warehouse) -> None:
    """Temporary table ``placeholder_names``: names that stand for no name."""
    with warehouse.relation("names", pd.DataFrame({"name": PLACEHOLDER_NAMES}, dtype="str")):
        warehouse.execute("create or replace temp table placeholder_names as select name from names")


def learn_standard_forms(warehouse: Warehouse, region: str) -> None:
    """Add the standard forms of the values in ``sent_people`` that no night has seen before.

    Reads the temporary table ``sent_people``; writes ``staged.standard_forms``. Only what SQL cannot tell goes through
    Python, which takes a hundred times as long.
    """
    _learn(warehouse, "phone", ("phone", "mobile"), "{0}", lambda value: phone_e164(value, region), plain_phone(region))
    _learn(warehouse, "nhs", ("nhs_as_sent",), "{0}", nhs_number)
    names = "name_key(regexp_replace({0}, '^(mr|mrs|miss|ms|dr|rev|sir|lady|prof)\\.?\\s+', '', 'i'))"
    _learn(warehouse, "forename", ("forename", "known_as"), f"unnest(string_split({names}, ' '))", forename_root)
    _learn(warehouse, "own_name", ("forename",), f"split_part({names}, ' ', 1)", own_name)


def plain_phone(region: str) -> str:
    """SQL for the E.164 form of ``as_sent`` where the region's numbering plan leaves nothing to work out, else null."""
    plan = phonenumbers.PhoneMetadata.metadata_for_region(region)
    if (
        plan is None
        or plan.general_desc is None
        or (plan.national_prefix_for_parsing or "").split("|")[0] != "0"
        or plan.national_prefix_transform_rule
    ):
        return "null::varchar"
    return f"plain_phone(as_sent, '{plan.country_code}', {list(plan.general_desc.possible_length)})"


def _learn(
    warehouse: Warehouse,
    kind: str,
    columns: Iterable[str],
    value: str,
    form: Callable[[str], str | None],
    plain: str = "null::varchar",
) -> None:
    each = " union ".join(f"select {value.format(c)} as as_sent from sent_people" for c in columns)
    warehouse.execute(
        f"create or replace temp table unseen as select distinct $kind as kind, as_sent, {plain} as form from ({each})"
        " where as_sent is not null and as_sent not in"
        " (select as_sent from staged.standard_forms where kind = $kind)",
        {"kind": kind},
    )
    warehouse.execute("create or replace temp table new_forms as from unseen where form is not null")
    _keep(warehouse)
    warehouse.execute("create or replace temp table to_work_out as select as_sent from unseen where form is null")
    parts = warehouse.parts("to_work_out", BATCH)
    for part in range(parts):
        batch = warehouse.rows(f"from to_work_out where hash(as_sent) % {parts} = {part} order by as_sent")
        values = [as_sent for (as_sent,) in batch]
        forms = pd.DataFrame({"kind": kind, "as_sent": values, "form": [form(v) for v in values]}, dtype="str")
        with warehouse.relation("worked_out", forms):
            warehouse.execute("create or replace temp table new_forms as from worked_out")
        _keep(warehouse)


def _keep(warehouse: Warehouse) -> None:
    warehouse.work("learnt_forms", "staged.standard_forms")
    warehouse.append("staged.standard_forms", "learnt_forms")
