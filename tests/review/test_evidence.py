"""What hangs on each record and how it came to be: rows of the night's files in, one candidate out."""

from __future__ import annotations

from datetime import date

import pytest
from office import NIGHT, Office, Row, client, enrolment, order, visit

from pipelines.match.comparisons import REGISTER_COLUMNS
from pipelines.match.model import comparisons_for
from pipelines.review.contents import Candidate, Report, Triangle
from pipelines.review.evidence import gather_report
from pipelines.review.page import render_page
from pipelines.review.publish import publish_report
from pipelines.review.published import NoReportError, read_candidate, read_cluster, read_queue, read_report
from pipelines.sections import ReportSettings
from pipelines.warehouse import open_warehouse

ANN = {"SocialServicesRef": "0123456", "Address1": "1 Mill Road"}


def propose(office: Office, *pairs: tuple[str, str]) -> None:
    """Matching has found these pairs of readable ids, all alike in nothing, and taken all of them for one person."""
    levels = ", ".join(
        f"'missing' as level_{c.name}, 0.0::double as weight_{c.name}" for c in comparisons_for(REGISTER_COLUMNS)
    )
    listed = ", ".join(f"('{left}', '{right}')" for left, right in pairs)
    with open_warehouse(office.settings) as warehouse:
        warehouse.execute(
            "create or replace table matched.candidates as select 'C' || l.client_id || r.client_id as candidate_id,"
            " l.client_id as left_id, r.client_id as right_id, 'near-certain' as tier, '' as relation,"
            " 0.9995::double as match_probability, 11.5::double as match_weight, 'm' as model_version"
            f" from (values {listed}) as p(a, b)"
            " join staged.clients as l on l.client_ref = p.a join staged.clients as r on r.client_ref = p.b"
        )
        warehouse.execute(
            f"create or replace table matched.pairs as select left_id, right_id, {levels} from matched.candidates"
        )
        warehouse.execute(
            "create or replace table matched.clusters as select distinct client_id, 'K0000001' as cluster_id from"
            " (select left_id as client_id from matched.candidates union select right_id from matched.candidates)"
        )


def gathered(office: Office) -> Report:
    with open_warehouse(office.settings) as warehouse:
        return gather_report(office.settings, warehouse, NIGHT)


@pytest.fixture
def ann(office: Office) -> Office:
    """Ann Archer, C1, is enrolled on HC-22 and visited; an order whose reference lost its zero made another."""
    office.clients(client("C1", KnownAs="Annie", Phone="01206 555123", **ANN))
    office.enrolments(enrolment("C1", "HC-22"))
    office.visits(
        visit("V1", "C1", VisitDate="19/11/2026"),
        visit("V2", "C1", VisitDate="21/11/2026"),
        visit("V3", "C1", VisitDate="22/11/2026", Status="Cancelled"),
    )
    office.orders(
        order("PO1", SocialServicesRef="123456", ContractNumber="HC-24", WeeklyUnits="10", Rate="£31.50"),
        order("PO2", SocialServicesRef="123456", ContractNumber="HC-24", StartDate="01/12/2026"),
        order("PO3", SocialServicesRef="123456", ContractNumber="HC-24", EndDate="19/11/2026"),
        order("PO4", SocialServicesRef="123456", ContractNumber="HC-24", Status="Cancelled"),
    )
    office.night()
    propose(office, ("careplan/C1", "KENT/reference/123456"))
    return office


def only(office: Office) -> Candidate:
    (candidate,) = gathered(office).candidates
    return candidate


def test_orders_that_run_or_are_to_come_with_their_money(ann: Office) -> None:
    side = only(ann).right
    assert [(o.label, o.standing, o.weekly_pence, o.start_on) for o in side.orders] == [
        ("KENT PO1/1", "active", 31_500, date(2026, 11, 1)),
        ("KENT PO2/1", "future", None, date(2026, 12, 1)),
    ]
    assert (side.past_orders, side.weekly_pence) == (2, 31_500)


def test_visits_past_and_to_come(ann: Office) -> None:
    side = only(ann).left
    assert (side.past_visits, side.upcoming_visits) == (1, 1)
    assert (side.first_visit_on, side.last_visit_on) == (date(2026, 11, 19), date(2026, 11, 22))


def test_an_order_is_hidden_while_its_record_is_on_no_enrolment_of_its_contract(ann: Office) -> None:
    assert [order.hidden for order in only(ann).right.orders] == [True, True]


