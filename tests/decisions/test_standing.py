"""Law 6: where a pair stands follows from what people said and did not take back, and from nothing else."""

from __future__ import annotations

import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from the_log import Line, facts, in_short, key, log, standing_of

from pipelines.decisions.crosswalk import crosswalk, live_merges
from pipelines.decisions.entry import Entry
from pipelines.decisions.evidence import Change, brings_nearer, changes, evidence_hash
from pipelines.decisions.signoff import Member, Merge, SignedPlan, Undone
from pipelines.decisions.standing import standings

PEOPLE = ("Jo", "Sam", "Kim")
PAIRS = ("Ann Bea", "Bea Cat", "Ann Cat", "Dot Eve", "Eve Fay")
VERDICTS = ("same", "different", "unsure")
a_line = st.tuples(st.sampled_from(PEOPLE), st.sampled_from(PAIRS), st.sampled_from(VERDICTS))


@pytest.mark.parametrize(
    ("lines", "stands"),
    [
        pytest.param([], {}, id="nobody decided: open"),
        pytest.param([("Jo", "Ann Bea", "same")], {"Ann Bea": "same"}, id="one verdict"),
        pytest.param([("Jo", "Bea Ann", "same")], {"Ann Bea": "same"}, id="whichever record stands left"),
        pytest.param(
            [("Jo", "Ann Bea", "same"), ("Jo", "Ann Bea", "different")],
            {"Ann Bea": "different"},
            id="the newest verdict of a person counts",
        ),
        pytest.param(
            [("Jo", "Ann Bea", "same"), ("Sam", "Ann Bea", "different")],
            {"Ann Bea": "conflict"},
            id="two people disagree",
        ),
        pytest.param(
            [("Jo", "Ann Bea", "same"), ("Sam", "Ann Bea", "different"), ("Sam", "Ann Bea", "same")],
            {"Ann Bea": "same"},
            id="until one of them comes round",
        ),
        pytest.param(
            [("Jo Bloggs", "Ann Bea", "same"), (" jo  BLOGGS", "Ann Bea", "different")],
            {"Ann Bea": "different"},
            id="one person however the name is written",
        ),
        pytest.param(
            [("Jo", "Ann Bea", "same"), ("Sam", "Ann Bea", "unsure")], {"Ann Bea": "same"}, id="unsure abstains"
        ),
        pytest.param([("Jo", "Ann Bea", "unsure")], {"Ann Bea": "unsure"}, id="unsure alone"),
        pytest.param([("Jo", "Ann Bea", "same"), ("Jo", "undo", "1")], {}, id="taken back: open again"),
        pytest.param(
            [("Jo", "Ann Bea", "same"), ("Jo", "Ann Bea", "different"), ("Jo", "undo", "2")],
            {"Ann Bea": "same"},
            id="an undo brings back what was said before",
        ),
        pytest.param(
            [("Jo", "Ann Bea", "same"), ("Sam", "Bea Cat", "same"), ("Kim", "Ann Cat", "different")],
            {"Ann Bea": "conflict", "Bea Cat": "conflict", "Ann Cat": "different"},
            id="a chain of same that joins two who are different",
        ),
        pytest.param(
            [("Jo", "Ann Bea", "same"), ("Jo", "Bea Cat", "different")],
            {"Ann Bea": "same", "Bea Cat": "different"},
            id="a different at the end of a chain parts nothing",
        ),
        pytest.param(
            [
                ("Jo", "Ann Bea", "same"), ("Jo", "Bea Cat", "same"),
                ("Jo", "Ann Cat", "same"), ("Sam", "Ann Cat", "different"),
            ],
            {"Ann Bea": "conflict", "Bea Cat": "conflict", "Ann Cat": "conflict"},
            id="one voice for different inside a chain is enough",
        ),
    ],
)  # fmt: skip
def test_where_a_pair_stands(lines: list[Line], stands: dict[str, str]) -> None:
    assert in_short(standing_of(log(*lines))) == stands


def test_a_conflict_says_who_said_what() -> None:
    found = standing_of(log(("Jo", "Ann Bea", "same"), ("Sam", "Ann Bea", "different")))
    assert found[key("Ann Bea")].reason == "Jo said same, Sam said different"


def test_a_contradicted_chain_names_the_pair_that_contradicts_it() -> None:
    found = standing_of(log(("Jo", "Ann Bea", "same"), ("Jo", "Bea Cat", "same"), ("Sam", "Ann Cat", "different")))
    assert "joins Ann and Cat, which are held to be different (C-Ann-Cat)" in found[key("Ann Bea")].reason


