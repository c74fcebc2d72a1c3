"""A desk over a home whose last night published made-up candidates; nobody in them lives."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

from fastapi import HTTPException, Request
from fastapi.testclient import TestClient
from httpx import Response

from pipelines.decisions.entry import Entry
from pipelines.decisions.evidence import evidence_hash
from pipelines.decisions.store import open_decisions
from pipelines.merge.measure import KINDS
from pipelines.review import publish
from pipelines.review.contents import Candidate, Report
from pipelines.review.desk.app import make_app
from pipelines.review.desk.people import Reviewer, reviewer
from pipelines.settings import Settings, load_settings

TOKENS = re.compile(r'name="(form_token|decide_token)" value="([^"]+)"')


def proper(number: int, candidate: Candidate, says: str = "as seen") -> Candidate:
    """A candidate of the examples with an id and facts as a night would give it."""
    one, other = sorted((candidate.left.client_ref, candidate.right.client_ref))
    facts = json.dumps([{"client_ref": one, "surname": says}, {"client_ref": other, "surname": "ARCHER"}])
    return replace(candidate, candidate_id=f"C{number:010X}", facts=facts, evidence_hash=evidence_hash(facts))


def home_with(folder: Path, report: Report) -> Settings:
    """A home whose last night published this."""
    settings = load_settings(folder / "home")
    publish._publish(settings, report)
    return settings


def publish_a_plan(settings: Settings, *, left: str = "careplan/100234", right: str = "KENT/reference/00345678") -> str:
    """A plan, published, that merges two of the records of the examples; gives its id."""
    none = dict.fromkeys(KINDS, 0)
    change = {"client_ref": left, "before": none, "after": none | {"visits": 3}}
    merge = {
        "merge_id": "M0000000001", "wave": "money", "survivor": left, "survivor_because": "it has active orders",
        "members": [{"client_ref": left, "origins": [left]}, {"client_ref": right, "origins": [right]}],
        "pairs": [[right, left]], "verdicts": [1], "former": [["KENT", "00345678"]], "decided_by": ["ann"],
        "choices": {"survivor": None, "enrolments": {}, "references": {}, "aliases": None, "move_active_orders": True},
        "candidate_ids": ["C0000000001"], "carries_on": False, "changes": [change], "moves": none | {"visits": 3},
        "left": {}, "minutes": 90, "weekly_pence": 0, "blockers": [], "open_ways": [], "arrivals": [],
        "from_refs": [right], "set_aside": ["Reference KENT 00345678: goes on as a former one"],
    }  # fmt: skip
    told = {
        "plan_hash": "0123456789ab" + "0" * 52, "as_of": "2026-11-20", "from": None, "to": None, "ready": [merge],
        "blocked": [], "undoes": [], "held_back": [], "moves": none | {"visits": 3}, "unfinished": None,
        "masked": False, "partitions": [{"from_on": "2026-10-01", "rows": 3, "minutes": 90}], "provider": "Rosewood",
        "oneclient_version": "0.1.0",
    }  # fmt: skip
    folder = settings.published / "plans" / "0123456789ab"
    folder.mkdir(parents=True)
    (folder / "plan.json").write_text(json.dumps(told), encoding="utf-8")
    return folder.name


def path_of(number: int) -> str:
    """Where candidate ``number`` stands."""
    return f"/candidates/C{number:010X}"


class Desk:
    """Somebody at the desk: opens pages, fills in forms."""

    def __init__(self, settings: Settings, name: str = "ann") -> None:
        self.settings = settings
        self.name = name
        self.client = TestClient(make_app(lambda: settings, self.admit), follow_redirects=False)

    async def admit(self, request: Request) -> Reviewer:
        """As the plugin does: 401 for nobody, 403 for who may not."""
        if self.name in {"", "vic"}:
            raise HTTPException(403 if self.name else 401, "You may not review.")
        return reviewer(self.name, self.name)

    def get(self, path: str) -> Response:
        return self.client.get(path)

    def read(self, path: str) -> str:
        """A page that has to be there."""
        answer = self.get(path)
        assert answer.status_code == 200, answer.text
        return answer.text

    def tokens(self, path: str) -> dict[str, str]:
        return dict(TOKENS.findall(self.get(path).text))

    def fill(self, page: str, path: str, **fields: str) -> Response:
        """Open a page and send one of its forms."""
        return self.client.post(path, data={**self.tokens(page), **fields})

    def decide(self, number: int, verdict: str, reason: str = "looked", query: str = "", **fields: str) -> Response:
        page = path_of(number)
        return self.fill(page + query, f"{page}/decide{query}", verdict=verdict, reason=reason, **fields)

    def undo(self, number: int) -> Response:
        return self.fill(path_of(number), f"{path_of(number)}/undo")

    def reveal(self, number: int) -> Response:
        return self.fill(path_of(number), f"{path_of(number)}/reveal")

    def entries(self) -> list[Entry]:
        with open_decisions(self.settings) as store:
            return store.entries()
