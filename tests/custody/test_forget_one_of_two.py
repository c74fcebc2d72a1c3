"""One of two people who came under one rostering id is forgotten; the other one's rows stay theirs."""

from __future__ import annotations

from datetime import date

import pytest
from office import NIGHT, Office, client, order, visit

from pipelines.custody.forget import forget
from pipelines.nightly import run_night

HAROLD = {"Forename": "Harold", "Surname": "Goneby", "Gender": "M", "DateOfBirth": "02/03/1931", "Status": "Left"}
BEATRIX = {"Forename": "Beatrix", "Surname": "Newcomb", "Gender": "F", "DateOfBirth": "17/08/1944", "Status": "Left"}
DAY_BEFORE, NEXT = date(2026, 11, 19), date(2026, 11, 21)


@pytest.mark.parametrize(
    ("ref", "gone", "stays"),
    [("careplan/C1", "HAROLD GONEBY", "BEATRIX NEWCOMB"), ("careplan/C1~2", "BEATRIX NEWCOMB", "HAROLD GONEBY")],
)
def test_one_of_two_people_under_one_id_is_forgotten(office: Office, ref: str, gone: str, stays: str) -> None:
    office.clients(client("C1", EndDate="01/11/2026", **HAROLD), client("C3"), on="20261119")
    office.visits(visit("V1", "C1", VisitDate="10/11/2026"), on="20261119")
    run_night(office.settings, office.settings.inbox, DAY_BEFORE)
    office.clients(client("C1", EndDate="20/11/2026", **BEATRIX), client("C3"), on="20261120")
    office.visits(visit("V2", "C1"), on="20261120")
    run_night(office.settings, office.settings.inbox, NIGHT)
    forget(office.settings, ref, who="keeper", reason="as asked")
    names = dict(office.rows("select client_ref, upper(concat_ws(' ', forename, surname)) from staged.clients"))
    assert gone not in names.values() and stays in names.values()
    raw = " ".join(str(row) for row in office.rows("from raw.roster_clients")).upper()
    first, last = gone.split()
    assert first not in raw and last not in raw and stays.split()[1] in raw
    assert office.one("select count(distinct origin_client_id) from staged.visits") == 2

    office.clients(client("C1", EndDate="20/11/2026", Phone="01632 960123", **BEATRIX), on="20261121")
    office.visits(visit("V2", "C1"), visit("V3", "C1", VisitDate="21/11/2026"), on="20261121")
    office.orders(order("PO1"), on="20261121")
    run_night(office.settings, office.settings.inbox, NEXT)
    forgotten = office.rows("select client_id from staged.client_ids where client_ref = $ref", ref=ref)[0][0]
    assert office.rows("select forename from staged.clients where client_id = $id", id=forgotten) == [(None,)]
    assert office.one("select count(*) from staged.clients where upper(surname) = 'NEWCOMB'") == 1
