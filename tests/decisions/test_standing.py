"""Law 6: where a pair stands follows from what people said and did not take back, and from nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from the_log import Line, facts, in_short, key, log, standing_of

from pipelines.decisions.evidence import Change, changes
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

    def test_what_has_changed_is_shown_field_by_field(self) -> None:
        assert changes(facts("Ann Bea"), facts("Ann Bea", "married")) == (
            Change("Ann", "surname", "as seen", "married"),
        )


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
    undone = log(*lines, one_more, (one_more[0], "undo", str(len(lines) + 1)))
    assert standing_of(undone) == standing_of(log(*lines))


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
