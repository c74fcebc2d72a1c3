"""What comes to light between the sign-off and the next partition stops a merge where it stands; it can be undone."""

from __future__ import annotations

from datetime import date

import pytest
from office import client, visit
from the_merges import BEA, BEA_TOO, DOT, DOT_TOO, Provider, SignOffs, of

from pipelines.decisions.crosswalk import live_merges
from pipelines.decisions.entry import Entry
from pipelines.decisions.store import open_decisions
from pipelines.merge.decided import contested
from pipelines.merge.run import MergeStoppedError, open_run, sign_off
from pipelines.merge.selection import Selection, candidate_id

BOTH = f"{BEA} {BEA_TOO}"
ONE_NUMBER, ANOTHER = "943 476 5919", "943 476 5870"


def half_merged(provider: Provider) -> int:
    """Signed off; what is of today or to come has moved, and the first month."""
    provider.decides(BOTH, survivor=BEA)
    number = sign_off(provider.settings, Selection(), who="Sam", door="dag")
    assert number is not None
    with open_run(provider.settings, number) as run:
        run.move(run.partitions()[0])
    return number


def comes_in(provider: Provider, **cells: str) -> None:
    """The next exports of both rostering systems."""
    provider.clients(client("B1", Forename="Bea", Surname="Bell", NHSNumber=ONE_NUMBER), on="20261121")
    changed = {"Forename": "Beatrice", "Surname": "Bell", **cells}
    provider.clients(client("B2", **changed), system="rosterly", on="20261121")
    provider.night(date(2026, 11, 21))


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        ({"NHSNumber": ANOTHER}, "two valid NHS numbers"),
        ({"Status": "Restricted"}, "the status says that the record is restricted"),
        ({"Status": "Deceased"}, "one record says that the client has died, another has care still to come"),
    ],
)
def test_something_that_the_register_learnt(provider: Provider, cells: dict[str, str], why: str) -> None:
    half_merged(provider)
    comes_in(provider, **cells)
    with pytest.raises(MergeStoppedError, match=why):
        provider.apply()
    assert provider.visits_of(BEA_TOO) == "B2-OCT B2-NOV"
    stands = provider.status(BOTH)
    assert (stands.state, stands.visits_left) == ("partial", 2)


@pytest.mark.parametrize("deed", ["different", "taken back"])
def test_something_that_people_said(provider: Provider, deed: str) -> None:
    number = half_merged(provider)
    if deed == "different":
        provider.decides(BOTH, "different", who="Kim")
    else:
        with open_decisions(provider.settings) as store:
            store.undo(candidate_id(BEA, BEA_TOO), "Jo", "cli")
    with open_run(provider.settings, number) as run, pytest.raises(MergeStoppedError, match=of(BOTH)):
        run.move(run.partitions()[0])
    assert provider.visits_of(BEA_TOO) == "B2-OCT B2-NOV"


def test_between_two_partitions_of_one_process(provider: Provider) -> None:
    number = half_merged(provider)
    with open_run(provider.settings, number) as run:
        october, november = run.partitions()
        run.move(october)
        with open_decisions(provider.settings) as store:
            store.undo(candidate_id(BEA, BEA_TOO), "Jo", "cli")
        with pytest.raises(MergeStoppedError, match="was taken back"):
            run.move(november)


def test_what_was_stopped_can_be_undone_and_others_go_on(provider: Provider) -> None:
    before = provider.fingerprint("linked")
    half_merged(provider)
    provider.decides(BOTH, "different", who="Kim")
    provider.decides(f"{DOT} {DOT_TOO}", survivor=DOT)
    with pytest.raises(MergeStoppedError):
        provider.apply()
    provider.undo(of(BOTH))
    assert provider.fingerprint("linked") == before
    assert provider.apply().merges == 1
    assert provider.crosswalk() == {DOT_TOO: DOT}
    assert provider.plan().unfinished is None


def test_an_arrival_that_stops_nothing(provider: Provider) -> None:
    """A visit more for the merged-away record counts for the survivor at once; the run goes on."""
    half_merged(provider)
    provider.visits(visit("B2-NEW", "B2", VisitDate="21/11/2026"), system="rosterly", on="20261121")
    provider.night(date(2026, 11, 21))
    provider.apply()
    assert provider.visits_of(BEA_TOO) == ""
    assert provider.status(BOTH).state == "complete"


def test_of_several_pairs_one_that_is_taken_back_is_enough() -> None:
    def said(number: int, left: str, right: str) -> Entry:
        return Entry(number, "Jo", "cli", "verdict", f"C-{left}-{right}", left, right, "same")

    log = SignOffs()
    log.merge("Ann Bea, Bea Cat", "Ann")
    (signed,) = live_merges(log.entries).values()
    entries = [said(1, "Ann", "Bea"), said(2, "Bea", "Cat")]
    assert contested(entries, [signed.merge]) == {}
    entries.append(Entry(3, "Jo", "cli", "undo", "C-Bea-Cat", "Bea", "Cat", undoes=2))
    assert "taken back" in contested(entries, [signed.merge])[signed.merge.merge_id]
