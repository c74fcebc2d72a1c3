"""The practice page: pairs of made-up people, one after the other, each with its answer once it was given."""

from __future__ import annotations

import time
from collections.abc import Sequence

from fastapi import APIRouter, HTTPException
from fastapi.responses import HTMLResponse, RedirectResponse

from pipelines.decisions.statement import DecisionRefusedError, person
from pipelines.review.desk.asking import Acts, Asking, Asks, go_to
from pipelines.review.desk.forms import VERDICTS
from pipelines.review.desk.frame import show
from pipelines.review.desk.seals import WORKING_DAY, BrokenSealError
from pipelines.review.practice import (
    PracticePair,
    Practised,
    pair_called,
    pairs_of_round,
    read_practice,
    record_practice,
    round_of,
    rounds,
    scores,
)

router = APIRouter(default_response_class=HTMLResponse)


@router.get("/practice")
def practice(asking: Asks) -> HTMLResponse:
    """The next pair of this person's round, and whether the last answer was right."""
    return _show_practice(asking)


@router.get("/practice/{pair_id}")
def look_again(asking: Asks, pair_id: str) -> HTMLResponse:
    """A pair that this person has answered, with what they said and who they were. 404 for any other."""
    said = next((one for one in _mine(asking) if one.pair_id == pair_id), None)
    if said is None:
        raise HTTPException(404)
    return show(asking.request, "practised", here="practice", said=said, pair=pair_called(pair_id))


@router.post("/practice", response_model=None)
def answer(asking: Acts) -> HTMLResponse | RedirectResponse:
    """Write an answer down: in the practice log, never among the decisions. To one pair only the first one counts."""
    try:
        shown = asking.seals.read("practice", asking.form.get("decide_token", ""), WORKING_DAY)
    except BrokenSealError:
        shown = {}
    if shown.get("user") != asking.reviewer.user_id:
        raise HTTPException(403, "The form was not made for you, or is older than a day. Open the page again.")
    _, _, pair = _here(asking)
    if pair.pair_id == shown["pair"]:
        seconds = max(0.0, time.time() - shown["sealed_at"])
        try:
            record_practice(asking.settings.home, asking.who, pair, asking.form.get("verdict", ""), seconds)
        except DecisionRefusedError as refused:
            return _show_practice(asking, refusal=str(refused), status=400)
    return go_to(asking, "/practice", "")


def _show_practice(asking: Asking, refusal: str = "", status: int = 200) -> HTMLResponse:
    said, number, pair = _here(asking)
    _, in_round = round_of(said, asking.who)
    mine, ended = _mine(asking), rounds(said, asking.who)
    return show(
        asking.request,
        "practice",
        status,
        here="practice",
        form_token=asking.form_token(),
        decide_token=asking.seals.seal("practice", user=asking.reviewer.user_id, pair=pair.pair_id),
        pair=pair,
        number=number,
        place=len(in_round) + 1,
        size=len(pairs_of_round(number)),
        last=(mine[-1], pair_called(mine[-1].pair_id)) if mine else None,
        ended=ended[-1] if ended and not in_round else None,
        to_look_at=[one for one in reversed(mine) if not one.is_right],
        score=next(iter(scores(mine)), None),
        refusal=refusal,
        VERDICTS=VERDICTS,
    )


def _here(asking: Asking) -> tuple[Sequence[Practised], int, PracticePair]:
    """All answers, and the round and the pair at which this person is."""
    said = read_practice(asking.settings.home)
    number, in_round = round_of(said, asking.who)
    return said, number, pairs_of_round(number)[len(in_round)]


def _mine(asking: Asking) -> list[Practised]:
    return [one for one in read_practice(asking.settings.home) if person(one.who) == person(asking.who)]
