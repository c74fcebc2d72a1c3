"""Commands that let personal data go: forget, retire."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from pipelines.cli import screen
from pipelines.cli.door import FOUND_A_PROBLEM, Day, answer, command, progress
from pipelines.settings import load_home


@command
@click.argument("client")
@click.option("--by", "who", help="Who does it: a person's name.")
@click.option("--reason", default="", help="Why, without naming the client: it can never be erased.")
@click.option("--although-in-care", is_flag=True, help="Even if the next file would bring the client back.")
@click.option("--dry-run", is_flag=True, help="Only say what would be erased.")
def forget(
    client: str, who: str | None, reason: str, although_in_care: bool, dry_run: bool, home: Path | None, as_json: bool
) -> None:
    """Erase all personal data of CLIENT (a record as the report names it), with all records merged with it."""
    from pipelines.custody import forget as forgetting

    settings = load_home(home)
    if dry_run:
        outcome = forgetting.preview(settings, client)
    elif not who:
        raise click.UsageError("Say who does it: --by NAME.")
    else:
        with progress(quiet=as_json) as told:
            outcome = forgetting.forget(
                settings, client, who=who, reason=reason, although_in_care=although_in_care, progress=told
            )
    found = outcome.as_dict()
    answer(found | {"dry_run": dry_run}, as_json, lambda: _show(found, dry_run))
    sys.exit(FOUND_A_PROBLEM if (outcome.in_care and not dry_run) or outcome.not_searched else 0)


def _show(found: dict[str, Any], dry_run: bool) -> None:
    refs = ", ".join(found["client_refs"])
    if found["in_care"]:
        signs = ", ".join(f"{count:,} {sign}" for sign, count in found["in_care"].items())
        click.echo(
            f"{refs} {'is' if dry_run else 'was not forgotten: the client is'} in care ({signs}). The next file would "
            "bring the data back. End them in the systems they come from first; or add --although-in-care."
        )
    elif not dry_run:
        click.echo(f"{refs}: {'was forgotten before' if found['already'] else 'forgotten'} (entry {found['number']}).")
    if found["erased"]:
        screen.show_pairs("Would be erased" if dry_run else "Erased", found["erased"])
    if found["others"]:
        click.echo(f"Taken for the same person, and not merged, so not erased: {', '.join(found['others'])}.")
    if found["named_in_reasons"]:
        entries = ", ".join(map(str, found["named_in_reasons"]))
        click.echo(f"The reasons of these entries of the decision log may name them, and cannot be erased: {entries}.")
    if found["in_inbox"]:
        click.echo(f"{found['in_inbox']:,} files lie in the inbox and were not searched: the night takes them as new.")
    if found["not_searched"]:
        click.echo(f"Damaged, so not searched; look at them and delete them: {', '.join(found['not_searched'])}.")


@command
@click.option("--day", type=Day, help="As of this night; default: the last one.")
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
def retire(day: datetime | None, dry_run: bool, home: Path | None, as_json: bool) -> None:
    """Let go what is older than the settings keep it ([retention]); every night does so, too."""
    from pipelines.custody.retention import retire as let_go

    found = let_go(load_home(home), day.date() if day else None, dry_run=dry_run).as_dict()
    answer(found | {"dry_run": dry_run}, as_json, lambda: screen.show_pairs("Would go" if dry_run else "Gone", found))
