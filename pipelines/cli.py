"""The command line: a door, no logic. Exit codes: 0 well, 1 a problem was found, 2 wrong use."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec
from zoneinfo import ZoneInfo

import click
from rich.console import Console
from rich.progress import Progress

from pipelines import __version__, screen
from pipelines.settings import TIERS, Settings, SettingsError, load_settings

P = ParamSpec("P")
Day = click.DateTime(formats=["%Y-%m-%d"])

FOUND_A_PROBLEM = 1
WRONG_USE = 2


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="oneclient")
@click.option("-v", "--verbose", is_flag=True, help="Say what is being done.")
def main(verbose: bool) -> None:
    """One person, one client record."""
    logging.basicConfig(level=logging.INFO if verbose else logging.WARNING, format="%(asctime)s %(name)s: %(message)s")


def command(function: Callable[P, None], group: click.Group | None = None, name: str | None = None) -> click.Command:
    """A command with ``--home`` and ``--json`` whose known errors become one clear line and an exit code."""

    @click.option("--home", type=click.Path(file_okay=False, path_type=Path), help="The provider's home folder.")
    @click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        with _known_errors():
            function(*args, **kwargs)

    return (group or main).command(name)(run)


@main.group()
def merge() -> None:
    """Plan, apply and undo merges of what people decided is one person."""


def merge_command(name: str) -> Callable[[Callable[P, None]], click.Command]:
    """A command of the group ``merge``, as ``command`` makes one."""
    return lambda function: command(function, merge, name)


@contextmanager
def _known_errors() -> Iterator[None]:
    from pipelines.decisions.database import StoreUnavailableError
    from pipelines.decisions.snapshot import DecisionsDamagedError
    from pipelines.decisions.statement import DecisionRefusedError
    from pipelines.ingest.refusal import FileRefusedError
    from pipelines.merge import MergeError
    from pipelines.quality import TableGateError
    from pipelines.review.publish import NoReportError
    from pipelines.stage.register import NoRegisterError
    from pipelines.warehouse import WarehouseBusyError, WarehouseShapeError

    try:
        yield
    except (
        SettingsError, NoReportError, NoRegisterError, DecisionRefusedError, FileNotFoundError, FileExistsError,
    ) as error:  # fmt: skip
        click.echo(f"oneclient: {error}", err=True)
        sys.exit(WRONG_USE)
    except (
        TableGateError, WarehouseBusyError, WarehouseShapeError, StoreUnavailableError, DecisionsDamagedError,
        FileRefusedError, MergeError,
    ) as error:  # fmt: skip
        click.echo(f"oneclient: {error}", err=True)
        sys.exit(FOUND_A_PROBLEM)


@command
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder to make.")
@click.option("--clients", default=5_000, show_default=True, type=click.IntRange(min=1), help="Number of people.")
@click.option("--visits", default=60_000, show_default=True, type=click.IntRange(min=0), help="Number of visits.")
@click.option("--seed", default=1, show_default=True, help="Same seed, same bytes.")
@click.option(
    "--nights", default=1, show_default=True, type=click.IntRange(min=1), help="Dated folders if more than 1."
)
@click.option("--day", type=Day, default="2026-11-20", show_default=True, help="The last night.")
def sample(
    out: Path, clients: int, visits: int, seed: int, nights: int, day: datetime, home: Path | None, as_json: bool
) -> None:
    """Make up feeds of people who do not exist, and the truth about them."""
    from dataclasses import asdict

    from pipelines.sample import make_sample

    try:
        summary = asdict(make_sample(out, clients=clients, visits=visits, seed=seed, nights=nights, day=day.date()))
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    _answer(summary, as_json, lambda: screen.show_pairs("Made up", summary))


@command
@click.option("--inbox", type=click.Path(file_okay=False, path_type=Path), help="Default: HOME/inbox.")
@click.option("--day", type=Day, help="The night to run; default: today.")
def nightly(inbox: Path | None, day: datetime | None, home: Path | None, as_json: bool) -> None:
    """Land what was delivered, bring the register up to date, match, and publish the candidate report."""
    from pipelines.nightly import run_night

    settings = load_settings(home)
    with _progress(quiet=as_json) as progress:
        night = run_night(settings, inbox or settings.inbox, _day(settings, day), progress)
    _answer(night.as_dict(), as_json, lambda: screen.show_night(night.as_dict()))


@command
def train(home: Path | None, as_json: bool) -> None:
    """Train the model on the register as it stands and make it the current one."""
    from pipelines import nightly
    from pipelines.match.train import NothingToLearnError

    settings = load_settings(home)
    try:
        trained = nightly.train(settings)
    except NothingToLearnError as error:
        click.echo(f"oneclient: {error}", err=True)
        sys.exit(FOUND_A_PROBLEM)
    folder = settings.models / trained["model_version"]
    _answer({**trained, "folder": str(folder)}, as_json, lambda: screen.console.print(f"Model: {folder}"))


@command
@click.option(
    "--as-of", type=Day, help="Rebuild the report of a past night as it was; default: the last night, as now."
)
def report(as_of: datetime | None, home: Path | None, as_json: bool) -> None:
    """Publish the candidate report again and say where it is."""
    from pipelines.review.publish import last_night, publish_report, rebuild_report

    settings = load_settings(home)
    if as_of:
        folder = rebuild_report(settings, as_of.date())
    else:
        folder = publish_report(settings, last_night(settings) or _day(settings, None))
    page = folder / "index.html"
    _answer({"report": str(folder), "page": str(page)}, as_json, lambda: screen.console.print(f"Report: {page}"))


@command
@click.option("--tier", type=click.Choice(TIERS), help="Only this tier.")
@click.option("--as-of", type=Day, help="As a past night published them; default: the last night's, as they stand now.")
@click.option("--all", "settled_too", is_flag=True, help="Those that people have settled as well.")
def candidates(tier: str | None, as_of: datetime | None, settled_too: bool, home: Path | None, as_json: bool) -> None:
    """List the candidates that wait for a decision, most harmful first."""
    from dataclasses import asdict

    from pipelines.review.commands import list_candidates

    listed = list_candidates(load_settings(home), as_of.date() if as_of else None)
    found = [asdict(c) for c in listed if tier in {None, c.tier} and (settled_too or not c.settled)]
    _answer(found, as_json, lambda: screen.show_candidates(found))


@command
@click.argument("candidate", required=False)
@click.option("--all", "tier", type=click.Choice(TIERS), help="All open ones of a tier.")
@click.option("--file", "file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Workbook or CSV.")
@click.option("--undo", is_flag=True, help="Take back one's own newest verdict on CANDIDATE.")
@click.option("--verdict", type=click.Choice(["same", "different", "unsure"]))
@click.option("--by", "who", help="Who decides: a person's name.")
@click.option("--reason", default="", help="What was looked at. Only unsure may go without.")
@click.option("--survivor", metavar="REF", help="The record that stays: left, right or its name.")
@click.option("--move-active-orders", is_flag=True, help="Orders that still run move to the record that stays.")
@click.option("--aliases", type=click.Choice(["keep", "drop"]), help="What becomes of other names.")
@click.option("--keep-reference", multiple=True, metavar="ISSUER=NUMBER", help="Of two references the one to keep.")
@click.option(
    "--enrolment", multiple=True, metavar="CONTRACT=REF", help="Of two records the one whose enrolments stay."
)
@click.option("--apart", default="", metavar="REF", help="Of a cluster, the record that is somebody else's.")
def decide(
    candidate: str | None, tier: str | None, file: Path | None, undo: bool, verdict: str | None, who: str | None,
    reason: str, survivor: str | None, move_active_orders: bool, aliases: str | None, keep_reference: tuple[str, ...],
    enrolment: tuple[str, ...], apart: str, home: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Record what a person decided of CANDIDATE (or of a cluster, K…), of a whole tier, or in a file."""
    from pipelines.review import commands

    if sum(named is not None for named in (candidate, tier, file)) != 1:
        raise click.UsageError("Name one candidate, or a tier with --all, or a file with --file.")
    if not file and not who:
        raise click.UsageError("Say who decides: --by NAME.")
    if not file and not undo and not verdict:
        raise click.UsageError("Say what is decided: --verdict same, different or unsure.")
    if undo and not candidate:
        raise click.UsageError("One candidate at a time can be undone: name it.")
    is_cluster = (candidate or "").strip().upper().startswith("K")
    if apart and not is_cluster:
        raise click.UsageError("--apart goes with a cluster (K…).")
    settings, who, verdict = load_settings(home), who or "", verdict or ""
    cells = {
        "survivor": survivor or "", "aliases": aliases or "", "move_active_orders": "yes" if move_active_orders else "",
        "keep_reference": ";".join(keep_reference), "enrolment": ";".join(enrolment),
    }  # fmt: skip
    if file:
        done = commands.decide_file(settings, file)
    elif tier:
        done = commands.decide_tier(settings, tier, verdict=verdict, who=who, reason=reason, cells=cells)
    elif is_cluster and undo:
        done = commands.undo_cluster(settings, candidate or "", who=who, reason=reason)
    elif is_cluster:
        done = commands.decide_cluster(
            settings, candidate or "", verdict=verdict, who=who, reason=reason, cells=cells, apart=apart
        )
    elif undo:
        done = commands.undo(settings, candidate or "", who=who, reason=reason)
    else:
        done = commands.decide_one(settings, candidate or "", verdict=verdict, who=who, reason=reason, cells=cells)
    _answer(done.as_dict(), as_json, lambda: screen.show_decided(done.as_dict()))
    sys.exit(FOUND_A_PROBLEM if done.refused else 0)


