"""A case on the page: what hangs on each record, what is in the way, and the record as it would be."""

from __future__ import annotations

import re
from dataclasses import replace

from pipelines.decisions.evidence import Change
from pipelines.decisions.statement import Choices
from pipelines.review.contents import Candidate, Comparison, Decided, Miss, Triangle
from pipelines.review.mask import HIDDEN, mask_candidate, mask_cluster
from pipelines.review.page import render_candidate, render_cluster, render_page
from tests.review.examples import NIGHT, a_candidate, a_cluster, a_couple, a_report, a_side, an_order
from tests.review.test_page import Page

COUNCIL = "KENT/reference/00345678"
MISS = Miss("C1", COUNCIL, "careplan/100234", "00345678", "345678", "leading zero", "careplan", "Write 00345678.")


def text_of(candidate: Candidate) -> str:
    return Page(render_candidate(candidate)).text


def test_what_hangs_on_each_record_and_how_it_came_to_be() -> None:
    page = text_of(a_candidate())
    assert "row 14 of careplan_roster_clients_2026-11-20.xlsx" in page
    assert "28 visits to come, 1,204 past (6 January 2025 to 4 December 2026)" in page
    assert (
        "KENT PO-88230/1, active, contract KENT-HC-2024, from 2 Mar 2026, £315.00 a week; "
        "hidden: on no enrolment of this record" in page
    )
    assert "contract KENT-HC-2022, from 6 Jan 2025" in page
    assert "Orders or visits" not in page
    assert "they cannot be invoiced. £630.00 a week at risk." in page


def test_why_the_import_missed() -> None:
    page = text_of(a_candidate(missed=MISS))
    assert (
        "Why the import missed: leading zero. Sent was 00345678, held was 345678. To careplan: Write 00345678." in page
    )


def test_a_household_tie_says_what_it_is_concluded_from() -> None:
    assert "same surname, different forename: probably a couple" in text_of(a_couple())


def test_a_household_tie_of_one_reference_says_what_weighs_against_it() -> None:
    one = "the same reference but for a leading zero"
    line = Comparison("Social Services Reference", "00451122; council: KENT", "451122; council: KENT", "same", one, 9.7)
    twins = a_candidate(comparisons=(*a_couple().comparisons, line), relation="probably twins")
    weighed = f"probably twins. But weigh: they have {one}, and two people should have a reference each"
    assert weighed in text_of(twins) and weighed in text_of(mask_candidate(twins))
    assert "But weigh" not in text_of(a_couple()) + text_of(replace(twins, relation=""))
    near = replace(line, words="references that differ by one digit")
    assert "But weigh" not in text_of(replace(twins, comparisons=(*a_couple().comparisons, near)))


def test_the_probability_is_stated_beside_a_weight_that_it_need_not_follow_from() -> None:
    page = text_of(replace(a_candidate(), match_probability=0.25, weight=7.0))
    assert "Probability25.0%" in page
    assert "Weight in all" in page and "+7.0" in page


def test_each_record_can_be_chosen_and_the_recommended_one_is() -> None:
    page = Page(render_candidate(a_candidate()))
    radios = [attributes for tag, attributes in page.elements if tag == "input"]
    assert [("checked" in radio, radio["name"]) for radio in radios] == [(True, "s1"), (False, "s1")]
    assert f"{COUNCIL} recommended" in page.text
    assert "it has 2 active purchase order lines, which decides" in page.text
    assert "although careplan/100234 has 28 visits to come" in page.text


def test_the_survivor_that_was_decided_stands_first() -> None:
    decided = a_candidate(choices=Choices(survivor="careplan/100234", move_active_orders=True))
    assert decided.outcomes[0].survivor_ref == "careplan/100234"
    radios = [attributes for tag, attributes in Page(render_candidate(decided)).elements if tag == "input"]
    assert "checked" in radios[0]


def test_what_is_in_the_way_is_said_for_each_direction() -> None:
    page = text_of(a_candidate())
    assert "2 active purchase order lines on the record that would be merged away." in page
    assert "Because an order on a merged-away record brings that record back to life" in page
    assert "Analyst: choose to move the active orders, or merge the other way." in page
    assert "2 of the records are enrolled on one contract." in page


def test_the_other_direction_is_named_where_it_is_free() -> None:
    free = a_candidate(left=a_side(enrolments=()))
    assert f"Nothing is in the way of merging into {COUNCIL} instead." in text_of(free)
    assert "Nothing is in the way." in text_of(free)


