"""Pages that need nothing from elsewhere: where their templates lie, and what every template may use."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from pipelines.publishing.legible import legible

TEMPLATES = Path(__file__).parents[1] / "review" / "templates"


def new_environment() -> Environment:
    """An environment of its own, in which what is shown is text and a name that is not there is an error."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Callable[..., str]] = {
        "capital": lambda said: said[:1].upper() + said[1:],
        "content_hash": content_hash,
        "count": "{:,}".format,
        "day": say_day,
    }
    made.filters |= filters
    return made


def _shown(value: Any) -> Any:
    if isinstance(value, Markup):
        return Markup(legible(value))  # noqa: S704 - what is named instead of a character holds no markup
    return legible(value) if isinstance(value, str) else value


def content_hash(content: str) -> str:
    """Of an inline style or script, as a Content-Security-Policy names it."""
    return f"'sha256-{b64encode(sha256(content.encode()).digest()).decode()}'"


def say_day(day: date) -> str:
    """``20 November 2026``."""
    return f"{day.day} {day:%B %Y}"
