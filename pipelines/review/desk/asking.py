"""What a request asks for: the home it is about, the filters of its address, its form, and the right to see values."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Depends, HTTPException, Request, Response
from fastapi.responses import RedirectResponse

from pipelines.decisions.store import DecisionStore, open_decisions
from pipelines.review.desk.access_log import record_access
from pipelines.review.desk.frame import Desk, admitted
from pipelines.review.desk.people import Reviewer
from pipelines.review.desk.queue import Night, Wanted, look, read_wanted, search
from pipelines.review.desk.seals import HALF_AN_HOUR, WORKING_DAY, BrokenSealError, Seals
from pipelines.settings import Settings

CANDIDATE_ID = re.compile(r"C[0-9A-F]{10}")
CLUSTER_ID = re.compile(r"K[0-9A-Z]{1,15}")
LONGEST_SEARCH = 100
CSRF = "form"


@dataclass(frozen=True)
class Asking:
    """One request at the desk."""

    request: Request
    settings: Settings
    reviewer: Reviewer
    seals: Seals
    form: Mapping[str, str]

    @property
    def who(self) -> str:
        """Who is asking, as their decisions are recorded."""
        return self.reviewer.who

    @property
    def base(self) -> str:
        """The path under which the page stands."""
        return str(self.request.scope.get("root_path", ""))

    @property
    def blind(self) -> bool:
        """Whether scores are hidden until the verdict."""
        asked = self.request.query_params.get("blind") == "on"
        return asked or self.request.cookies.get("oneclient_blind") == "on"

    def form_token(self) -> str:
        """What every form carries."""
        return self.seals.seal(CSRF, user=self.reviewer.user_id)

    @contextmanager
    def at_the_desk(self) -> Iterator[tuple[DecisionStore, Night, Wanted]]:
        """The decision store, the queue as it is now, and what of it is wanted."""
        with open_decisions(self.settings) as store:
            night = look(self.settings, store)
            yield store, night, read_wanted(self.request.query_params, night, self._found(night))

    def searched(self) -> dict[str, Any]:
        """What was searched: ``text`` and ``names``; empty when nothing was, or too long ago."""
        try:
            return self.seals.read("search", self.request.query_params.get("search", ""), WORKING_DAY)
        except BrokenSealError:
            return {}

    def query(self, wanted: Wanted, **more: str) -> str:
        """The address behind the ``?`` that keeps the filters and the search."""
        said = wanted.as_query() | more
        if wanted.found is not None:
            said["search"] = self.request.query_params["search"]
        if self.request.query_params.get("blind") == "on":
            said.setdefault("blind", "on")
        return f"?{urlencode(said)}" if said else ""

    def _found(self, night: Night) -> frozenset[str] | None:
        searched = self.searched()
        if not searched or searched.get("user") != self.reviewer.user_id:
            return None
        return search(self.settings, night, searched["text"], names=searched["names"])

    def may_see(self, case_id: str) -> bool:
        """Whether this person revealed this case in the last half hour; the look is written down."""
        try:
            seen = self.seals.read("reveal", self.request.cookies.get(f"oneclient_{case_id}", ""), HALF_AN_HOUR)
        except BrokenSealError:
            return False
        if (seen["user"], seen["case"]) != (self.reviewer.user_id, case_id):
            return False
        record_access(self.settings.home, self.who, "look", [case_id])
        return True

    def reveal(self, case_id: str, response: Response, path: str) -> None:
        """Let this person see the values of one case for half an hour, and write it down first."""
        record_access(self.settings.home, self.who, "reveal", [case_id])
        token = self.seals.seal("reveal", user=self.reviewer.user_id, case=case_id)
        keep(self, response, f"oneclient_{case_id}", token, path=path, seconds=HALF_AN_HOUR)


def keep(asking: Asking, response: Response, name: str, value: str, *, path: str, seconds: int) -> None:
    """A cookie that no script reads and no other site sends."""
    secure = asking.request.url.scheme == "https"
    response.set_cookie(name, value, max_age=seconds, path=path, httponly=True, samesite="strict", secure=secure)


def go_to(asking: Asking, path: str, query: str) -> RedirectResponse:
    """On to another page, once something was done."""
    return RedirectResponse(f"{asking.base}{path}{query}", status_code=303)


def ask(request: Request, reviewer: Annotated[Reviewer, Depends(admitted)]) -> Asking:
    """A request that only reads."""
    desk: Desk = request.app.state.desk
    settings = desk.settings()
    return Asking(request, settings, reviewer, Seals(settings.home), {})


async def filled_form(request: Request, reviewer: Annotated[Reviewer, Depends(admitted)]) -> dict[str, str]:
    """The fields of the form; only of one who was admitted."""
    async with request.form(max_files=0, max_fields=200) as form:
        return {name: value for name, value in form.items() if isinstance(value, str)}


def ask_to_act(
    asking: Annotated[Asking, Depends(ask)], form: Annotated[dict[str, str], Depends(filled_form)]
) -> Asking:
    """A request that changes something: its form was made by us, for this person, today. Else 403."""
    try:
        user = asking.seals.read(CSRF, form.get("form_token", ""), WORKING_DAY)["user"]
    except BrokenSealError:
        user = None
    if user != asking.reviewer.user_id:
        raise HTTPException(403, "The form was not made for you, or is older than a day. Open the page again.")
    return Asking(asking.request, asking.settings, asking.reviewer, asking.seals, form)


def candidate_id(candidate_id: str) -> str:
    """The candidate of the address. 404 if that can be none."""
    if not CANDIDATE_ID.fullmatch(candidate_id):
        raise HTTPException(404)
    return candidate_id


def cluster_id(cluster_id: str) -> str:
    """The cluster of the address. 404 if that can be none."""
    if not CLUSTER_ID.fullmatch(cluster_id):
        raise HTTPException(404)
    return cluster_id


Asks = Annotated[Asking, Depends(ask)]
Acts = Annotated[Asking, Depends(ask_to_act)]
CandidateId = Annotated[str, Depends(candidate_id)]
ClusterId = Annotated[str, Depends(cluster_id)]
