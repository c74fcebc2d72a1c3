"""Made-up reports: nobody in them lives."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any
from zlib import crc32

from pipelines.decisions.evidence import Change
from pipelines.decisions.statement import NO_CHOICES, Choices
from pipelines.merge.case import Case
from pipelines.merge.outcomes import outcomes
from pipelines.merge.record import Alias, Contact, Detail, Enrolment, Order, Reference
from pipelines.review.clusters import by_pair, cluster_of
from pipelines.review.contents import (
    Agreement,
    Candidate,
    Cluster,
    Comparison,
    Decided,
    FileLine,
    GateLine,
    Miss,
    Reject,
    Report,
    Run,
    Side,
    SourceRow,
)
from pipelines.review.harm import harm_of

NIGHT = date(2026, 11, 20)
HOSTILE = (
    "<script>alert(1)</script>",
    '=HYPERLINK("http://x","y")',
    "+cmd|' /C calc'!A0",
    '" onmouseover="alert(1)',
    "' autofocus onfocus='alert(1)",
    "</style><script>alert(1)</script>",
    "javascript:alert(1)",
    "{{ 7 * 7 }}{% include 'x' %}",
    "-2+3+cmd",
    "@SUM(A1)",
    "\tTab first",
    "https://evil.example/",
    "<r><t>rich</t></r>",
    "nul \x00 bell \x07 \ufffe",
)

MARGARET = Comparison("Forename", "Peggy", "Margaret", "close", "Peggy is short for Margaret", 3.4)
OSULLIVAN = Comparison("Surname", "O'Sullivan", "O'Sullivan", "same", "same surname, held by few", 9.7)
BIRTH = Comparison("Date of birth", "1938-04-03", "1938-03-04", "close", "day and month are swapped", 5.1)
HOME = Comparison(
    "Address",
    "Flat 2, 14 Brewery Lane, Maidstone, ME14 1AB",
    "14 Brewery Lane, Maidstone, ME14 1AB",
    "close",
    "same postcode and house number; address, postcode and phone count once",
    4.2,
)
PHONE = Comparison("Phone", "+441622555123", "", "missing", "only one side has a phone", 0.0)
NHS = Comparison("NHS number", "9434765919", "9434765870", "different", "two valid NHS numbers that differ", -6.8)


def an_order(number: str = "PO-88231", **said: Any) -> Order:
    terms = {"council": "KENT", "line": "1", "contract": "KENT-HC-2024", "service": "Personal Care"}
    terms |= {"start_on": date(2026, 3, 2), "weekly_pence": 31_500, "hidden": True}
    return Order(**{"number": number, **terms, **said})


def a_reference(said: str, **more: Any) -> Reference:
    """``KENT 00345678`` is a council's, ``CAREPLAN 100234`` a rostering system's, ``NHS 9434765919`` an NHS number."""
    issuer, number = said.split(" ", 1)
    kind = {"NHS": "nhs_number", "CAREPLAN": "roster_client_id"}.get(issuer, "social_services_reference")
    return Reference(kind=kind, issuer=issuer if kind.endswith("reference") else issuer.lower(), number=number, **more)


def a_side(
    client_ref: str = "careplan/100234",
    *,
    made_how: str = "missing_reference",
    active_orders: int = 0,
    upcoming_visits: int = 28,
    references: tuple[str, ...] = ("CAREPLAN 100234",),
    **more: Any,
) -> Side:
    said: dict[str, Any] = {
        "client_id": crc32(client_ref.encode()),
        "made_on": date(2026, 3, 2),
        "past_visits": 1204,
        "first_visit_on": date(2025, 1, 6),
        "last_visit_on": date(2026, 12, 4),
        "orders": tuple(an_order(f"PO-8823{number}") for number in range(active_orders)),
        "enrolments": (Enrolment(issuer="careplan", contract="KENT-HC-2022", start_on=date(2025, 1, 6)),),
        "profile": (Detail(field="Forename", value="Peggy"), Detail(field="Born", value="03/04/1938")),
        "contacts": (Contact(kind="phone", value="01622 555123", key="+441622555123"),),
        "came_from": (
            SourceRow(
                feed="roster_clients",
                issuer="careplan",
                record_id="100234",
                file_name="careplan_roster_clients_2026-11-20.xlsx",
                row_number=14,
                how_linked=made_how,
            ),
        ),
    }
    return Side(
        client_ref=client_ref,
        made_how=made_how,
        upcoming_visits=upcoming_visits,
        references=tuple(map(a_reference, references)),
        **(said | more),
    )


def a_candidate(
    number: int = 1,
    *,
    comparisons: tuple[Comparison, ...] = (MARGARET, OSULLIVAN, BIRTH, HOME, PHONE),
    tier: str = "near-certain",
    prior: float = -11.6,
    relation: str = "",
    left: Side | None = None,
    right: Side | None = None,
    choices: Choices = NO_CHOICES,
    **more: Any,
) -> Candidate:
    weight = prior + sum(comparison.weight for comparison in comparisons)
    left = left or a_side()
    right = right or a_side(
        "KENT/reference/00345678",
        made_how="new_reference",
        active_orders=2,
        upcoming_visits=0,
        references=("KENT 00345678", "NHS 9434765919"),
    )
    recommended, tried = outcomes(Case((left, right), choices))
    return Candidate(
        candidate_id=f"{number:012x}",
        cluster_id=f"k{number:04d}",
        tier=tier,
        match_probability=1 / (1 + 2**-weight),
        weight=weight,
        relation=relation,
        left=left,
        right=right,
        comparisons=comparisons,
        harm=harm_of((left, right)),
        recommended=recommended,
        outcomes=tried,
        **more,
    )


def a_couple(number: int = 2) -> Candidate:
    return a_candidate(
        number,
        comparisons=(
            replace(MARGARET, right="Dennis", agreement="different", words="a different forename", weight=-4.9),
            OSULLIVAN,
            HOME,
            NHS,
        ),
        tier="possible",
        relation="probably a couple: one surname and one home, different forenames and genders",
    )


def a_stranger(text: str, agreement: Agreement = "same") -> Candidate:
    """A candidate that says ``text`` wherever a source can put text."""
    record_id = 7
    side = Side(
        client_id=record_id,
        client_ref=text,
        profile=(Detail(field=text, value=text),),
        status=text,
        upcoming_visits=2,
        past_visits=3,
        orders=(Order(council=text, number=text, line=text, contract=text, service=text, start_on=NIGHT, status=text),),
        enrolments=(Enrolment(issuer=text, contract=text, funding=text, care_band=text),),
        contacts=(Contact(kind=text, value=text, key=text),),
        aliases=(Alias(kind=text, name=text, key=text),),
        references=(Reference(kind=text, issuer=text, number=text),),
        made_how=text,
        made_on=NIGHT,
        came_from=(SourceRow(feed=text, issuer=text, record_id=text, file_name=text, row_number=1, how_linked=text),),
    )
    comparisons = (
        Comparison(text, text, text, agreement, text, 1.0),
        Comparison("Name", text, "", "missing", text, -1),
    )
    candidate = a_candidate(
        comparisons=comparisons,
        tier=text,
        prior=0.0,
        relation=text,
        left=side,
        right=replace(side, client_id=record_id + 1, aliases=(Alias(kind=text, name=text, key="other"),)),
        missed=Miss(text, text, text, text, text, text, text, text),
        standing=text,
        standing_reason=text,
        facts=text,
        decided=(Decided(1, text, NIGHT, text, text, False),),
        changed=(Change(text, text, text, text),),
    )
    return replace(candidate, candidate_id=text, cluster_id=text)


def a_cluster(*candidates: Candidate) -> Cluster:
    """A cluster of all records of the candidates."""
    records = {side.client_ref: side for c in candidates for side in (c.left, c.right)}
    return cluster_of("K0000012", tuple(records.values()), by_pair(candidates))


def a_run(tiers: dict[str, int] | None = None) -> Run:
    return Run(
        day=NIGHT,
        provider="Rosewood Home Care",
        oneclient_version="0.1.0",
        model_version="2026-10-01.3f9c2a",
        config_hash="9b1d7c04e2aa",
        clients=11408,
        new_clients={"reference_of_someone_else": 2, "new_reference": 31, "missing_reference": 9, "id_only": 3},
        tiers={"near-certain": 0, "likely": 0, "possible": 0} if tiers is None else tiers,
        files=(
            FileLine("kent_purchase_orders_2026-11-20.csv", "purchase_orders", "KENT", "loaded", None, 1840, 1833, 7),
            FileLine(
                "essex_purchase_orders_2026-11-20.csv",
                "purchase_orders",
                "ESSEX",
                "repeated",
                "The same content was loaded before.",
                0,
                0,
                0,
            ),
            FileLine(
                "careplan_roster_clients_2026-11-20.xlsx", "roster_clients", "careplan", "loaded", None, 8120, 8118, 2
            ),
            FileLine(
                "careplan_roster_visits_2026-11-20.csv", "roster_visits", "careplan", "loaded", None, 64210, 64210, 0
            ),
            FileLine(
                "rosterly_roster_visits_2026-11-20.csv",
                "roster_visits",
                "rosterly",
                "quarantined",
                "The heading VisitDate is missing. Ask the sender for the file with all its columns.",
                512,
                0,
                512,
            ),
        ),
        rejects=(
            Reject(
                "kent_purchase_orders_2026-11-20.csv",
                "StartDate",
                "not a date in any format of this source",
                True,
                6,
                (14, 88, 902),
            ),
            Reject("kent_purchase_orders_2026-11-20.csv", None, "has more cells than headings", True, 1, (1201,)),
            Reject("careplan_roster_clients_2026-11-20.xlsx", "ClientID", "missing", True, 2, (4012, 4013)),
            Reject(
                "careplan_roster_clients_2026-11-20.xlsx",
                "DateOfBirth",
                "not a date in any format of this source",
                False,
                41,
                (7, 19, 33, 54, 55),
            ),
        ),
        gates=(
            GateLine("raw.purchase_orders", "kent_purchase_orders_2026-11-20.csv", 1833, 14, True, ""),
            GateLine(
                "raw.roster_clients",
                "careplan_roster_clients_2026-11-20.xlsx",
                8118,
                11,
                False,
                "A client export holds each client id once (2 of 8118)",
            ),
            GateLine("staged.clients", "clients", 11408, 18, True, ""),
        ),
    )


def a_report(*candidates: Candidate, run: Run | None = None, clusters: tuple[Cluster, ...] = ()) -> Report:
    tiers = dict.fromkeys(("possible", "near-certain", "likely"), 0)
    for candidate in candidates:
        tiers[candidate.tier] = tiers.get(candidate.tier, 0) + 1
    return Report(run or a_run(tiers), candidates, clusters=clusters)
