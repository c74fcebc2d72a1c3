"""A cluster of three or more records as one case: all of them one person, or one of them another."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

from fastapi import APIRouter, HTTPException
from fastapi.responses import HTMLResponse, RedirectResponse

from pipelines.decisions.statement import NO_CHOICES, Choices, DecisionRefusedError
from pipelines.merge.case import Case
from pipelines.merge.outcomes import outcomes
from pipelines.merge.record import Record
from pipelines.review.cluster_verdict import evidence_of, pairs_of, say_of_cluster, take_back
from pipelines.review.contents import Candidate, Cluster
from pipelines.review.decide import pair_of
from pipelines.review.desk.acts import DOOR
from pipelines.review.desk.asking import Acts, Asking, Asks, ClusterId, go_to
from pipelines.review.desk.forms import (
    CLUSTER_VERDICTS,
    REASONS,
    asked,
    filled_in,
    in_order_of,
    masked_references,
    one_of,
    read_choices,
    sides_of_cluster,
)
from pipelines.review.desk.frame import show
from pipelines.review.desk.pages import hides
from pipelines.review.desk.queue import STATES, Night, Row, Wanted
from pipelines.review.desk.seals import WORKING_DAY, BrokenSealError
from pipelines.review.joined import Past
from pipelines.review.mask import mask_cluster
from pipelines.review.published import read_cluster

router = APIRouter(default_response_class=HTMLResponse)


@router.get("/clusters/{cluster_id}")
def cluster(asking: Asks, cluster_id: ClusterId) -> HTMLResponse:
    """Three or more records of one person, perhaps, with the form to decide them at once."""
    return show_cluster(asking, cluster_id)


@router.post("/clusters/{cluster_id}/reveal")
def reveal_cluster(asking: Acts, cluster_id: ClusterId) -> RedirectResponse:
    """Show the values of a cluster for half an hour."""
    with asking.at_the_desk() as (_, night, wanted):
        if cluster_id not in night.clusters:
            raise HTTPException(404)
        path = f"/clusters/{cluster_id}"
        response = go_to(asking, path, asking.query(wanted))
        asking.reveal(cluster_id, response, f"{asking.base}{path}")
        return response


@router.post("/clusters/{cluster_id}/preview")
def preview_cluster(asking: Acts, cluster_id: ClusterId) -> HTMLResponse:
    """The merged record with the choices that are filled in; nothing is recorded."""
    _what_was_shown(asking, cluster_id)
    with asking.at_the_desk() as (_, night, _):
        found, _ = _find(asking, night, cluster_id)
    try:
        choices = read_choices(asking.form, sides_of_cluster(found))
    except DecisionRefusedError as refused:
        return show_cluster(asking, cluster_id, form=asking.form, refusal=str(refused), status=400)
    return show_cluster(asking, cluster_id, form=asking.form, choices=choices)


@router.post("/clusters/{cluster_id}/decide", response_model=None)
def decide_cluster(asking: Acts, cluster_id: ClusterId) -> HTMLResponse | RedirectResponse:
    """Record what was said of all pairs of a cluster, all or none."""
    evidence, opened_at = _what_was_shown(asking, cluster_id)
    with asking.at_the_desk() as (store, night, wanted):
        found, pairs = _find(asking, night, cluster_id)
        if evidence_of(pairs) != evidence:
            words = "The evidence has changed since you opened the page. Look at it again, then decide."
            return show_cluster(asking, cluster_id, form=asking.form, refusal=words, status=409)
        verdict, sides = asking.form.get("verdict", ""), sides_of_cluster(found)
        try:
            apart = asking.form.get("apart", "") if verdict == "different" else ""
            said = say_of_cluster(
                found.records,
                pairs,
                verdict=verdict,
                who=asking.who,
                door=DOOR,
                reason=asking.form.get("reason", ""),
                model_version=night.run.model_version,
                choices=read_choices(asking.form, sides) if verdict == "same" else NO_CHOICES,
                apart=one_of(sides, apart).client_ref if apart else "",
                seconds_spent=max(0.0, time.time() - opened_at),
            )
            store.record(said)
        except DecisionRefusedError as refused:
            return show_cluster(asking, cluster_id, form=asking.form, refusal=str(refused), status=400)
        return go_to(asking, f"/clusters/{cluster_id}", asking.query(wanted))


@router.post("/clusters/{cluster_id}/undo")
def undo_cluster(asking: Acts, cluster_id: ClusterId) -> RedirectResponse:
    """Take back one's own last verdict on each pair of a cluster."""
    with asking.at_the_desk() as (store, night, wanted):
        _, pairs = _find(asking, night, cluster_id)
        take_back(store, map(pair_of, pairs), who=asking.who, door=DOOR, reason=asking.form.get("reason", ""))
        return go_to(asking, f"/clusters/{cluster_id}", asking.query(wanted))


