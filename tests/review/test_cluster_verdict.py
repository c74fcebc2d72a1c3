"""A cluster decided as one case: one verdict for each of its pairs, all or none, at the page and by command."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from examples import a_candidate, a_cluster, a_report, a_side, an_order
from the_desk import Desk, home_with, path_of, proper

from pipelines.decisions.statement import DecisionRefusedError
from pipelines.merge.record import Alias, Enrolment
from pipelines.review.commands import decide_cluster, undo_cluster
from pipelines.review.contents import Candidate, Cluster
from pipelines.review.desk.access_log import read_accesses
from pipelines.review.published import NoReportError
from pipelines.settings import Settings

CLUSTER = "/clusters/K0000012"
PEGGY, MARGARET, ROSTERLY = "careplan/100234", "KENT/reference/00345678", "rosterly/77"
ON_ONE_CONTRACT = (Enrolment(issuer="careplan", contract="KENT-HC-2022"),)


def three_records() -> tuple[Cluster, tuple[Candidate, ...]]:
    """Three records, each a candidate with each other; two are on one contract, two have a number of Kent's."""
    peggy = a_side(PEGGY, references=("CAREPLAN 100234", "KENT 345679"), enrolments=ON_ONE_CONTRACT)
    margaret = a_side(MARGARET, references=("KENT 00345678",), enrolments=ON_ONE_CONTRACT, orders=(an_order(),))
    nickname = Alias(kind="known_as", name="Peg", key="peg")
    rosterly = a_side(ROSTERLY, references=("ROSTERLY 77",), enrolments=(), aliases=(nickname,))
    sides = ((peggy, margaret), (peggy, rosterly), (margaret, rosterly))
    pairs = tuple(proper(n, a_candidate(left=left, right=right)) for n, (left, right) in enumerate(sides, start=1))
    return a_cluster(*pairs), pairs


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    cluster, pairs = three_records()
    stranger = proper(9, a_candidate(left=a_side("careplan/9"), right=a_side("careplan/8")))
    return home_with(tmp_path, a_report(*pairs, stranger, clusters=(cluster,)))


@pytest.fixture
def ann(home: Settings) -> Desk:
    return Desk(home, "ann")


def decide(desk: Desk, **fields: str) -> int:
    return desk.fill(CLUSTER, f"{CLUSTER}/decide", **fields).status_code


def said(desk: Desk) -> list[tuple[str, str]]:
    return [(entry.candidate_id or "", entry.verdict or "") for entry in desk.entries()]


CELLS = {"survivor": PEGGY.upper(), "enrolment": f"KENT-HC-2022={MARGARET}", "keep_reference": "kent=00345678"}


class TestAllAreOnePerson:
    def test_every_pair_is_the_same_each_on_its_own_evidence(self, ann: Desk) -> None:
        assert decide(ann, verdict="same", reason="one NHS number") == 303
        entries = ann.entries()
        assert {entry.candidate_id for entry in entries} == {"C0000000001", "C0000000002", "C0000000003"}
        assert {entry.verdict for entry in entries} == {"same"}
        assert {entry.evidence_hash for entry in entries} == {pair.evidence_hash for pair in three_records()[1]}
        assert "3 same" in ann.read("/") and "Of 3 of the 3 pairs you said" in ann.read(CLUSTER)

    def test_each_pair_is_told_of_the_choices_what_concerns_its_own_records(self, ann: Desk) -> None:
        """The records stand as 1, 2 and 3; of Kent's two numbers 00345678 comes first."""
        chosen = {"survivor": "1", "aliases": "keep", "move_active_orders": "yes"}
        decide(ann, verdict="same", reason="rang her", reference_0="0", enrolment_0="2", **chosen)
        by_pair = {frozenset(entry.pair): entry.chosen for entry in ann.entries()}
        both, without_margaret, without_peggy = (
            by_pair[frozenset(pair)] for pair in ((PEGGY, MARGARET), (PEGGY, ROSTERLY), (MARGARET, ROSTERLY))
        )
        assert (both.survivor, without_margaret.survivor, without_peggy.survivor) == (PEGGY, PEGGY, None)
        assert dict(both.enrolments) == dict(without_peggy.enrolments) == {"KENT-HC-2022": MARGARET}
        assert dict(without_margaret.enrolments) == {}
        assert dict(both.references) == dict(without_peggy.references) == {"KENT": "00345678"}
        assert dict(without_margaret.references) == {}
        assert all(choices.aliases == "keep" and choices.move_active_orders for choices in by_pair.values())

    def test_the_time_is_shared_and_the_score_counts_as_seen(self, ann: Desk) -> None:
        ann.fill("/", "/preferences", blind="on")
        decide(ann, verdict="same", reason="rang her")
        assert not any(entry.score_was_hidden for entry in ann.entries())
        assert all(entry.seconds_spent is not None and entry.seconds_spent < 20 for entry in ann.entries())

    def test_the_preview_shows_all_three_and_records_nothing(self, ann: Desk) -> None:
        shown = ann.fill(CLUSTER, f"{CLUSTER}/preview", verdict="same", survivor="3", reason="half written").text
        assert "Nothing is recorded yet" in shown and "half written" in shown and ann.entries() == []
        assert 'value="3" id="s1-1" checked' in shown


