"""The commands ``merge plan``, ``apply``, ``undo`` and ``status``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, ParamSpec

import click

from pipelines.cli import completing, screen
from pipelines.cli.door import FOUND_A_PROBLEM, Day, answer, command, main, progress
from pipelines.settings import Settings, load_home

P = ParamSpec("P")


@main.group()
def merge() -> None:
    """Plan, apply and undo merges of what people decided is one person."""


def merge_command(name: str) -> Callable[[Callable[P, None]], click.Command]:
    """A command of the group ``merge``, as ``command`` makes one."""
    return lambda function: command(function, merge, name)


def _selecting(function: Callable[P, None]) -> Callable[P, None]:
    """The options that say what is to be merged."""
    for option in reversed(
        (
            click.option("--from", "from_on", type=Day, help="Past visits from this day on; default: all."),
            click.option("--to", "to_on", type=Day, help="Past visits before this day; what is to come always moves."),
            click.option("--authority", help="Only clients whom this council knows, by its code."),
            click.option("--wave", type=click.Choice(["empty", "no money", "money"]), help="Only this wave."),
            click.option(
                "--candidate",
                "candidate_ids",
                multiple=True,
                metavar="ID",
                help="Only these candidates.",
                shell_complete=completing.candidates,
            ),
        )
    ):
        function = option(function)
    return function


def _selection(
    from_on: datetime | None, to_on: datetime | None, authority: str | None, wave: str | None,
    candidate_ids: tuple[str, ...], who: str | None,
) -> Any:  # fmt: skip
    from pipelines.merge.selection import Selection

    return Selection(
        from_on.date() if from_on else None, to_on.date() if to_on else None, authority, wave,
        frozenset(one.strip().upper() for one in candidate_ids), who,
    )  # fmt: skip


@merge_command("plan")
@_selecting
@click.option("--by", "who", help="Leave out what this person decided, since they may not sign it off.")
def merge_plan(
    from_on: datetime | None, to_on: datetime | None, authority: str | None, wave: str | None,
    candidate_ids: tuple[str, ...], who: str | None, home: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Say what would be merged, what it would move, and what stands in the way. Changes nothing."""
    from pipelines.merge.plan import plan_merges

    settings = load_home(home)
    found = plan_merges(settings, _selection(from_on, to_on, authority, wave, candidate_ids, who))
    _answer_plan(settings, found, as_json)


@merge_command("apply")
@_selecting
@click.option("--by", "who", help="Who signs it off: a person other than who decided.")
@click.option("--reason", default="", help="Why now; kept in the log.")
@click.option("--dry-run", is_flag=True, help="Only say what would be done, as `merge plan`.")
def merge_apply(
    from_on: datetime | None, to_on: datetime | None, authority: str | None, wave: str | None,
    candidate_ids: tuple[str, ...], who: str | None, reason: str, dry_run: bool, home: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Merge what people decided is one person: sign off, move partition by partition, verify, publish."""
    from pipelines.merge.commands import apply
    from pipelines.merge.plan import plan_merges

    settings, selection = load_home(home), _selection(from_on, to_on, authority, wave, candidate_ids, who)
    if dry_run:
        _answer_plan(settings, plan_merges(settings, selection), as_json)
        return
    if not who:
        raise click.UsageError("Say who signs the merges off: --by NAME.")
    with progress(quiet=as_json) as told:
        done = apply(settings, selection, who=who, reason=reason, progress=told)
    answer(done.as_dict(), as_json, lambda: screen.show_merged(done.as_dict()))


@merge_command("undo")
@click.argument("merge_ids", nargs=-1, metavar="[MERGE]...")
@click.option("--all", "every", is_flag=True, help="Every merge that stands.")
@click.option("--by", "who", help="Who takes them back.")
@click.option("--reason", default="", help="Why; kept in the log.")
@click.option("--dry-run", is_flag=True, help="Only say what would go back where.")
def merge_undo(
    merge_ids: tuple[str, ...], every: bool, who: str | None, reason: str, dry_run: bool, home: Path | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Take merges back, any time later: every row counts again for the record that it came in for."""
    from pipelines.merge.commands import undo as take_back
    from pipelines.merge.plan import plan_undo

    if bool(merge_ids) == every:
        raise click.UsageError("Name the merges to undo, or --all.")
    settings, named = load_home(home), None if every else merge_ids
    if dry_run:
        _answer_plan(settings, plan_undo(settings, named), as_json)
        return
    if not who:
        raise click.UsageError("Say who takes the merges back: --by NAME.")
    with progress(quiet=as_json) as told:
        done = take_back(settings, named, who=who, reason=reason, progress=told)
    answer(done.as_dict(), as_json, lambda: screen.show_undone(done.as_dict()))


@merge_command("confirm")
@click.argument("merge_id", metavar="MERGE")
@click.option("--by", "who", required=True, help="The reviewer who looked at it again.")
@click.option("--reason", required=True, help="What was looked at; kept in the log.")
def merge_confirm(merge_id: str, who: str, reason: str, home: Path | None, as_json: bool) -> None:
    """Say *same* again of a merge that new facts contradict. It is not reported until they change again."""
    from pipelines.merge.confirm import confirm

    said = confirm(load_home(home), merge_id, who=who, reason=reason)
    answer({"confirmed": said}, as_json, lambda: click.echo(f"Recorded: same person ({said} pairs)."))


@merge_command("status")
@click.option("--as-of", type=Day, help="Which merges stood at the end of that day, by the log.")
def merge_status(as_of: datetime | None, home: Path | None, as_json: bool) -> None:
    """Show the status of every merge, and findings. Exit 1 if a finding contradicts a merge or breaks a rule."""
    from pipelines.merge.status import merge_status as status

    found = status(load_home(home), as_of.date() if as_of else None)
    answer(found.as_dict(), as_json, lambda: screen.show_status(found))
    not_begun = any(one.state == "not begun" for one in found.merges)
    sys.exit(FOUND_A_PROBLEM if not_begun or any(finding.is_a_problem for finding in found.findings) else 0)


def _answer_plan(settings: Settings, plan: Any, as_json: bool) -> None:
    """Publish a plan to be read, and say it in short."""
    from pipelines.merge.publish import publish_plan

    page = publish_plan(settings, plan) / "plan.html"
    answer({**plan.as_dict(), "page": str(page)}, as_json, lambda: screen.show_plan(plan, page))
