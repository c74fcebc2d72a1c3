"""The command line: a door, no logic. Exit codes: 0 well, 1 a problem was found, 2 wrong use.

One file for each group of commands; ``door.py`` is what all of them are made with.
"""

from pipelines.cli import custody, deciding, files, forgetting, looking, merging, nights
from pipelines.cli.door import FOUND_A_PROBLEM, WRONG_USE, main

__all__ = [
    "FOUND_A_PROBLEM",
    "WRONG_USE",
    "custody",
    "deciding",
    "files",
    "forgetting",
    "looking",
    "main",
    "merging",
    "nights",
]
