"""Where every merge stands, and what the watch finds on merged-away records, night after night."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from office import client, order, visit
from the_merges import ANN, ANN_ORDERS, BEA, BEA_TOO, MOVE_ORDERS, NOVEMBER, OCTOBER, Provider, of

from pipelines.decisions.snapshot import DecisionsDamagedError
from pipelines.merge.status import merge_status
from pipelines.warehouse import open_warehouse

NEXT_NIGHT = date(2026, 11, 21)


def findings(provider: Provider) -> list[tuple[str, str, int, bool]]:
    found = merge_status(provider.settings).findings
    return [(one.client_ref, one.what, one.rows, one.breaks_a_law) for one in found]


def test_before_anything_is_merged(provider: Provider) -> None:
    status = merge_status(provider.settings)
    assert (status.merges, status.crosswalk, status.unfinished, status.findings) == ((), {}, None, ())


def test_partial_then_complete_and_signed_off_by_whom(provider: Provider) -> None:
    provider.decides(f"{BEA} {BEA_TOO}", survivor=BEA)
    provider.apply(from_on=OCTOBER, to_on=NOVEMBER)
    half = provider.status(f"{BEA} {BEA_TOO}")
    assert (half.state, half.visits_left, half.survivor, half.merged_away) == ("partial", 2, BEA, (BEA_TOO,))
    assert (half.signed_by, half.signed_in, half.wave) == ("Sam", 2, "no money")
    provider.apply()
    assert provider.status(f"{BEA} {BEA_TOO}").state == "complete"
    assert findings(provider) == []


def test_as_it_was_at_the_end_of_a_day(provider: Provider) -> None:
    provider.decides(f"{BEA} {BEA_TOO}", survivor=BEA)
    provider.apply()
    today = datetime.now(UTC).date()
    assert merge_status(provider.settings, today - timedelta(days=1)).merges == ()
    assert [one.merge_id for one in merge_status(provider.settings, today).merges] == [of(f"{BEA} {BEA_TOO}")]


def test_what_would_bring_a_merged_away_record_back_in_a_system_that_does_not_know(provider: Provider) -> None:
    provider.decides(f"{ANN} {ANN_ORDERS}", survivor=ANN, **MOVE_ORDERS)
    provider.decides(f"{BEA} {BEA_TOO}", survivor=BEA)
    provider.apply()
    provider.orders(order("PO7", SocialServicesRef="111"), on="20261121")
    provider.clients(client("B2", Forename="Beatrice", Surname="Bell", Phone="01206 555222"),
                     system="rosterly", on="20261121")  # fmt: skip
    provider.visits(visit("B2-NEW", "B2", VisitDate="24/11/2026"), system="rosterly", on="20261121")
    provider.night(NEXT_NIGHT)
    assert findings(provider) == [
        (ANN_ORDERS, "order came in since", 1, False),
        (BEA_TOO, "still on the books of its rostering system", 1, False),
        (BEA_TOO, "visit came in since", 1, False),
    ]


def test_what_must_never_be(provider: Provider) -> None:
    provider.decides(f"{ANN} {ANN_ORDERS}", survivor=ANN, **MOVE_ORDERS)
    provider.apply()
    with open_warehouse(provider.settings) as warehouse:
        warehouse.execute("update staged.purchase_orders set client_id = origin_client_id")
    assert findings(provider) == [(ANN_ORDERS, "orders count for the merged-away record", 1, True)]


def test_people_who_see_it_otherwise_now(provider: Provider) -> None:
    provider.decides(f"{BEA} {BEA_TOO}", survivor=BEA)
    provider.apply()
    provider.decides(f"{BEA} {BEA_TOO}", "different", who="Kim")
    assert findings(provider) == [(BEA, "somebody holds two of the records to be different people now", 1, False)]
    assert provider.crosswalk() == {BEA_TOO: BEA}, "the watch tells, and changes nothing"


def test_without_the_decisions_that_a_night_has_read_it_says_nothing(provider: Provider) -> None:
    provider.decides(f"{BEA} {BEA_TOO}", survivor=BEA)
    provider.apply()
    for file in provider.settings.home.glob("decisions.sqlite*"):
        file.unlink()
    with pytest.raises(DecisionsDamagedError, match="does not hold entry 1"):
        merge_status(provider.settings)
