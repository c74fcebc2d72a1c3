"""Commands that look and change nothing, but for map and template, which may write a mapping and a workbook."""

from __future__ import annotations

import json
import sys
from datetime import date
from pathlib import Path

import click

from pipelines.cli import completing, screen
from pipelines.cli.door import FOUND_A_PROBLEM, answer, at_work, command, main
from pipelines.feeds import FEEDS
from pipelines.settings import listed_providers, load_home, load_settings


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

    settings = load_settings(home)
    with at_work("training, matching and comparing", quiet=as_json):
        found = evaluate_file(settings, records, truth, mapping, pairs)
    answer(found.as_dict(), as_json, lambda: screen.show_evaluation(found.as_dict()))


@command
@click.option("--scope", type=click.Choice(["all", "linked"]), default="all", show_default=True)
def fingerprint(scope: str, home: Path | None, as_json: bool) -> None:
    """A hash of the whole state, or of the linked rows and whom they count for alone."""
    from pipelines import fingerprint as state

    digest = state.fingerprint(load_home(home), "linked" if scope == "linked" else "all")
    answer({"scope": scope, "fingerprint": digest}, as_json, lambda: click.echo(digest))


@command
def doctor(home: Path | None, as_json: bool) -> None:
    """Say whether this home, what is installed and Airflow are in good health, and what to do if not."""
    from pipelines.doctor import examine, examine_installation

    settings = load_home(home)
    findings = [*examine_installation(), *examine(settings)]
    well = all(finding.well for finding in findings)
    answer({"well": well, "findings": [f.as_dict() for f in findings]}, as_json, lambda: screen.show_findings(findings))
    sys.exit(0 if well else FOUND_A_PROBLEM)


@command
@click.option("--pools", is_flag=True, help="Print the pools that Airflow needs, for: airflow pools import FILE")
def providers(pools: bool, home: Path | None, as_json: bool) -> None:
    """Say who is on the list of providers (ONECLIENT_PROVIDERS), and whether each can be served."""
    from pipelines.doctor import examine_providers

    if pools:
        click.echo(json.dumps({name: said for one in listed_providers() for name, said in one.pools.items()}, indent=2))
        return
    findings = examine_providers()
    well = all(finding.well for finding in findings)
    answer({"well": well, "findings": [f.as_dict() for f in findings]}, as_json, lambda: screen.show_findings(findings))
    sys.exit(0 if well else FOUND_A_PROBLEM)


@command
@click.argument("shell", type=click.Choice(completing.SHELLS))
def completion(shell: str, home: Path | None, as_json: bool) -> None:
    """Print what makes SHELL complete commands, options, tiers, candidates and providers.

    bash: eval "$(oneclient completion bash)" in ~/.bashrc; zsh: the same with zsh in ~/.zshrc, after compinit; fish:
    oneclient completion fish > ~/.config/fish/completions/oneclient.fish
    """
    script = completing.script(main, shell)
    answer({"shell": shell, "script": script}, as_json, lambda: click.echo(script))


@command
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--write", "name", metavar="NAME", help="Write it to HOME/sources/NAME.yaml.")
@click.option("--force", is_flag=True, help="With --write: even if there is such a mapping already.")
@click.option("--issuer", metavar="CODE", help="The council or rostering system that issued the ids.")
@click.option("--authority", metavar="CODE", help="The council of its references, if it is always one.")
@click.option("--feed", type=click.Choice(list(FEEDS)), help="What the file carries; default: what fits best.")
@click.option("--rows", type=click.IntRange(0, 1000), help="Rows to show as they would be read.  [default: 10]")
@click.option("--show/--mask", "show", default=False, help="Show the values whole, or masked.  [default: masked]")
def map(  # noqa: A001 - the command's name is the contract
    file: Path, name: str | None, force: bool, issuer: str | None, authority: str | None, feed: str | None,
    rows: int | None, show: bool, home: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Suggest a source mapping for FILE by its headings and values, and try it on the first rows.

    The mapping goes to the standard output, so that it can be kept in a file; rows before and after, rejects and doubts
    are shown on a terminal, or if --rows is said. Exit code 1: it is not sure what the file is, or a nightly run would
    refuse the file; with --write nothing is written then. --feed says what the file is.
    """
    from pipelines.ingest.trial import SHOWN, propose_mapping, write_mapping
    from pipelines.sources.suggest import Known

    if name is not None and not issuer:
        raise click.UsageError("Say who issued the ids of the file: --issuer CODE, such as acme or KENT.")
    settings = load_settings(home)
    known = Known(feed, issuer, authority)
    found = propose_mapping(settings, file, known, rows=SHOWN if rows is None else rows, masked=not show)
    suggestion = found.suggestion
    written = None
    if name is not None and suggestion.sure:
        written = str(write_mapping(settings, name, suggestion.mapping, file, force=force))

    def tell() -> None:
        if name is None:
            click.echo(suggestion.mapping, nl=False)
        screen.show_proposal(found, on_error_stream=name is None, asked=rows is not None)
        if written:
            click.echo(f"Written: {written}\nRead it, then run: oneclient nightly")
        screen.say_what_is_unsure(suggestion, known.feed, not_written=name is not None and not written)

    answer(found.as_dict() | {"written": written}, as_json, tell)
    sys.exit(0 if found.well else FOUND_A_PROBLEM)


@command
@click.argument("feed", type=click.Choice(list(FEEDS)))
@click.option(
    "--out", required=True, type=click.Path(dir_okay=False, path_type=Path), metavar="FILE.xlsx",
    help="The workbook to write.",
)  # fmt: skip
@click.option("--force", is_flag=True, help="Even if there is such a file already.")
def template(feed: str, out: Path, force: bool, home: Path | None, as_json: bool) -> None:
    """Write an empty workbook of FEED for a sender to fill in: headings, formats, lists to choose from, notes."""
    from pipelines.sources.template import write_template

    if out.suffix.lower() != ".xlsx":
        raise click.UsageError("Name a workbook: --out FILE.xlsx.")
    if not out.parent.is_dir():
        raise click.UsageError(f"There is no folder {out.parent}.")
    made = write_template(feed, out, made_on=date.today(), force=force)
    told = {"feed": made.feed, "written": str(made.written), "headings": made.headings, "required": made.required}

    def tell() -> None:
        click.echo(f"Written: {made.written} ({len(made.headings)} columns; needed: {', '.join(made.required)})")
        click.echo(f"Its sender fills it in and names it like {made.file_name}.")

    answer(told, as_json, tell)
