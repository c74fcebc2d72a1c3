"""The review page: who may come in, what it shows, what it records, and what it refuses."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import pytest
from examples import HOSTILE, a_candidate, a_cluster, a_couple, a_report, a_side, a_stranger
from the_desk import Desk, home_with, path_of, proper

from pipelines.decisions.signoff import Member, Merge, SignedPlan, Undone
from pipelines.decisions.store import open_decisions
from pipelines.review.contents import Candidate, Triangle
from pipelines.review.desk import bulk_check
from pipelines.review.desk.access_log import read_accesses
from pipelines.review.desk.people import NobodyError, SearchLimit, reviewer
from pipelines.settings import Settings, load_settings

PAGES = ("/", path_of(1), "/clusters/K0000012", "/decisions", "/merges", "/bulk", "/quality", "/practice")
FORMS = ("/search", "/preferences", "/bulk", "/practice")
FORMS += tuple(f"/clusters/K0000012/{act}" for act in ("reveal", "preview", "decide", "undo"))
FORMS += tuple(f"{path_of(1)}/{act}" for act in ("reveal", "preview", "decide", "undo"))


def harmless(number: int, tier: str = "near-certain") -> Candidate:
    """A candidate of which nothing is in the way, unlike any other in its records."""
    left = a_side(f"careplan/{number}", upcoming_visits=0, references=())
    right = a_side(f"KENT/reference/{number}", upcoming_visits=0, references=())
    bare = {"orders": (), "enrolments": (), "aliases": ()}
    return proper(number, a_candidate(left=replace(left, **bare), right=replace(right, **bare), tier=tier))


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    """Three candidates: 1 as anybody's, 2 a couple, 3 harmless; 1 and 2 in a cluster."""
    one, two = proper(1, a_candidate()), proper(2, a_couple())
    third = a_side("rosterly/77", references=("ROSTERLY 77",))
    two = replace(two, left=third, relation=two.relation)
    return home_with(tmp_path, a_report(one, proper(2, two), harmless(3), clusters=(a_cluster(one, two),)))


@pytest.fixture
def ann(home: Settings) -> Desk:
    return Desk(home, "ann")


@pytest.fixture
def sam(home: Settings) -> Desk:
    return Desk(home, "sam")


class TestWhoMayComeIn:
    @pytest.mark.parametrize(("name", "status"), [("", 401), ("vic", 403), ("root", 403), ("Anonymous", 403)])
    def test_nobody_without_a_sign_in_and_no_one_without_the_permission(
        self, home: Settings, name: str, status: int
    ) -> None:
        desk = Desk(home, name)
        for page in PAGES:
            assert desk.get(page).status_code == status, page
            assert "Peggy" not in desk.get(page).text
        for form in FORMS:
            assert desk.client.post(form, data={"verdict": "same"}).status_code == status, form
        assert desk.entries() == [] and read_accesses(home.home) == []

    def test_a_sign_in_that_is_no_person_is_told_what_to_change(self) -> None:
        with pytest.raises(NobodyError, match="simple_auth_manager_all_admins"):
            reviewer("Anonymous", "Anonymous")

    def test_a_person_is_recorded_by_name_and_stable_id(self) -> None:
        assert reviewer("ann", "ann").who == "ann"
        assert reviewer("7", "ann").who == "ann [7]"

    def test_every_answer_forbids_inline_script_and_other_sites(self, ann: Desk, home: Settings) -> None:
        for answer in (*map(ann.get, (*PAGES, "/nothing/here", "/static/desk.js")), Desk(home, "").get("/")):
            policy = answer.headers["content-security-policy"]
            assert "script-src 'self'" in policy and "unsafe" not in policy and "frame-ancestors 'self'" in policy
            assert answer.headers["x-content-type-options"] == "nosniff"

    def test_no_page_holds_inline_script_or_style(self, ann: Desk) -> None:
        for page in PAGES:
            text = ann.read(page)
            assert "<style" not in text and " style=" not in text and " onclick" not in text
            assert text.count("<script") == text.count("<script src=") == 1


