"""What is done at the page: search, reveal, preview, decide, undo, decide in bulk. Every one is a form that we made."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from typing import Any

from fastapi import APIRouter, HTTPException
from fastapi.responses import HTMLResponse, RedirectResponse

from pipelines.decisions.statement import DecisionRefusedError
from pipelines.review.decide import state
from pipelines.review.desk.access_log import record_access
from pipelines.review.desk.asking import LONGEST_SEARCH, Acts, Asking, CandidateId, go_to, keep
from pipelines.review.desk.bulk_check import decide_the_rest
from pipelines.review.desk.forms import read_choices, sides_of_pair
from pipelines.review.desk.frame import show
from pipelines.review.desk.pages import show_bulk, show_candidate
from pipelines.review.desk.queue import search
from pipelines.review.desk.seals import WORKING_DAY, BrokenSealError
from pipelines.review.joined import refuse_to_unsay_what_is_merged
from pipelines.review.named import cases_of
from pipelines.review.published import read_candidate

DOOR = "page"
A_YEAR = 365 * 24 * 60 * 60

router = APIRouter(default_response_class=HTMLResponse)


@router.post("/search")
def search_queue(asking: Acts) -> RedirectResponse:
    """Search; what was searched is sealed in the address, and a search by name is written down with what it found."""
    _limit_searches(asking)
    text, names = asking.form.get("text", "")[:LONGEST_SEARCH].strip(), asking.form.get("names") == "yes"
    with asking.at_the_desk() as (_, night, filters):
        shown = "all" if text and filters.state == "waiting" else filters.state
        wanted = replace(filters, found=None, state=shown)
        if not text:
            return go_to(asking, "/", asking.query(wanted))
        if names:
            found = search(asking.settings, night, text, names=True)
            record_access(asking.settings.home, asking.who, "search by name", found)
        sealed = asking.seals.seal("search", user=asking.reviewer.user_id, text=text, names=names)
        return go_to(asking, "/", asking.query(wanted, search=sealed))


@router.post("/records")
def open_records(asking: Acts) -> RedirectResponse:
    """Open the case of any two client records by their refs; it is written down which case was opened."""
    _limit_searches(asking)
    refs = [asking.form.get(name, "")[:LONGEST_SEARCH] for name in ("one", "other")]
    with asking.at_the_desk() as (store, night, wanted):
        (case,) = cases_of(asking.settings, store.entries(), night.day, refs)
        record_access(asking.settings.home, asking.who, "open by two refs", [case.candidate_id])
        return go_to(asking, f"/candidates/{case.candidate_id}", asking.query(wanted))


@router.post("/preferences")
def prefer(asking: Acts) -> RedirectResponse:
    """Whether scores are hidden until the verdict, and whether single keys do anything."""
    response = go_to(asking, "/", "")
    for name in ("blind", "keys"):
        if asking.form.get(name) in {"on", "off"}:
            path = asking.base or "/"
            keep(asking, response, f"oneclient_{name}", asking.form[name], path=path, seconds=A_YEAR)
    return response


@router.post("/candidates/{candidate_id}/reveal")
def reveal_candidate(asking: Acts, candidate_id: CandidateId) -> RedirectResponse:
    """Show the values of a candidate for half an hour."""
    with asking.at_the_desk() as (_, night, wanted):
        if night.row(candidate_id) is None:
            raise HTTPException(404)
        path = f"/candidates/{candidate_id}"
        response = go_to(asking, path, asking.query(wanted, **_onward(asking)))
        asking.reveal(candidate_id, response, f"{asking.base}{path}")
        return response


@router.post("/candidates/{candidate_id}/preview")
def preview(asking: Acts, candidate_id: CandidateId) -> HTMLResponse:
    """The merged record with the choices that are filled in; nothing is recorded."""
    _what_was_shown(asking, candidate_id)
    with asking.at_the_desk() as (_, night, _):
        found = read_candidate(asking.settings, night.day, candidate_id)
    try:
        choices = read_choices(asking.form, sides_of_pair(found))
    except DecisionRefusedError as refused:
        return show_candidate(asking, candidate_id, form=asking.form, refusal=str(refused), status=400)
    return show_candidate(asking, candidate_id, form=asking.form, choices=choices)


@router.post("/candidates/{candidate_id}/decide", response_model=None)
def decide(asking: Acts, candidate_id: CandidateId) -> HTMLResponse | RedirectResponse:
    """Record a verdict, then go on to the next."""
    shown = _what_was_shown(asking, candidate_id)
    with asking.at_the_desk() as (store, night, wanted):
        if night.row(candidate_id) is None:
            raise HTTPException(404)
        found = read_candidate(asking.settings, night.day, candidate_id)
        if found.evidence_hash != shown["evidence"]:
            words = "The evidence has changed since you opened the page. Look at it again, then decide."
            return show_candidate(asking, candidate_id, form=asking.form, refusal=words, status=409)
        verdict = asking.form.get("verdict", "")
        try:
            said = state(
                found,
                verdict=verdict,
                who=asking.who,
                door=DOOR,
                reason=asking.form.get("reason", ""),
                model_version=night.run.model_version,
                choices=read_choices(asking.form, sides_of_pair(found)) if verdict == "same" else None,
                score_was_hidden=shown["blind"],
                seconds_spent=round(max(0.0, time.time() - shown["sealed_at"]), 1),
            )
            store.record([said])
        except DecisionRefusedError as refused:
            return show_candidate(asking, candidate_id, form=asking.form, refusal=str(refused), status=400)
        if _onward(asking):
            return go_to(asking, "/bulk", asking.query(wanted, done=candidate_id))
        _, after = night.beside(candidate_id, wanted)
        return go_to(asking, f"/candidates/{after}" if after else "/", asking.query(wanted, done=candidate_id))


@router.post("/candidates/{candidate_id}/undo")
def undo(asking: Acts, candidate_id: CandidateId) -> RedirectResponse:
    """Take back one's own last verdict on a candidate."""
    with asking.at_the_desk() as (store, night, wanted):
        if row := night.row(candidate_id):
            refuse_to_unsay_what_is_merged(store.entries(), [row.pair], asking.who)
        store.undo(candidate_id, asking.who, DOOR, asking.form.get("reason", ""))
        there = f"/candidates/{candidate_id}" if night.row(candidate_id) else "/"
        return go_to(asking, there, asking.query(wanted))