class TestOneIsAnotherPerson:
    def test_its_pairs_are_different_and_of_the_others_nothing_is_said(self, ann: Desk) -> None:
        assert decide(ann, verdict="different", apart="3", reason="another birth date") == 303
        assert sorted(said(ann)) == [("C0000000002", "different"), ("C0000000003", "different")]

    def test_choices_that_stand_in_the_form_do_not_go_with_it(self, ann: Desk) -> None:
        decide(ann, verdict="different", apart="3", reason="twins", survivor="1", aliases="keep")
        assert {entry.choices for entry in ann.entries()} == {"{}"}

    @pytest.mark.parametrize("apart", ["", "4", PEGGY])
    def test_it_has_to_be_one_of_the_cluster(self, ann: Desk, apart: str) -> None:
        assert decide(ann, verdict="different", apart=apart, reason="twins") == 400 and ann.entries() == []


class TestRefused:
    @pytest.mark.parametrize(
        "fields",
        [{"verdict": "unsure"}, {"verdict": ""}, {"reason": " "}, {"survivor": "4"}, {"enrolment_0": "3"}],
    )
    def test_what_cannot_be_recorded_leaves_no_pair_decided(self, ann: Desk, fields: dict[str, str]) -> None:
        assert decide(ann, **({"verdict": "same", "reason": "rang her"} | fields)) == 400
        assert ann.entries() == []

    def test_a_forged_form_decides_nothing(self, ann: Desk, home: Settings) -> None:
        fields = {"verdict": "same", "reason": "x"}
        for act in ("decide", "preview", "undo"):
            assert ann.client.post(f"{CLUSTER}/{act}", data=fields).status_code == 403
        stolen = Desk(home, "sam").tokens(CLUSTER)
        assert ann.client.post(f"{CLUSTER}/decide", data={**stolen, **fields}).status_code == 403
        of_a_pair = ann.tokens(path_of(1))
        assert ann.client.post(f"{CLUSTER}/decide", data={**of_a_pair, **fields}).status_code == 403
        of_the_cluster = ann.tokens(CLUSTER)
        assert ann.client.post(f"{path_of(1)}/decide", data={**of_the_cluster, **fields}).status_code == 403
        assert ann.entries() == []

    def test_without_the_permission_there_is_no_cluster(self, home: Settings) -> None:
        vic = Desk(home, "vic")
        assert vic.get(CLUSTER).status_code == 403
        assert vic.client.post(f"{CLUSTER}/decide", data={"verdict": "same"}).status_code == 403

    def test_evidence_of_any_pair_that_changed_under_the_open_page_is_looked_at_again(
        self, ann: Desk, home: Settings
    ) -> None:
        tokens = ann.tokens(CLUSTER)
        cluster, (one, two, three) = three_records()
        changed = proper(3, three, says="a new surname")
        home_with(home.home.parent, a_report(one, two, changed, clusters=(cluster,)))
        answer = ann.client.post(f"{CLUSTER}/decide", data={**tokens, "verdict": "same", "reason": "x"})
        assert answer.status_code == 409 and "changed since you opened" in answer.text and ann.entries() == []