class TestLapse:
    """A decision is bound to the facts that were on the screen."""

    def test_changed_facts_make_it_lapse(self) -> None:
        found = standing_of(log(("Jo", "Ann Bea", "different")), now={"Ann Bea": "married"})
        assert in_short(found) == {"Ann Bea": "lapsed"}
        assert found[key("Ann Bea")].reason == "changed since it was decided"

    def test_facts_that_come_back_bring_it_back(self) -> None:
        lines = log(("Jo", "Ann Bea", "different"))
        assert in_short(standing_of(lines, now={"Ann Bea": "as seen"})) == {"Ann Bea": "different"}

    def test_a_record_that_is_gone_makes_it_lapse(self) -> None:
        assert in_short(standings(log(("Jo", "Ann Bea", "same")), {})) == {"Ann Bea": "lapsed"}

    def test_who_decides_again_on_the_new_facts_is_not_in_conflict_with_who_saw_the_old(self) -> None:
        lines = log(("Jo", "Ann Bea", "same"), ("Sam", "Ann Bea", "different", "married"))
        assert in_short(standing_of(lines, now={"Ann Bea": "married"})) == {"Ann Bea": "different"}

    def test_a_lapsed_link_joins_no_chain(self) -> None:
        lines = log(("Jo", "Ann Bea", "same"), ("Jo", "Bea Cat", "same"), ("Jo", "Ann Cat", "different"))
        assert in_short(standing_of(lines, now={"Bea Cat": "married"})) == {
            "Ann Bea": "same", "Bea Cat": "lapsed", "Ann Cat": "different",
        }  # fmt: skip

    @pytest.mark.parametrize(
        ("before", "now", "is_nearer"),
        [
            pytest.param({"postcode": "ME1 1AA"}, {"postcode": "CO4 3SQ", "phone": "+441"}, False, id="both moved in"),
            pytest.param({"born": "1941-03-12"}, {"born": "1941-03-13"}, True, id="the birth date agrees now"),
            pytest.param({"born": "1941-03-13"}, {"born": "1941-03-12"}, False, id="the birth date parts them"),
            pytest.param({}, {"nhs_number": "9"}, True, id="a number of the other"),
            pytest.param({}, {"nhs_number": "8"}, False, id="a number of its own"),
            pytest.param({}, {"reference": "7"}, True, id="a reference of the other"),
            pytest.param({"surname": "BAKER"}, {"surname": "ARCHER"}, True, id="married into the other's name"),
            pytest.param({"forename": "ANN"}, {"forename": "ANN", "known_as": "PEG"}, True, id="known as the other"),
            pytest.param({"forename": "ANN"}, {"forename": "MARY ANN"}, False, id="a name that the other has not"),
        ],
    )
    def test_what_brings_two_records_nearer(self, before: dict[str, str], now: dict[str, str], is_nearer: bool) -> None:
        other = {"forename": "PEG", "surname": "ARCHER", "born": "1941-03-13", "nhs_number": "9", "reference": "7"}
        other |= {"postcode": "CO4 3SQ", "phone": "+441"}
        assert brings_nearer(json.dumps([before, other]), json.dumps([now, other])) == is_nearer
        assert not brings_nearer(json.dumps([now, other]), json.dumps([now, other]))

    def test_a_different_holds_while_nothing_brings_the_two_nearer(self) -> None:
        lines = log(("Jo", "Ann Bea", "different"), ("Sam", "Bea Cat", "same"))
        married = {key("Ann Bea"): facts("Ann Bea", "married"), key("Bea Cat"): facts("Bea Cat", "married")}
        texts = [*married.values(), facts("Ann Bea"), facts("Bea Cat")]
        known = {evidence_hash(text): text for text in texts}
        now = {pair: evidence_hash(text) for pair, text in married.items()}
        assert in_short(standings(lines, now, lambda hashes: known)) == {"Ann Bea": "different", "Bea Cat": "lapsed"}

    def test_what_has_changed_is_shown_field_by_field(self) -> None:
        assert changes(facts("Ann Bea"), facts("Ann Bea", "married")) == (
            Change("Ann", "surname", "as seen", "married"),
        )


