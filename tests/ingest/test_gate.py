"""The suites of files are counted by DuckDB, with the same result as by Great Expectations."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.feeds import FEEDS
from pipelines.quality import check, check_rows, suite_columns
from pipelines.warehouse import scratch_warehouse

CELLS = st.one_of(st.none(), st.sampled_from(["", "1", "x"]))


@pytest.mark.parametrize("feed", FEEDS)
@given(data=st.data())
def test_both_have_the_same_result(feed: str, data: st.DataObject) -> None:
    table = f"raw.{feed}"
    columns = suite_columns(table)
    values = {name: st.booleans() if name == "readable" else CELLS for name in columns}
    rows = data.draw(st.lists(st.fixed_dictionaries(values), max_size=6))
    frame = pd.DataFrame(rows, columns=list(columns))
    types = {name: "bool" if name == "readable" else "string" for name in columns}
    with scratch_warehouse() as warehouse, warehouse.relation("cells", frame.astype(types)):
        counted = check_rows(warehouse, table, "from cells", "a file")
    checked = check(table, frame, "a file")
    assert (counted.rows, counted.success) == (checked.rows, checked.success)
    assert [one.success for one in counted.checks] == [one.success for one in checked.checks]
