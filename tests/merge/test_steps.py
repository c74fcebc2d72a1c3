"""A run in steps that know nothing of each other but numbers and names comes to the same as one in a single process."""

from __future__ import annotations

from pathlib import Path

import pytest
from decided_home import copy_of, decided_home

from pipelines.decisions.store import open_decisions
from pipelines.fingerprint import fingerprint
from pipelines.merge import steps
from pipelines.merge.carry_out import apply_merges
from pipelines.merge.request import MergeRequest, UndoRequest
from pipelines.merge.run import MergeInFlightError, NotSignedOffError, PlanChangedError
from pipelines.merge.selection import Selection
from pipelines.merge.status import merge_status
from pipelines.settings import Settings
from pipelines.warehouse import open_warehouse

OUT_OF_ORDER = [("2026-11-01", "2026-11-10"), (None, "2026-10-01"), ("2026-11-10", None), ("2026-10-01", "2026-11-01")]


@pytest.fixture(scope="module")
def waiting(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return decided_home(tmp_path_factory.mktemp("waiting"))


@pytest.fixture
def home(waiting: Settings, tmp_path: Path) -> Settings:
    return copy_of(waiting, tmp_path / "steps")


def asking_for(from_on: str | None = None, to_on: str | None = None) -> MergeRequest:
    form = dict.fromkeys(("authority", "wave", "candidate_ids", "signed_off_by", "reason"))
    return MergeRequest.of_form({**form, "from_on": from_on, "to_on": to_on})


def sign(settings: Settings, request: MergeRequest | UndoRequest, who: str = "sam") -> int:
    signed_in = request.sign_off(settings, who, request.plan(settings).plan_hash)
    assert signed_in is not None
    return signed_in


def run(settings: Settings, request: MergeRequest | UndoRequest) -> dict[str, object]:
    """All steps, as the DAG takes them."""
    signed_in = sign(settings, request)
    for names in steps.begin(settings, signed_in, "a run"):
        steps.move(settings, signed_in, names, "a run")
    return steps.finish(settings, signed_in, "a run")


def months_moved(settings: Settings) -> list[str]:
    with open_warehouse(settings) as warehouse:
        return [name for (name,) in warehouse.rows("select partition_name from merged.ledger order by 1")]


def test_the_steps_come_to_the_state_of_the_command(home: Settings, tmp_path: Path) -> None:
    at_once = copy_of(home, tmp_path / "at_once")
    apply_merges(at_once, Selection(), who="sam")
    done = run(home, asking_for())
    assert done["merges"] == len(merge_status(home).merges) > 5
    assert fingerprint(home, "linked") == fingerprint(at_once, "linked")
    assert months_moved(home) == months_moved(at_once)


def test_range_by_range_in_any_order_is_all_at_once(home: Settings, tmp_path: Path) -> None:
    at_once = copy_of(home, tmp_path / "at_once")
    run(at_once, asking_for())
    for number, (from_on, to_on) in enumerate(OUT_OF_ORDER):
        assert number == 0 or any(merge.state == "partial" for merge in merge_status(home).merges)
        run(home, asking_for(from_on, to_on))
    assert {merge.state for merge in merge_status(home).merges} == {"complete"}
    assert fingerprint(home, "linked") == fingerprint(at_once, "linked")


def test_a_group_of_months_is_a_task(home: Settings) -> None:
    by_two = home.model_copy(update={"merge": home.merge.model_copy(update={"partitions_per_task": 2})})
    groups = steps.begin(by_two, sign(by_two, asking_for()), "a run")
    assert groups == [["2026-09-01", "2026-10-01"], ["2026-11-01"]]


def test_every_step_may_be_taken_again(home: Settings) -> None:
    signed_in = sign(home, asking_for())
    ((*names,),) = steps.begin(home, signed_in, "a run")
    assert steps.move(home, signed_in, names, "a run")["partitions"] == len(names)
    assert steps.move(home, signed_in, names, "again") == {"partitions": 0, "visits": 0}
    assert steps.begin(home, signed_in, "again") == []
    assert steps.finish(home, signed_in, "a run") == steps.finish(home, signed_in, "again")


def test_what_no_step_has_moved_is_moved_at_the_end(home: Settings, tmp_path: Path) -> None:
    at_once = copy_of(home, tmp_path / "at_once")
    run(at_once, asking_for())
    steps.finish(home, sign(home, asking_for()), "a run")
    assert fingerprint(home, "linked") == fingerprint(at_once, "linked")


def test_months_that_were_not_signed_off_do_not_move(home: Settings) -> None:
    signed_in = sign(home, asking_for("2026-11-01"))
    steps.move(home, signed_in, ["2026-09-01", "2026-10-01", "2026-11-01"], "a run")
    assert months_moved(home) == ["2026-11-01", "current"]


@pytest.mark.parametrize("made_up", [None, 1, 10_000, "1"])
def test_a_number_that_is_no_sign_off_moves_nothing(home: Settings, made_up: int) -> None:
    before = fingerprint(home)
    for step in (
        lambda: steps.begin(home, made_up, "a run"),
        lambda: steps.move(home, made_up, ["2026-11-01"], "a run"),
        lambda: steps.finish(home, made_up, "a run"),
    ):
        with pytest.raises(NotSignedOffError):
            step()
    assert fingerprint(home) == before


def test_a_plan_that_was_signed_need_not_be_signed_again(home: Settings) -> None:
    plan_hash = asking_for().plan(home).plan_hash
    assert steps.signed_before(home, plan_hash) is None
    assert steps.signed_before(home, None) is None
    signed_in = sign(home, asking_for())
    assert steps.signed_before(home, plan_hash) == signed_in


def test_of_two_runs_that_wait_for_an_answer_the_second_is_refused(home: Settings) -> None:
    plan_hash = asking_for().plan(home).plan_hash
    signed_in = sign(home, asking_for())
    with pytest.raises(MergeInFlightError, match="not finished"):
        asking_for().sign_off(home, "sam", plan_hash)
    steps.finish(home, signed_in, "a run")
    with pytest.raises(PlanChangedError, match="Plan again"):
        asking_for().sign_off(home, "sam", plan_hash)


def test_a_run_that_has_ended_is_not_taken_back_by_a_task_that_is_cleared_later(home: Settings) -> None:
    signed_in = int(str(run(home, asking_for())["signed_in"]).strip("[]"))
    with open_warehouse(home) as warehouse:
        warehouse.execute("update staged.visits set client_id = origin_client_id")
    with open_decisions(home) as store:
        log = store.last()
    steps.finish(home, signed_in, "cleared")
    with open_decisions(home) as store:
        assert store.last() == log


def test_undo_in_steps_is_exact(home: Settings) -> None:
    before = fingerprint(home, "linked")
    run(home, asking_for())
    assert fingerprint(home, "linked") != before
    assert run(home, UndoRequest(None))["undone"]
    assert fingerprint(home, "linked") == before
