"""The providers that one Airflow serves side by side: what is made of the list that ``ONECLIENT_PROVIDERS`` names.

Without the variable there is one provider and it has no name: its DAGs, pool, page and key are called as they always
were, its home is found where ``pipelines/settings.py`` finds it, and ``ONECLIENT_DONE_BY`` is its ``done_by``. With the
variable, the file has a table for each:

    [acme]
    home = "/srv/oneclient/acme"      # or relative to the folder of the list
    inbox = "/srv/deliveries/acme"    # left out: the inbox of the home
    at = "02:30"                      # when its night runs, by its clock
    queue = "acme"                    # left out: any worker; else the queue of the workers that have its home
    done_by = "06:00"                 # left out: nobody is told of a late night; else when it has to be done

DAG files read it at every parse, so this imports nothing of oneclient but ``troubles.py``, and nothing else that
Airflow has not imported.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from pipelines.troubles import KnownError

LIST_VARIABLE = "ONECLIENT_PROVIDERS"
DONE_BY_VARIABLE = "ONECLIENT_DONE_BY"
HOME_VARIABLE = "ONECLIENT_HOME"
LONDON = "Europe/London"
_PAGE = "/oneclient"

Place = Path | tuple[int, int]


class ProvidersError(KnownError):
    """The list of providers cannot be used; the message says what to change."""

    code = "S3"


class Provider(BaseModel):
    """One provider, and what everything of it is called. ``home`` and ``inbox`` are None only without a list."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(default="", pattern=r"^([a-z][a-z0-9_]{0,39})?$")
    home: Path | None = None
    inbox: Path | None = None
    at: time = time(2, 30)
    queue: str | None = Field(default=None, pattern=r"^[\w.-]{1,100}$")
    done_by: time | None = None

    @field_validator("at", "done_by")
    @classmethod
    def _a_minute(cls, at: time | None) -> time | None:
        if at and (at.second or at.microsecond or at.tzinfo):
            raise ValueError("it has to be hours and minutes, such as 02:30")
        return at

    def called(self, what: str) -> str:
        """The name of a DAG or a pool of this provider."""
        return f"{what}_{self.name}" if self.name else what

    @property
    def pool(self) -> str:
        """The pool of one slot that all tasks share which open this provider's warehouse."""
        return self.called("duckdb_writer")

    @property
    def pools(self) -> dict[str, dict[str, Any]]:
        """That pool as ``airflow pools import`` reads it."""
        return {self.pool: {"slots": 1, "description": "one writer at a time", "include_deferred": False}}

    @property
    def key_variable(self) -> str:
        """The environment variable that holds the key of this provider's home, and of no other."""
        return self.called("ONECLIENT_KEY").upper()

    @property
    def page(self) -> str:
        """The path under which its review page is served."""
        return f"{_PAGE}/{self.name}" if self.name else _PAGE

    @property
    def done_within(self) -> timedelta | None:
        """How long a night may take from when it is due until it has to be done; None: as long as it likes."""
        if self.done_by is None:
            return None
        due, needed = (datetime.combine(date.min, at) for at in (self.at, self.done_by))
        return (needed - due) % timedelta(days=1) or timedelta(days=1)

    @property
    def timezone(self) -> str:
        """The zone of its clock, as ``settings.toml`` has it; London's while none can be read there, which its first
        task tells of."""
        home = (self.home or Path(os.environ.get(HOME_VARIABLE, "home"))).expanduser()
        try:
            return ZoneInfo(tomllib.loads((home / "settings.toml").read_text(encoding="utf-8"))["timezone"]).key
        except (OSError, ValueError, KeyError, TypeError):
            return LONDON

    @property
    def suffix(self) -> str:
        """What the names of its connections in Airflow end in."""
        return self.called("")

    @property
    def tags(self) -> list[str]:
        """What its DAGs are found by."""
        return ["oneclient", *filter(None, [self.name])]

    @property
    def placed(self) -> dict[str, str]:
        """Task arguments that say which workers its tasks go to."""
        return {"queue": self.queue} if self.queue else {}


ONLY = Provider()


def plan_at(review: str, plan_hash: str) -> str:
    """The address of a published plan on the review page, which is served at ``review``.

    It is here because Airflow asks for it after a task has ended, and ends the task 20 seconds later: this module
    imports nothing heavy.
    """
    return f"{review}/plans/{plan_hash[:12]}"


