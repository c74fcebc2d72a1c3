"""Whoever is to be told of a night is told, in counts and in what to do next; by mail and by web, of nobody by name.

Airflow calls back from its DAG processor: see tests/trust/test_notices_at_work.py. Here is what then happens.
"""

from __future__ import annotations

import csv
import json
import os
import re
from collections.abc import Iterator
from datetime import date, timedelta
from email.message import EmailMessage
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag
from the_listeners import as_connection, mail_server, web_server

from pipelines.monitor.notice import RUNBOOK, night_done, night_failed, problem_of
from pipelines.nightly import measure
from pipelines.providers import DONE_BY_VARIABLE, Provider, ProvidersError, read_providers
from pipelines.quality import TableGateError
from pipelines.settings import Settings
from pipelines.unforeseen import UnforeseenError, quoting_nobody

DAGS = Path(__file__).parents[2] / "dags"
NIGHT = date(2026, 11, 20)


@pytest.fixture(scope="module")
def notices() -> ModuleType:
    """The module of the plugins folder, where Airflow looks for it."""
    import airflow.settings

    airflow.settings.initialize()
    return pytest.importorskip("oneclient_notices")


@pytest.fixture
def letters(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[EmailMessage]]:
    """A mail server that Airflow has a connection to, and what came to it."""
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://airflow.example")
    with mail_server() as (port, came):
        people = {"from_email": "night@office.example", "to": ["ann@office.example", "sam@office.example"]}
        mail = as_connection("smtp", port, disable_ssl=True, disable_tls=True, **people)
        monkeypatch.setenv("AIRFLOW_CONN_ONECLIENT_MAIL", mail)
        yield came


def body(letter: EmailMessage) -> str:
    part = letter.get_body(("html",))
    assert part is not None
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", part.get_content()))


def ended(task: str, xcom: Any) -> Any:
    """What Airflow calls back with when a run has ended: its last task, and what that left."""
    ti = SimpleNamespace(task_id=task, map_index=-1, xcom_pull=lambda task_ids, **_: xcom if task_ids == task else None)
    return {"dag": SimpleNamespace(dag_id="nightly"), "run_id": "manual__2026-11-21T02:30", "ti": ti}


def test_a_night_that_is_done_is_told_in_counts(
    notices: ModuleType, three_nights: Settings, letters: list[EmailMessage]
) -> None:
    measured = measure(three_nights, NIGHT).as_dict()
    notices.tell_done(ended("measure", json.loads(json.dumps(measured))))
    (letter,) = letters
    assert re.fullmatch(r"nightly: 2026-11-20 is done, [1-9]\d* candidates wait", letter["Subject"])
    assert (letter["From"], letter["To"]) == ("night@office.example", "ann@office.example, sam@office.example")
    told = body(letter)
    assert f"Report {three_nights.home}/reports/2026-11-20/index.html" in told
    assert "Run https://airflow.example/dags/nightly/runs/manual__2026-11-21T02%3A30" in told
    assert re.search(r"Files loaded [1-9]", told) and re.search(r"Rows loaded [1-9]", told)
    with (three_nights.home.parent / "feeds" / "records.csv").open(encoding="utf-8", newline="") as file:
        people = {row[column].casefold() for row in csv.DictReader(file) for column in ("Forename", "Surname")}
    assert len(people) > 50 and not people & set(re.findall(r"\w+", told.casefold()))


def test_a_night_that_failed_is_told_with_task_kind_and_runbook(
    notices: ModuleType, letters: list[EmailMessage]
) -> None:
    notices.tell_failed(ended("stage", "TableGateError"))
    (letter,) = letters
    assert letter["Subject"] == "nightly: the night failed in stage"
    assert "Problem TableGateError" in body(letter)
    assert f"What to do https://airflow.example/dags/nightly ({RUNBOOK})" in body(letter)
    assert f"## {RUNBOOK}" in (DAGS / "nightly.py").read_text()


