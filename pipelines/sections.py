"""The sections of ``settings.toml``: what may be set in each, within which limits, and what it is if left out.

What a pattern asks for is said in words beside it (``description``), for whoever writes something else.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

A_SIZE = "a number with its unit (KB, MB, GB, TB or %) in quotes"
A_SPARK_SIZE = "a whole number and m, g or t in quotes"
PROPERTIES = 'properties of Spark, each with a text in quotes, such as "spark.executor.instances" = "4"'
A_MODEL = "the name of a folder in models/ in quotes"


class Section(BaseModel):
    """Lines that belong together; an unknown one is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class WarehouseSettings(Section):
    """How much of the machine DuckDB may take; left out, DuckDB decides."""

    threads: int | None = Field(default=None, ge=1, le=256, examples=[4])
    memory_limit: str | None = Field(
        default=None, pattern=r"^(?i:\d+(\.\d+)? ?(%|[KMGT]i?B))$", description=A_SIZE, examples=["4GB"]
    )
    lock_wait_seconds: float = Field(default=60.0, ge=0, allow_inf_nan=False)


class IngestSettings(Section):
    """Limits that keep one bad file from hurting the night."""

    max_unpacked_megabytes: int = Field(default=2_048, ge=1)
    max_compression_ratio: int = Field(default=200, ge=10)


class MatchSettings(Section):
    """Which model scores the night, and what a tier promises.

    ``near_certain`` and ``likely`` are precisions, the share of the tier's pairs that are expected to be one person:
    where the tier begins follows from what was measured. ``possible`` is the least match probability worth a look.
    ``engine`` says what looks through the pairs; the outcome is the same.
    """

    model: str | None = Field(default=None, pattern=r"^[\w-]+$", description=A_MODEL, examples=["5cdbe15509f7"])
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


class SparkSettings(Section):
    """What Spark works with where ``match.engine`` is ``spark``; a night with fewer than ``from_records`` new or
    changed records is left to DuckDB.

    ``exchange`` is a folder that all machines of a cluster see at one path (left out: HOME/scratch/spark). ``conf`` are
    Spark's own properties, and go before ours.
    """

    master: str = Field(default="local[*]", pattern=r"^\S+$", description="a text in quotes, without spaces")
    from_records: int = Field(default=100_000, ge=0)
    driver_memory: str = Field(default="4g", pattern=r"^\d+[mgt]$", description=A_SPARK_SIZE)
    executor_memory: str = Field(default="4g", pattern=r"^\d+[mgt]$", description=A_SPARK_SIZE)
    shuffle_partitions: int = Field(default=64, ge=1)
    exchange: Path | None = None
    conf: dict[str, str] = Field(default={}, description=PROPERTIES)

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


class DecisionSettings(Section):
    """Where decisions are kept (left out: HOME/decisions.sqlite), and whether approver and executor are two persons."""

    url: SecretStr | None = None
    two_persons: bool = True


class MergeSettings(Section):
    """How the visits of a merge are parted by date, and how many partitions one Airflow task takes on."""

    partition: Literal["week", "month", "quarter", "year"] = "month"
    partitions_per_task: int = Field(default=12, ge=1)


class ReportSettings(Section):
    """What leaves the building: ``mask`` hides most of each name, birth date, address and number in the report.

    A report holds so many ``candidates``, the most harmful first, and shows so many of them on its page.
    """

    mask: bool = False
    candidates: int = Field(default=20_000, ge=1, le=500_000)
    candidates_on_page: int = Field(default=200, ge=1)


class RetentionSettings(Section):
    """How many days things are kept for; what is left out is kept for ever.

    ``raw_days``: rows as sent and the originals in the archive; ``report_days``: the reports of past nights;
    ``quarantine_days``: refused files; ``access_log_days``: who looked at whom. ``reports_kept`` are the newest
    reports, which stay however old they are.
    """

    raw_days: int | None = Field(default=None, ge=1, examples=[730])
    report_days: int | None = Field(default=None, ge=1, examples=[400])
    quarantine_days: int | None = Field(default=None, ge=1, examples=[90])
    access_log_days: int | None = Field(default=None, ge=1, examples=[400])
    reports_kept: int = Field(default=7, ge=1)


class MetricsSettings(Section):
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


class EncryptionSettings(Section):
    """``weak_randomness`` lets DuckDB encrypt with random numbers of its own where its extension httpfs, which has good
    ones, is not installed: to try it out, and for machines that cannot have the extension."""

    weak_randomness: bool = False
