"""Run as a program: a night through the real DAG over marked feeds, and everything that we know to go wrong with it.

    python tests/trust/the_watched_night.py INBOX

The home is ``$ONECLIENT_HOME``. What it prints, its logs and Airflow's database are then searched for marks.
"""

from __future__ import annotations

import logging
import shutil
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from airflow.dag_processing.dagbag import DagBag
from airflow.utils import db

from pipelines import nightly as steps
from pipelines.cli import main
from pipelines.merge.carry_out import apply_merges
from pipelines.merge.plan import plan_merges
from pipelines.merge.publish import publish_plan
from pipelines.merge.selection import Selection
from pipelines.quality import pass_gate
from pipelines.review.commands import decide_one, decide_tier
from pipelines.settings import load_settings
from pipelines.warehouse import open_warehouse

ROOT = Path(__file__).parents[2]
DAY = "2026-11-20"
SOMEBODY = "Peggy Xqzvj"
Failing = Callable[..., Any]


def bad_files(inbox: Path) -> None:
    """A file that is none of ours, one cut off, one that fails its checks, rows and cells that cannot be read, and
    decisions that cannot be taken; each names somebody."""
    (inbox / "MARGARET_XQZVJ_19110403.docx").write_text("a letter about Margaret Xqzvj")
    (inbox / "careplan_roster_clients_Peggy_Xqzvj.csv").write_text('ClientID,Surname\n1,"Xqzvj')
    twice = "ClientID,Forename,Surname,DateOfBirth\n" + "1xqzvj,Peggy,Xqzvj,03/04/1911\n" * 40
    (inbox / "twice_roster_clients_Xqzvj.csv").write_text(twice)
    rows = "".join(f"{n}xqzvj,Peggy,Xqzvj,born 3/4/1911 xqzvj\n" for n in range(40))
    (inbox / "odd_roster_clients_Xqzvj.csv").write_text(f"ClientID,Forename,Surname,DateOfBirth\n{rows},No,Xqzvj,\n")
    said = "candidate_id,verdict,by,reason\nC0123456789,same,Jo,rang Peggy Xqzvj\nxqzvj,perhaps Xqzvj,xqzvj,\n"
    (inbox / "decisions about Xqzvj.csv").write_text(said)


def gate(settings: Any, day: Any) -> Any:
    """A suite fails because names and births stand where they should not."""
    with open_warehouse(settings) as warehouse:
        cells = "1 as client_id, surname as kind, born_as_sent as issuer, forename as reference"
        return pass_gate(warehouse, day, "staged.references", [warehouse.frame(f"select {cells} from staged.clients")])


def library(settings: Any) -> Any:
    """DuckDB quotes the cell that it cannot take."""
    with open_warehouse(settings) as warehouse:
        warehouse.rows("select surname::integer from staged.clients")


def disk(settings: Any, inbox: Path, day: Any) -> Any:
    """The system quotes the name of a file."""
    (inbox / SOMEBODY).read_text()


def tell(*words: str) -> None:
    """A line for the test that reads it."""
    sys.stdout.write(f"{' '.join(words)}\n")


def night(**failing: Failing) -> None:
    """The DAG, with steps of it that fail."""
    dag = DagBag(ROOT / "dags").dags["nightly"]
    for task in dag.tasks:
        task.retries = 0
    kept = {name: getattr(steps, name) for name in failing}
    for name, fail in failing.items():
        setattr(steps, name, fail)
    run = dag.test(run_conf={"day": DAY})
    tell("STATES", *sorted({f"{task.task_id} {task.state}" for task in run.get_task_instances()}))
    for name, step in kept.items():
        setattr(steps, name, step)


def refused(what: Callable[[], Any]) -> None:
    """What cannot be done, told as an unlucky program would tell it."""
    try:
        what()
    except Exception:
        traceback.print_exc()
    else:
        tell("NOT REFUSED")


def watched(inbox: Path) -> None:
    """All of it."""
    settings = load_settings()
    shutil.copytree(inbox, settings.inbox, dirs_exist_ok=True)
    bad_files(settings.inbox)
    db.initdb()
    logging.getLogger("pipelines").setLevel(logging.DEBUG)
    night()
    night(stage=gate)
    night(finish_merges=library)
    night(take_decisions=disk)
    decide_tier(settings, "near-certain", verdict="same", who="ann", reason=f"rang {SOMEBODY}", cells={})
    refused(lambda: decide_one(settings, SOMEBODY, verdict="same", who="ann", reason=SOMEBODY, cells={}))
    refused(lambda: decide_tier(settings, "near-certain", verdict=SOMEBODY, who="sam", reason=SOMEBODY, cells={}))
    publish_plan(settings, plan_merges(settings, Selection()))
    refused(lambda: apply_merges(settings, Selection(), who="ann"))
    someone = ["decide", SOMEBODY, "--verdict", "same", "--by", "ann", "--reason", "x"]
    for line in (["merge", "apply", "--by", "sam"], ["doctor"], someone, ["report"]):
        try:
            main(line)
        except SystemExit as ended:
            tell("ENDED", line[0], str(ended.code))


if __name__ == "__main__":
    watched(Path(sys.argv[1]))