class TestForgedForms:
    @pytest.mark.parametrize("form", FORMS)
    def test_a_form_without_our_token_does_nothing(self, ann: Desk, form: str) -> None:
        assert ann.client.post(form, data={"verdict": "same", "reason": "x"}).status_code == 403
        assert ann.client.post(form, data={"form_token": "forged", "verdict": "same"}).status_code == 403
        assert ann.entries() == []

    def test_a_token_of_somebody_else_in_ones_own_form_does_nothing(self, ann: Desk, sam: Desk) -> None:
        fields = {**ann.tokens(path_of(1)), "form_token": sam.tokens(path_of(1))["form_token"]}
        answer = ann.client.post(f"{path_of(1)}/decide", data={**fields, "verdict": "same", "reason": "x"})
        assert answer.status_code == 403 and ann.entries() == []

    def test_a_token_of_somebody_else_does_nothing(self, ann: Desk, sam: Desk) -> None:
        stolen = sam.tokens(path_of(1))
        answer = ann.client.post(f"{path_of(1)}/decide", data={**stolen, "verdict": "same", "reason": "x"})
        assert answer.status_code == 403 and ann.entries() == []

    def test_a_form_of_one_candidate_decides_no_other(self, ann: Desk) -> None:
        answer = ann.fill(path_of(1), f"{path_of(3)}/decide", verdict="same", reason="x")
        assert answer.status_code == 403 and ann.entries() == []

    def test_a_form_from_another_site_does_nothing(self, ann: Desk) -> None:
        fields = {**ann.tokens(path_of(1)), "verdict": "same", "reason": "x"}
        answer = ann.client.post(f"{path_of(1)}/decide", data=fields, headers={"Sec-Fetch-Site": "cross-site"})
        assert answer.status_code == 403 and ann.entries() == []

    def test_a_form_that_is_too_long_is_not_read(self, ann: Desk) -> None:
        answer = ann.client.post("/search", data={"text": "x" * 70_000})
        assert answer.status_code == 413


class TestAddresses:
    @pytest.mark.parametrize(
        "path",
        ["/candidates/C00000000FF", "/candidates/..%2f..%2fetc", "/candidates/C1", "/candidates/' or 1=1", "/nix",
         "/clusters/K9999999", "/clusters/<script>", "/static/..%2fdesk.css", "/?page=x"],
    )  # fmt: skip
    def test_what_is_not_there_is_not_found(self, ann: Desk, path: str) -> None:
        assert ann.get(path).status_code == 404

    def test_a_filter_that_is_not_offered_is_left_out(self, ann: Desk) -> None:
        assert "3 candidates" in ann.read("/?tier=%3Cscript%3E&state=nothing&page=-4")

    def test_no_night_yet(self, tmp_path: Path) -> None:
        answer = Desk(load_settings(tmp_path / "new"), "ann").get("/")
        assert answer.status_code == 404 and "oneclient nightly" in answer.text