def test_who_wants_to_hear_of_problems_only_does(
    notices: ModuleType, three_nights: Settings, letters: list[EmailMessage], monkeypatch: pytest.MonkeyPatch
) -> None:
    mail = json.loads(os.environ["AIRFLOW_CONN_ONECLIENT_MAIL"])
    mail["extra"]["problems_only"] = True
    monkeypatch.setenv("AIRFLOW_CONN_ONECLIENT_MAIL", json.dumps(mail))
    notices.tell_done(ended("measure", measure(three_nights, NIGHT).as_dict()))
    assert letters == []
    notices.tell_failed(ended("match", "WarehouseBusyError"))
    assert len(letters) == 1


def test_each_provider_has_its_own(notices: ModuleType, letters: list[EmailMessage]) -> None:
    notices.tell_failed(ended("match", "WarehouseBusyError"), "_acme")
    assert letters == []


def test_a_web_server_is_told_even_if_no_mail_can_be_sent(notices: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("airflow.providers.http", reason="webhooks need oneclient[webhook]")
    with mail_server() as (gone, _):
        pass
    mail = as_connection("smtp", gone, disable_ssl=True, disable_tls=True, retry_limit=1, to="ann@office.example")
    monkeypatch.setenv("AIRFLOW_CONN_ONECLIENT_MAIL", mail)
    with web_server() as (port, posted):
        monkeypatch.setenv("AIRFLOW_CONN_ONECLIENT_WEBHOOK", as_connection("http", port, endpoint="hooks/night"))
        with pytest.raises(RuntimeError, match=r"A notice could not be sent \(.*Error\)"):
            notices.tell_failed(ended("match", "WarehouseBusyError"))
    ((path, told),) = posted
    assert (path, told["ending"], told["task"], told["problem"]) == (
        "/hooks/night", "failed", "match", "WarehouseBusyError",
    )  # fmt: skip
    assert told["text"].startswith("nightly: the night failed in match\nTask: match\n")


def test_of_an_error_that_nobody_foresaw_only_kind_and_place_are_told() -> None:
    with pytest.raises(UnforeseenError) as caught, quoting_nobody():
        raise ValueError("Ann Archer")
    told = r"\[X1\] Something failed that nobody foresaw: ValueError at .*\. \(docs/errors.md#x1\)"
    assert re.fullmatch(told, problem_of(caught.value))
    assert problem_of(TableGateError("a table failed")) == "[G1] A table failed its checks"


def test_a_task_that_was_killed_has_told_no_kind() -> None:
    notice = night_failed("nightly", "https://run", "match", None, "https://dag")
    assert "killed" in notice.text and notice.payload["task"] == "match"


def test_what_a_provider_is_called_stays_text() -> None:
    measured = {"day": "2026-11-20", "report": "/<b>{{ 7 * 7 }}", "waiting": {"likely": 1}, **dict.fromkeys(
        ("files_loaded", "files_quarantined", "rows_read", "rows_loaded", "rows_rejected", "cells_unread",
         "new_records", "duplicates_found", "merges_standing", "train_again"), 0)}  # fmt: skip
    notice = night_done("nightly", "https://run", measured)
    assert "/&lt;b&gt;{{ 7 * 7 }}" in notice.html


class TestDoneBy:
    @pytest.mark.parametrize(
        ("at", "done_by", "hours"), [("02:30", "06:00", 3.5), ("22:00", "06:00", 8.0), ("02:30", "02:30", 24.0)]
    )
    def test_a_night_has_from_when_it_is_due_until_then(self, at: str, done_by: str, hours: float) -> None:
        provider = Provider.model_validate({"at": at, "done_by": done_by})
        assert provider.done_within == timedelta(hours=hours)

    def test_nobody_is_told_where_no_time_is_set(self) -> None:
        assert Provider().done_within is None and not DagBag(DAGS / "nightly.py").dags["nightly"].deadline

    def test_the_only_provider_has_it_from_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(DONE_BY_VARIABLE, "06:00")
        assert [str(one.done_by) for one in read_providers()] == ["06:00:00"]
        monkeypatch.setenv(DONE_BY_VARIABLE, "six")
        with pytest.raises(ProvidersError, match=r"ONECLIENT_DONE_BY: .*Correct it"):
            read_providers()
