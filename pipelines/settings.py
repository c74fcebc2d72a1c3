"""The one place that reads settings: ``HOME/settings.toml``, and ``ONECLIENT_HOME`` and ``ONECLIENT_KEY``; who else
shares this Airflow stands in ``pipelines/providers.py``."""

from __future__ import annotations

import hashlib
import os
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Literal, TypeVar
from zoneinfo import ZoneInfo

from phonenumbers import SUPPORTED_REGIONS
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator

from pipelines.private import keep_private, make_folder
from pipelines.providers import LIST_VARIABLE, Provider, ProvidersError, provider_of, read_providers
from pipelines.troubles import KnownError

HOME_VARIABLE = "ONECLIENT_HOME"
KEY_VARIABLE = "ONECLIENT_KEY"
Listed = TypeVar("Listed")
TIERS = ("near-certain", "likely", "possible")


class SettingsError(KnownError):
    """The settings cannot be used; the message says which line to change."""

    code = "S1"


class KeyRefusedError(SettingsError):
    """The key in the environment is not one, is the wrong one, or is missing. Nothing was changed."""

    code = "K1"


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class WarehouseSettings(_Section):
    """How much of the machine DuckDB may take; left out, DuckDB decides."""

    threads: int | None = Field(default=None, ge=1, le=256)
    memory_limit: str | None = Field(default=None, pattern=r"^(?i:\d+(\.\d+)? ?(%|[KMGT]i?B))$")
    lock_wait_seconds: float = Field(default=60.0, ge=0, allow_inf_nan=False)


class IngestSettings(_Section):
    """Limits that keep one bad file from hurting the night."""

    max_unpacked_megabytes: int = Field(default=2_048, ge=1)
    max_compression_ratio: int = Field(default=200, ge=10)


class MatchSettings(_Section):
    """Which model scores the night, and what a tier promises.

    ``near_certain`` and ``likely`` are precisions, the share of the tier's pairs that are expected to be one person:
    where the tier begins follows from what was measured. ``possible`` is the least match probability worth a look.
    ``engine`` says what looks through the pairs; the outcome is the same.
    """

    model: str | None = Field(default=None, pattern=r"^[\w-]+$")
    engine: Literal["duckdb", "spark"] = "duckdb"
    seed: int = Field(default=20261120, ge=0, lt=2**31)
    near_certain: float = Field(default=0.9995, gt=0.5, lt=1)
    likely: float = Field(default=0.99, gt=0.5, lt=1)
    possible: float = Field(default=0.50, gt=0, lt=1)

    @model_validator(mode="after")
    def _in_order(self) -> MatchSettings:
        if self.likely > self.near_certain:
            raise ValueError("likely promises more than near_certain; it has to be the lower of the two")
        return self


class SparkSettings(_Section):
    """What Spark works with where ``match.engine`` is ``spark``; a night with fewer than ``from_records`` new or
    changed records is left to DuckDB.

    ``exchange`` is a folder that all machines of a cluster see at one path (left out: HOME/scratch/spark). ``conf`` are
    Spark's own properties, and go before ours.
    """

    master: str = Field(default="local[*]", pattern=r"^\S+$")
    from_records: int = Field(default=100_000, ge=0)
    driver_memory: str = Field(default="4g", pattern=r"^\d+[mgt]$")
    executor_memory: str = Field(default="4g", pattern=r"^\d+[mgt]$")
    shuffle_partitions: int = Field(default=64, ge=1)
    exchange: Path | None = None
    conf: dict[str, str] = {}

    @field_validator("exchange")
    @classmethod
    def _absolute(cls, exchange: Path | None) -> Path | None:
        if exchange and not exchange.is_absolute():
            raise ValueError("it has to begin with /")
        return exchange

    @field_validator("conf")
    @classmethod
    def _properties(cls, conf: dict[str, str]) -> dict[str, str]:
        for name, value in conf.items():
            if not name.startswith("spark.") or not f"{name}{value}".isprintable() or " " in name:
                raise ValueError('each is a property of Spark on one line, like "spark.executor.instances" = "4"')
        return conf


class DecisionSettings(_Section):
    """Where decisions are kept (left out: HOME/decisions.sqlite), and whether approver and executor are two persons."""

    url: SecretStr | None = None
    two_persons: bool = True


class MergeSettings(_Section):
    """How the visits of a merge are parted by date, and how many partitions one Airflow task takes on."""

    partition: Literal["week", "month", "quarter", "year"] = "month"
    partitions_per_task: int = Field(default=12, ge=1)


class ReportSettings(_Section):
    """What leaves the building: ``mask`` hides most of each name, birth date, address and number in the report.

    A report holds so many ``candidates``, the most harmful first, and shows so many of them on its page.
    """

    mask: bool = False
    candidates: int = Field(default=20_000, ge=1, le=500_000)
    candidates_on_page: int = Field(default=200, ge=1)


class RetentionSettings(_Section):
    """How many days things are kept for; what is left out is kept for ever.

    ``raw_days``: rows as sent and the originals in the archive; ``report_days``: the reports of past nights;
    ``quarantine_days``: refused files; ``access_log_days``: who looked at whom. ``reports_kept`` are the newest
    reports, which stay however old they are.
    """

    raw_days: int | None = Field(default=None, ge=1)
    report_days: int | None = Field(default=None, ge=1)
    quarantine_days: int | None = Field(default=None, ge=1)
    access_log_days: int | None = Field(default=None, ge=1)
    reports_kept: int = Field(default=7, ge=1)


class MetricsSettings(_Section):
    """Where the text file for Prometheus is written (left out: HOME/metrics/oneclient.prom, its owner's alone).

    A ``file`` elsewhere can be read by all: it holds counts, and nobody's data.
    """

    file: Path | None = None

    @field_validator("file")
    @classmethod
    def _for_the_collector(cls, file: Path | None) -> Path | None:
        if file and (not file.is_absolute() or file.suffix != ".prom"):
            raise ValueError("it has to begin with / and end in .prom")
        return file


class EncryptionSettings(_Section):
    """``weak_randomness`` lets DuckDB encrypt with random numbers of its own where its extension httpfs, which has good
    ones, is not installed: to try it out, and for machines that cannot have the extension."""

    weak_randomness: bool = False


class Settings(_Section):
    """Everything an operator may set; each field but ``home`` and ``key`` is a line or a section of
    ``HOME/settings.toml``. With a ``key`` the home is encrypted; it comes from the environment and is never written."""

    home: Path
    key: SecretStr | None = Field(default=None, exclude=True)
    provider: str = "Home-care provider"
    timezone: str = "Europe/London"
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
        raise SettingsError(f"settings.toml: {first_problem(error)}. Correct it and run again.") from error
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


def first_problem(error: ValidationError) -> str:
    """The first thing pydantic found wrong, as ``where: what``, without the value itself."""
    problem = error.errors(include_input=False, include_url=False)[0]
    return f"{'.'.join(map(str, problem['loc'])) or 'file'}: {problem['msg']}"
