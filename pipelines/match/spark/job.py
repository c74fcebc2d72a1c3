"""The program that Spark runs: ``spark-submit --properties-file FOLDER/spark.conf FOLDER/job.py FOLDER``.

It knows a folder that was handed out (``handover.py``) and nothing else of oneclient, so that the machine that drives a
cluster needs Splink and pyspark, and the others neither. What fails is told by the kind of error alone, since a message
may quote a cell; all of it is in ``FOLDER/problem.txt``.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from splink import Linker, SparkAPI


def find_pairs(spark: SparkSession, folder: Path) -> DataFrame:
    """Block and score what was handed out: ``left_id``, ``right_id``, ``match_weight``, ``gamma_<comparison>``."""
    manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))

    def handed_out(name: str) -> DataFrame:
        return spark.read.parquet((folder / name).as_uri())

    records = handed_out("records")
    records.createOrReplaceTempView("records")
    records.join(handed_out("changed"), "client_id", "left_semi").createOrReplaceTempView("changed_records")
    pairs = spark.sql(manifest["blocking"]).selectExpr(
        "'0' as match_key", "left_id as join_key_l", "right_id as join_key_r"
    )
    api = SparkAPI(spark_session=spark, break_lineage_method="persist")
    linker = Linker(api.register(records), manifest["splink"], log_level=None, validate_settings=False)
    for column in manifest["terms"]:
        linker.table_management.register_term_frequency_lookup(api.register(handed_out(f"terms_{column}")), column)
    linker.table_management.register_blocked_pairs_for_predict(api.register(pairs))
    scored = linker.inference.predict(threshold_match_weight=manifest["least_weight"], warning_mode="never")
    return scored.as_spark_dataframe().selectExpr(
        "least(client_id_l, client_id_r) as left_id",
        "greatest(client_id_l, client_id_r) as right_id",
        "match_weight",
        *(f"gamma_{name}" for name in manifest["compared"]),
    )


def main(folder: Path) -> None:
    """Write ``pairs/``; Spark puts ``_SUCCESS`` beside when all of it is there."""
    logging.disable(logging.CRITICAL)
    spark = SparkSession.builder.appName("oneclient").getOrCreate()
    try:
        find_pairs(spark, folder).write.mode("overwrite").parquet((folder / "pairs").as_uri())
    except Exception as error:
        (folder / "problem.txt").write_text(traceback.format_exc(), encoding="utf-8")
        sys.exit(f"{type(error).__name__}: see problem.txt beside what was handed out")
    finally:
        spark.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]).absolute())
