"""Rows of one file that carry one key: copies, corrections, and keys that were given to two people or clients."""

from __future__ import annotations

from pipelines.feeds import Feed
from pipelines.warehouse import Warehouse

_PERSON = {
    "forename": "name_key(r.forename)",
    "surname": "name_key(r.surname)",
    "date_of_birth": "date_of(r.date_of_birth)",
    "gender": "gender_code(r.gender)",
    "nhs_number": "reference_key(r.nhs_number)",
    "social_services_ref": "reference_key(r.social_services_ref)",
}

_NOTHING = dict.fromkeys(_PERSON, "null::varchar") | {"date_of_birth": "null::date"}


def find_repeated_keys(warehouse: Warehouse, feed: Feed) -> None:
    """Temporary table ``repeated``: each row of ``reading`` that is not loaded because of its key, with the reason.

    Rows that agree in every field are one: the first is loaded. Rows about different people or clients are all
    rejected. Of other rows of one key the last is loaded. An order line without a number is line 1 of its order, unless
    the order has numbered lines: then it is rejected, so that it never replaces one.
    """
    owner, has_no_line = feed.key[0], "false"
    parts = [f"coalesce(r.{name}, '')" for name in feed.key]
    if feed.name == "purchase_orders":
        parts[1] = "coalesce(r.line_number, '1')"
        has_no_line = "r.line_number is null and count(r.line_number) over (partition by r.purchase_order_number) > 0"
    key = f"concat_ws(chr(31), {', '.join(parts)})"
    warehouse.execute(
        f"create or replace temp table keys_twice as select r.row_number, {key} as key, {has_no_line} as has_no_line"
        f" from reading as r where r.{owner} is not null qualify count(*) over (partition by {key}) > 1 or has_no_line"
    )
    warehouse.execute("create or replace temp table repeated (row_number bigint, column_name varchar, reason varchar)")
    if not warehouse.one("select count(*) from keys_twice"):
        return
    whose = "r.client_id" if feed.name == "roster_visits" else "null::varchar"
    person = [f"'{name}': {cell if name in feed.field_names else _NOTHING[name]}" for name, cell in _PERSON.items()]
    content = [parts[1] if name == "line_number" else f"r.{name}" for name in feed.field_names]
    warehouse.execute(
        f"create or replace temp table same_key as select k.*, {{{', '.join(person)}, 'client_id': {whose}}} as person,"
        f" hash({', '.join(content)}) as content, f.row_number is not null as is_faulty"
        " from keys_twice as k join reading as r using (row_number)"
        " left join (select distinct row_number from faults where required) as f using (row_number)"
    )
    warehouse.work("not_loaded", "raw.repeated_keys")
    warehouse.execute("insert into repeated select row_number, $column, reason from not_loaded", {"column": owner})
