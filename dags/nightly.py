"""# nightly: files in, register up to date, candidates scored, report out

Every night at 02:30, or when the list of providers says, by the provider's clock (`timezone` in its settings), for the
day that has just ended. The partition key of a run is that day. The command line runs the very same steps, without
Airflow: `oneclient nightly --day 2026-11-20`.

| task | what it does | writes |
| --- | --- | --- |
| `find_deliveries` | lists what lies in the inbox, as ids that give no file name away | nothing |
| `land` (one for each 20 files) | reads, checks and archives each file, or quarantines it with the reason | `raw.*` |
| `stage` | links each row to its client record, makes new ones, runs the suites | `staged.*` |
| `finish_merges` | brings a merge run that was signed off and cut short to its end | `merged.*`, whom rows count for |
| `take_decisions` | records decisions handed back (`*decisions*.xlsx`, `.csv`), returns bad rows | the decision store |
| `hand_out`, `score_on_spark` | only with Spark's provider: a large night's pairs (`docs/spark.md`) | `scratch/` |
| `match` | scores new and changed records against all, draws up the candidates | `matched.*` |
| `report` | publishes the candidate report of the day, and what follows from merges | `reports/<day>/`, `published/` |
| `retire` | lets go what is older than `[retention]` keeps it | `raw.*`, files in the home |
| `measure` | counts what the night came to: `docs/monitoring.md` | figures, `metrics/`, `reports/trends.html` |

## When it is red

Every task may be cleared and run again at any time: what was done already is found and left as it is. Clear the first
red task *with downstream*; the rest follows. Logs and XCom hold counts and ids only, so look here:

- **A file is missing from the report, or is marked quarantined.** Not a failure, and the night goes on. Read
  `HOME/quarantine/<source>-<hash>.reason.json` beside the file. Correct the file or its source mapping in
  `HOME/sources/`, put it into `HOME/inbox/` again, and trigger a run; nothing is counted twice.
- **`find_deliveries` failed.** The inbox is not there (is the share mounted?), or `HOME/settings.toml` has a mistake:
  the message names the line.
- **`stage` or `match` failed at once, with a suite in the message.** A table failed its checks. The register was left
  as it was, and nothing was published. This is not tried again, since it would fail again: find out which file brought
  it (`raw.files`), move that file away or correct its mapping, then clear the task.
- **Any task failed at once with `oneclient upgrade` in its message.** The home is of an earlier release (W4, L5), or
  of a later one (W3, L4): back it up and upgrade it, or run the newer program, then clear the task.
- **`score_on_spark` failed.** Read `problem.txt` in the folder that `hand_out` gives. Clear `hand_out` with downstream;
  or set `match.engine = "duckdb"` in `HOME/settings.toml` first, for the same outcome on this machine.
- **Any other task failed at once, with a code in its message**, such as K1. It would fail again: do what
  `docs/errors.md` says under the code, then clear the task.
- **Anything else** is tried three times more, after 1, 2 and 4 minutes. `WarehouseBusyError` after that means
  that another program has `HOME/oneclient.duckdb` open: close it. Out of disk: free some, then clear.
- **A task is queued and does not start.** All tasks that open the warehouse share a pool of one slot, `duckdb_writer`
  or the provider's own, `duckdb_writer_<name>`. If it is not there: `oneclient providers --pools > pools.json`, then
  `airflow pools import pools.json`.

## A day again, or many

- One day again: clear its run, or trigger one with the parameter `day`.
- Many days: with the DAG switched on, put the files into dated folders (`HOME/inbox/2026-11-18/` and so on; a file in
  the inbox itself belongs to the first run that comes). A midnight `--to-date` would leave out its own day, so:

      airflow backfill create --dag-id nightly --from-date 2026-11-18 --to-date 2026-11-20T23:59 --max-active-runs 1

  Days that have run already are left out, unless you add `--reprocess-behavior completed`.
- Switching the DAG on runs the latest day at once, and a run takes every dated folder up to its own day. So before a
  first backfill switch on, let that run end, and only then put the files in. Done the other way round nothing is lost
  or counted twice, but the files come in on the latest day, in one go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from airflow.sdk import (
    DAG,
    AsyncCallback,
    CronPartitionTimetable,
    DeadlineAlert,
    DeadlineReference,
    Param,
    TriggerRule,
    chain,
    get_current_context,
    task,
)
from airflow.sdk.exceptions import AirflowFailException

from pipelines.providers import Provider, read_providers

if TYPE_CHECKING:
    from pipelines.settings import Settings

DAY: dict[str, Any] = {
    "day": Param(
        None,
        type=["null", "string"],
        format="date",
        description="Left out: the day before the run, by the provider's clock.",
    ),
}
# Not where there are several providers: whoever starts the night of one could name the inbox of another.
INBOX: dict[str, Any] = {
    "inbox": Param(None, type=["null", "string"], description="Left out: the inbox of ONECLIENT_HOME."),
}


@contextmanager
def tonight(provider: Provider) -> Iterator[tuple[Settings, Path, date]]:
    """Home, inbox and day of the current run; what a retry cannot mend fails the task for good."""
    from pipelines.monitor.notice import problem_of
    from pipelines.settings import load_settings
    from pipelines.troubles import KnownError
    from pipelines.unforeseen import quoting_nobody

    context = get_current_context()
    run, params = context["dag_run"], context["params"]
    try:
        settings = load_settings(provider.home)
        ran_on = (run.logical_date or run.run_after).astimezone(ZoneInfo(provider.timezone)).date()
        day = params["day"] or run.partition_key or (ran_on - timedelta(days=1)).isoformat()
        with quoting_nobody():
            yield settings, Path(provider.inbox or params["inbox"] or settings.inbox), date.fromisoformat(day)
    except Exception as error:
        context["ti"].xcom_push("problem", problem_of(error))
        if isinstance(error, KnownError) and not error.trouble.may_pass:
            raise AirflowFailException(error.told) from error
        raise


def spark_submit() -> list[Any]:
    """The task that runs Spark's job over the folder that `hand_out` gives; none without the provider of Spark."""
    try:
        from airflow.providers.apache.spark.operators.spark_submit import SparkSubmitOperator
    except ImportError:
        return []
    folder = "{{ ti.xcom_pull('hand_out') }}"
    return [
        SparkSubmitOperator(
            task_id="score_on_spark",
            name="oneclient",
            application=f"{folder}/job.py",
            application_args=[folder],
            properties_file=f"{folder}/spark.conf",
        )
    ]