@pytest.mark.parametrize(
    ("contract", "until", "hidden"), [("HC-24", "", False), ("HC-24", "19/11/2026", True), ("HC-22", "", True)]
)
def test_an_enrolment_brings_it_to_light_while_it_lasts(
    office: Office, contract: str, until: str, hidden: bool
) -> None:
    office.clients(client("C1", SocialServicesRef="123456"), client("C2"))
    office.enrolments(enrolment("C1", contract, EndDate=until))
    office.orders(order("PO1", SocialServicesRef="123456", ContractNumber="HC-24"))
    office.night()
    propose(office, ("careplan/C1", "careplan/C2"))
    assert [(o.label, o.hidden) for o in only(office).left.orders] == [("KENT PO1/1", hidden)]


def test_enrolments_contacts_aliases_and_references_by_issuer(ann: Office) -> None:
    side = only(ann).left
    assert [(e.contract, e.current, e.start_on) for e in side.enrolments] == [("HC-22", True, date(2026, 11, 1))]
    assert {(c.kind, c.value) for c in side.contacts} == {
        ("address", "1 Mill Road, CO4 3SQ"),
        ("phone", "01206 555123"),
    }
    assert [(a.kind, a.name) for a in side.aliases] == [("known_as", "Annie")]
    assert [(r.label, r.live) for r in side.references] == [("CAREPLAN C1", True), ("0123456", True)]


def test_how_a_record_came_to_be_names_file_and_row(ann: Office) -> None:
    candidate = only(ann)
    (row,) = candidate.left.came_from
    assert (row.file_name, row.how_linked) == ("careplan_roster_clients_20261120.csv", "new_reference")
    assert [r.row_number for r in candidate.right.came_from] == [2, 3, 4, 5]
    assert (candidate.right.made_how, candidate.right.made_on) == ("new_reference", NIGHT)


def test_the_row_that_made_it_is_named_though_a_later_file_says_more(ann: Office) -> None:
    ann.clients(client("C1", KnownAs="Nan", **ANN), client("C9", Forename="Zoe"), on="20261121")
    ann.night(date(2026, 11, 21))
    (row,) = only(ann).left.came_from
    assert row.file_name == "careplan_roster_clients_20261120.csv"


def test_why_the_import_missed_stands_with_the_candidate(ann: Office) -> None:
    missed = only(ann).missed
    assert missed is not None
    assert (missed.reason, missed.ask, missed.correction) == ("leading zero", "KENT", "Write 0123456.")


def test_harm_survivor_blockers_and_preview_follow(ann: Office) -> None:
    candidate = only(ann)
    assert (candidate.harm.level, candidate.harm.weekly_pence) == (2, 31_500)
    assert candidate.recommended.survivor_ref == "KENT/reference/123456"
    into_council, into_roster = candidate.outcomes
    assert [b.kind for b in into_council.blockers] == ["ALIASES_UNDECIDED"]
    assert [b.kind for b in into_roster.blockers] == ["ACTIVE_ORDER_WOULD_MOVE"]
    assert next(line.total for line in into_roster.preview.lines if line.kind == "Visits") == "1 visit to come, 1 past"


@pytest.mark.parametrize(
    ("said", "deceased", "restricted"),
    [
        ({"Status": "Deceased 3/10"}, True, False),
        ({"Forename": "DECEASED"}, True, False),
        ({"Status": "Restricted"}, False, True),
        ({"Surname": "Archer DO NOT USE"}, False, True),
        ({"Status": "Inactive"}, False, False),
    ],
)
def test_what_a_source_says_in_words_is_heard(office: Office, said: Row, deceased: bool, restricted: bool) -> None:
    office.clients(client("C1", **said), client("C2"))
    office.night()
    propose(office, ("careplan/C1", "careplan/C2"))
    side = only(office).left
    assert (side.deceased, side.restricted) == (deceased, restricted)


def test_a_client_off_the_books_has_no_live_reference(office: Office) -> None:
    office.clients(client("C1", SocialServicesRef="1", Status="Inactive"), client("C2", EndDate="19/11/2026"))
    office.night()
    propose(office, ("careplan/C1", "careplan/C2"))
    assert [r.live for side in (only(office).left, only(office).right) for r in side.references] == [False] * 3


