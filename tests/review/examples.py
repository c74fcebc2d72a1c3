"""Made-up reports: nobody in them lives."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from pipelines.review.contents import (
    Agreement,
    Candidate,
    Comparison,
    FileLine,
    GateLine,
    Reject,
    Report,
    Run,
    Side,
)

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


def a_side(
    client_ref: str = "careplan/100234",
    *,
    made_how: str = "missing_reference",
    active_orders: int = 0,
    upcoming_visits: int = 28,
    references: tuple[str, ...] = ("CAREPLAN 100234",),
) -> Side:
    return Side(client_ref, made_how, date(2026, 3, 2), active_orders, upcoming_visits, 1204, 1, references)


def a_candidate(
    number: int = 1,
    *,
    comparisons: tuple[Comparison, ...] = (MARGARET, OSULLIVAN, BIRTH, HOME, PHONE),
    tier: str = "near-certain",
    prior: float = -11.6,
    relation: str = "",
    left: Side | None = None,
    right: Side | None = None,
) -> Candidate:
    weight = prior + sum(comparison.weight for comparison in comparisons)
    return Candidate(
        candidate_id=f"{number:012x}",
        cluster_id=f"k{number:04d}",
        tier=tier,
        match_probability=1 / (1 + 2**-weight),
        weight=weight,
        relation=relation,
        left=left or a_side(),
        right=right
        or a_side(
            "KENT/reference/00345678",
            made_how="new_reference",
            active_orders=2,
            upcoming_visits=0,
            references=("KENT 00345678", "NHS 9434765919"),
        ),
        comparisons=comparisons,
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
    side = Side(text, text, NIGHT, 1, 2, 3, 4, (text, text))
    comparisons = (
        Comparison(text, text, text, agreement, text, 1.0),
        Comparison("Name", text, "", "missing", text, -1),
    )
    return Candidate(text, text, text, 0.5, 0.0, text, side, side, comparisons)


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


def a_report(*candidates: Candidate, run: Run | None = None) -> Report:
    tiers = dict.fromkeys(("possible", "near-certain", "likely"), 0)
    for candidate in candidates:
        tiers[candidate.tier] = tiers.get(candidate.tier, 0) + 1
    return Report(run or a_run(tiers), candidates)
