"""What a model knows of a name: how often it occurs. A value that nobody has any more is nobody's business."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.match.groups import show_everybody
from pipelines.private import whole_file
from pipelines.settings import Settings
from pipelines.warehouse import Warehouse, sql_text


def forget_terms(settings: Settings, warehouse: Warehouse) -> int:
    """Take the values that no record has out of the term frequencies of every model; gives how many.

    The frequencies of all others stay as they were trained, and so does the model's version: it names what was learnt
    once. No score changes, since nobody has the values; whoever comes with one is scored as with any name that is new.
    """
    show_everybody(warehouse)
    records = warehouse.connection.sql(sql_text("matched.records")).to_arrow_table()
    gone = 0
    for file in sorted(settings.models.glob("*/terms_*.parquet")):
        column = file.stem.removeprefix("terms_")
        terms = pq.read_table(file)
        there = records[column] if column in records.column_names else pa.chunked_array([[]], pa.string())
        kept = terms.filter(pc.is_in(terms[column], value_set=there.combine_chunks().cast(terms[column].type)))
        if len(kept) < len(terms):
            with whole_file(file) as written:
                pq.write_table(kept, written)
            gone += len(terms) - len(kept)
    return gone
