"""Two sources of one feed, each with its own mapping and date format, land in one night."""

from __future__ import annotations

from office import ORDER_HEADINGS, Office, order, table

MONTHS_FIRST = """\
feed: purchase_orders
files: ["essex_po_*.csv"]
issuer: {fixed: ESSEX}
date_formats: ["%m/%d/%Y"]
columns: {SocialServicesRef: social_services_ref, Forename: forename, Surname: surname, DateOfBirth: date_of_birth,
  PurchaseOrderNumber: purchase_order_number, LineNumber: line_number, StartDate: start_date}
"""


def test_a_built_in_file_and_one_of_an_own_mapping_are_staged_in_one_night(office: Office) -> None:
    (office.settings.sources / "essex.yaml").write_text(MONTHS_FIRST)
    office.orders(order("P1", StartDate="03/11/2026"), order("P2", StartDate="18/11/2026"))
    office.deliver(
        "essex_po_20261120.csv",
        table(ORDER_HEADINGS, [order("P1", StartDate="11/04/2026"), order("P2", StartDate="11/18/2026")]),
    )
    office.night()
    orders = "select issuer, purchase_order_number, start_on::varchar from staged.purchase_orders order by 1, 2"
    assert office.rows(orders) == [
        ("ESSEX", "P1", "2026-11-04"),
        ("ESSEX", "P2", "2026-11-18"),
        ("KENT", "P1", "2026-11-03"),
        ("KENT", "P2", "2026-11-18"),
    ]
