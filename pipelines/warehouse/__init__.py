"""The only opener of DuckDB (``opening.py``), and the tables of an open warehouse (``tables.py``)."""

from pipelines.schema import WarehouseShapeError
from pipelines.warehouse.opening import (
    WarehouseBusyError,
    WarehouseDamagedError,
    copy_warehouse,
    open_warehouse,
    rewrite_warehouse,
    scratch_warehouse,
)
from pipelines.warehouse.tables import BATCH, NOT_STATE, SQL, STAGES, Parameters, Warehouse, Written, sql_text

__all__ = [
    "BATCH",
    "NOT_STATE",
    "SQL",
    "STAGES",
    "Parameters",
    "Warehouse",
    "WarehouseBusyError",
    "WarehouseDamagedError",
    "WarehouseShapeError",
    "Written",
    "copy_warehouse",
    "open_warehouse",
    "rewrite_warehouse",
    "scratch_warehouse",
    "sql_text",
]