def _selecting(function: Callable[P, None]) -> Callable[P, None]:
    """The options that say what is to be merged."""
    for option in reversed(
        (
            click.option("--from", "from_on", type=Day, help="Past visits from this day on; default: all."),
            click.option("--to", "to_on", type=Day, help="Past visits before this day; what is to come always moves."),
            click.option("--authority", help="Only clients whom this council knows, by its code."),
            click.option("--wave", type=click.Choice(["empty", "no money", "money"]), help="Only this wave."),
            click.option("--candidate", "candidate_ids", multiple=True, metavar="ID", help="Only these candidates."),
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

    settings = load_settings(home)
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

    settings, selection = load_settings(home), _selection(from_on, to_on, authority, wave, candidate_ids, who)
    if dry_run:
        _answer_plan(settings, plan_merges(settings, selection), as_json)
        return
    if not who:
        raise click.UsageError("Say who signs the merges off: --by NAME.")
    with _progress(quiet=as_json) as progress:
        done = apply(settings, selection, who=who, reason=reason, progress=progress)
    _answer(done.as_dict(), as_json, lambda: screen.show_merged(done.as_dict()))


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
    settings, named = load_settings(home), None if every else merge_ids
    if dry_run:
        _answer_plan(settings, plan_undo(settings, named), as_json)
        return
    if not who:
        raise click.UsageError("Say who takes the merges back: --by NAME.")
    with _progress(quiet=as_json) as progress:
        done = take_back(settings, named, who=who, reason=reason, progress=progress)
    _answer(done.as_dict(), as_json, lambda: screen.show_merged(done.as_dict()))


@merge_command("status")
@click.option("--as-of", type=Day, help="Which merges stood at the end of that day, by the log.")
def merge_status(as_of: datetime | None, home: Path | None, as_json: bool) -> None:
    """Say where every merge stands, and what was found on merged-away records. Exit 1 if something must not be."""
    from pipelines.merge.status import merge_status as status

    found = status(load_settings(home), as_of.date() if as_of else None)
    _answer(found.as_dict(), as_json, lambda: screen.show_status(found))
    sys.exit(FOUND_A_PROBLEM if any(finding.breaks_a_law for finding in found.findings) else 0)


@command
@click.argument("records", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--truth", required=True, help="The column that says who is who; the matcher never sees it.")
@click.option("--mapping", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="YAML: columns: role.")
@click.option("--pairs", type=click.Path(dir_okay=False, path_type=Path), help="Write the pairs to this Parquet file.")
def evaluate(
    records: Path, truth: str, mapping: Path | None, pairs: Path | None, home: Path | None, as_json: bool
) -> None:
    """Match a labelled CSV or Parquet file as a night would, and compare with the truth."""
    from pipelines.match.evaluate import evaluate_file

    found = evaluate_file(load_settings(home), records, truth, mapping, pairs)
    _answer(found.as_dict(), as_json, lambda: screen.show_evaluation(found.as_dict()))


@command
@click.option("--scope", type=click.Choice(["all", "linked"]), default="all", show_default=True)
def fingerprint(scope: str, home: Path | None, as_json: bool) -> None:
    """A hash of the whole state, or of the linked rows and whom they count for alone."""
    from pipelines import fingerprint as state

    digest = state.fingerprint(load_settings(home), "linked" if scope == "linked" else "all")
    _answer({"scope": scope, "fingerprint": digest}, as_json, lambda: click.echo(digest))


@command
def doctor(home: Path | None, as_json: bool) -> None:
    """Say whether this home is in good health, and what to do if not."""
    from pipelines.doctor import examine

    findings = examine(load_settings(home))
    well = all(finding.well for finding in findings)
    _answer(
        {"well": well, "findings": [f.as_dict() for f in findings]}, as_json, lambda: screen.show_findings(findings)
    )
    sys.exit(0 if well else FOUND_A_PROBLEM)


@command
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def map(file: Path, home: Path | None, as_json: bool) -> None:  # noqa: A001 - the command's name is the contract
    """Print a first source mapping for FILE, to be read, completed and saved in HOME/sources."""
    from pipelines.ingest.read import find_headings
    from pipelines.ingest.refusal import FileRefusedError
    from pipelines.sources import load_sources
    from pipelines.sources.suggest import heading_vocabulary, suggest_mapping

    settings = load_settings(home)
    try:
        headings = find_headings(file, heading_vocabulary(), settings.ingest)
    except FileRefusedError as refusal:
        click.echo(f"oneclient: {refusal}", err=True)
        sys.exit(FOUND_A_PROBLEM)
    suggestion = suggest_mapping(file, headings, load_sources(settings.sources))

    def show() -> None:
        click.echo(suggestion.mapping, nl=False)
        if suggestion.unmapped:
            click.echo(f"# headings without a field: {', '.join(suggestion.unmapped)}")
        if suggestion.missing:
            click.echo(f"# required fields without a heading: {', '.join(suggestion.missing)}")

    from dataclasses import asdict

    _answer(asdict(suggestion), as_json, show)
    sys.exit(FOUND_A_PROBLEM if suggestion.missing else 0)


def _day(settings: Settings, day: datetime | None) -> date:
    return day.date() if day else datetime.now(ZoneInfo(settings.timezone)).date()


def _answer_plan(settings: Settings, plan: Any, as_json: bool) -> None:
    """Publish a plan to be read, and say it in short."""
    from pipelines.merge.publish import publish_plan

    page = publish_plan(settings, plan) / "plan.html"
    _answer({**plan.as_dict(), "page": str(page)}, as_json, lambda: screen.show_plan(plan, page))


def _answer(data: Any, as_json: bool, show: Callable[[], None]) -> None:
    if as_json:
        click.echo(json.dumps(data, indent=2, default=str, ensure_ascii=False))
    else:
        show()


@contextmanager
def _progress(*, quiet: bool) -> Iterator[Callable[[str, int, int], None]]:
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=quiet or not console.is_terminal) as bar:
        task = bar.add_task("starting", total=None)
        yield lambda step, done, of: bar.update(task, description=step, completed=done, total=of)


if __name__ == "__main__":
    main()
