"""The one place that reads settings: ``HOME/settings.toml``, and ``ONECLIENT_HOME`` and ``ONECLIENT_KEY``; who else
shares this Airflow stands in ``pipelines/providers.py``."""

from __future__ import annotations

import hashlib
import os
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

from phonenumbers import SUPPORTED_REGIONS
from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator

from pipelines.mistakes import first_mistake, line_of
from pipelines.private import keep_private, make_folder
from pipelines.providers import (
    HOME_VARIABLE,
    LIST_VARIABLE,
    LONDON,
    Provider,
    ProvidersError,
    provider_of,
    read_providers,
)
from pipelines.sections import (
    DecisionSettings,
    EncryptionSettings,
    IngestSettings,
    MergeSettings,
    MetricsSettings,
    ReportSettings,
    RetentionSettings,
    Section,
    SparkSettings,
    WarehouseSettings,
)
from pipelines.sections import MatchSettings as MatchSettings  # noqa: PLC0414 - matching has it from here
from pipelines.troubles import KnownError

KEY_VARIABLE = "ONECLIENT_KEY"
_A_HOME_HAS = ("settings.toml", "inbox", "sources", "oneclient.duckdb", "decisions.sqlite")  # one of them is enough
Listed = TypeVar("Listed")
TIERS = ("near-certain", "likely", "possible")


class SettingsError(KnownError):
    """The settings cannot be used; the message says which line to change."""

    code = "S1"


class KeyRefusedError(SettingsError):
    """The key in the environment is not one, is the wrong one, or is missing. Nothing was changed."""

    code = "K1"


class NoHomeError(KnownError):
    """There is no home where one is to be looked at. Nothing was made there."""

    code = "S8"


class Settings(Section):
    """Everything an operator may set; each field but ``home`` and ``key`` is a line or a section of
    ``HOME/settings.toml``. With a ``key`` the home is encrypted; it comes from the environment and is never written."""

    home: Path
    key: SecretStr | None = Field(default=None, exclude=True)
    provider: str = "Home-care provider"
    timezone: str = LONDON
    phone_region: str = "GB"
    warehouse: WarehouseSettings = WarehouseSettings()
    ingest: IngestSettings = IngestSettings()
    match: MatchSettings = MatchSettings()
    spark: SparkSettings = SparkSettings()
    decisions: DecisionSettings = DecisionSettings()
    merge: MergeSettings = MergeSettings()
    report: ReportSettings = ReportSettings()
    retention: RetentionSettings = RetentionSettings()
    metrics: MetricsSettings = MetricsSettings()
    encryption: EncryptionSettings = EncryptionSettings()

    @field_validator("provider")
    @classmethod
    def _one_line(cls, provider: str) -> str:
        if not provider.isprintable():
            raise ValueError("it holds a line end or a sign that cannot be seen")
        return provider

    @field_validator("timezone")
    @classmethod
    def _known_place(cls, timezone: str) -> str:
        try:
            ZoneInfo(timezone)
        except (KeyError, ValueError, OSError):
            raise ValueError("there is no such time zone; write it like Europe/London") from None
        return timezone

    @field_validator("phone_region")
    @classmethod
    def _known_region(cls, phone_region: str) -> str:
        if phone_region not in SUPPORTED_REGIONS:
            raise ValueError("it has to be a country's two letters in capitals, such as GB or IE")
        return phone_region

    @model_validator(mode="after")
    def _sealed(self) -> Settings:
        if self.key and self.match.engine == "spark":
            raise ValueError(
                'match.engine = "spark" would leave standardised records unencrypted beside an encrypted home; '
                "take it out"
            )
        return self

    @property
    def inbox(self) -> Path:
        """Files in."""
        return self.home / "inbox"

    @property
    def archive(self) -> Path:
        """Files kept, by feed and content."""
        return self.home / "archive"

    @property
    def quarantine(self) -> Path:
        """Files refused, each with its reason."""
        return self.home / "quarantine"

    @property
    def sources(self) -> Path:
        """The operator's own source mappings."""
        return self.home / "sources"

    @property
    def database(self) -> Path:
        """The warehouse."""
        return self.home / "oneclient.duckdb"

    @property
    def decisions_file(self) -> Path:
        """The decision store, unless ``decisions.url`` names another."""
        return self.home / "decisions.sqlite"

    @property
    def models(self) -> Path:
        """Model versions."""
        return self.home / "models"

    @property
    def reports(self) -> Path:
        """One folder for each night."""
        return self.home / "reports"

    @property
    def trends_page(self) -> Path:
        """How the nights went, beside their reports."""
        return self.reports / "trends.html"

    @property
    def published(self) -> Path:
        """What follows from the merges: crosswalk, golden clients, worklists."""
        return self.home / "published"

    @property
    def metrics_folder(self) -> Path:
        """What Prometheus reads, unless ``metrics.file`` names another place, and how long steps took."""
        return self.home / "metrics"

    @property
    def scratch(self) -> Path:
        """Where DuckDB puts what does not fit into memory."""
        return self.home / "scratch"

    @property
    def exchange(self) -> Path:
        """Where records are handed out to Spark: a folder of this home's own, whoever else uses the shared one."""
        if self.spark.exchange is None:
            return self.scratch / "spark"
        return self.spark.exchange / f"oneclient-{hashlib.sha256(str(self.home).encode()).hexdigest()[:12]}"

    def config_hash(self) -> str:
        """Twelve hex digits that change when any setting does that a result may hang on: not with places, keys and
        engines."""
        settings = self.model_dump_json(
            exclude={
                "home": True, "retention": True, "metrics": True, "encryption": True, "spark": True,
                "decisions": {"url"}, "match": {"engine"},
            }
        )  # fmt: skip
        return hashlib.sha256(settings.encode()).hexdigest()[:12]