def told(result: object, *facts: str) -> dict[str, Any]:
    """What XCom may know of a result: these counts, states and opaque ids, and nothing else."""
    return {fact: getattr(result, fact) for fact in facts}


def wire(provider: Provider) -> None:
    """Wire the nine steps of `pipelines.nightly`."""

    @task
    def find_deliveries() -> list[list[str]]:
        from pipelines import nightly

        with tonight(provider) as (_, inbox, day):
            return nightly.in_groups(nightly.find_deliveries(inbox, day))

    @task(pool=provider.pool, map_index_template="{{ task.op_kwargs['delivery_ids'] | length }} files")
    def land(delivery_ids: list[str]) -> list[dict[str, Any]]:
        from pipelines import nightly

        with tonight(provider) as (settings, inbox, day):
            landings = nightly.land(settings, inbox, day, *delivery_ids)
            return [told(one, "file_id", "status", "rows_read", "rows_loaded", "rows_rejected") for one in landings]

    @task(pool=provider.pool, trigger_rule=TriggerRule.NONE_FAILED)
    def stage() -> dict[str, Any]:
        from pipelines import nightly

        with tonight(provider) as (settings, _, day):
            return told(nightly.stage(settings, day), "files", "written", "new_clients")

    @task(pool=provider.pool)
    def finish_merges() -> dict[str, Any]:
        from pipelines import nightly

        with tonight(provider) as (settings, _, _day):
            return told(nightly.finish_merges(settings), "signed_in", "merges", "undone", "partitions")

    @task
    def take_decisions() -> dict[str, Any]:
        from pipelines import nightly

        with tonight(provider) as (settings, inbox, day):
            return told(nightly.take_decisions(settings, inbox, day), "files", "recorded", "repeated", "refused")

    @task.short_circuit(pool=provider.pool, ignore_downstream_trigger_rules=False)
    def hand_out() -> str | None:
        from pipelines import nightly

        with tonight(provider) as (settings, _, day):
            return nightly.hand_out(settings, day)

    @task(pool=provider.pool, trigger_rule=TriggerRule.NONE_FAILED)
    def match() -> dict[str, Any]:
        from pipelines import nightly

        with tonight(provider) as (settings, _, day):
            return told(nightly.match(settings, day), "records", "scored_again", "tiers", "train_again")

    @task(pool=provider.pool)
    def report() -> None:
        from pipelines import nightly

        with tonight(provider) as (settings, _, day):
            nightly.report(settings, day)

    @task(pool=provider.pool)
    def retire() -> dict[str, Any]:
        from pipelines import nightly

        with tonight(provider) as (settings, _, day):
            return told(nightly.retire(settings, day), "files", "rows", "originals", "reports", "quarantined")

    @task(pool=provider.pool)
    def measure() -> dict[str, Any]:
        from pipelines import nightly

        with tonight(provider) as (settings, _, day):
            return nightly.measure(settings, day).as_dict()

    spark = spark_submit()
    chain(
        land.expand(delivery_ids=find_deliveries()),
        stage(),
        finish_merges(),
        take_decisions(),
        *([hand_out(), *spark] if spark else []),
        match(),
        report(),
        retire(),
        measure(),
    )


def tell(how: str, provider: Provider) -> Callable[[Any], None]:
    """A callback of the DAG: tell whoever is to be told that its night is done or failed."""

    def notify(context: Any) -> None:
        import oneclient_notices

        getattr(oneclient_notices, how)(context, provider.suffix)

    return notify


def deadline(provider: Provider) -> DeadlineAlert | None:
    """Tell people when a night is not done in time; None where no time is set."""
    if provider.done_within is None:
        return None
    return DeadlineAlert(
        reference=DeadlineReference.DAGRUN_QUEUED_AT,
        interval=provider.done_within,
        callback=AsyncCallback("oneclient_notices.tell_late", kwargs={"suffix": provider.suffix}),
        name="done by",
    )


for one in read_providers():
    with DAG(
        one.called("nightly"),
        schedule=CronPartitionTimetable(
            f"{one.at.minute} {one.at.hour} * * *", timezone=one.timezone, run_offset=-1, key_format="%Y-%m-%d"
        ),
        catchup=False,
        max_active_runs=1,
        doc_md=__doc__,
        deadline=deadline(one),
        on_success_callback=tell("tell_done", one),
        on_failure_callback=tell("tell_failed", one),
        tags=one.tags,
        params=DAY if one.inbox else DAY | INBOX,
        default_args={
            "owner": "oneclient",
            "retries": 3,
            "retry_delay": timedelta(minutes=1),
            "retry_exponential_backoff": 2.0,
            "max_retry_delay": timedelta(minutes=15),
            **one.placed,
        },
    ):
        wire(one)