def read_providers() -> list[Provider]:
    """The providers of the list, by name; without a list the only one there is.

    Raises ProvidersError for a list that cannot be read or holds an unknown or impossible value, and for two providers
    of which one's home or inbox is, or lies in, the other's, by whatever path or link.
    """
    if not (named := os.environ.get(LIST_VARIABLE, "").strip()):
        return [_only()]
    file = Path(named).expanduser()
    if not file.is_absolute():
        raise ProvidersError(f"{LIST_VARIABLE} has to be a whole path, since not all of Airflow runs in one folder.")
    try:
        written = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ProvidersError(f"{LIST_VARIABLE} names a list that cannot be read: {error.strerror}.") from None
    except (ValueError, RecursionError) as error:
        raise ProvidersError(f"The list of providers is not valid TOML: {error}. Correct that line.") from None
    if not written:
        raise ProvidersError("The list of providers is empty. Write a table for each, such as [acme] with its home.")
    found = [_provider(name, table, file.resolve().parent) for name, table in sorted(written.items())]
    _see_that_they_are_apart(found)
    return found


def _only() -> Provider:
    try:
        return Provider.model_validate({"done_by": os.environ.get(DONE_BY_VARIABLE, "").strip() or None})
    except ValidationError as error:
        said = error.errors(include_input=False, include_url=False)[0]["msg"]
        raise ProvidersError(f"{DONE_BY_VARIABLE}: {said}. Correct it.") from None


def provider_of(home: Path) -> Provider:
    """Whose home this is; the only provider for a home that is not on the list. Raises ProvidersError."""
    place = _place(home)
    return next((one for one in read_providers() if one.home and _place(one.home) == place), ONLY)


def _provider(name: str, table: Any, folder: Path) -> Provider:
    if not isinstance(table, dict):
        raise ProvidersError(f"The list of providers: {name} has to be a table, such as [acme] with its home.")
    if "name" in table or not name:
        raise ProvidersError("The list of providers: the name of a provider is that of its table, and nothing else.")
    if not table.get("home"):
        raise ProvidersError(f"The list of providers: {name} has no home. Write home = the folder of its home.")
    try:
        said = Provider.model_validate({**table, "name": name})
    except ValidationError as error:
        problem = error.errors(include_input=False, include_url=False)[0]
        where, what = problem["loc"][0], problem["msg"]
        if where == "name":
            what = "a name begins with a letter a to z and goes on with a to z, 0 to 9 and _, at most 40 of them"
        raise ProvidersError(f"The list of providers: {name}.{where}: {what}. Correct it.") from None
    home = _resolved(folder, said.home or Path())
    inbox = _resolved(folder, said.inbox) if said.inbox else home / "inbox"
    return said.model_copy(update={"home": home, "inbox": inbox})


def _resolved(folder: Path, path: Path) -> Path:
    try:
        return (folder / path.expanduser()).resolve()
    except (OSError, RuntimeError):
        raise ProvidersError("The list of providers: a path leads nowhere. Correct the link or the path.") from None


def _see_that_they_are_apart(providers: list[Provider]) -> None:
    owners: dict[Place, str] = {}
    for one in providers:
        for place in {_place(folder) for folder in _folders(one)}:
            if (other := owners.setdefault(place, one.name)) != one.name:
                raise _too_close(one.name, other)
    for one in providers:
        for above in {_place(parent) for folder in _folders(one) for parent in folder.parents}:
            if (other := owners.get(above, one.name)) != one.name:
                raise _too_close(one.name, other)


def _folders(provider: Provider) -> Iterator[Path]:
    yield from filter(None, (provider.home, provider.inbox))


def _place(folder: Path) -> Place:
    """Equal for two paths to one folder; of a folder that is not there yet, its resolved path."""
    try:
        found = folder.stat()
    except OSError:
        return folder.resolve()
    return found.st_dev, found.st_ino


def _too_close(one: str, other: str) -> ProvidersError:
    return ProvidersError(
        f"The list of providers: the home or inbox of {one} is that of {other}, or lies in it or around it. Give each "
        "provider folders of its own."
    )
