"""Run the job: ``spark-submit`` in a process of its own, whose memory is Spark's and given back when it ends."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from pipelines.match.spark.handover import is_scored
from pipelines.settings import SettingsError
from pipelines.troubles import KnownError


class SparkFailedError(KnownError):
    """Spark came to no end; the message says where it tells why."""

    code = "T2"


def submit(folder: Path) -> None:
    """Let Spark find the pairs of what was handed out.

    Raises SettingsError when Spark or Java is missing, SparkFailedError when the job fails; what it said is then in
    ``said.txt`` in the folder, which the next run removes.
    """
    command = [spark_submit(), "--properties-file", folder / "spark.conf", folder / "job.py", folder]
    with (folder / "said.txt").open("wb") as said:
        ended = subprocess.run(  # noqa: S603 - Spark's own program, with paths of ours
            list(map(str, command)), stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT, check=False
        )
    if ended.returncode or not is_scored(folder):
        raise SparkFailedError(
            f"Spark ended with code {ended.returncode} and found no pairs. Read problem.txt and said.txt in {folder} "
            '(until the next run), then run again; or set match.engine = "duckdb".'
        )


def spark_submit() -> Path:
    """The program that starts Spark: of ``$SPARK_HOME``, else of the installed pyspark.

    Raises SettingsError, with what to install, when it or Java is missing.
    """
    if home := os.environ.get("SPARK_HOME"):
        program = Path(home) / "bin" / "spark-submit"
    else:
        found = find_spec("pyspark")
        if found is None or found.origin is None:
            raise SettingsError(
                f"match.engine is spark, and Spark is not installed. Run: {sys.executable} -m pip install "
                '"oneclient[spark]", or set SPARK_HOME; or set match.engine = "duckdb".',
                code="S6",
            )
        program = Path(found.origin).parent / "bin" / "spark-submit"
    if not program.exists():
        raise SettingsError(f"There is no {program}. Correct SPARK_HOME, or install pyspark anew.", code="S6")
    java = Path(os.environ["JAVA_HOME"]) / "bin" / "java" if "JAVA_HOME" in os.environ else shutil.which("java")
    if java is None or not Path(java).exists():
        raise SettingsError(
            "Spark needs Java 17 or 21, which is not installed. Install it, or set JAVA_HOME.", code="S6"
        )
    return program
