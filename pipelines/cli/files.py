"""Commands about delivered files: check, accept."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from pipelines.cli import screen
from pipelines.cli.door import FOUND_A_PROBLEM, Day, answer, command
from pipelines.settings import load_home, load_settings


@command
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--day", type=Day, help="The nightly run that would load them; default: today.")
@click.option("--show/--mask", "show", default=False, help="Show references whole, or masked.  [default: masked]")
def check(files: tuple[Path, ...], day: datetime | None, show: bool, home: Path | None, as_json: bool) -> None:
    """Say what a nightly run would make of FILES, and load nothing.

    Rows that would load, rejected rows by reason, unread cells by column, headings that are new or gone, how many
    client records would be created, and which of their references are near an existing one. Exit code 1: a file
    would be held.
    """
    from pipelines.ingest.checking import check_files

    settings = load_settings(home)
    night = day.date() if day else datetime.now(ZoneInfo(settings.timezone)).date()
    found = check_files(settings, files, night)
    well = all(one.well for one in found)
    said = [one.as_dict(masked=not show) for one in found]
    answer({"well": well, "files": said}, as_json, lambda: screen.show_checked(said))
    sys.exit(0 if well else FOUND_A_PROBLEM)


@command
@click.argument("file")
@click.option("--by", "who", help="Who accepts it: a person's name.")
@click.option("--reason", default="", help="Why it is right.")
@click.option("--inbox", type=click.Path(file_okay=False, path_type=Path), help="Default: HOME/inbox.")
def accept(file: str, who: str | None, reason: str, inbox: Path | None, home: Path | None, as_json: bool) -> None:
    """Accept FILE, which is held because it lacks too many records or would create too many clients.

    FILE is its name, its hash, or a path in HOME/quarantine. It goes back into the inbox, and the next nightly run
    loads it. Who accepted it, when and why is recorded.
    """
    from pipelines.ingest.accepting import accept_file

    settings = load_home(home)
    if not (who or "").strip():
        raise click.UsageError("Say who accepts it: --by NAME.")
    done = accept_file(settings, file, who=(who or "").strip(), reason=reason.strip(), inbox=inbox or settings.inbox)
    answer(done.as_dict(), as_json, lambda: click.echo("Accepted. The next nightly run loads it."))