@router.post("/bulk")
def decide_bulk(asking: Acts) -> HTMLResponse:
    """Record *same* of the rest of a checked set."""
    with asking.at_the_desk() as (store, night, filters):
        wanted = replace(filters, tier="near-certain", state="waiting")
        reason = asking.form.get("reason", "")
        try:
            recorded, left_out = decide_the_rest(
                asking.settings, store, night, wanted, who=asking.who, reason=reason, key=asking.seals.key
            )
        except DecisionRefusedError as refused:
            return show_bulk(asking, reason=reason, refusal=str(refused), status=400)
    return show(asking.request, "bulk_done", here="bulk", recorded=recorded, left_out=left_out)


def _limit_searches(asking: Asking) -> None:
    """Raises HTTPException 429 when this person searches too often."""
    if wait := asking.request.app.state.desk.limit.wait(asking.reviewer.user_id):
        seconds = math.ceil(wait)
        raise HTTPException(429, f"Wait {seconds} seconds, then search again.", {"Retry-After": str(seconds)})


def _what_was_shown(asking: Asking, candidate_id: str) -> dict[str, Any]:
    """What the form's page showed, as it was sealed then. 403 if it is another's, or of another candidate."""
    try:
        shown = asking.seals.read("decide", asking.form.get("decide_token", ""), WORKING_DAY)
    except BrokenSealError:
        shown = {}
    if (shown.get("user"), shown.get("candidate")) != (asking.reviewer.user_id, candidate_id):
        raise HTTPException(403, "The form is not of this candidate, or is older than a day. Open the page again.")
    return shown


def _onward(asking: Asking) -> dict[str, str]:
    return {"next": "bulk"} if asking.request.query_params.get("next") == "bulk" else {}
