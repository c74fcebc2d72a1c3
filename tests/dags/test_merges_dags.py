"""The DAGs that merge and take back: what their forms ask, and that only a person's own answer signs anything off."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException
from airflow.utils import db

from pipelines.decisions.database import StoreUnavailableError
from pipelines.decisions.statement import DecisionRefusedError
from pipelines.merge import MergeError
from pipelines.providers import ONLY, Provider
from pipelines.settings import KeyRefusedError
from pipelines.troubles import KnownError
from pipelines.warehouse import WarehouseBusyError

DAGS = Path(__file__).parents[2] / "dags"


@pytest.fixture(scope="module")
def bag() -> DagBag:
    db.initdb()
    return DagBag(DAGS / "merges.py")


@pytest.fixture(scope="module")
def source() -> ModuleType:
    """The DAG file as a module of its own."""
    spec = spec_from_file_location("merges_dag_file", DAGS / "merges.py")
    assert spec and spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Signed:
    """A request that notes who signed which plan."""

    def __init__(self) -> None:
        self.by: list[tuple[str, str]] = []

    def sign_off(self, settings: object, who: str, plan_hash: str, run: str) -> int:
        if who == "ann":
            raise DecisionRefusedError("Who approved a merge may not carry it out as well.")
        self.by.append((who, plan_hash))
        return 17


@pytest.fixture
def signed(source: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Signed:
    """What the operator asks to be signed off, in place of the warehouse."""
    request = Signed()
    merging = source.merging

    @contextmanager
    def instead(provider: Provider) -> Iterator[Any]:
        with merging(provider) as (settings, _, run):
            yield settings, request, run

    context = {
        "dag": SimpleNamespace(dag_id="undo_merges"),
        "params": {"merge_ids": ["M1"], "every_merge": False, "reason": None},
        "run_id": "a run",
    }
    monkeypatch.setenv("ONECLIENT_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(source, "get_current_context", lambda: context)
    monkeypatch.setattr(source, "merging", instead)
    return request


def answer(source: ModuleType, by: dict[str, str] | None, choice: str = "Approve") -> Any:
    """What becomes of an answer, as Airflow hands it to the operator."""
    event = {
        "chosen_options": [choice], "params_input": {}, "responded_at": datetime.now(UTC), "responded_by_user": by,
        "timedout": by is None,
    }  # fmt: skip
    return source.SignOff(task_id="sign_off").execute_complete({}, event, plan_hash="abc")


def test_both_are_started_by_hand_and_can_be_at_once(bag: DagBag) -> None:
    assert bag.import_errors == {}
    for dag in bag.dags.values():
        assert (dag.schedule, dag.catchup, dag.is_paused_upon_creation) == (None, False, False)
    assert set(bag.dags) == {"apply_merges", "undo_merges"}


def test_both_take_the_same_steps(bag: DagBag) -> None:
    apply, undo = (bag.dags[name] for name in ("apply_merges", "undo_merges"))
    assert {t.task_id: t.downstream_task_ids for t in apply.tasks} == {
        t.task_id: t.downstream_task_ids for t in undo.tasks
    }
    order = [t.task_id for t in apply.topological_sort() if t.task_id != "dry_run_ends_here"]
    assert order == ["plan", "sign_off", "begin", "move", "finish", "publish"]
    assert apply.get_task("dry_run_ends_here").upstream_task_ids == {"plan"}


@pytest.mark.parametrize("dag_id", ["apply_merges", "undo_merges"])
def test_whoever_sends_the_form_as_it_is_starts_a_dry_run(bag: DagBag, dag_id: str) -> None:
    form = bag.dags[dag_id].params.dump()
    assert form.pop("dry_run") is True
    assert not any(form.values())


def test_every_field_says_what_it_is(bag: DagBag) -> None:
    for dag in bag.dags.values():
        for name in dag.params:
            field = dag.params.get_param(name)
            assert field.schema["title"]
            assert field.description or field.schema["description_md"]


def test_the_form_of_an_undo_leads_to_the_list_of_merges(bag: DagBag) -> None:
    field = bag.dags["undo_merges"].params.get_param("merge_ids")
    assert "[Merges](/oneclient/merges)" in field.schema["description_md"]


def test_a_button_leads_to_the_plan_of_the_run(bag: DagBag) -> None:
    dag = bag.dags["apply_merges"]
    told = SimpleNamespace(xcom_pull=lambda task_ids: {"plan_hash": "0123456789abcdef"})
    nothing = SimpleNamespace(xcom_pull=lambda task_ids: None)
    for task_id in ("plan", "dry_run_ends_here"):
        (link,) = dag.get_task(task_id).operator_extra_links
        assert link.get_link(dag.get_task(task_id), ti_key=told) == "/oneclient/plans/0123456789ab"
        assert link.get_link(dag.get_task(task_id), ti_key=nothing) == "/oneclient/merges"


def test_the_button_imports_nothing_after_the_task_has_ended() -> None:
    """Airflow ends a task 20 seconds after its work is done, and a busy machine needs as long to import pandas."""
    script = (
        "import runpy, sys\n"
        "from types import SimpleNamespace\n"
        f"dags = runpy.run_path({str(DAGS / 'merges.py')!r})\n"
        "link = dags['PlanLink'](dags['ONLY'])\n"
        "before = set(sys.modules)\n"
        "run = SimpleNamespace(xcom_pull=lambda task_ids: {'plan_hash': '0123456789abcdef'})\n"
        "assert link.get_link(None, ti_key=run).endswith('/plans/0123456789ab')\n"
        "print(sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_person_signs_under_the_name_of_the_review_page(source: ModuleType, signed: Signed) -> None:
    assert answer(source, {"id": "sam", "name": "sam"}) == 17
    assert answer(source, {"id": "3", "name": "Sam Smith"}) == 17
    assert signed.by == [("sam", "abc"), ("Sam Smith [3]", "abc")]


@pytest.mark.parametrize(
    "by",
    [
        pytest.param({"id": "Anonymous", "name": "Anonymous"}, id="everybody is an administrator"),
        pytest.param({"id": "airflow", "name": "airflow"}, id="a machine"),
        pytest.param({"id": "", "name": ""}, id="no name"),
        pytest.param(None, id="nobody: the time was up, or a task answered itself"),
        pytest.param({"id": "ann", "name": "ann"}, id="who decided it"),
    ],
)
def test_anybody_else_signs_nothing(source: ModuleType, signed: Signed, by: dict[str, str] | None) -> None:
    with pytest.raises(AirflowFailException):
        answer(source, by)
    assert signed.by == []


def test_a_rejection_ends_the_run(source: ModuleType, signed: Signed) -> None:
    with pytest.raises(AirflowSkipException, match="Rejected"):
        answer(source, {"id": "sam", "name": "sam"}, "Reject")
    assert signed.by == []


@pytest.mark.parametrize(
    ("error", "ends"),
    [
        pytest.param(WarehouseBusyError("Wait."), WarehouseBusyError, id="the warehouse is taken"),
        pytest.param(StoreUnavailableError("Wait."), StoreUnavailableError, id="the store does not answer"),
        pytest.param(StoreUnavailableError("Upgrade.", code="L5"), AirflowFailException, id="the store is an old one"),
        pytest.param(KeyRefusedError("Give the key."), AirflowFailException, id="the key is missing"),
        pytest.param(MergeError("Look again.", code="M3"), AirflowFailException, id="the plan is another"),
    ],
)
def test_only_what_may_pass_is_tried_again(
    source: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    error: KnownError,
    ends: type[Exception],
) -> None:
    monkeypatch.setenv("ONECLIENT_HOME", str(tmp_path / "home"))
    form = {"merge_ids": None, "every_merge": True, "reason": "a test"}
    context = {"dag": SimpleNamespace(dag_id="undo_merges"), "params": form, "run_id": "a run"}
    monkeypatch.setattr(source, "get_current_context", lambda: context)
    with pytest.raises(ends), source.merging(ONLY):
        raise error


def test_a_form_that_cannot_be_meant_is_not_tried_again(
    source: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ONECLIENT_HOME", str(tmp_path / "home"))
    form = {"merge_ids": None, "every_merge": False, "reason": None}
    context = {"dag": SimpleNamespace(dag_id="undo_merges"), "params": form, "run_id": "a run"}
    monkeypatch.setattr(source, "get_current_context", lambda: context)
    said = r"^\[D14\] Name the merges.*docs/errors\.md#d14"
    with pytest.raises(AirflowFailException, match=said), source.merging(ONLY):
        pass
