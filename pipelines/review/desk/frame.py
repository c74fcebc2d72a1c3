"""Whose desk it is, who sits at it, and the frame in which each of its pages is shown."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment
from markupsafe import Markup

from pipelines.merge.plan_told import FILTERS, GLOBALS
from pipelines.publishing.pages import say_day
from pipelines.review.desk.people import Reviewer, SearchLimit
from pipelines.review.mask import mask_reference
from pipelines.review.page import environment
from pipelines.settings import Settings

Admit = Callable[[Request], Awaitable[Reviewer]]


@dataclass(frozen=True)
class Desk:
    """What every request needs. ``admit`` raises HTTPException 401 or 403, NobodyError for a sign-in of no person;
    ``provider`` is whose desk it is, where there are several."""

    settings: Callable[[], Settings]
    admit: Admit
    provider: str = ""
    limit: SearchLimit = field(default_factory=SearchLimit)


async def admitted(request: Request) -> Reviewer:
    """Who is asking; every page and every form depends on this."""
    desk: Desk = request.app.state.desk
    reviewer = await desk.admit(request)
    request.state.reviewer = reviewer
    return reviewer


def show(request: Request, template: str, status: int = 200, **said: Any) -> HTMLResponse:
    """A page from its template."""
    frame = {
        "base": request.scope.get("root_path", ""),
        "provider": request.app.state.desk.provider,
        "reviewer": getattr(request.state, "reviewer", None),
        "keys": request.cookies.get("oneclient_keys") != "off",
        "blind_mode": request.cookies.get("oneclient_blind") == "on",
        "form_token": "",
        "here": "",
    }
    return HTMLResponse(_environment().get_template(f"desk/{template}.html.j2").render(**(frame | said)), status)


@cache
def _environment() -> Environment:
    """The templates of the report, whose macros show a case here too, with their headings two levels up."""
    made = environment().overlay()
    made.filters = (
        environment().filters
        | FILTERS
        | {
            "as_h2": _as_h2,
            "masked": mask_reference,
            "masked_refs": _masked_refs,
            "moment": _moment,
        }
    )
    made.globals = environment().globals | GLOBALS
    return made


def _as_h2(shown: Markup) -> Markup:
    """Values in it are escaped, so what looks like a heading is one."""
    return Markup(shown.replace(Markup("<h4"), Markup('<h2 class="small"')).replace(Markup("</h4>"), Markup("</h2>")))  # noqa: S704


def _moment(when: datetime) -> str:
    """``22 November 2026 14:03``."""
    return f"{say_day(when.date())} {when:%H:%M}"


def _masked_refs(reason: str) -> str:
    """A standing's reason, with the client refs that it may name masked."""
    return re.sub(r"[^\s,]+/[^\s,]+", lambda ref: mask_reference(ref[0]), reason)