def show_cluster(
    asking: Asking,
    cluster_id: str,
    *,
    form: Mapping[str, str] | None = None,
    choices: Choices = NO_CHOICES,
    refusal: str = "",
    status: int = 200,
) -> HTMLResponse:
    """The page of a cluster; ``form`` and ``choices`` are what was filled in but not recorded yet."""
    with asking.at_the_desk() as (_, night, wanted):
        found, pairs = _find(asking, night, cluster_id)
        recommended, tried = outcomes(Case(found.records, choices))
        found = replace(found, recommended=recommended, outcomes=tried)
        sides, seen = sides_of_cluster(found), asking.may_see(cluster_id)
        ask = asked(sides)
        of_pairs = {pair.candidate_id for pair in pairs}
        rows = [row for row in night.rows if row.candidate_id in of_pairs]
        nothing = {"verdict": "", "apart": "", "reason": ""}
        return show(
            asking.request,
            "cluster",
            status,
            here="queue",
            form_token=asking.form_token(),
            decide_token=asking.seals.seal(
                "decide cluster", user=asking.reviewer.user_id, cluster=cluster_id, evidence=evidence_of(pairs)
            ),
            cluster=found if seen else mask_cluster(found),
            names=list(sides),
            sides=in_order_of(tried, sides),
            rows=rows,
            mine=[row for row in rows if row.said_by(asking.who)],
            torn=next((row for row in rows if row.state == "conflict"), None),
            revealed=seen,
            ask=ask if seen else masked_references(ask),
            filled=filled_in(NO_CHOICES if form is not None else choices, sides) | nothing | dict(form or {}),
            refusal=refusal,
            previewed=form is not None and not refusal,
            after=_after(night, wanted, rows),
            carried_out=next((row.merge for row in rows if row.merge and _said_same(row, asking.who)), None),
            one_record=None if any(hides(asking, row) for row in rows) else _one_record(night, found.records),
            timezone=asking.settings.timezone,
            hidden=lambda row: hides(asking, row),
            unseen={row.candidate_id for row in rows if hides(asking, row)},
            query=asking.query(wanted),
            CLUSTER_VERDICTS=CLUSTER_VERDICTS,
            REASONS=REASONS,
            STATES=STATES,
        )


def _said_same(row: Row, who: str) -> bool:
    said = row.said_by(who)
    return said is not None and said.verdict == "same"


def _one_record(night: Night, records: Sequence[Record]) -> Past | None:
    """The newest merge of the first record, if all of them count as one now."""
    refs = [record.client_ref for record in records]
    one = len({night.joined.crosswalk.get(ref, ref) for ref in refs}) == 1
    return night.joined.merge_at(refs[0]) if one else None


def _find(asking: Asking, night: Night, cluster_id: str) -> tuple[Cluster, list[Candidate]]:
    """A cluster of the night and its candidate pairs."""
    found = read_cluster(asking.settings, night.day, cluster_id)
    return found, pairs_of(asking.settings, night.day, found)


def _after(night: Night, wanted: Wanted, rows: list[Row]) -> str:
    """The id of the next wanted candidate that is none of these pairs; empty at the end."""
    here = {row.candidate_id for row in rows}
    first = min((row.queued.position for row in rows), default=-1)
    others = (row for row in night.wanted(wanted) if row.candidate_id not in here and row.queued.position > first)
    return next((row.candidate_id for row in others), "")


def _what_was_shown(asking: Asking, cluster_id: str) -> tuple[str, float]:
    """The evidence that the form's page showed, and when. 403 if the form is another's, or of another cluster."""
    try:
        shown = asking.seals.read("decide cluster", asking.form.get("decide_token", ""), WORKING_DAY)
    except BrokenSealError:
        shown = {}
    if (shown.get("user"), shown.get("cluster")) != (asking.reviewer.user_id, cluster_id):
        raise HTTPException(403, "The form is not of this cluster, or is older than a day. Open the page again.")
    return shown["evidence"], shown["sealed_at"]
