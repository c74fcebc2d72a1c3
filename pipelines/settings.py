"""The one place that reads settings: ``HOME/settings.toml`` and the ``ONECLIENT_HOME`` environment variable."""

from __future__ import annotations

import hashlib
import os
import tomllib
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

HOME_VARIABLE = "ONECLIENT_HOME"
TIERS = ("near-certain", "likely", "possible")


class SettingsError(Exception):
    """The settings cannot be used; the message says which line to change."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class WarehouseSettings(_Section):
    """How much of the machine DuckDB may take; left out, DuckDB decides."""

    threads: int | None = Field(default=None, ge=1)
    memory_limit: str | None = None
    lock_wait_seconds: float = Field(default=60.0, ge=0)


class IngestSettings(_Section):
    """Limits that keep one bad file from hurting the night."""

    max_unpacked_megabytes: int = Field(default=2_048, ge=1)
    max_compression_ratio: int = Field(default=200, ge=10)


class MatchSettings(_Section):
    """Which model scores the night, and what a tier promises.

    ``near_certain`` and ``likely`` are precisions, the share of the tier's pairs that are expected to be one person:
    where the tier begins follows from what was measured. ``possible`` is the least match probability worth a look.
    """

    model: str | None = None
    seed: int = 20261120
    near_certain: float = Field(default=0.9995, gt=0.5, lt=1)
    likely: float = Field(default=0.99, gt=0.5, lt=1)
    possible: float = Field(default=0.50, gt=0, lt=1)


class DecisionSettings(_Section):
    """Where decisions are kept (left out: HOME/decisions.sqlite), and whether approver and executor are two persons."""

    url: SecretStr | None = None
    two_persons: bool = True


class MergeSettings(_Section):
    """How the visits of a merge are parted by date, and how many partitions one Airflow task takes on."""

    partition: Literal["week", "month", "quarter", "year"] = "month"
    partitions_per_task: int = Field(default=12, ge=1)


class ReportSettings(_Section):
    """What leaves the building: ``mask`` hides most of each name, birth date, address and number in the report."""

    mask: bool = False
    candidates_on_page: int = Field(default=200, ge=1)


class Settings(_Section):
    """Everything an operator may set; each field but ``home`` is a line or a section of ``HOME/settings.toml``."""

    home: Path
    provider: str = "Home-care provider"
    timezone: str = "Europe/London"
    phone_region: str = "GB"
    warehouse: WarehouseSettings = WarehouseSettings()
    ingest: IngestSettings = IngestSettings()
    match: MatchSettings = MatchSettings()
    decisions: DecisionSettings = DecisionSettings()
    merge: MergeSettings = MergeSettings()
    report: ReportSettings = ReportSettings()

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
    def published(self) -> Path:
        """What follows from the merges: crosswalk, golden clients, worklists."""
        return self.home / "published"

    @property
    def scratch(self) -> Path:
        """Where DuckDB puts what does not fit into memory."""
        return self.home / "scratch"

    def config_hash(self) -> str:
        """Twelve hex digits that change when any setting does but the places of the home and of the decisions."""
        settings = self.model_dump_json(exclude={"home": True, "decisions": {"url"}})
        return hashlib.sha256(settings.encode()).hexdigest()[:12]


def load_settings(home: Path | None = None) -> Settings:
    """Settings of one home, which is made if it is not there yet.

    ``home`` defaults to ``$ONECLIENT_HOME``, then ``./home``. Raises SettingsError for a file that is not TOML or
    holds an unknown or impossible value.
    """
    home = (home or Path(os.environ.get(HOME_VARIABLE, "home"))).expanduser().resolve()
    file = home / "settings.toml"
    try:
        written = tomllib.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        settings = Settings.model_validate({**written, "home": home})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"settings.toml is not valid TOML: {error}. Correct that line and run again.") from error
    except ValidationError as error:
        raise SettingsError(f"settings.toml: {first_problem(error)}. Correct it and run again.") from error
    for folder in (settings.inbox, settings.archive, settings.quarantine, settings.sources):
        folder.mkdir(parents=True, exist_ok=True)
    return settings


def first_problem(error: ValidationError) -> str:
    """The first thing pydantic found wrong, as ``where: what``, without the value itself."""
    problem = error.errors(include_input=False, include_url=False)[0]
    return f"{'.'.join(map(str, problem['loc'])) or 'file'}: {problem['msg']}"
