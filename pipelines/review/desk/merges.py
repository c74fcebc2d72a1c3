"""What merging shows at the desk: where every merge stands, and the published plans, masked until they are revealed.

It reads the decision log and what was published, never the warehouse, as every page here. So how far a merge has come
is as of the last time that merges were published, at the end of a merge run or of a night.
"""

from __future__ import annotations

import csv
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, HTTPException
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.routing import APIRoute

from pipelines.decisions.signoff import Merge
from pipelines.merge.plan_told import for_templates, masked_told
from pipelines.merge.publish import PLAN_ID, read_plan
from pipelines.merge.status import merges_of
from pipelines.review.desk.asking import Acts, Asking, Asks, go_to
from pipelines.review.desk.frame import show
from pipelines.review.desk.pages import hides
from pipelines.review.desk.queue import Night
from pipelines.settings import Settings

router = APIRouter(default_response_class=HTMLResponse)
NEWEST = 20


def plan_id(plan_id: str) -> str:
    """The plan of the address. 404 if that can be none."""
    if not PLAN_ID.fullmatch(plan_id):
        raise HTTPException(404)
    return plan_id


PlanId = Annotated[str, Depends(plan_id)]


@router.get("/merges")
def merges(asking: Asks) -> HTMLResponse:
    """The status of every merge, which were undone, and the newest plans."""
    with asking.at_the_desk() as (_, night, _wanted):
        live, published = night.joined.live, _published(asking.settings)
        left = {merge_id: int(row["visits_left"] or 0) for merge_id, row in published.items()}
        standing = merges_of(asking.settings, live, left)
        newest_first = sorted(standing, key=lambda one: (-one.signed_in, one.merge_id))
        return show(
            asking.request,
            "merges",
            here="merges",
            merges=newest_first,
            entry_of={merge_id: signed.entry for merge_id, signed in live.items()},
            published=published,
            taken_back=night.joined.undone[::-1],
            plans=_plans(asking.settings),
            unseen={merge_id for merge_id, signed in live.items() if _is_unseen(asking, night, signed.merge)},
            timezone=asking.settings.timezone,
        )


@router.get("/plans/{plan_id}")
def plan(asking: Asks, plan_id: PlanId) -> HTMLResponse:
    """One published plan, as it is read before anybody signs it off."""
    told = read_plan(asking.settings, plan_id)
    if told is None:
        raise HTTPException(404)
    seen = asking.may_see(plan_id)
    return show(
        asking.request,
        "plan",
        here="merges",
        form_token=asking.form_token(),
        revealed=seen,
        **for_templates(
            told if seen or told["masked"] else masked_told(told), most=asking.settings.report.candidates_on_page
        ),
    )


@router.post("/plans/{plan_id}/reveal")
def reveal_plan(asking: Acts, plan_id: PlanId) -> RedirectResponse:
    """Show the references of a plan for half an hour."""
    if read_plan(asking.settings, plan_id) is None:
        raise HTTPException(404)
    path = f"/plans/{plan_id}"
    response = go_to(asking, path, "")
    asking.reveal(plan_id, response, f"{asking.base}{path}")
    return response


PATHS = frozenset(route.path for route in router.routes if isinstance(route, APIRoute))
"""What is open to those who merge too."""


def _is_unseen(asking: Asking, night: Night, merge: Merge) -> bool:
    """Whether a merge would say what others said of a candidate that is still to be decided blind."""
    return asking.blind and any(hides(asking, row) for row in night.rows if row.pair in merge.pairs)


def _published(settings: Settings) -> dict[str, dict[str, str]]:
    """How far each merge had come when merges were published last; empty before the first time."""
    file = settings.published / "current" / "merges.csv"
    if not file.exists():
        return {}
    with file.open(encoding="utf-8-sig", newline="") as lines:
        return {row["merge_id"]: row for row in csv.DictReader(lines)}


def _plans(settings: Settings) -> list[tuple[str, datetime]]:
    """The newest published plans: their ids, and when each was drawn up last."""
    folder = settings.published / "plans"
    links = [path for path in folder.iterdir() if PLAN_ID.fullmatch(path.name)] if folder.exists() else []
    made = [(path.name, datetime.fromtimestamp(path.lstat().st_mtime, ZoneInfo(settings.timezone))) for path in links]
    return sorted(made, key=lambda one: one[1], reverse=True)[:NEWEST]
