"""Tells people that a night is done, failed or late, by Airflow's own notifiers. What they are told is made in
``pipelines/monitor/notice.py``; who is told stands in connections of Airflow, so that no address is in a file of ours:

| connection | type | its extra |
| --- | --- | --- |
| ``oneclient_mail`` | ``smtp`` | ``{"from_email": "…", "to": ["…"], "problems_only": false}`` |
| ``oneclient_webhook`` | ``http``, of ``oneclient[webhook]`` | ``{"endpoint": "…", "problems_only": false}`` |

``oneclient_mail_acme`` and so on are those of a provider on the list. One that is not there is not used. The set-up
step by step: ``docs/monitoring.md``. It lies in the plugins folder because the triggerer imports it by its name.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from airflow.configuration import conf
from airflow.sdk.exceptions import AirflowNotFoundException

from pipelines.monitor.notice import Notice, night_done, night_failed, night_late

if TYPE_CHECKING:
    from airflow.sdk import BaseNotifier, Connection, Context

MAIL, WEBHOOK = "oneclient_mail", "oneclient_webhook"
DOORS = (MAIL, WEBHOOK)
MEASURE = "measure"
PROBLEM = "problem"  # the XCom in which a task that fails leaves the kind of its error


def tell_done(context: Context, suffix: str = "") -> None:
    """A night came to its end: what its last task counted. ``suffix`` is that of the provider's connections."""
    if connections := _connections(suffix):
        dag_id, task = context["dag"].dag_id, context["ti"]
        _send(night_done(dag_id, _run(dag_id, context["run_id"]), task.xcom_pull(task_ids=MEASURE)), connections)


def tell_failed(context: Context, suffix: str = "") -> None:
    """A night failed: in which task, and of what kind the error was, if it could be told."""
    if connections := _connections(suffix):
        dag_id, task = context["dag"].dag_id, context.get("ti")
        problem = task and task.xcom_pull(task_ids=task.task_id, key=PROBLEM, map_indexes=task.map_index)
        run = _run(dag_id, context["run_id"])
        _send(night_failed(dag_id, run, task.task_id if task else "", problem, _dag(dag_id)), connections)


async def tell_late(context: dict[str, Any], suffix: str = "") -> None:
    """A night was not done in time. The triggerer runs this, however busy the workers are."""
    from airflow.sdk import Connection

    run, needed_by = context["dag_run"], context["deadline"]["deadline_time"]
    dag_id = run["dag_id"]
    notice = night_late(dag_id, _run(dag_id, run["dag_run_id"]), str(needed_by), _dag(dag_id))
    failed = []
    for door in DOORS:
        try:
            with suppress(AirflowNotFoundException):
                if notifier := _notifier(door, await Connection.async_get(f"{door}{suffix}"), notice):
                    await notifier.async_notify({})
        except Exception as error:
            failed.append(error)
    _see_that_all_went(failed)


def _connections(suffix: str) -> dict[str, Connection]:
    """Those that are there."""
    from airflow.sdk import Connection

    found = {}
    for door in DOORS:
        with suppress(AirflowNotFoundException):
            found[door] = Connection.get(f"{door}{suffix}")
    return found


def _send(notice: Notice, connections: dict[str, Connection]) -> None:
    """By every door that is there; one that fails keeps nobody from being told by the other."""
    failed = []
    for door, connection in connections.items():
        try:
            if notifier := _notifier(door, connection, notice):
                notifier.notify({})
        except Exception as error:
            failed.append(error)
    _see_that_all_went(failed)


def _notifier(door: str, connection: Connection, notice: Notice) -> BaseNotifier | None:
    """Airflow's notifier for a connection; None if it wants problems only. It is not called but asked to notify:
    called, it would take what a provider is called for a template."""
    extra = connection.extra_dejson
    if notice.ending == "done" and extra.get("problems_only"):
        return None
    if door == MAIL:
        from airflow.providers.smtp.notifications.smtp import SmtpNotifier

        return SmtpNotifier(
            to=extra["to"], subject=notice.subject, html_content=notice.html, smtp_conn_id=connection.conn_id
        )
    from airflow.providers.http.notifications import HttpNotifier

    return HttpNotifier(
        http_conn_id=connection.conn_id,
        endpoint=extra.get("endpoint"),
        json=notice.payload,
        headers={"Content-Type": "application/json"},
    )


def _see_that_all_went(failed: list[Exception]) -> None:
    if failed:
        kinds = ", ".join(sorted({type(error).__name__ for error in failed}))
        raise RuntimeError(f"A notice could not be sent ({kinds}). Look over the connections in docs/monitoring.md.")


def _dag(dag_id: str) -> str:
    return f"{conf.get('api', 'base_url', fallback='').rstrip('/')}/dags/{dag_id}"


def _run(dag_id: str, run_id: str) -> str:
    return f"{_dag(dag_id)}/runs/{quote(run_id)}"
