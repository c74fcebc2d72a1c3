"""What goes to Spark and what comes back: a folder of Parquet files, named by a hash of what was handed out.

    HOME/scratch/spark/5cdbe15509f7.../
        manifest.json      the model in Spark's words, and what was handed out
        records/           the standardised records (columns of ``REGISTER_COLUMNS`` and ``client_id``)
        changed/           ``client_id`` of those that are to be scored again
        terms_<column>/    the model's term frequencies
        job.py  similarity.jar  spark.conf      the program, Splink's functions in Java, and what Spark works with
        pairs/             what Spark found, whole once ``pairs/_SUCCESS`` is there: ``left_id`` < ``right_id``,
                           ``match_weight`` (bits) and ``gamma_<comparison>`` (Splink's number of the level)

Spark only finds pairs. DuckDB weighs those few again, so that a night comes to the same state by either engine; that
Spark's weights agree with DuckDB's is looked at every time.
"""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pipelines.match.blocking import block_keys, blocked_pairs
from pipelines.match.comparisons import REGISTER_COLUMNS
from pipelines.match.engine import LEAST_PROBABILITY, bits
from pipelines.match.models import Model
from pipelines.private import make_folder
from pipelines.settings import Settings
from pipelines.troubles import KnownError
from pipelines.warehouse import Warehouse

log = logging.getLogger(__name__)

PARTITION_BYTES = 64_000_000
MARGIN_BITS = 4.0
"""Spark keeps pairs that weigh so much less than what is worth keeping, lest one be lost by a rounding."""
ROUNDING_BITS = 1e-6
MOST_ODD = 0.001
_JOB = Path(__file__).parent / "job.py"
_JAR = "internals/files/spark_jars/scala-udf-similarity-0.2.1_spark4.x.jar"


class SparkDisagreesError(KnownError):
    """Spark weighs pairs otherwise than DuckDB does. Nothing of the night was kept."""

    code = "T3"