class TestThroughMerges:
    """*Different* is said of two people, so it holds for whatever record one of them counts for."""

    def test_the_survivor_is_different_too_and_the_reason_names_the_decision(self) -> None:
        found = standing_of([*log(("Jo", "Ann Bea", "different")), merged(2, "Ann", "Cat")])
        assert in_short(found) == {"Ann Bea": "different", "Bea Cat": "different"}
        assert found[key("Bea Cat")].reason == (
            "Jo said that Ann and Bea are two people (C-Ann-Bea), and Ann counts for Cat"
        )

    def test_same_of_the_survivor_is_a_conflict_that_names_the_decision(self) -> None:
        found = standing_of([*log(("Jo", "Ann Bea", "different"), ("Sam", "Bea Cat", "same")), merged(3, "Ann", "Cat")])
        assert found[key("Bea Cat")].standing == "conflict"
        assert "Ann and Bea, which are held to be different (C-Ann-Bea)" in found[key("Bea Cat")].reason

    def test_an_undo_of_the_merge_opens_the_pair_again(self) -> None:
        lines = [*log(("Jo", "Ann Bea", "different")), merged(2, "Ann", "Cat"), undone(3, "Ann", "Cat")]
        assert in_short(standing_of(lines)) == {"Ann Bea": "different"}

    @given(
        st.lists(a_line, max_size=6),
        st.lists(st.tuples(*[st.sampled_from(["Ann", "Bea", "Cat", "Dot", "Eve", "Fay"])] * 2), max_size=3),
    )
    def test_no_two_groups_with_a_different_between_them_are_ever_open_or_same(
        self, lines: list[Line], merges: list[tuple[str, str]]
    ) -> None:
        entries = log(*lines)
        for one, other in merges:
            if one != other:
                entries.append(merged(len(entries) + 1, one, other))
        found = standing_of(entries)
        survivor = crosswalk(signed.merge for signed in live_merges(entries).values())
        for pair, standing in found.items():
            one, other = sorted(survivor.get(ref, ref) for ref in pair)
            if one != other and any(entry.verdict == "different" for entry in standing.current):
                assert found[one, other].standing in {"different", "conflict"}


def merged(number: int, gone: str, survivor: str) -> Entry:
    """A sign-off that merges one record into another."""
    members = (Member(client_ref=survivor, origins=(survivor,)), Member(client_ref=gone, origins=(gone,)))
    merge = Merge(
        merge_id=f"M-{gone}-{survivor}", survivor=survivor, members=members, pairs=(key(f"{gone} {survivor}"),),
        verdicts=(1,), wave="empty",
    )  # fmt: skip
    plan = SignedPlan(after=0, as_of=date(2026, 11, 20), merges=(merge,))
    return Entry(number, "Kim", "cli", "signoff", plan=plan.as_json())


def undone(number: int, gone: str, survivor: str) -> Entry:
    """A sign-off that takes it back."""
    taken_back = Undone(merge_id=f"M-{gone}-{survivor}", pairs=(key(f"{gone} {survivor}"),))
    plan = SignedPlan(after=0, as_of=date(2026, 11, 20), undoes=(taken_back,))
    return Entry(number, "Kim", "cli", "signoff", plan=plan.as_json())


@given(st.lists(a_line, max_size=8), st.randoms(use_true_random=False))
def test_the_order_of_what_different_people_said_of_different_pairs_does_not_matter(
    lines: list[Line], random: st.Random
) -> None:
    last_words = {(who, pair): verdict for who, pair, verdict in (line[:3] for line in lines)}
    shuffled: list[Line] = [(who, pair, verdict) for (who, pair), verdict in last_words.items()]
    random.shuffle(shuffled)
    assert in_short(standing_of(log(*shuffled))) == in_short(standing_of(log(*lines)))


@given(st.lists(a_line, max_size=8), a_line)
def test_undo_restores_what_was(lines: list[Line], one_more: Line) -> None:
    taken_back = log(*lines, one_more, (one_more[0], "undo", str(len(lines) + 1)))
    assert standing_of(taken_back) == standing_of(log(*lines))


@given(st.lists(a_line, max_size=8), st.sampled_from(PAIRS), st.permutations(PEOPLE))
def test_two_people_who_disagree_are_always_a_conflict(lines: list[Line], pair: str, people: list[str]) -> None:
    found = standing_of(log(*lines, (people[0], pair, "same"), (people[1], pair, "different")))
    assert found[key(pair)].standing == "conflict"


@given(st.lists(a_line, max_size=10))
def test_no_chain_of_same_ever_joins_two_who_are_held_to_be_different(lines: list[Line]) -> None:
    found = standing_of(log(*lines))
    joined = {ref: ref for pair in found for ref in pair}
    for pair, standing in found.items():
        if standing.standing == "same":
            old, new = joined[pair[0]], joined[pair[1]]
            joined = {ref: new if group == old else group for ref, group in joined.items()}
    apart = [pair for pair, s in found.items() if any(e.verdict == "different" for e in s.current)]
    assert not [pair for pair in apart if joined[pair[0]] == joined[pair[1]]]
