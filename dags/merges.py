"""# Merges: what people decided is one person becomes one record, and can be taken apart again

Two DAGs of the same steps, both by hand and by a form: `apply_merges` and `undo_merges`. The command line runs the very
same, without Airflow: `oneclient merge plan`, `apply`, `undo`, `status`.

| task | what it does | writes |
| --- | --- | --- |
| `plan` | draws up what follows from the decisions, what is in its way, what would move | `published/plans/` |
| `dry_run_ends_here` | of a **dry run**: its log says where the plan is; what follows is skipped | nothing |
| `sign_off` | skipped in a dry run; else asks a person, records the answer, begins | decision store, `merged.*` |
| `begin` | takes up what was signed off, moves what is of today or to come | `merged.*`, `staged.*` |
| `move` (for a few months each) | moves the visits of the past, a month in one transaction | `merged.*`, `staged.*` |
| `finish` | moves what is left, verifies; takes a wave back that does not hold | `merged.*` |
| `publish` | crosswalk, golden clients, worklist, support cases, reconciliation | `published/current/` |

## Signing off

The plan is a page of the review page: *Read the plan* on the tasks `plan` and `dry_run_ends_here`, a link in what
`sign_off` asks, and the newest ones under *Review*, *Merges*, beside every merge with its id.

The run waits under *Required Actions* until somebody approves or rejects. Nobody's word counts but what that person's
own sign-in left in the decision store: a task that is marked as a success, or an XCom that is made up, merges nothing.

- **Who may**: whoever may edit this DAG; Airflow asks that of everybody who answers. To merge, it has to be somebody
  who decided none of what the plan holds. Where everybody decides, name the signer in the form: what they decided is
  left out. To take back, anybody who may edit the DAG.
- **What is signed** is the plan that was shown. It is drawn up once more at the approval; if it is another by then,
  since people decided or a night brought files, nothing is done. So approve before the next night, or clear `sign_off`:
  it asks anew, about the plan as it is then.
- **Several runs** may wait at a time, and dry runs never wait. Of two that were approved, the second is refused: it was
  planned before the first. Clear its `sign_off`.
- **Why it was skipped** stands in its log: a dry run, nothing to sign off, or rejected.

## By date range, or again

`from` and `to` limit which visits of the past move; what is of today or to come always moves with the merge. Month by
month, in any order, comes to the same as all at once (`tests/merge/test_steps.py`); a merge stays *partial*
until its last month has been, and a wider range completes it. So there is nothing to backfill by `airflow backfill`,
which refuses a DAG without a schedule: trigger one run for each range, each with its own sign-off.
Any task may be cleared: what moved already is found and left as it is.

## When it is red

Clear the first red task *with downstream*, unless it says otherwise here.

- **`sign_off`, a name in the message.** Whoever approved decided some of it, or is not one person (a shared sign-in,
  `simple_auth_manager_all_admins`). Nothing was merged. Clear it, and let another person approve.
- **`sign_off` is to be tried again.** It was answered within seconds, before Airflow had seen that it waits. If the
  answer was not recorded, it asks once more in a minute.
- **`sign_off`, the plan has changed**, or **another run is not finished**. See above. Clear it once that is so.
- **`begin` or later, nobody has signed off.** Somebody marked `sign_off` by hand. Clear that.
- **`move` or `finish`, must not go further.** Since the sign-off somebody said otherwise, or it came out that one is
  dead or has another NHS number. What moved stays. Put it right and clear, or undo the merges that the message names.
- **`finish`, does not hold.** The wave was taken back and nothing of it is left; the message says which rows. Find out
  what brought them (`raw.files`), then trigger anew.
- **Anything else** is tried three times more, after 1, 2 and 4 minutes. A run that is left unfinished is finished by
  the next night, or by `oneclient merge apply`.
- **A task is queued and does not start.** All tasks that open the warehouse share a pool of one slot, `duckdb_writer`
  or the provider's own, `duckdb_writer_<name>`. If it is not there: `oneclient providers --pools > pools.json`, then
  `airflow pools import pools.json`.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlparse

from airflow.providers.standard.exceptions import HITLRejectException
from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import DAG, BaseOperatorLink, Param, TriggerRule, get_current_context, task
from airflow.sdk.configuration import conf
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException, TaskAwaitingInput

from pipelines.providers import ONLY, Provider, plan_at, read_providers

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator, Context

    from pipelines.merge.request import Request
    from pipelines.settings import Settings

log = logging.getLogger(__name__)

APPLY = "apply_merges"
UNDO = "undo_merges"


@contextmanager
def merging(provider: Provider) -> Iterator[tuple[Settings, Request, str]]:
    """Settings, what the form asks for, and the run's name; what a retry cannot mend fails the task for good."""
    from pipelines.merge.request import MergeRequest, UndoRequest
    from pipelines.settings import load_settings
    from pipelines.troubles import KnownError
    from pipelines.unforeseen import quoting_nobody

    context = get_current_context()
    dag_id, form = context["dag"].dag_id, context["params"]
    try:
        request = UndoRequest.of_form(form) if dag_id == provider.called(UNDO) else MergeRequest.of_form(form)
        with quoting_nobody():
            yield load_settings(provider.home), request, f"{dag_id} {context['run_id']}"
    except KnownError as error:
        if error.trouble.may_pass:
            raise
        raise AirflowFailException(error.told) from error