def load_settings(home: Path | None = None) -> Settings:
    """Settings of one home, which is made if it is not there yet. What this process makes is private from now on.

    ``home`` is found as ``home_folder`` says. Raises SettingsError for a file that is not TOML or holds an unknown or
    impossible value, KeyRefusedError for a key that is none.
    """
    keep_private()
    return read_settings(home)


def load_home(home: Path | None = None) -> Settings:
    """As ``load_settings``, for what looks at a home that is there and must not make one at a mistyped path.

    Raises NoHomeError where there is none.
    """
    folder = home_folder(home)
    if not any((folder / name).exists() for name in _A_HOME_HAS):
        raise NoHomeError(
            f"There is no home in {folder}, and none was made. Is the path right (--home, else ONECLIENT_HOME, else "
            "./home)? A new home is made by its first night: oneclient nightly --home FOLDER"
        )
    return load_settings(home)


def read_settings(home: Path | None = None) -> Settings:
    """As ``load_settings``, for a server that hosts others too and so keeps the rights of what they make."""
    home = home_folder(home)
    file = home / "settings.toml"
    try:
        written = tomllib.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        if "home" in written:
            raise SettingsError("settings.toml: home has no place in it: the file lies in the home. Take it out.")
        if "key" in written:
            raise KeyRefusedError(
                f"settings.toml: key has no place in a file. Take it out, and set {whose(home).key_variable}."
            )
        settings = Settings.model_validate({**written, "home": home, "key": key_of_home(home)})
    except ValidationError as error:
        line = line_of(error, file.read_text(encoding="utf-8"))
        where = f"settings.toml, line {line}" if line else "settings.toml"
        raise SettingsError(
            f"{where}: {first_mistake(error, Settings)}. Correct it and run again; the README lists every setting."
        ) from error
    except (ValueError, OSError) as error:
        raise SettingsError(f"settings.toml is not valid TOML: {error}. Correct that line and run again.") from error
    except RecursionError:
        raise SettingsError("settings.toml is nested far too deep. Correct it and run again.") from None
    for folder in (home, settings.inbox, settings.archive, settings.quarantine, settings.sources):
        make_folder(folder)
    return settings


def home_folder(home: Path | None = None) -> Path:
    """The folder of a home: the one that is named, else ``$ONECLIENT_HOME``, else ``./home``."""
    return (home or Path(os.environ.get(HOME_VARIABLE, "home"))).expanduser().resolve()


def listed_providers() -> list[Provider]:
    """Every provider that is served here. Raises SettingsError for a list that cannot be used."""
    return _listed(read_providers)


def home_of(provider: str) -> Path:
    """The home of a provider on the list. Raises SettingsError for a name that is not on it."""
    homes = {one.name: one.home for one in listed_providers()}
    if not provider or not (home := homes.get(provider)):
        known = ", ".join(filter(None, homes)) or f"none: {LIST_VARIABLE} names no list"
        raise SettingsError(f"There is no such provider. On the list are: {known}.", code="S3")
    return home


def whose(home: Path) -> Provider:
    """The provider whose home this is; one without a name for a home that is on no list. Raises SettingsError."""
    return _listed(lambda: provider_of(home))


def key_of_home(home: Path) -> SecretStr | None:
    """The key of a home, if any; no other provider's key is ever looked at.

    Raises KeyRefusedError for what is none, and for a key that is meant for one home where there are several.
    """
    variable = whose(home).key_variable
    key = key_of_environment(variable)
    if key is None and variable != KEY_VARIABLE and os.environ.get(KEY_VARIABLE, "").strip():
        raise KeyRefusedError(
            f"{KEY_VARIABLE} is set, but this home is of a provider on the list: set {variable} to its own key, or "
            f"take {KEY_VARIABLE} away for a home without encryption."
        )
    return key


def _listed(read: Callable[[], Listed]) -> Listed:
    try:
        return read()
    except ProvidersError as error:
        raise SettingsError(str(error), code="S3") from error


def key_of_environment(variable: str = KEY_VARIABLE) -> SecretStr | None:
    """The key that the environment holds, if any: an age identity. Raises KeyRefusedError for what is none."""
    key = SecretStr(os.environ.get(variable, "").strip())
    if not key.get_secret_value():
        return None
    from pyrage import IdentityError, x25519  # noqa: PLC0415 - a home without a key needs none of it

    try:
        x25519.Identity.from_str(key.get_secret_value())
    except IdentityError:
        raise KeyRefusedError(
            f"{variable} is not a key: it has to be one line that begins with AGE-SECRET-KEY-1. Was all of it copied? "
            "A new one is made by: oneclient key"
        ) from None
    return key