def hand_out(settings: Settings, warehouse: Warehouse, model: Model) -> Path:
    """Hand out ``matched.records`` and the temporary table ``changed``; gives the folder, which is there already when
    the same was handed out before. Whatever else lies there is of nobody's use any more, and is removed."""
    manifest = _manifest(warehouse, model)
    folder = settings.exchange / hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()[:32]
    discard(settings, apart=folder)
    if not folder.exists():
        partial = folder.with_name(f".{folder.name}.partial")
        make_folder(settings.exchange)
        make_folder(partial)
        columns = ", ".join(("client_id", *REGISTER_COLUMNS))
        _write(warehouse, f"select {columns} from matched.records", partial / "records")
        _write(warehouse, "select client_id from changed", partial / "changed")
        for column in model.terms:
            make_folder(partial / f"terms_{column}")
            kept = settings.models / model.version / f"terms_{column}.parquet"
            shutil.copyfile(kept, partial / f"terms_{column}" / "terms.parquet")
        (partial / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
        shutil.copyfile(_JOB, partial / _JOB.name)
        shutil.copyfile(_in_splink(_JAR), partial / "similarity.jar")
        partial.rename(folder)
    (folder / "spark.conf").write_text(_properties(settings, folder), encoding="utf-8")
    return folder


def is_scored(folder: Path) -> bool:
    """Whether Spark has found the pairs of what was handed out, all of them."""
    return (folder / "pairs" / "_SUCCESS").exists()


def take_in(warehouse: Warehouse, folder: Path) -> None:
    """Temporary tables ``found_by_spark``, as in ``pairs/``, and ``blocked``: the ids of those pairs."""
    warehouse.execute(
        "create or replace temp table found_by_spark as select * from read_parquet($files)",
        {"files": str(folder / "pairs" / "*.parquet")},
    )
    warehouse.execute("create or replace temp table blocked as select left_id, right_id from found_by_spark")


def discard(settings: Settings, apart: Path | None = None) -> None:
    """Remove what was handed out and what came back, but for one folder."""
    if settings.exchange.exists():
        for path in settings.exchange.iterdir():
            if path != apart:
                shutil.rmtree(path)


def look_for_disagreement(warehouse: Warehouse, weighed: str) -> None:
    """Hold the weights of the table ``weighed`` against those in ``found_by_spark``. A few may differ, where a
    similarity lies on a threshold to the last bit: DuckDB's count. Raises SparkDisagreesError when more do."""
    compared, odd = warehouse.rows(
        f"select count(*), count(*) filter (abs(w.match_weight - s.match_weight) > {ROUNDING_BITS})"
        f" from {weighed} as w join found_by_spark as s using (left_id, right_id)"
    )[0]
    if odd > MOST_ODD * compared:
        raise SparkDisagreesError(
            f"Spark weighs {odd} of {compared} pairs otherwise than DuckDB does, so it may have missed some. Set "
            'match.engine = "duckdb", run again, and see docs/spark.md for the versions that are known to agree.'
        )
    if odd:
        log.warning("Spark weighs %d of %d pairs otherwise than DuckDB, whose weights count", odd, compared)


def _manifest(warehouse: Warehouse, model: Model) -> dict[str, Any]:
    """The model in Spark's words, and digests of the records and of which of them are to be scored."""
    from pipelines.match.spark.dialect import in_spark  # noqa: PLC0415 - sqlglot, which only matching needs

    comparisons = json.loads(json.dumps(model.splink["comparisons"]))
    for comparison in comparisons:
        for level in comparison["comparison_levels"]:
            if level["sql_condition"] != "ELSE":
                level["sql_condition"] = in_spark(level["sql_condition"])
    return {
        "program": hashlib.sha256(_JOB.read_bytes()).hexdigest(),
        "model": model.version,
        "records": _digest(warehouse, "select client_id, record_hash from matched.records"),
        "changed": _digest(warehouse, "select client_id, 0 as record_hash from changed"),
        "terms": sorted(model.terms),
        "splink": {
            **model.splink,
            "comparisons": comparisons,
            "blocking_rules_to_generate_predictions": [],
        },
        "blocking": in_spark(
            blocked_pairs(
                model.blocking,
                *(f"({block_keys(model.blocking, records)})" for records in ("changed_records", "records")),
            )
        ),
        "least_weight": bits(LEAST_PROBABILITY) - MARGIN_BITS,
        "compared": [comparison.name for comparison in model.comparisons],
    }


def _in_splink(path: str) -> Path:
    """A file of the installed Splink, found without importing it."""
    (package,) = find_spec("splink").submodule_search_locations  # type: ignore[union-attr, misc]
    return Path(package) / path


def _digest(warehouse: Warehouse, records: str) -> list[str]:
    """How many records, and a digest of them in any order."""
    count, digest = warehouse.rows(
        f"select count(*), bit_xor(md5_number(client_id || ' ' || record_hash))::varchar from ({records})"
    )[0]
    return [str(count), digest]


def _write(warehouse: Warehouse, select: str, folder: Path) -> None:
    """Write the rows of a query as the Parquet files of a folder."""
    warehouse.execute(
        f"copy ({select}) to $folder (format parquet, compression zstd, file_size_bytes {PARTITION_BYTES})",
        {"folder": str(folder)},
    )


def _properties(settings: Settings, folder: Path) -> str:
    """``spark.conf``: nothing is written outside the folder, shown on a port, or logged, since it may quote a cell."""
    asked = settings.spark
    local = {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
    properties = {
        "spark.master": asked.master,
        "spark.driver.memory": asked.driver_memory,
        "spark.executor.memory": asked.executor_memory,
        "spark.sql.shuffle.partitions": asked.shuffle_partitions,
        "spark.jars": (folder / "similarity.jar").as_uri(),
        "spark.local.dir": folder / "spill",
        "spark.sql.warehouse.dir": (folder / "spill").as_uri(),
        "spark.pyspark.driver.python": sys.executable,
        "spark.hadoop.fs.permissions.umask-mode": "077",
        "spark.ui.enabled": "false",
        "spark.eventLog.enabled": "false",
        "spark.log.level": "OFF",
        **(local if asked.master.startswith("local") else {}),
        **asked.conf,
    }
    return "".join(f"{name}={value}\n".replace("\\", r"\\") for name, value in properties.items())