class SignOff(ApprovalOperator):
    """Asks a person to sign the plan off, and writes the answer to the decision store in the name of who gave it.

    What is asked is drawn up here, and what was asked waits with the parked task; XCom, which others may write, decides
    about neither. Whether a person may answer at all, Airflow asks of its auth manager at the answer itself: *may edit
    this DAG*. A task could not ask that, since it has no access to the users.
    """

    def __init__(self, *, provider: Provider = ONLY, **kwargs: Any) -> None:
        super().__init__(subject="Sign the plan off", fail_on_reject=True, **kwargs)
        self.provider = provider

    def execute(self, context: Context) -> Any:
        """Show the plan and wait for an answer. Skips, and with it all that follows, when there is nothing to sign."""
        from pipelines.merge.publish import publish_plan
        from pipelines.merge.request import headline, question
        from pipelines.merge.steps import signed_before

        if context["params"]["dry_run"]:
            raise AirflowSkipException("A dry run: the plan is all there is. See dry_run_ends_here.")
        with merging(self.provider) as (settings, request, _):
            if (signed_in := signed_before(settings, _plan_hash(context["ti"]))) is not None:
                return signed_in
            plan = request.plan(settings)
            if not plan.ready and not plan.undoes:
                raise AirflowSkipException("There is nothing to sign off: see the plan for what is in the way.")
            page = publish_plan(settings, plan) / "plan.html"
            self.subject = headline(plan)
            self.body = question(plan, str(page.relative_to(settings.home)), _review_page(self.provider))
        try:
            return super().execute(context)
        except TaskAwaitingInput as parked:
            parked.kwargs = {"plan_hash": plan.plan_hash}
            raise

    def execute_complete(self, context: Context, event: dict[str, Any], plan_hash: str = "") -> Any:
        """Record the answer; gives the number of the sign-off."""
        from pipelines.review.desk.people import reviewer

        try:
            super().execute_complete(context, event)
        except HITLRejectException:
            raise AirflowSkipException("Rejected: nothing is done.") from None
        with merging(self.provider) as (settings, request, run):
            answered = event["responded_by_user"] or {"id": "", "name": ""}
            who = reviewer(answered["id"], answered["name"]).who
            if (signed_in := request.sign_off(settings, who, plan_hash, run)) is None:
                raise AirflowSkipException("There is nothing to sign off any more.")
            return signed_in


class PlanLink(BaseOperatorLink):
    """The button *Read the plan* of a task: to what this run drew up, on the review page."""

    name = "Read the plan"

    def __init__(self, provider: Provider) -> None:
        self.provider = provider

    def get_link(self, operator: BaseOperator, *, ti_key: Any) -> str:
        """Where it leads; a worker asks it, when the task ends. ``ti_key``: there, the running task itself."""
        return _plan_page(self.provider, _plan_hash(ti_key))


def _plan_page(provider: Provider, plan_hash: str | None) -> str:
    return plan_at(_review_page(provider), plan_hash) if plan_hash else f"{_review_page(provider)}/merges"


def _review_page(provider: Provider) -> str:
    return f"{urlparse(conf.get('api', 'base_url', fallback='')).path.rstrip('/')}{provider.page}"


def _whole(path: str) -> str:
    """An address with its host, where one is configured, so that a log makes a link of it."""
    return urljoin(conf.get("api", "base_url", fallback=""), path)


def _plan_hash(task: Any) -> str | None:
    told = task.xcom_pull(task_ids="plan")
    return told.get("plan_hash") if isinstance(told, dict) else None