def test_the_most_harmful_case_stands_first(office: Office) -> None:
    office.clients(*(client(f"C{n}") for n in range(1, 7)))
    office.visits(visit("V1", "C3", VisitDate="21/11/2026"), visit("V2", "C5", VisitDate="21/11/2026"),
                  visit("V3", "C6", VisitDate="21/11/2026"))  # fmt: skip
    office.night()
    pairs = [("careplan/C1", "careplan/C2"), ("careplan/C3", "careplan/C4"), ("careplan/C5", "careplan/C6")]
    propose(office, *pairs)
    report = gathered(office)
    assert [c.left.client_ref for c in report.candidates] == ["careplan/C5", "careplan/C3", "careplan/C1"]
    assert [c.harm.level for c in report.candidates] == [3, 1, 0]


def test_three_records_are_one_case_with_its_bonds(office: Office) -> None:
    office.clients(*(client(f"C{n}") for n in range(1, 4)))
    office.night()
    propose(office, ("careplan/C1", "careplan/C2"), ("careplan/C2", "careplan/C3"))
    (cluster,) = gathered(office).clusters
    assert [side.client_ref for side in cluster.records] == ["careplan/C1", "careplan/C2", "careplan/C3"]
    assert [(b.left_ref[-2:], b.right_ref[-2:], b.agreement) for b in cluster.bonds] == [
        ("C1", "C2", "agree"), ("C1", "C3", "not proposed"), ("C2", "C3", "agree"),
    ]  # fmt: skip
    assert len(cluster.outcomes) == 3


def test_a_triangle_that_cannot_be_right_stands_with_both_pairs(office: Office) -> None:
    office.clients(*(client(f"C{n}") for n in range(1, 4)))
    office.night()
    propose(office, ("careplan/C1", "careplan/C2"), ("careplan/C2", "careplan/C3"))
    with open_warehouse(office.settings) as warehouse:
        warehouse.execute(
            "create or replace table matched.contradictions as"
            " select 2 as middle_id, 1 as left_id, 3 as right_id, 'probably twins' as why"
        )
    torn = {c.left.client_ref[-2:]: c.triangles for c in gathered(office).candidates}
    assert torn == {
        "C1": (Triangle("careplan/C3", "careplan/C2", "careplan/C1", "probably twins"),),
        "C2": (Triangle("careplan/C1", "careplan/C2", "careplan/C3", "probably twins"),),
    }


def test_a_single_case_is_read_from_what_was_published(ann: Office) -> None:
    publish_report(ann.settings, NIGHT)
    (candidate,) = read_report(ann.settings, NIGHT).candidates
    assert candidate == only(ann)
    (queued,) = read_queue(ann.settings, NIGHT)
    assert queued.blockers == ("ALIASES_UNDECIDED",)
    assert (queued.left_ref, queued.survivor_ref) == ("careplan/C1", "KENT/reference/123456")
    assert read_candidate(ann.settings, NIGHT, queued.candidate_id) == candidate
    with pytest.raises(NoReportError, match="no candidate of that id"):
        read_candidate(ann.settings, NIGHT, "C000")
    with pytest.raises(NoReportError, match="no cluster of that id"):
        read_cluster(ann.settings, NIGHT, "K000")


def test_a_night_without_news_reads_and_writes_nothing_again(ann: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    first = publish_report(ann.settings, NIGHT).resolve()
    monkeypatch.setattr("pipelines.review.publish.gather_cases", None)
    assert publish_report(ann.settings, NIGHT).resolve() == first


def test_news_of_what_hangs_on_a_record_is_another_version(ann: Office) -> None:
    first = publish_report(ann.settings, NIGHT).resolve()
    ann.visits(visit("V9", "C1", VisitDate="25/11/2026"), on="20261121")
    ann.night(date(2026, 11, 21))
    assert publish_report(ann.settings, NIGHT).resolve() != first


def test_a_report_has_a_place_for_so_many_and_counts_the_others(office: Office) -> None:
    """Two of three: first where carers are to visit; what is settled gives its place up."""
    office.clients(*(client(f"C{n}", SocialServicesRef=f"R{n}", Forename=f"Ann{n}") for n in range(1, 7)))
    office.visits(visit("V1", "C5", VisitDate="21/11/2026"), visit("V2", "C6", VisitDate="22/11/2026"))
    office.night()
    propose(office, *((f"careplan/C{n}", f"careplan/C{n + 1}") for n in (1, 3, 5)))
    few = office.settings.model_copy(update={"report": ReportSettings(candidates=2)})
    with open_warehouse(few) as warehouse:
        report = gather_report(few, warehouse, NIGHT)
    assert [one.left.client_ref for one in report.candidates] == ["careplan/C5", "careplan/C1"]
    assert sum(report.run.tiers.values()) == 3
    assert report.run.beyond == 1
    assert "1 more waits" in render_page(report, most=10)
