"""Merges in short: a log of sign-offs in rows, and a provider's office where people decide, merge and undo."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from office import Office, client, enrolment, order, visit

from pipelines.decisions.crosswalk import crosswalk, live_merges
from pipelines.decisions.entry import Entry
from pipelines.decisions.evidence import evidence_hash
from pipelines.decisions.signoff import Member, Merge, SignedPlan, Undone
from pipelines.decisions.snapshot import show_facts
from pipelines.decisions.statement import Choices, Statement
from pipelines.decisions.store import open_decisions
from pipelines.fingerprint import Scope, fingerprint
from pipelines.merge.carry_out import apply_merges, undo_merges
from pipelines.merge.plan import Plan, plan_merges
from pipelines.merge.run import Outcome
from pipelines.merge.selection import Selection, candidate_id, merge_id, new_merge_id
from pipelines.merge.status import MergeStatus, merge_status
from pipelines.warehouse import open_warehouse

CURRENT = ("purchase_orders", "enrolments", "contacts", "aliases", "references", "source_records")
MOVE_ORDERS = {"move_active_orders": True}


class SignOffs:
    """The log of a provider as rows: who was merged into whom, and what was taken back. Nobody in it lives."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def merge(self, pair: str, into: str = "") -> str:
        """Somebody signs off that a pair such as "Ann Bea" (or more: "Ann Bea, Bea Cat") is one person; gives the
        merge's id."""
        pairs = [(min(words), max(words)) for words in (one.split() for one in pair.split(","))]
        now = self.crosswalk()
        named = dict.fromkeys(now.get(ref, ref) for words in pairs for ref in words)
        members = tuple(
            Member(client_ref=ref, origins=(ref, *sorted(away for away, into in now.items() if into == ref)))
            for ref in sorted(named)
        )
        verdicts = (len(self.entries) + 1,)
        merge = Merge(
            merge_id=new_merge_id([member.client_ref for member in members], verdicts, live_merges(self.entries)),
            survivor=into or min(named), members=members, pairs=tuple(pairs), verdicts=verdicts, wave="empty",
        )  # fmt: skip
        self.sign(merge)
        return merge.merge_id

    def sign(self, *merges: Merge) -> None:
        """Somebody signs these off, perhaps not for the first time."""
        self._append(SignedPlan(after=len(self.entries), as_of=date(2026, 11, 20), merges=merges))

    def undo(self, *merge_ids: str) -> None:
        """Somebody takes merges back."""
        live = live_merges(self.entries)
        undoes = tuple(Undone(merge_id=one, pairs=live[one].merge.pairs) for one in merge_ids)
        self._append(SignedPlan(after=len(self.entries), as_of=date(2026, 11, 20), undoes=undoes))

    def crosswalk(self) -> dict[str, str]:
        """Who counts for whom."""
        return crosswalk(signed.merge for signed in live_merges(self.entries).values())

    def live(self) -> list[str]:
        """The merges that stand."""
        return list(live_merges(self.entries))

    def _append(self, plan: SignedPlan) -> None:
        self.entries.append(Entry(len(self.entries) + 1, "Sam", "cli", "signoff", plan=plan.as_json()))


