"""Commands for people who decide: candidates, decide."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

import click

from pipelines.cli import completing, screen
from pipelines.cli.door import FOUND_A_PROBLEM, Day, answer, command
from pipelines.settings import TIERS, load_home


@command
@click.option("--tier", type=click.Choice(TIERS), help="Only this tier.")
@click.option("--as-of", type=Day, help="As a past night published them; default: the last night's, as they stand now.")
@click.option("--all", "settled_too", is_flag=True, help="Those that people have settled as well.")
def candidates(tier: str | None, as_of: datetime | None, settled_too: bool, home: Path | None, as_json: bool) -> None:
    """List the candidates that wait for a decision, most harmful first."""
    from dataclasses import asdict

    from pipelines.review.commands import list_candidates

    listed = list_candidates(load_home(home), as_of.date() if as_of else None)
    found = [asdict(c) for c in listed if tier in {None, c.tier} and (settled_too or not c.settled)]
    answer(found, as_json, lambda: screen.show_candidates(found))


@command
@click.argument("cases", nargs=-1, metavar="[CASE | REF REF ...]", shell_complete=completing.cases)
@click.option("--records", "are_records", is_flag=True, help="Two or more client records, each by its client ref.")
@click.option("--all", "tier", type=click.Choice(TIERS), help="All open ones of a tier.")
@click.option("--file", "file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Workbook or CSV.")
@click.option("--undo", is_flag=True, help="Take back one's own newest verdict.")
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
@click.option(
    "--field", multiple=True, metavar="FIELD=REF", help="Of two values, such as born_on, the record's to keep."
)
@click.option("--apart", default="", metavar="REF", help="Of three records or more, the one of another person.")
def decide(
    cases: tuple[str, ...], are_records: bool, tier: str | None, file: Path | None, undo: bool, verdict: str | None,
    who: str | None, reason: str, survivor: str | None, move_active_orders: bool, aliases: str | None,
    keep_reference: tuple[str, ...], enrolment: tuple[str, ...], field: tuple[str, ...], apart: str,
    home: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Record what a person decided: of a candidate (C...) or cluster (K...); of any two client records or more, whether
    matching proposed them or not; of a whole tier; or in a file."""
    from pipelines.review import commands

    if sum((bool(cases), tier is not None, file is not None)) != 1:
        raise click.UsageError("Name one candidate, or two records, or a tier with --all, or a file with --file.")
    if not file and not who:
        raise click.UsageError("Say who decides: --by NAME.")
    if not file and not undo and not verdict:
        raise click.UsageError("Say what is decided: --verdict same, different or unsure.")
    if undo and not cases:
        raise click.UsageError("One case at a time can be undone: name it.")
    if are_records and len(cases) < 2:
        raise click.UsageError("--records goes with the client refs of two records or more.")
    settings, who, verdict = load_home(home), who or "", verdict or ""
    cells = {
        "survivor": survivor or "", "aliases": aliases or "", "move_active_orders": "yes" if move_active_orders else "",
        "keep_reference": ";".join(keep_reference), "enrolment": ";".join(enrolment),
        "field": ";".join(field),
    }  # fmt: skip
    if file:
        done = commands.decide_file(settings, file)
    elif tier:
        done = commands.decide_tier(settings, tier, verdict=verdict, who=who, reason=reason, cells=cells)
    elif undo:
        done = commands.undo_cases(settings, cases, who=who, reason=reason)
    else:
        done = commands.decide_cases(settings, cases, verdict=verdict, who=who, reason=reason, cells=cells, apart=apart)
    answer(done.as_dict(), as_json, lambda: screen.show_decided(done.as_dict()))
    sys.exit(FOUND_A_PROBLEM if done.refused else 0)
