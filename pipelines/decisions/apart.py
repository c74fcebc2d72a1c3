"""No two providers keep their decisions in one store: what somebody said for one would count for the other.

Stores are compared by where their URLs lead as they are written: another name of the same server is not seen through.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from pipelines.settings import Settings, SettingsError, listed_providers, whose

_POSTGRES_PORT = 5432


def see_that_it_is_apart(settings: Settings, url: URL) -> None:
    """Raises SettingsError when ``url``, which settings name, is also where another provider on the list decides."""
    if settings.decisions.url is None or not (own := whose(settings.home).name):
        return
    for other in listed_providers():
        if other.home and other.name != own and _place(url) == _written(other.home):
            raise SettingsError(
                f"settings.toml: decisions.url is where the decisions of the provider {other.name} are kept as well. "
                "Give each provider a database of its own.",
                code="S7",
            )


def _written(home: Path) -> tuple[object, ...] | None:
    """Where a home's decisions are kept; None if its settings cannot be read, which is for its own runs to tell."""
    try:
        settings = tomllib.loads((home / "settings.toml").read_text(encoding="utf-8"))
        written = settings.get("decisions", {}).get("url")
        return _place(make_url(written) if written else URL.create("sqlite", database=str(home / "decisions.sqlite")))
    except FileNotFoundError:
        return _place(URL.create("sqlite", database=str(home / "decisions.sqlite")))
    except (OSError, ValueError, AttributeError, ArgumentError, RecursionError):
        return None


def _place(url: URL) -> tuple[object, ...]:
    if url.get_backend_name() == "sqlite":
        return "sqlite", Path(url.database or "").resolve()
    schema = url.query.get("options", "")
    return url.get_backend_name(), (url.host or "").lower(), url.port or _POSTGRES_PORT, url.database, schema
