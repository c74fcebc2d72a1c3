"""What the shell may offer while a command is typed: read from what is published, never from the warehouse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem, get_completion_class

VARIABLE = "_ONECLIENT_COMPLETE"
SHELLS = ("bash", "zsh", "fish")
MOST = 500


def script(main: click.Command, shell: str) -> str:
    """What a shell has to read to complete ``oneclient``."""
    found = get_completion_class(shell)
    assert found is not None, shell  # noqa: S101 - one of SHELLS, all of which click knows
    return found(main, {}, "oneclient", VARIABLE).source()


def providers(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Names on the list of providers."""
    from pipelines.settings import SettingsError, listed_providers

    try:
        names = sorted(one.name for one in listed_providers() if one.name)
    except SettingsError:
        return []
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def candidates(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Ids of the last published report, most harmful first, each with its tier; at most so many."""
    try:
        return [
            CompletionItem(found["candidate_id"], help=found["tier"])
            for found in _published(ctx, "candidates", ["candidate_id", "tier"])
            if found["candidate_id"].startswith(incomplete.upper())
        ][:MOST]
    except (OSError, ValueError, LookupError):
        return []


def cases(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Ids of candidates, and of clusters."""
    try:
        clusters = [
            CompletionItem(found["cluster_id"], help="cluster")
            for found in _published(ctx, "clusters", ["cluster_id"])
            if found["cluster_id"].startswith(incomplete.upper())
        ]
    except (OSError, ValueError, LookupError):
        clusters = []
    return [*candidates(ctx, param, incomplete), *clusters[:MOST]]


def _published(ctx: click.Context, what: str, columns: list[str]) -> list[dict[str, Any]]:
    """Rows of the last night's report, by a home that is named or the usual one. Raises OSError if there is none."""
    import pyarrow.parquet as pq

    from pipelines.settings import home_folder, home_of

    provider = ctx.params.get("provider")
    home: Path = home_of(provider) if provider else home_folder(ctx.params.get("home"))
    nights = sorted(home.glob(f"reports/????-??-??/{what}.parquet"))
    if not nights:
        raise FileNotFoundError(what)
    found: list[dict[str, Any]] = pq.read_table(nights[-1], columns=columns).to_pylist()
    return found