class Markup(HTMLParser):
    """The elements, attributes and addresses of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: set[tuple[str, str]] = set()
        self.addresses: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found |= {(tag, ""), *((tag, name) for name, _ in attrs)}
        self.addresses |= {value or "" for name, value in attrs if name in {"href", "src", "action", "formaction"}}


def test_what_a_source_says_is_text_wherever_it_stands(tmp_path: Path) -> None:
    def markup_with(texts: Sequence[str], folder: Path) -> Markup:
        strangers = [a_stranger(text) for text in texts]
        candidates = [
            proper(
                n, replace(one, right=replace(one.right, client_ref=f"{said}2"), tier="likely", cluster_id="K1"), said
            )
            for n, (one, said) in enumerate(zip(strangers, texts, strict=True), start=1)
        ]
        ann = Desk(home_with(folder, a_report(*candidates)))
        pages = [ann.read("/")]
        for number, text in enumerate(texts, start=1):
            ann.reveal(number)
            refused = ann.decide(number, "same", reason=text, aliases="keep", survivor=text)
            ann.decide(number, "unsure", reason=f"odd: {text}")
            pages += [refused.text, ann.read(path_of(number))]
            pages.append(ann.read(ann.fill("/", "/search", text=text, names="yes").headers["location"]))
        return Markup("".join((*pages, *map(ann.read, ("/?state=all", "/decisions", "/bulk", "/quality")))))

    hostile, plain = markup_with(HOSTILE, tmp_path / "hostile"), markup_with(["Peg/gy", "Ann"], tmp_path / "plain")
    assert hostile.found <= plain.found
    assert all(address.startswith(("/", "?", "#")) for address in hostile.addresses)


class TestMasking:
    def test_values_are_hidden_until_they_are_revealed_and_the_look_is_written_down(
        self, ann: Desk, sam: Desk, home: Settings
    ) -> None:
        masked = ann.read(path_of(1))
        assert "Peggy" not in masked and "100234" not in masked and "9434765919" not in masked
        assert read_accesses(home.home) == []
        assert ann.reveal(1).status_code == 303
        assert "Peggy" in ann.read(path_of(1))
        assert [(a["who"], a["act"], a["ids"]) for a in read_accesses(home.home)] == [
            ("ann", "reveal", ["C0000000001"]),
            ("ann", "look", ["C0000000001"]),
        ]
        assert "Peggy" not in ann.read("/") + ann.read(path_of(2)) + sam.read(path_of(1))

    def test_a_cookie_of_one_person_reveals_nothing_to_another(self, ann: Desk, sam: Desk) -> None:
        ann.reveal(1)
        stolen = next(iter(ann.client.cookies.jar))
        sam.client.cookies.set(stolen.name, (stolen.value or "").strip('"'))
        assert "Peggy" not in sam.read(path_of(1))

    def test_nothing_is_shown_when_it_cannot_be_written_down(self, ann: Desk, home: Settings) -> None:
        (home.home / "access").write_text("not a folder")
        assert ann.reveal(1).status_code == 503
        assert "Peggy" not in ann.read(path_of(1))

    def test_no_address_and_no_cookie_holds_what_was_searched(self, ann: Desk, home: Settings) -> None:
        answer = ann.fill("/", "/search", text="peggy", names="yes")
        there = answer.headers["location"]
        assert "peggy" not in there.casefold()
        assert "C0000000001" in ann.read(there)
        (searched,) = read_accesses(home.home)
        assert searched["act"] == "search by name" and "C0000000001" in searched["ids"]
        assert "peggy" not in json.dumps(searched).casefold()

    def test_names_are_searched_only_when_asked_for(self, ann: Desk, home: Settings) -> None:
        there = ann.fill("/", "/search", text="peggy").headers["location"]
        assert "No candidate holds" in ann.read(there) and read_accesses(home.home) == []

    def test_somebody_elses_search_is_no_search(self, ann: Desk, sam: Desk) -> None:
        there = ann.fill("/", "/search", text="C0000000003").headers["location"]
        assert "1 candidate " in ann.read(there) and "3 candidates" in sam.read(there)


class TestSearchLimit:
    def test_too_many_searches_have_to_wait(self, ann: Desk) -> None:
        tokens = ann.tokens("/")
        answers = [ann.client.post("/search", data={**tokens, "text": "C0"}) for _ in range(31)]
        assert {answer.status_code for answer in answers[:-1]} == {303}
        assert answers[-1].status_code == 429 and 0 < int(answers[-1].headers["retry-after"]) <= 60

    def test_one_persons_searches_do_not_hold_up_another(self) -> None:
        limit = SearchLimit(most=1)
        assert (limit.wait("ann"), limit.wait("sam")) == (0, 0) and limit.wait("ann") > 0


class TestDeciding:
    def test_a_verdict_is_recorded_with_what_was_on_the_screen(self, ann: Desk) -> None:
        answer = ann.decide(1, "same", reason="same birth date", survivor="left", move_active_orders="yes")
        assert answer.status_code == 303 and answer.headers["location"].startswith(path_of(2))
        (entry,) = ann.entries()
        assert (entry.who, entry.door, entry.verdict, entry.reason) == ("ann", "page", "same", "same birth date")
        assert entry.chosen.survivor == "careplan/100234" and entry.chosen.move_active_orders
        assert entry.score_was_hidden is False and entry.seconds_spent is not None and entry.seconds_spent < 60
        assert "You decided <strong>same</strong>" in ann.read(answer.headers["location"])

    def test_references_and_enrolments_are_chosen_by_side(self, tmp_path: Path) -> None:
        left = a_side("careplan/1", references=("CAREPLAN 1", "KENT 11"))
        right = a_side("careplan/2", references=("CAREPLAN 2", "KENT 12"))
        ann = Desk(home_with(tmp_path, a_report(proper(1, a_candidate(left=left, right=right)))))
        ann.decide(1, "same", reference_0="1", reference_1="0", enrolment_0="right")
        (entry,) = ann.entries()
        assert dict(entry.chosen.references) == {"KENT": "12", "careplan": "1"}
        assert dict(entry.chosen.enrolments) == {"KENT-HC-2022": "careplan/2"}

    @pytest.mark.parametrize(
        "fields",
        [{"verdict": "perhaps"}, {"verdict": ""}, {"reason": " "}, {"survivor": "both"}, {"reason": "\u202eback"}],
    )
    def test_what_cannot_be_recorded_is_refused_and_the_form_is_kept(self, ann: Desk, fields: dict[str, str]) -> None:
        answer = ann.decide(1, **({"verdict": "same", "reason": "kept words"} | fields))  # type: ignore[arg-type]
        assert answer.status_code == 400 and "Not recorded." in answer.text and ann.entries() == []
        assert "reason" in fields or "kept words" in answer.text

    def test_a_refusal_is_said_at_the_top_and_where_the_form_is(self, ann: Desk) -> None:
        first = {"survivor": "left", "move_active_orders": "yes"}
        ann.decide(1, "same", **first)
        for path, action in ((path_of(1), f"{path_of(1)}/decide"), ("/clusters/K0000012", "/clusters/K0000012/decide")):
            assert f'action="{action}#refusal"' in ann.read(path)
            page = ann.fill(
                path, action, verdict="same", reason=" ", survivor="right" if path == path_of(1) else "2"
            ).text
            above, _, at_the_form = page.partition('id="decide"')
            assert "<title>Not recorded:" in above and 'role="alert"' in above and 'href="#refusal"' in above
            assert 'id="refusal" tabindex="-1"' in at_the_form and page.count('id="refusal"') == 1
            assert 'aria-invalid="true" aria-describedby="refusal"' in at_the_form
            assert 'value="same" checked' in at_the_form, "what was chosen is kept"
            assert 'name="move_active_orders" value="yes" checked' not in at_the_form, "what was unticked is, too"

    def test_evidence_that_changed_under_the_open_page_is_looked_at_again(self, ann: Desk, home: Settings) -> None:
        tokens = ann.tokens(path_of(1))
        home_with(home.home.parent, a_report(proper(1, a_candidate(), says="a new surname")))
        answer = ann.client.post(f"{path_of(1)}/decide", data={**tokens, "verdict": "same", "reason": "x"})
        assert answer.status_code == 409 and "changed since you opened" in answer.text and ann.entries() == []

    def test_a_decision_lapses_when_the_evidence_changes_and_says_what_did(self, ann: Desk, home: Settings) -> None:
        ann.decide(1, "same")
        home_with(home.home.parent, a_report(proper(1, a_candidate(), says="A NEW SURNAME")))
        ann.reveal(1)
        shown = ann.read(path_of(1))
        assert "changed since" in ann.read("/") and "A NEW SURNAME" in shown and "as seen" in shown

    def test_undo_takes_back_ones_own_verdict_and_nobody_elses(self, ann: Desk, sam: Desk) -> None:
        ann.decide(1, "same")
        assert sam.undo(1).status_code == 400
        assert ann.undo(1).status_code == 303
        assert [entry.kind for entry in ann.entries()] == ["verdict", "undo"]
        assert "0 of 3" in ann.read("/")

    def test_two_who_disagree_are_in_conflict_and_both_see_it(self, ann: Desk, sam: Desk) -> None:
        ann.decide(1, "same")
        after = sam.decide(1, "different")
        assert "It is in conflict" in sam.read(after.headers["location"])
        assert "ann said same, sam said different" in ann.read(path_of(1))
        assert "1 candidate" in ann.read("/?state=conflict")

    def test_the_preview_shows_the_choices_and_records_nothing(self, ann: Desk) -> None:
        answer = ann.fill(path_of(1), f"{path_of(1)}/preview", verdict="same", survivor="left", reason="half written")
        assert answer.status_code == 200 and "Nothing is recorded yet" in answer.text and ann.entries() == []
        assert "half written" in answer.text and 'value="left" id="s1-1" checked' in answer.text

    def test_next_and_previous_keep_to_the_filters(self, ann: Desk) -> None:
        shown = ann.read(f"{path_of(1)}?relation=no")
        assert f'{path_of(3)}?relation=no"' in shown and path_of(2) not in shown


class TestBlind:
    def test_the_score_and_what_others_said_are_hidden_until_the_verdict(self, ann: Desk, sam: Desk) -> None:
        sam.decide(1, "different")
        ann.fill("/", "/preferences", blind="on")
        for page in (path_of(1), "/", "/decisions"):
            shown = ann.read(page)
            assert "near-certain" not in shown and "Weight" not in shown and "bits" not in shown
            assert "said <strong>different" not in shown and "sam: different" not in shown
        ann.decide(1, "same")
        assert ann.entries()[-1].score_was_hidden is True
        assert "near-certain" in ann.read(path_of(1))

    def test_the_form_cannot_claim_that_the_score_was_hidden(self, ann: Desk) -> None:
        ann.decide(1, "same", score_was_hidden="yes", blind="on")
        assert ann.entries()[-1].score_was_hidden is False


class TestBulk:
    @pytest.fixture
    def ann(self, tmp_path: Path) -> Desk:
        couple = replace(harmless(90), relation="probably a couple")
        torn = replace(
            harmless(93), triangles=(Triangle("KENT/reference/9", "careplan/93", "KENT/reference/93", "why"),)
        )
        blocked = proper(91, a_candidate(left=a_side("careplan/91"), right=a_side("careplan/92")))
        many = [harmless(number) for number in range(1, SAMPLE_AND_FIVE + 1)]
        return Desk(home_with(tmp_path, a_report(*many, couple, torn, blocked, harmless(92, tier="likely"))))

    def check_sample(self, ann: Desk, verdict: str = "same", query: str = "?blind=on&next=bulk") -> None:
        for _ in range(bulk_check.SAMPLE):
            page = ann.read("/bulk")
            number = page.split('class="button" href="/candidates/C')[1][:10]
            ann.decide(int(number, 16), verdict, query=query)

    def test_what_is_refused_comes_back_with_its_words(self, ann: Desk) -> None:
        answer = ann.fill("/bulk", "/bulk", reason="as the sample")
        assert answer.status_code == 400 and ann.entries() == []
        assert 'role="alert"' in answer.text and "First decide the 20" in answer.text
        self.check_sample(ann)
        answer = ann.fill("/bulk", "/bulk", reason="turned \u202e round")
        assert answer.status_code == 400 and 'id="refusal"' in answer.text and "round" in answer.text
        assert len(ann.entries()) == bulk_check.SAMPLE

    def test_after_a_blind_check_the_rest_is_the_same(self, ann: Desk) -> None:
        self.check_sample(ann)
        answer = ann.fill("/bulk", "/bulk", reason="as the sample")
        assert answer.status_code == 200 and "5 recorded as the same" in answer.text
        decided = {entry.candidate_id for entry in ann.entries()}
        sam = Desk(ann.settings, "sam")
        assert sam.fill("/bulk", "/bulk", reason="ann checked them").status_code == 400
        assert len(decided) == SAMPLE_AND_FIVE and not decided & {
            "C000000005A",
            "C000000005B",
            "C000000005C",
            "C000000005D",
        }
        assert "blind check of 20" in (ann.entries()[-1].reason or "")

    def test_without_the_check_nothing_is_recorded(self, ann: Desk) -> None:
        answer = ann.fill("/bulk", "/bulk", reason="they look fine")
        assert answer.status_code == 400 and ann.entries() == []

    def test_a_check_with_the_score_in_view_is_none_and_another_is_drawn(self, ann: Desk) -> None:
        first = ann.read("/bulk").split('class="button" href="/candidates/C')[1][:10]
        ann.decide(int(first, 16), "same")
        page = ann.read("/bulk")
        assert "0 of 20 checked" in page and page.split('class="button" href="/candidates/C')[1][:10] != first

    def test_an_undo_does_not_make_a_failed_check_good(self, ann: Desk) -> None:
        first = int(ann.read("/bulk").split('class="button" href="/candidates/C')[1][:10], 16)
        ann.decide(first, "unsure", query="?blind=on")
        ann.undo(first)
        assert 'class="button"' not in ann.read("/bulk")
        ann.decide(first, "same", query="?blind=on")
        assert ann.entries()[-1].score_was_hidden is False, "the score was shown after the first verdict"

    def test_what_somebody_else_holds_to_be_different_ends_it(self, ann: Desk) -> None:
        self.check_sample(ann)
        decided = {entry.candidate_id for entry in ann.entries()}
        left = next(n for n in range(1, SAMPLE_AND_FIVE + 1) if f"C{n:010X}" not in decided)
        Desk(ann.settings, "sam").decide(left, "different")
        answer = ann.fill("/bulk", "/bulk", reason="as the sample")
        assert answer.status_code == 400 and "Somebody found one of them not to be the same" in answer.text
        assert len(ann.entries()) == bulk_check.SAMPLE + 1

    @pytest.mark.parametrize("verdict", ["different", "unsure"])
    def test_one_that_is_not_the_same_ends_it(self, ann: Desk, verdict: str) -> None:
        first = ann.read("/bulk").split('class="button" href="/candidates/C')[1][:10]
        ann.decide(int(first, 16), verdict, query="?blind=on")
        assert "one by one" in ann.read("/bulk") and 'class="button"' not in ann.read("/bulk")
        assert ann.fill("/bulk", "/bulk", reason="the rest").status_code == 400


SAMPLE_AND_FIVE = bulk_check.SAMPLE + 5


def test_a_thousand_candidates_are_listed_within_a_second(tmp_path: Path) -> None:
    ann = Desk(home_with(tmp_path, a_report(*(harmless(number) for number in range(1, 1001)))))
    ann.read("/")
    started = time.perf_counter()
    ann.read("/?page=7")
    assert time.perf_counter() - started < 1


def test_everything_decided_says_so(tmp_path: Path) -> None:
    ann = Desk(home_with(tmp_path, a_report(harmless(1))))
    ann.decide(1, "different")
    assert "All decided" in ann.read("/")
    assert "No candidates tonight" in Desk(home_with(tmp_path / "none", a_report()), "ann").read("/")


def test_what_was_signed_off_and_taken_back_is_listed_by_merge(home: Settings, ann: Desk) -> None:
    night = date(2026, 11, 20)
    member = Member(client_ref="careplan/1", origins=("careplan/1",))
    pairs = (("careplan/1", "KENT/reference/1"),)
    merge = Merge(merge_id="M1", survivor="careplan/1", pairs=pairs, verdicts=(1,), wave="empty", members=(member,))
    with open_decisions(home) as store:
        signed = store.sign_off(SignedPlan(after=0, as_of=night, merges=(merge,)), "Sam", "dag", "looked")
        undone = (Undone(merge_id="M1", pairs=pairs),)
        store.sign_off(SignedPlan(after=signed.sequence_number, as_of=night, undoes=undone), "Sam", "dag", "a mistake")
    shown = ann.read("/decisions")
    assert "signed off: merge <code>M1</code>" in shown and "signed off: undo of <code>M1</code>" in shown
    assert "None" not in shown and "not a candidate tonight" not in shown


def test_who_decided_what_is_listed_without_personal_data(ann: Desk, sam: Desk) -> None:
    ann.decide(1, "same", reason="Peggy said so")
    sam.decide(3, "different")
    shown = ann.read("/decisions")
    assert "ann" in shown and "sam" in shown and "C0000000003" in shown and "Peggy" not in shown
    assert "Whether people agree" in ann.read("/quality")