def test_the_preview_is_there_for_either_survivor() -> None:
    page = text_of(a_candidate())
    assert page.count("28 visits to come, 2,408 past") == 2
    assert page.count("2 active lines, £630.00 a week") == 2
    assert "waits for a choice: move the active orders" in page
    assert "moves here, of careplan/100234" in page and f"moves here, of {COUNCIL}" in page


def test_a_long_list_is_cut_on_the_page_and_says_so() -> None:
    side = a_side(COUNCIL, orders=tuple(an_order(f"PO-{n}") for n in range(11)))
    assert "and 3 more" in text_of(a_candidate(right=side))


def test_a_third_record_that_cannot_fit_is_named() -> None:
    torn = a_candidate(triangles=(Triangle("rosterly/7788", "careplan/100234", COUNCIL, "probably twins"),))
    said = f"rosterly/7788 is likely one person with careplan/100234, too, but not with {COUNCIL} (probably twins)."
    assert said in text_of(torn)
    assert "7788" not in repr(mask_candidate(torn))


def test_where_a_pair_stands_and_what_changed() -> None:
    page = text_of(
        a_candidate(
            standing="lapsed",
            standing_reason="changed since it was decided",
            changed=(Change("careplan/100234", "date_of_birth", "03/04/1938", "04/03/1938"),),
        )
    )
    assert "Stands aslapsed" in page
    assert "careplan/100234, date of birth: 03/04/1938 is now 04/03/1938" in page


def test_three_records_stand_side_by_side() -> None:
    third = a_side("rosterly/77", references=("CAREPLAN 77",), upcoming_visits=1)
    cluster = a_cluster(a_candidate(1), replace(a_couple(2), left=a_side(), right=third))
    page = Page(render_cluster(cluster))
    assert "3 records that may be one person" in page.text
    assert "=agree" in page.text
    assert "probably a couple" in page.text
    assert "too little speaks for these two alone" in page.text
    assert "more than one record" in page.text
    assert len([1 for tag, a in page.elements if tag == "input"]) == 3
    heads = [a for tag, a in page.elements if tag == "th" and a.get("role") == "columnheader"]
    assert len(heads) == 3 + 4


def test_a_cluster_stands_before_the_pairs_on_the_page() -> None:
    candidates = (a_candidate(1), replace(a_candidate(2), right=a_side("rosterly/77")))
    html = render_page(a_report(*candidates, clusters=(a_cluster(*candidates),)), most=10)
    page = Page(html)
    assert len(page.all("article")) == 3
    assert page.text.index("Cluster K0000012") < page.text.index("Candidate 1")
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert all("for" not in label or label["for"] in ids for label in page.all("label"))


FULL = ("Peggy", "Margaret", "O&#39;Sullivan", "Brewery", "555123", "00345678", "100234", "1938-04-03", "03/04",
        "PO-88230", "9434765919", "Grandma")  # fmt: skip


def test_a_mask_covers_every_new_field() -> None:
    candidate = a_candidate(
        missed=MISS,
        standing="same",
        standing_reason="Jo said same",
        facts='{"surname":"O\'Sullivan"}',
        decided=(Decided(1, "Jo", NIGHT, "same", "Grandma Peggy told me", False),),
        changed=(Change("careplan/100234", "forename", "Peggy", "Margaret"),),
    )
    plain, masked = render_candidate(candidate), render_candidate(candidate, mask=True)
    assert [value for value in FULL if value in plain and value in masked] == []
    assert not re.search(
        "Peggy|Margaret|O'Sullivan|Grandma|345678|100234|555123|8823|1938-04|03/04", repr(mask_candidate(candidate))
    )
    assert HIDDEN in masked
    # What was found stays as it was.
    assert masked.count("enrolled on one contract") == plain.count("enrolled on one contract")
    assert "£630.00 a week" in masked


def test_a_masked_cluster_gives_nobody_away() -> None:
    cluster = a_cluster(a_candidate(1), replace(a_couple(2), left=a_side(), right=a_side("rosterly/7788991")))
    assert not re.search("Peggy|345678|100234|7788991|555123|8823", repr(mask_cluster(cluster)))


def test_a_case_is_rendered_alone_for_other_pages() -> None:
    html = render_candidate(a_candidate())
    assert html.strip().startswith("<article")
    assert "<style" not in html and "<script" not in html
