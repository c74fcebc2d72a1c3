"""In a running Airflow whoever is to be told of a night is told: done, failed, and late while it still hangs."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import date, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
import running
from running import starting_airflow
from the_listeners import as_connection, datagrams, mail_server, web_server

from pipelines.sample import make_sample
from pipelines.settings import load_settings
from pipelines.warehouse import open_warehouse

pytestmark = [
    pytest.mark.prove,
    pytest.mark.skipif(os.environ.get("PROVE") != "full", reason="a running Airflow: make prove"),
]
NIGHT = date(2026, 11, 20)
AS_LONG_AS_IT_MAY_TAKE_SECONDS = 600


def wait_until(what: Callable[[], object], log: Path) -> None:
    until = time.monotonic() + AS_LONG_AS_IT_MAY_TAKE_SECONDS
    while not what():
        if time.monotonic() > until:
            pytest.fail(log.read_text()[-6000:])
        time.sleep(0.5)


def test_done_failed_and_late_are_told_and_airflow_counts_its_tasks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("airflow.providers.http", reason="webhooks need oneclient[webhook]")
    pytest.importorskip("statsd", reason="Airflow's metrics by StatsD need its package")
    for patience in ("STARTS_WITHIN_SECONDS", "ENDS_WITHIN_SECONDS"):
        monkeypatch.setattr(running, patience, AS_LONG_AS_IT_MAY_TAKE_SECONDS)
    settings = load_settings(tmp_path / "home")
    make_sample(tmp_path / "feeds", clients=60, visits=100, seed=7, day=NIGHT)
    with ExitStack() as stack:
        mail, letters = stack.enter_context(mail_server())
        web, posted = stack.enter_context(web_server())
        counter, counted = stack.enter_context(datagrams())
        people = {"from_email": "night@office.example", "to": "ann@office.example"}
        airflow = stack.enter_context(
            starting_airflow(
                tmp_path / "airflow",
                settings.home,
                {"ann": "user"},
                "airflow triggerer &",
                AIRFLOW__CORE__EXECUTOR="LocalExecutor",
                AIRFLOW_CONN_ONECLIENT_MAIL=as_connection("smtp", mail, disable_ssl=True, disable_tls=True, **people),
                AIRFLOW_CONN_ONECLIENT_WEBHOOK=as_connection("http", web, endpoint="night"),
                ONECLIENT_DONE_BY="02:31",  # a minute after it is due, or after it was asked for by hand
                AIRFLOW__METRICS__STATSD_ON="True",
                AIRFLOW__METRICS__STATSD_HOST="127.0.0.1",
                AIRFLOW__METRICS__STATSD_PORT=str(counter),
            )
        ).wait_for("nightly")

        def told() -> list[tuple[str, str]]:
            return [(what["ending"], what.get("day", "")) for _, what in posted]

        assert airflow.ask("ann", "PATCH", "/dags/nightly", {"is_paused": False}).status_code == 200
        done = airflow.trigger("ann", "nightly", day=NIGHT.isoformat(), inbox=str(tmp_path / "feeds" / "inbox"))
        wait_until(lambda: ("done", NIGHT.isoformat()) in told() and len(letters) == len(posted), airflow.log)
        assert done.told("measure")["files_loaded"] > 0

        (settings.home / "settings.toml").write_text("[report]\nmask = 7\n")
        airflow.trigger("ann", "nightly", day=NIGHT.isoformat())
        wait_until(lambda: "failed" in dict(told()), airflow.log)
        (failed,) = [what for _, what in posted if what["ending"] == "failed"]
        assert (failed["task"], failed["problem"][:4]) == ("find_deliveries", "[S1]")
        (settings.home / "settings.toml").unlink()

        following = (NIGHT + timedelta(days=1)).isoformat()
        with open_warehouse(settings):
            run_id = airflow.trigger("ann", "nightly", day=following).path.rpartition("/")[2]
            late = f"{airflow.address}/dags/nightly/runs/{quote(run_id)}"
            wait_until(lambda: late in [what["run"] for _, what in posted if what["ending"] == "late"], airflow.log)
            assert ("done", following) not in told(), "told of while it hangs"
        wait_until(lambda: ("done", following) in told() and len(letters) == len(posted), airflow.log)

        subjects = [str(letter["Subject"]) for letter in letters]
        assert "nightly: the night is late" in subjects and "nightly: the night failed in find_deliveries" in subjects
        names = {line.partition(":")[0] for line in counted}
        assert {"airflow.ti.finish.nightly.stage.success", "airflow.dagrun.duration.success.nightly"} <= names, names
        assert "airflow.deadline_alerts.deadline_missed" in names
