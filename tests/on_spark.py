"""Spark on two cores of this machine, for tests that really run it."""

from __future__ import annotations

import os
import shutil
from importlib.metadata import PackageNotFoundError, version

import pytest

from pipelines.settings import Settings, SparkSettings


def installed(package: str) -> bool:
    try:
        return bool(version(package))
    except PackageNotFoundError:
        return False


needs_spark = pytest.mark.skipif(
    not installed("pyspark") or not (shutil.which("java") or "JAVA_HOME" in os.environ),
    reason="Spark is not installed: pip install pyspark==4.3.0, and Java 17",
)


def on_spark(settings: Settings, **asked: object) -> Settings:
    """The settings of a home whose every night is Spark's."""
    spark = {"master": "local[2]", "from_records": 0, "driver_memory": "2g", "shuffle_partitions": 4, **asked}
    return settings.model_copy(
        update={
            "match": settings.match.model_copy(update={"engine": "spark"}),
            "spark": SparkSettings.model_validate(spark),
        }
    )
