"""Read the cells of a file into one notation: a date as YYYY-MM-DD, a time as HH:MM:SS, a number plain with a point.

How dates, times and numbers are written is decided for each column by all of its values, never for one cell: one date
that can only have its month first says that all of them have. Each distinct cell is read once, in DuckDB. What a cell
may look like stands in ``sql/1_raw/dates_as_written.sql`` and its like, what is made of it in ``dates_read.sql``; what
a column proves is decided here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow as pa

from pipelines.feeds import Field
from pipelines.ingest.table import UnreadCell
from pipelines.sources import Source
from pipelines.warehouse import Warehouse

OLDEST = 109
"""Years: a birth date with a two-digit year is that of a person of at most this age, so not of the last ten years."""
PLACEHOLDER = "a placeholder for a missing value, such as N/A or TBC"
ROUNDED = "a spreadsheet rounded this number, and its digits are lost"
_NO_FORMAT = "no date %Y-%m-%d"


@dataclass(frozen=True)
class Notation:
    """How the cells of one column are written: ``how``, and the values that prove it (``because``), in words."""

    field: str
    how: str
    because: str

    def __str__(self) -> str:
        """``visit_date: months first, by 1 of 4 values``."""
        return f"{self.field}: {self.how}, {self.because}"


def read_notation(
    warehouse: Warehouse,
    source: Source,
    night: date,
    *,
    unread: Sequence[UnreadCell] = (),
    date_1904: bool = False,
) -> dict[str, Notation]:
    """Read the relation ``landing`` (``row_number`` and a text column for each field); gives the notation by field.

    Makes the temporary tables ``reading`` (the same columns in one notation, a missing value null; an unread cell keeps
    its text, unless that could be taken for a value) and ``faults`` (one row for each cell that cannot be read, or is
    missing though required). ``unread`` are cells that the reader of the file could not be sure of. ``night`` is the
    day by which a year of two digits is told; ``date_1904`` says that the file counts days from 1904.
    """
    fields = source.definition.fields
    notations = _read_cells_of(warehouse, source, night, date_1904)
    _make_reading(warehouse, fields)
    _make_faults(warehouse, fields, unread)
    return notations


def _read_cells_of(warehouse: Warehouse, source: Source, night: date, date_1904: bool) -> dict[str, Notation]:
    """Temporary table ``cells_read``: each distinct cell with its value, or why it has none. Plain cells of text, which
    are taken as they are, are left out."""
    typed = source.definition.fields
    sent = " union all ".join(
        f"select '{f.name}' as column_name, '{f.type}' as type, '{f.kind}' as kind, {f.name} as cell,"
        f" count(*) as times from landing where {f.name} <> '' group by {f.name} having not {_is_plain(f, f.name)}"
        for f in typed
    )
    warehouse.execute(f"create or replace temp view cells_sent as {sent}")
    warehouse.work("cells", "raw.cells")
    warehouse.work("cells_read", "raw.texts_read")
    dates = [f for f in typed if f.type == "date"]
    times = [f for f in typed if f.type == "time"]
    numbers = [f for f in typed if f.type in {"integer", "decimal"}]
    notations: dict[str, Notation] = {}
    if dates:
        warehouse.work("dates_written", "raw.dates_as_written")
        decided = _decide_dates(warehouse, source, dates, night, date_1904, notations)
        short = [form for form in source.date_formats if "%y" in form] or [_NO_FORMAT]
        long = [form for form in source.date_formats if "%y" not in form] or [_NO_FORMAT]
        _read_cells(warehouse, "raw.dates_read", decided, {"formats": long, "short_formats": short})
    if times:
        warehouse.work("times_written", "raw.times_as_written")
        _read_cells(warehouse, "raw.times_read", _decide_times(warehouse, times, notations))
    if numbers:
        warehouse.work("numbers_written", "raw.numbers_as_written")
        _read_cells(warehouse, "raw.numbers_read", _decide_numbers(warehouse, numbers, notations))
    return notations


def _read_cells(
    warehouse: Warehouse, table: str, decided: list[dict[str, Any]], parameters: Mapping[str, Any] | None = None
) -> None:
    with warehouse.relation("decided", pa.Table.from_pylist(decided)):
        warehouse.work("read_now", table, parameters)
    warehouse.append("cells_read", "read_now")


def _counts(warehouse: Warehouse, select: str) -> dict[str, tuple[Any, ...]]:
    return {name: tuple(rest) for name, *rest in warehouse.rows(select)}


def _decide_dates(
    warehouse: Warehouse,
    source: Source,
    fields: Sequence[Field],
    night: date,
    date_1904: bool,
    notations: dict[str, Notation],
) -> list[dict[str, Any]]:
    found = _counts(
        warehouse,
        "select column_name, coalesce(sum(times) filter (is_day(year, two, one) and one > 12), 0) as day_first,"
        " coalesce(sum(times) filter (is_day(year, one, two) and two > 12), 0) as month_first,"
        " coalesce(sum(times) filter (one is not null and one <> two), 0) as pairs,"
        " coalesce(bool_or(length(year) = 2 and one is not null), false) as short,"
        " coalesce(bool_or(length(year) = 2 and one > 31), false) as year_first,"
        " coalesce(bool_or(length(year) = 2 and one is not null and year::integer > 31), false) as year_last,"
        " coalesce(bool_or(length(year) = 2 and mark = '-'), false) as dashes"
        " from dates_written group by column_name",
    )
    says_months_first = _says_months_first(source)
    in_file = [sum(counts[n] for counts in found.values()) for n in (0, 1)]
    lists_short = any("%y" in form for form in source.date_formats)
    rows = []
    for field in fields:
        day_first, month_first, pairs, short, year_first, year_last, dashes = found.get(
            field.name, (0, 0, 0, *[False] * 4)
        )
        months_first, why = says_months_first, "as its mapping says: no value proves it"
        if day_first or month_first:
            months_first, why = bool(month_first), f"by {day_first or month_first} of {pairs} values"
        elif bool(in_file[0]) != bool(in_file[1]):
            months_first, why = bool(in_file[1]), "as in the other dates of the file: no value proves it"
        refused = bool(day_first and month_first)
        if refused:
            how, why = "not to be told", f"{day_first} of {pairs} values have the day first, {month_first} the month"
            notations[field.name] = Notation(field.name, how, why)
        elif pairs:
            notations[field.name] = Notation(field.name, f"{'months' if months_first else 'days'} first", why)
        rows.append(
            {
                "column_name": field.name,
                "kind": field.kind,
                "months_first": months_first,
                "order_refused": refused,
                "years_refused": short and not lists_short and (year_first or (dashes and not year_last)),
                "first_year": _first_year(source, field, night),
                "has_serials": source.excel_serial_dates,
                "from_1904": date_1904,
            }
        )
    return rows


def _says_months_first(source: Source) -> bool:
    """Which of day and month comes first where nothing in the file says so: what the mapping lists first."""
    order = [form.index("%m") < form.index("%d") for form in source.date_formats if _is_pair(form)]
    return bool(order) and order[0]


def _is_pair(form: str) -> bool:
    return "%d" in form and "%m" in form and form[:2] in {"%d", "%m"}


def _first_year(source: Source, field: Field, night: date) -> int:
    """The first of the hundred years in which a year of two digits lies."""
    if field.kind == "birth":
        return night.year - OLDEST
    return night.year - (99 if source.two_digit_years == "past" else 50)


def _decide_times(
    warehouse: Warehouse, fields: Sequence[Field], notations: dict[str, Notation]
) -> list[dict[str, Any]]:
    found = _counts(
        warehouse,
        "select column_name, bool_or(is_dotted and hour > 0 and minute < 60) as pointed,"
        " bool_or(is_dotted and minute >= 60 and hour > 0 or regexp_full_match(text, '[1-9]\\d?\\.\\d')) as decimals,"
        " bool_or(fraction is not null and not is_dotted and text <> '0') as fractions,"
        " bool_or(fraction is not null and is_dotted) as below_one,"
        " coalesce(bool_and(left(digits, 2) < '24' and right(digits, 2) < '60') filter (digits is not null), false)"
        " and coalesce(bool_or(regexp_full_match(text, '\\d{4}')), false)"
        " and not coalesce(bool_or(regexp_full_match(text, '[1-9]\\d?|\\d{5,}')), false) as digits"
        " from times_written group by column_name",
    )
    rows = []
    for field in fields:
        pointed, decimals, fractions, below, digits = found.get(field.name, (False,) * 5)
        below_one = "fraction" if not pointed else "refused" if fractions or decimals else "clock"
        if fractions or (below and below_one == "fraction"):
            notations[field.name] = Notation(field.name, "fractions of a day", "as a spreadsheet counts them")
        rows.append(
            {
                "column_name": field.name,
                "below_one": below_one,
                "points_refused": bool(decimals),
                "has_fractions": bool(fractions or (below and below_one == "fraction")),
                "digits_are_times": bool(digits),
            }
        )
    return rows


def _decide_numbers(
    warehouse: Warehouse, fields: Sequence[Field], notations: dict[str, Notation]
) -> list[dict[str, Any]]:
    shapes = ("thousands comma", "decimal comma", "thousands point", "point", "comma and three digits")
    found = _counts(
        warehouse,
        "select column_name, "
        + ", ".join(f"coalesce(sum(times) filter (shape = '{shape}'), 0)" for shape in shapes)
        + " from numbers_written group by column_name",
    )
    in_file = [sum(counts[n] for counts in found.values()) for n in range(len(shapes))]
    rows = []
    for field in fields:
        counts = found.get(field.name, (0,) * len(shapes))
        comma, why = _comma_of(field, counts, in_file)
        thousands, decimals, point_thousands, point, three = counts
        if comma and (thousands or decimals or point_thousands or three):
            words = {"refused": "not to be told", "thousands": "commas between thousands", "decimals": "decimal commas"}
            notations[field.name] = Notation(field.name, words[comma], why)
        after_point = "decimals"
        if comma == "decimals":
            after_point = "thousands" if point_thousands else "decimals" if point else "refused"
        rows.append({"column_name": field.name, "kind": field.kind, "comma": comma, "three_after_point": after_point})
    return rows


def _comma_of(field: Field, counts: Sequence[int], in_file: Sequence[int]) -> tuple[str | None, str]:
    """What the comma of a column of numbers parts: ``thousands``, ``decimals``, or ``refused`` where its values prove
    both; None where nothing says it."""
    thousands, decimals, point_thousands, point, _ = counts
    decimals += point_thousands
    if thousands and decimals:
        return "refused", f"{thousands} values prove one meaning of the comma, {decimals} the other"
    if thousands or decimals:
        return "thousands" if thousands else "decimals", f"by {thousands or decimals} values"
    if point:
        return "thousands", f"since {point} values have a decimal point"
    if bool(in_file[0] or in_file[3]) != bool(in_file[1] or in_file[2]):
        return "thousands" if in_file[0] or in_file[3] else "decimals", "as in the other numbers of the file"
    if field.type == "integer":
        return "thousands", "since it counts whole things"
    return None, "no value proves it"


def _is_plain(field: Field, cell: str) -> str:
    """A SQL condition: this cell of text is kept as it is."""
    if field.type != "text":
        return "false"
    if field.kind == "plain":
        return f"regexp_full_match({cell}, '[!-<>-~]+( [!-~]+)*')"
    plain = f"regexp_full_match({cell}, '[A-Za-z0-9/_()-]+( [A-Za-z0-9/_()-]+)*') and regexp_matches({cell}, '[1-9]')"
    return f"({plain} and trim({cell}, left({cell}, 1)) <> '')" if field.kind == "reference" else f"({plain})"


def _make_reading(warehouse: Warehouse, fields: Sequence[Field]) -> None:
    """Temporary table ``reading``. An unread cell keeps its text, unless that could be taken for a value."""
    warehouse.execute(
        "create or replace temp table cells_kept as select column_name, cell, case when r.reason is null then r.value"
        " when type <> 'text' and case type when 'date' then date_of(text)::varchar when 'time' then"
        " time_of(text)::varchar else decimal_of(text)::varchar end is null then text end as kept"
        " from cells as c join cells_read as r using (column_name, cell)"
    )
    changed = "select distinct column_name from cells_kept where kept is distinct from cell"
    strange = {name for (name,) in warehouse.rows(changed)}
    columns = ", ".join(f"{_value(field, strange)} as {field.name}" for field in fields)
    joins = "".join(
        f" left join cells_kept as read_{f.name} on read_{f.name}.column_name = '{f.name}'"
        f" and read_{f.name}.cell = l.{f.name}"
        for f in fields
        if f.name in strange
    )
    warehouse.execute(
        f"create or replace temp table reading as select l.row_number, {columns} from landing as l{joins}"
    )


def _value(field: Field, strange: Collection[str]) -> str:
    """The cell of a row in one notation, as SQL."""
    if field.name not in strange:
        return f"nullif(l.{field.name}, '')"
    return f"if(read_{field.name}.cell is null, nullif(l.{field.name}, ''), read_{field.name}.kept)"


def _make_faults(warehouse: Warehouse, fields: Sequence[Field], unread: Sequence[UnreadCell]) -> None:
    """Temporary table ``faults``, and what follows from it in ``reading``."""
    _take_unread(warehouse, fields, unread)
    unreadable = {name for (name,) in warehouse.rows("select distinct column_name from cells_read where reason <> ''")}
    each = ["select * from unread_before"]
    each += [select for place, field in enumerate(fields) for select in _faults_of(place, field, unreadable)]
    warehouse.execute(
        f"create or replace temp table faults as with found as ({' union all '.join(each)})"
        " select * exclude (reason_rank) from found"
        " qualify row_number() over (partition by row_number, column_name order by reason_rank) = 1"
    )
    for place, field in enumerate(fields):
        if field.kind == "end":
            _refuse_early_end(warehouse, place)


def _take_unread(warehouse: Warehouse, fields: Sequence[Field], unread: Sequence[UnreadCell]) -> None:
    """Temporary table ``unread_before``: cells that were not certain before they were read. An id or a typed value of
    such a cell is not used; a text stays as it was decoded."""
    warehouse.execute(
        "create or replace temp table unread_before (row_number bigint, position bigint, column_name varchar,"
        " reason varchar, value_as_sent varchar, required boolean, reason_rank integer)"
    )
    places = {field.name: (place, field) for place, field in enumerate(fields)}
    cells = [cell for cell in unread if cell.column in places]
    if not cells:
        return
    rows = pa.Table.from_pylist(
        [
            {
                "row_number": cell.row_number,
                "position": places[cell.column][0],
                "column_name": cell.column,
                "reason": cell.reason,
                "value_as_sent": cell.value_as_sent,
                "required": places[cell.column][1].required,
                "reason_rank": 1,
            }
            for cell in cells
        ]
    )
    with warehouse.relation("uncertain", rows):
        warehouse.append("unread_before", "uncertain")
    for name in sorted({cell.column for cell in cells}):
        field = places[name][1]
        if field.type != "text" or field.kind != "plain":
            warehouse.execute(
                f"update reading set {name} = null"
                f" where row_number in (select row_number from unread_before where column_name = '{name}')"
            )


def _faults_of(place: int, field: Field, unreadable: Collection[str]) -> Iterator[str]:
    """SELECTs of the faults of one column, over ``landing`` and ``reading``."""
    start = f"select l.row_number, {place} as position, '{field.name}' as column_name"
    end = f"l.{field.name} as value_as_sent, {field.required} as required"
    if field.name in unreadable:
        yield (
            f"{start}, c.reason, {end}, 2 from landing as l join cells_read as c on c.column_name = '{field.name}'"
            f" and c.cell = l.{field.name} where c.reason <> ''"
        )
    if field.required:
        yield (
            f"{start}, if(regexp_matches(l.{field.name}, '[^\\s\\p{{Z}}\\p{{C}}]'), '{PLACEHOLDER}', 'missing'),"
            f" {end}, 3"
            f" from landing as l join reading as r using (row_number) where r.{field.name} is null"
        )


def _refuse_early_end(warehouse: Warehouse, place: int) -> None:
    """An end before the start is reported as unread, and not used."""
    early = "date_of(r.end_date) < date_of(r.start_date)"
    if not warehouse.one(f"select count(*) from reading as r where {early}"):
        return
    warehouse.execute(
        f"insert into faults select l.row_number, {place}, 'end_date', 'it ends before it starts', l.end_date, false"
        f" from landing as l join reading as r using (row_number) where {early}"
    )
    warehouse.execute(f"update reading as r set end_date = null where {early}")
