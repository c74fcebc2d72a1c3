"""What the page shows: the queue, a candidate, the decisions, the bulk check and the quality of review."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from fastapi import APIRouter, HTTPException
from fastapi.responses import HTMLResponse

from pipelines.decisions.standing import undone
from pipelines.decisions.statement import NO_CHOICES, Choices, person
from pipelines.decisions.store import DecisionStore
from pipelines.merge.case import Case
from pipelines.merge.outcomes import outcomes
from pipelines.merge.record import Record
from pipelines.review.contents import Candidate
from pipelines.review.decide import as_it_stands_today
from pipelines.review.desk.asking import Asking, Asks, CandidateId
from pipelines.review.desk.bulk_check import SAMPLE, bulk_check
from pipelines.review.desk.forms import (
    REASONS,
    VERDICTS,
    asked,
    filled_in,
    in_order_of,
    masked_references,
    sides_of_pair,
)
from pipelines.review.desk.frame import show
from pipelines.review.desk.queue import ROWS_ON_A_PAGE, STATES, Night, Row, Wanted, look, offers
from pipelines.review.joined import Past
from pipelines.review.mask import mask_candidate, mask_reference
from pipelines.review.named import reopened
from pipelines.review.practice import read_practice
from pipelines.review.published import read_candidate
from pipelines.review.quality import review_quality

router = APIRouter(default_response_class=HTMLResponse)
NEWEST = 200


@router.get("/")
def queue(asking: Asks, page: int = 1) -> HTMLResponse:
    """The queue."""
    with asking.at_the_desk() as (_, night, wanted):
        rows = night.wanted(wanted)
        pages = max(1, -(-len(rows) // ROWS_ON_A_PAGE))
        page = min(max(1, page), pages)
        shown = rows[(page - 1) * ROWS_ON_A_PAGE :][:ROWS_ON_A_PAGE]
        searched = asking.searched() if wanted.found is not None else {}
        return show(
            asking.request,
            "queue",
            here="queue",
            form_token=asking.form_token(),
            night=night,
            wanted=wanted,
            offers=offers(night),
            rows=shown,
            found=len(rows),
            page=page,
            pages=pages,
            query=asking.query(wanted),
            query_of=lambda number: asking.query(wanted, page=str(number)),
            search_text=searched.get("text", ""),
            search_names=searched.get("names", False),
            blind=asking.blind,
            hidden=lambda row: hides(asking, row),
            timezone=asking.settings.timezone,
            done=_done(asking, night),
            STATES=STATES,
        )


@router.get("/candidates/{candidate_id}")
def candidate(asking: Asks, candidate_id: CandidateId) -> HTMLResponse:
    """One candidate, with the form to decide it."""
    return show_candidate(asking, candidate_id)


@router.get("/decisions")
def decisions(asking: Asks) -> HTMLResponse:
    """Who decided what, newest first."""
    with asking.at_the_desk() as (store, night, _):
        entries = store.entries()
        return show(
            asking.request,
            "decisions",
            here="decisions",
            entries=entries[::-1][:NEWEST],
            timezone=asking.settings.timezone,
            in_all=len(entries),
            undone=undone(entries),
            there={row.candidate_id: row for row in night.rows},
            hides=lambda row: hides(asking, row),
        )


@router.get("/bulk")
def bulk(asking: Asks) -> HTMLResponse:
    """The sample to check, and the rest that may be decided after it."""
    return show_bulk(asking)


def show_bulk(asking: Asking, *, reason: str = "", refusal: str = "", status: int = 200) -> HTMLResponse:
    """The page of many at once; ``reason`` is what was written but not recorded."""
    with asking.at_the_desk() as (store, night, filters):
        wanted = replace(filters, tier="near-certain", state="waiting")
        return show(
            asking.request,
            "bulk",
            status,
            here="bulk",
            reason=reason,
            refusal=refusal,
            form_token=asking.form_token(),
            check=bulk_check(night, store.entries(), wanted, asking.who, asking.seals.key),
            wanted=wanted,
            offers=offers(night),
            query=asking.query(wanted),
            back=asking.query(wanted, blind="on", next="bulk"),
            size=SAMPLE,
        )


@router.get("/quality")
def quality(asking: Asks) -> HTMLResponse:
    """How well people review."""
    with asking.at_the_desk() as (store, night, _):
        return show(
            asking.request, "quality", here="quality",
            quality=review_quality(store.entries(), read_practice(asking.settings.home)), states=night.states(),
            STATES=STATES, trends=asking.settings.trends_page.exists(),
        )  # fmt: skip


@router.get("/trends")
def trends(asking: Asks) -> HTMLResponse:
    """How the nights went: the page that the last one published, which brings its own style and no script."""
    if not asking.settings.trends_page.exists():
        raise HTTPException(404)
    policy = (
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    )
    page = asking.settings.trends_page.read_text(encoding="utf-8")
    return HTMLResponse(page, headers={"Content-Security-Policy": policy})


def show_candidate(
    asking: Asking,
    candidate_id: str,
    *,
    form: Mapping[str, str] | None = None,
    choices: Choices | None = None,
    refusal: str = "",
    status: int = 200,
) -> HTMLResponse:
    """The page of a candidate; ``form`` and ``choices`` are what was filled in but not recorded yet."""
    with asking.at_the_desk() as (store, tonight, wanted):
        night, row = _find(asking, store, tonight, candidate_id)
        found = _as_it_stands(asking, store, night, candidate_id)
        mine = row.holds_for(asking.who)
        blind, seen = hides(asking, row), asking.may_see(candidate_id)
        if choices is None:
            choices = mine.chosen if mine else NO_CHOICES
        recommended, tried = outcomes(Case((found.left, found.right), choices))
        found = replace(found, recommended=recommended, outcomes=tried)
        sides = sides_of_pair(found)
        ask = asked(sides)
        before_filling = choices if form is None else NO_CHOICES
        filled = (
            filled_in(before_filling, sides)
            | {"verdict": (mine and mine.verdict) or "", "reason": ""}
            | dict(form or {})
        )
        before, after = night.beside(candidate_id, wanted)
        return show(
            asking.request,
            "candidate",
            status,
            here="queue",
            form_token=asking.form_token(),
            decide_token=asking.seals.seal(
                "decide",
                user=asking.reviewer.user_id,
                candidate=candidate_id,
                evidence=found.evidence_hash,
                blind=blind and not _decided_before(asking, store, candidate_id),
            ),
            candidate=found if seen else mask_candidate(found),
            day=night.day,
            timezone=asking.settings.timezone,
            counts_for=_counts_for(night, found.left, seen),
            elsewhere=_elsewhere(night, found, seen),
            sides=in_order_of(tried, sides),
            row=row,
            mine=mine,
            blind=blind,
            revealed=seen,
            ask=ask if seen else masked_references(ask),
            filled=filled,
            refusal=refusal,
            previewed=form is not None and not refusal,
            before=before,
            after=after,
            in_cluster=found.cluster_id in night.clusters,
            query=asking.query(wanted, **_onward(asking)),
            place=_place(night, wanted, row),
            done=_done(asking, night, beside=candidate_id),
            VERDICTS=VERDICTS,
            REASONS=REASONS,
            STATES=STATES,
        )


def hides(asking: Asking, row: Row) -> bool:
    """Whether the score of a candidate, and what others said of it, is still hidden from this person."""
    return asking.blind and row.holds_for(asking.who) is None


def _find(asking: Asking, store: DecisionStore, night: Night, candidate_id: str) -> tuple[Night, Row]:
    """The row of a case; one that was decided before, and that no report shows now, is opened again. 404 if none is."""
    row = night.row(candidate_id)
    if row is None and reopened(asking.settings, store.entries(), night.day, candidate_id):
        night = look(asking.settings, store)
        row = night.row(candidate_id)
    if row is None:
        raise HTTPException(404)
    return night, row


def _decided_before(asking: Asking, store: DecisionStore, candidate_id: str) -> bool:
    """Whether this person ever decided it, and so was shown its score then, even if they took it back."""
    mine = (entry for entry in store.entries() if entry.kind == "verdict" and entry.candidate_id == candidate_id)
    return any(person(entry.who) == person(asking.who) for entry in mine)


def _as_it_stands(asking: Asking, store: DecisionStore, night: Night, candidate_id: str) -> Candidate:
    published = read_candidate(asking.settings, night.day, candidate_id)
    return as_it_stands_today(asking.settings, store, night.day, published)


def _counts_for(night: Night, record: Record, seen: bool) -> str:
    survivor = night.joined.crosswalk.get(record.client_ref, record.client_ref)
    return survivor if seen else mask_reference(survivor)


def _elsewhere(night: Night, found: Candidate, seen: bool) -> list[tuple[str, str, Past]]:
    """Each of the two that other merges made part of another record: its name, that record's, and the merge."""
    merges = ((record, night.joined.merge_at(record.client_ref)) for record in (found.left, found.right))
    return [
        (record.client_ref if seen else mask_reference(record.client_ref), _counts_for(night, record, seen), past)
        for record, past in merges
        if past
    ]


def _done(asking: Asking, night: Night, beside: str = "") -> dict[str, Any] | None:
    """What this person has just decided, told from the store, not from the address."""
    row = night.row(asking.request.query_params.get("done", ""))
    said = row.said_by(asking.who) if row else None
    if row is None or said is None or row.candidate_id == beside:
        return None
    return {"row": row, "said": said, "seconds": time.time() - said.recorded.timestamp()}


def _onward(asking: Asking) -> dict[str, str]:
    """Where the decision leads, when not to the next of the queue."""
    return {"next": "bulk"} if asking.request.query_params.get("next") == "bulk" else {}


def _place(night: Night, wanted: Wanted, row: Row) -> tuple[int, int]:
    """Which of the wanted ones this is, and of how many; 0 if it is none of them."""
    ids = [one.candidate_id for one in night.wanted(wanted)]
    return (ids.index(row.candidate_id) + 1 if row.candidate_id in ids else 0), len(ids)