def wire(provider: Provider) -> None:
    """Wire the steps of a merge run, whichever way it goes."""

    @task(pool=provider.pool)
    def plan() -> dict[str, Any]:
        from pipelines.merge.publish import publish_plan
        from pipelines.merge.request import counted

        with merging(provider) as (settings, request, _):
            drawn_up = request.plan(settings)
            publish_plan(settings, drawn_up)
            return counted(drawn_up)

    @task
    def dry_run_ends_here() -> None:
        """Says so, and where the plan is; skipped in a run that is to be signed off."""
        context = get_current_context()
        if not context["params"]["dry_run"]:
            raise AirflowSkipException("This is no dry run: it goes on with sign_off.")
        page = _plan_page(provider, _plan_hash(context["ti"]))
        log.info("This was a dry run: nothing is changed, and what follows is skipped. Read the plan: %s", _whole(page))

    @task(pool=provider.pool)
    def begin(signed_in: int) -> list[list[str]]:
        from pipelines.merge import steps

        with merging(provider) as (settings, _, run):
            return steps.begin(settings, signed_in, run)

    @task(
        pool=provider.pool,
        map_index_template="{{ task.op_kwargs['partitions'] | first }} … {{ task.op_kwargs['partitions'] | last }}",
    )
    def move(signed_in: int, partitions: list[str]) -> dict[str, int]:
        from pipelines.merge import steps

        with merging(provider) as (settings, _, run):
            return steps.move(settings, signed_in, partitions, run)

    # A run with nothing of the past to move has no group of partitions, and so no move: that is no reason to stop.
    @task(pool=provider.pool, trigger_rule=TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS)
    def finish(signed_in: int) -> dict[str, Any]:
        from pipelines.merge import steps

        with merging(provider) as (settings, _, run):
            return steps.finish(settings, signed_in, run)

    @task(pool=provider.pool)
    def publish() -> None:
        from pipelines.merge.publish import publish_merges

        with merging(provider) as (settings, _, _run):
            publish_merges(settings)

    signed_off = SignOff(provider=provider, task_id="sign_off", pool=provider.pool)
    signed_in: Any = signed_off.output
    moved = move.partial(signed_in=signed_in).expand(partitions=begin(signed_in))
    drawn_up, dry_run_ended = plan(), dry_run_ends_here()
    for one in (drawn_up, dry_run_ended):
        one.operator.operator_extra_links = (PlanLink(provider),)
    drawn_up >> [dry_run_ended, signed_off]
    moved >> finish(signed_in) >> publish()


NARROWER = "Only some of them"
DRY_RUN = Param(
    True, type="boolean", title="Dry run",
    description="Draw up and publish the plan, and stop there: dry_run_ends_here says where it is.",
)  # fmt: skip
REASON = Param(
    None, type=["null", "string"], title="Reason", maxLength=2000,
    description="Why now. It stays in the decision log for ever, so name nobody.",
)  # fmt: skip
WIRING: dict[str, Any] = {
    "schedule": None,
    "catchup": False,
    "is_paused_upon_creation": False,
    "doc_md": __doc__,
}
ARGUMENTS: dict[str, Any] = {
    "owner": "oneclient",
    "retries": 3,
    "retry_delay": timedelta(minutes=1),
    "retry_exponential_backoff": 2.0,
    "max_retry_delay": timedelta(minutes=15),
}


def asks_to_merge() -> dict[str, Param]:
    """The form of ``apply_merges``."""
    return {
        "from_on": Param(
            None, type=["null", "string"], format="date", title="Visits from",
            description="The first day of the past whose visits move; left out: the first there is.",
        ),
        "to_on": Param(
            None, type=["null", "string"], format="date", title="Visits until before",
            description="The day after the last of them. What is of today or to come always moves.",
        ),
        "signed_off_by": Param(
            None, type=["null", "string"], title="To be signed off by", maxLength=100,
            description="Leaves out what this person decided, since they may not sign that off.",
        ),
        "reason": REASON,
        "dry_run": DRY_RUN,
        "authority": Param(
            None, type=["null", "string"], title="Council", maxLength=100, section=NARROWER,
            description="Clients whom this council knows, by its authority code.",
        ),
        "wave": Param(
            None, type=["null", "string"], enum=[None, "empty", "no money", "money"], title="Wave", section=NARROWER,
            description="By what hangs on the record that is merged away.",
            values_display={
                None: "every wave",
                "empty": "empty: nothing hangs on it",
                "no money": "no money: visits, but never an order",
                "money": "money: orders",
            },
        ),
        "candidate_ids": Param(
            None, type=["null", "array"], items={"type": "string"}, title="Candidates", section=NARROWER,
            description="These candidates, by candidate or merge id, one a line.",
        ),
    }  # fmt: skip


def asks_to_take_back(provider: Provider) -> dict[str, Param]:
    """The form of ``undo_merges``, which leads to the list of merges."""
    return {
        "merge_ids": Param(
            None, type=["null", "array"], items={"type": "string"}, title="Merges",
            description_md="The merges to take back, by merge id, one a line. "
            f"[Merges]({_review_page(provider)}/merges), in Review, lists them, as does: oneclient merge status",
        ),
        "every_merge": Param(
            False, type="boolean", title="Every merge", description="Instead: every merge that stands.",
        ),
        "reason": REASON,
        "dry_run": DRY_RUN,
    }  # fmt: skip


for one in read_providers():
    for name, form in ((APPLY, asks_to_merge()), (UNDO, asks_to_take_back(one))):
        with DAG(one.called(name), params=form, tags=one.tags, default_args=ARGUMENTS | one.placed, **WIRING):
            wire(one)