class Provider(Office):
    """An office whose analyst is Jo; Sam signs merges off, Kim takes them back."""

    def decides(self, pair: str, verdict: str = "same", who: str = "Jo", reason: str = "rang her", **said: Any) -> bool:
        """Somebody decides on a pair such as "careplan/A1 rosterly/A2", as the two records are now; gives whether it
        is new. ``said``: the choices."""
        one, other = pair.split()
        with open_warehouse(self.settings) as warehouse:
            show_facts(warehouse)
            facts = warehouse.one(
                "select pair_facts(one.facts, other.facts) from facts as one, facts as other"
                " where one.client_ref = $one and other.client_ref = $other",
                {"one": one, "other": other},
            )
        with open_decisions(self.settings) as store:
            statement = Statement(
                candidate_id(one, other), one, other, verdict, who, "cli", reason, evidence_hash(facts), facts,
                choices=Choices(**said),
            )  # fmt: skip
            return store.record([statement])[0].new

    def moves_house(self, client_ref: str) -> None:
        """A record has another postcode from now on; what was decided about it lapses."""
        with open_warehouse(self.settings) as warehouse:
            warehouse.execute(
                "update staged.clients set postcode = 'CT1 2AB', postcode_key = 'CT1 2AB' where client_ref = $ref",
                {"ref": client_ref},
            )

    def share_a_number(self, one: str, other: str) -> None:
        """Two records have one NHS number from now on; what was said against them lapses."""
        with open_warehouse(self.settings) as warehouse:
            warehouse.execute(
                "update staged.clients set nhs_number = '9990018146' where client_ref in ($one, $other)",
                {"one": one, "other": other},
            )

    def plan(self, **selected: Any) -> Plan:
        return plan_merges(self.settings, Selection(**selected))

    def apply(self, who: str = "Sam", **selected: Any) -> Outcome:
        return apply_merges(self.settings, Selection(without_decisions_of=who, **selected), who=who)

    def undo(self, *merge_ids: str, who: str = "Kim") -> Outcome:
        """These merges are taken back; if none is named, all."""
        return undo_merges(self.settings, merge_ids or None, who=who)

    def fingerprint(self, scope: Scope = "all") -> str:
        return fingerprint(self.settings, scope)

    def crosswalk(self) -> dict[str, str]:
        """Who counts for whom, as the warehouse has it."""
        return dict(
            self.rows(
                "select a.client_ref, s.client_ref from merged.crosswalk as x"
                " join staged.client_ids as a using (client_id)"
                " join staged.client_ids as s on s.client_id = x.survivor_id order by 1"
            )
        )

    def visits_of(self, client_ref: str) -> str:
        """The ids of the visits that count for a record, in order."""
        found = self.rows(
            "select visit_id from staged.visits join staged.client_ids using (client_id) where client_ref = $ref"
            " order by visit_on, visit_id",
            ref=client_ref,
        )
        return " ".join(visit_id for (visit_id,) in found)

    def hangs_on(self, client_ref: str) -> dict[str, int]:
        """How many rows of each kind count for a record, visits included; kinds of which there is none left out."""
        with open_warehouse(self.settings) as warehouse:
            found = {
                table: warehouse.one(
                    f'select count(*) from staged."{table}" join staged.client_ids using (client_id)'
                    " where client_ref = $ref",
                    {"ref": client_ref},
                )
                for table in ("visits", *CURRENT)
            }
        return {table: rows for table, rows in found.items() if rows}

    def status(self, pair: str) -> MergeStatus:
        """Where the merge of a pair stands."""
        return next(one for one in merge_status(self.settings).merges if one.merge_id == of(pair))

    def blockers(self) -> dict[str, list[str]]:
        """What stands in the way of each merge that is blocked now, by the record that would stay."""
        return {one.merge.survivor: [blocker.kind for blocker in one.blockers] for one in self.plan().blocked}


def of(pair: str) -> str:
    """The id of the merge of a pair."""
    return merge_id(pair.split())


# Of the first night. Ann: on the books, with visits and an enrolment; and as Kent's orders know her.
ANN, ANN_ORDERS = "careplan/A1", "KENT/reference/111"
# Bea: on two rostering systems, with visits on both.
BEA, BEA_TOO = "careplan/B1", "rosterly/B2"
# Cat: three records with other names; two are on one contract, and one system knows her by two ids.
CAT, CAT_TOO, CAT_ORDERS = "careplan/C1", "careplan/C2", "KENT/reference/333"
# Dot: on two systems, and nothing hangs on either.
DOT, DOT_TOO = "birdie/D1", "rosterly/D2"

MONTHS = {"SEP": "15/09/2026", "OCT": "15/10/2026", "NOV": "10/11/2026", "DEC": "05/12/2026"}
OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)


def first_night(home: Path) -> Provider:
    """A provider after its first night, 20 November 2026."""
    provider = Provider(home)
    provider.clients(
        client("A1", Phone="01206 555111"),
        client("B1", Forename="Bea", Surname="Bell"),
        client("C1", Forename="Cat", Surname="Cox", KnownAs="Kitty", StartDate="01/01/2020"),
        client("C2", Forename="Cat", Surname="Cox", KnownAs="Cathy"),
    )
    provider.clients(client("D1", Forename="Dot", Surname="Dale"), system="birdie")
    provider.clients(
        client("B2", Forename="Beatrice", Surname="Bell"), client("D2", Forename="Dorothy", Surname="Dale"),
        system="rosterly",
    )  # fmt: skip
    cat = {"SocialServicesRef": "333", "Forename": "Catherine", "Surname": "Cox"}
    provider.orders(
        order("PO1", SocialServicesRef="111", ContractNumber="HC-24", Rate="20.50", WeeklyUnits="7"),
        order("PO3", EndDate="05/11/2026", ContractNumber="HC-24", **cat),
    )
    provider.enrolments(
        enrolment("A1", "HC-24"), enrolment("C1", "HC-24"), enrolment("C2", "HC-24", FundingType="Direct payment")
    )
    provider.visits(*_a_visit_each_month("A1", "A-"), *_a_visit_each_month("B1", "B-"), visit("C-NOV", "C2"))
    provider.visits(*_a_visit_each_month("B2", "B2-"), system="rosterly")
    provider.night()
    return provider


def _a_visit_each_month(client_id: str, name: str) -> list[Any]:
    return [visit(f"{name}{month}", client_id, VisitDate=day) for month, day in MONTHS.items()]