class TestUndo:
    def test_all_that_one_said_of_the_pairs_is_taken_back_and_nothing_of_others(
        self, ann: Desk, home: Settings
    ) -> None:
        sam = Desk(home, "sam")
        decide(ann, verdict="same", reason="rang her")
        decide(sam, verdict="different", apart="3", reason="twins")
        assert "It is in conflict" in ann.read(CLUSTER)
        assert sam.fill(CLUSTER, f"{CLUSTER}/undo").status_code == 303
        assert "3 same" in ann.read("/") and "in conflict:" not in ann.read(CLUSTER)
        assert sam.fill(CLUSTER, f"{CLUSTER}/undo").status_code == 400


class TestMasking:
    def test_values_are_hidden_until_they_are_revealed_and_the_look_is_written_down(
        self, ann: Desk, home: Settings
    ) -> None:
        decide(ann, verdict="same", reason="Peggy said so")
        Desk(home, "sam").decide(2, "different", reason="twins")
        masked = ann.read(CLUSTER)
        assert not any(value in masked for value in ("Peggy", "100234", "00345678", "345679", "Peg<"))
        ann.fill(CLUSTER, f"{CLUSTER}/reveal")
        assert "Peggy" in ann.read(CLUSTER)
        assert {(one["act"], *one["ids"]) for one in read_accesses(home.home)} == {
            ("reveal", "K0000012"), ("look", "K0000012"),
        }  # fmt: skip

    def test_blind_hides_how_the_pairs_agree(self, ann: Desk) -> None:
        ann.fill("/", "/preferences", blind="on")
        shown = ann.read(CLUSTER)
        assert "near-certain" not in shown and "hidden until you decide" in shown


class TestByCommand:
    def test_a_cluster_is_decided_and_undone(self, ann: Desk, home: Settings) -> None:
        done = decide_cluster(home, "k0000012", verdict="same", who="Jo", reason="rang her", cells=CELLS)
        assert (done.recorded, done.candidate_id, done.standing) == (3, "K0000012", "same")
        first = ann.entries()[0]
        assert first.door == "cli" and first.chosen.survivor == PEGGY and dict(first.chosen.references)
        again = decide_cluster(home, "K0000012", verdict="same", who="Jo", reason="rang her", cells=CELLS)
        assert (again.recorded, again.repeated) == (0, 3)
        assert undo_cluster(home, "K0000012", who="Jo", reason="").recorded == 3

    def test_one_record_is_another_person(self, home: Settings) -> None:
        done = decide_cluster(
            home, "K0000012", verdict="different", who="Jo", reason="twins", cells={}, apart=ROSTERLY.upper()
        )
        assert (done.recorded, done.standing) == (2, "different")

    def test_choices_do_not_go_with_another_person(self, ann: Desk, home: Settings) -> None:
        with pytest.raises(DecisionRefusedError, match="go with the verdict same"):
            decide_cluster(
                home, "K0000012", verdict="different", who="Jo", reason="x", cells={"survivor": PEGGY}, apart=ROSTERLY
            )
        assert ann.entries() == []

    @pytest.mark.parametrize(
        ("cells", "apart", "why"),
        [({"survivor": "nobody/1"}, "", "none of the cluster"), ({"survivor": "left"}, "", "none of the cluster"),
         ({"keep_reference": "KENT=99"}, "", "none of the records"), ({"enrolment": f"X={PEGGY}"}, "", "enrolled"),
         ({}, PEGGY, "only with it")],
    )  # fmt: skip
    def test_what_names_no_record_of_it_is_refused(
        self, ann: Desk, home: Settings, cells: dict[str, str], apart: str, why: str
    ) -> None:
        with pytest.raises(DecisionRefusedError, match=why):
            decide_cluster(home, "K0000012", verdict="same", who="Jo", reason="x", cells=cells, apart=apart)
        assert ann.entries() == []

    def test_a_cluster_that_no_report_has(self, home: Settings) -> None:
        with pytest.raises(NoReportError, match="no cluster of that id"):
            decide_cluster(home, "K9999999", verdict="same", who="Jo", reason="x", cells={})


def test_a_pair_of_the_cluster_that_is_no_candidate_follows_from_the_others(tmp_path: Path) -> None:
    cluster, (one, two, _) = three_records()
    bonds = tuple(
        replace(bond, candidate_id="") if bond.candidate_id == "C0000000003" else bond for bond in cluster.bonds
    )
    ann = Desk(home_with(tmp_path, a_report(one, two, clusters=(replace(cluster, bonds=bonds),))))
    decide(ann, verdict="same", reason="rang her")
    assert sorted(said(ann)) == [("C0000000001", "same"), ("C0000000002", "same")]
