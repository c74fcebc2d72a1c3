"""Commands that run the night and its parts: sample, nightly, train, report, trends."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from pipelines.cli import screen
from pipelines.cli.door import Day, answer, at_work, command, progress
from pipelines.settings import Settings, load_home, load_settings


@command
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder to make.")
@click.option("--clients", default=5_000, show_default=True, type=click.IntRange(min=1), help="Number of people.")
@click.option("--visits", default=60_000, show_default=True, type=click.IntRange(min=0), help="Number of visits.")
@click.option("--seed", default=1, show_default=True, help="Same seed, same bytes.")
@click.option(
    "--nights", default=1, show_default=True, type=click.IntRange(min=1), help="Dated folders if more than 1."
)
@click.option("--day", type=Day, default="2026-11-20", show_default=True, help="The last night.")
@click.option(
    "--own-layouts",
    is_flag=True,
    help="Two more councils, with layouts of their own; copy OUT/sources to HOME/sources.",
)
def sample(
    out: Path,
    clients: int,
    visits: int,
    seed: int,
    nights: int,
    day: datetime,
    own_layouts: bool,
    home: Path | None,
    as_json: bool,
) -> None:
    """Make up feeds of people who do not exist, and the truth about them."""
    from dataclasses import asdict

    from pipelines.sample import make_sample

    try:
        with at_work("making feeds up", quiet=as_json):
            made = make_sample(
                out,
                clients=clients,
                visits=visits,
                seed=seed,
                nights=nights,
                day=day.date(),
                own_layouts=own_layouts,
            )
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    summary = asdict(made)
    mappings = out / "sources" if own_layouts else None
    answer(summary, as_json, lambda: screen.show_sample(summary, mappings))


@command
@click.option("--inbox", type=click.Path(file_okay=False, path_type=Path), help="Default: HOME/inbox.")
@click.option("--day", type=Day, help="The night to run; default: today.")
def nightly(inbox: Path | None, day: datetime | None, home: Path | None, as_json: bool) -> None:
    """Land what was delivered, bring the register up to date, match, and publish the candidate report."""
    from pipelines.nightly import run_night

    settings = load_settings(home)
    with progress(quiet=as_json) as told:
        night = run_night(settings, inbox or settings.inbox, _day(settings, day), told)
    answer(night.as_dict(), as_json, lambda: screen.show_night(night.as_dict()))


@command
def train(home: Path | None, as_json: bool) -> None:
    """Train the model on the register as it stands and make it the current one."""
    from pipelines import nightly

    settings = load_home(home)
    with at_work("training the model", quiet=as_json):
        trained = nightly.train(settings)
    folder = settings.models / trained["model_version"]
    answer({**trained, "folder": str(folder)}, as_json, lambda: screen.console.print(f"Model: {folder}"))


@command
@click.option(
    "--as-of", type=Day, help="Rebuild the report of a past night as it was; default: the last night, as now."
)
def report(as_of: datetime | None, home: Path | None, as_json: bool) -> None:
    """Publish the candidate report again and say where it is."""
    from pipelines.review.publish import last_night, publish_report, rebuild_report

    settings = load_home(home)
    with at_work("writing the report", quiet=as_json):
        if as_of:
            folder = rebuild_report(settings, as_of.date())
        else:
            folder = publish_report(settings, last_night(settings) or _day(settings, None))
    page = folder / "index.html"
    answer({"report": str(folder), "page": str(page)}, as_json, lambda: screen.console.print(f"Report: {page}"))


@command
def trends(home: Path | None, as_json: bool) -> None:
    """Publish the page of trends again and say where it is: how what is sent, and what came of it, went over time."""
    from pipelines.monitor.trends import trends_of

    told, page = trends_of(load_home(home))
    answer(
        {**told.as_dict(), "page": str(page)}, as_json, lambda: screen.console.print(f"Trends: {page}", soft_wrap=True)
    )


def _day(settings: Settings, day: datetime | None) -> date:
    return day.date() if day else datetime.now(ZoneInfo(settings.timezone)).date()
