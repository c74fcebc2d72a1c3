"""Cells as people write them: read where it is safe, else kept aside with file, row, column and reason."""

from __future__ import annotations

from pathlib import Path

import pytest
from office import ENROLMENT_HEADINGS, ORDER_HEADINGS, VISIT_HEADINGS, Office, enrolment, order, table, visit

from pipelines.settings import Settings, WarehouseSettings
from pipelines.warehouse import scratch_warehouse

FORMATS = ["%Y-%m-%d", "%d/%m/%Y", "%d %b %Y", "%Y-%m-%d %H:%M:%S"]


def reading(cell: str) -> str | None:
    """A birth date of a labelled file; those of deliveries are in test_notation.py."""
    with scratch_warehouse(Settings(home=Path("home"), warehouse=WarehouseSettings(threads=1))) as warehouse:
        value = warehouse.one("select read_date($cell::varchar, $formats, true)", {"cell": cell, "formats": FORMATS})
    return None if value is None else str(value)


@pytest.mark.parametrize(
    ("cell", "day"),
    [
        ("12/03/1941", "1941-03-12"),
        ("1941-03-12", "1941-03-12"),
        (" 12/03/1941\u00a0", "1941-03-12"),
        ("12 Mar 1941", "1941-03-12"),
        ("1941-03-12 00:00:00", "1941-03-12"),
        ("15047", "1941-03-12"),
        ("15047.0", "1941-03-12"),
        ("15047.75", "1941-03-12"),
        ("29/02/2024", "2024-02-29"),
        ("31/02/2026", None),
        ("00/00/0000", None),
        ("12/03/41", None),
        ("1/1/1066", None),
        ("epoch", None),
        ("today", None),
        ("n/a", None),
        ("", None),
    ],
)
def test_dates(cell: str, day: str | None) -> None:
    assert reading(cell) == day


def test_an_impossible_date_rejects_its_row_and_says_where_and_why(office: Office) -> None:
    rows = [
        visit("V1", "C1"),
        visit("V2", "C1", VisitDate="31/02/2026"),
        visit("V3", ""),
        visit("", "", VisitDate="never"),
        visit("V5", "\u00a0\t"),
        *(visit(f"V{n}", "C1") for n in range(6, 12)),
    ]
    landing = office.land("careplan_roster_visits_20261120.csv", table(VISIT_HEADINGS, rows))
    assert (landing.status, landing.rows_read, landing.rows_loaded, landing.rows_rejected) == ("loaded", 11, 7, 4)
    assert office.rows(
        "select f.file_name, r.row_number, r.column_name, r.reason from raw.rejected_rows as r"
        " join raw.files as f using (file_id) order by r.row_number"
    ) == [
        ("careplan_roster_visits_20261120.csv", 3, "visit_date", "not a date in any format of this source"),
        ("careplan_roster_visits_20261120.csv", 4, "client_id", "missing"),
        ("careplan_roster_visits_20261120.csv", 5, "visit_id", "missing"),
        ("careplan_roster_visits_20261120.csv", 6, "client_id", "missing"),
    ]
    (kept,) = office.rows("select row_as_sent from raw.rejected_rows where row_number = 3")[0]
    assert '"visit_id":"V2"' in kept
    assert '"visit_date":"31/02/2026"' in kept


def test_an_unreadable_optional_cell_is_kept_aside_and_its_row_loaded(office: Office) -> None:
    rows = [
        order("PO1", Rate="eighteen", WeeklyUnits="99999999999999999999", EndDate="soon"),
        order("PO2", Carers="1.5"),
    ]
    landing = office.land("kent_purchase_orders_20261120.csv", table(ORDER_HEADINGS, rows))
    assert (landing.rows_loaded, landing.rows_rejected) == (2, 0)
    assert office.rows("select row_number, column_name, reason, value_as_sent from raw.unread_values order by all") == [
        (2, "end_date", "not a date in any format of this source", "soon"),
        (2, "rate", "not a number", "eighteen"),
        (2, "weekly_units", "not a number", "99999999999999999999"),
        (3, "carers", "not a whole number", "1.5"),
    ]


def test_every_cell_is_kept_in_raw_in_one_notation(office: Office) -> None:
    sent = [enrolment(" C1 ", "K-7", Contribution="£1,234.50", KeyWorker="  Zoë\u00a0 O’Brien ", StartDate="46054")]
    office.land("careplan_roster_enrolments_1.csv", table(ENROLMENT_HEADINGS, sent))
    assert office.rows("select client_id, contribution, key_worker, start_date from raw.roster_enrolments") == [
        ("C1", "1234.5", "Zoë O’Brien", "2026-02-01")
    ]
