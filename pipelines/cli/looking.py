"""Commands that look and change nothing: evaluate, fingerprint, doctor, providers, map."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

import click

from pipelines import screen
from pipelines.cli.door import FOUND_A_PROBLEM, answer, command
from pipelines.settings import listed_providers, load_settings


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
    answer(found.as_dict(), as_json, lambda: screen.show_evaluation(found.as_dict()))


@command
@click.option("--scope", type=click.Choice(["all", "linked"]), default="all", show_default=True)
def fingerprint(scope: str, home: Path | None, as_json: bool) -> None:
    """A hash of the whole state, or of the linked rows and whom they count for alone."""
    from pipelines import fingerprint as state

    digest = state.fingerprint(load_settings(home), "linked" if scope == "linked" else "all")
    answer({"scope": scope, "fingerprint": digest}, as_json, lambda: click.echo(digest))


@command
def doctor(home: Path | None, as_json: bool) -> None:
    """Say whether this home, what is installed and Airflow are in good health, and what to do if not."""
    from pipelines.doctor import examine, examine_installation

    settings = load_settings(home)
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
            click.echo(f"# headings without a field: {', '.join(' '.join(h.split()) for h in suggestion.unmapped)}")
        if suggestion.missing:
            click.echo(f"# required fields without a heading: {', '.join(suggestion.missing)}")

    answer(asdict(suggestion), as_json, show)
    sys.exit(FOUND_A_PROBLEM if suggestion.missing else 0)
