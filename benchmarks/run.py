"""Run benchmarks, each in a process of its own: ``benchmarks/run.py [NAME ...] [--quick]``; left out: all there are.

What follows the name of a single benchmark is passed on to it: ``benchmarks/run.py ingest --rows 100000``.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
SCRIPTS = {path.stem for path in HERE.glob("[a-z]*.py")} - {Path(__file__).stem}
PACKAGES = {path.parent.name for path in HERE.glob("[a-z]*/__main__.py")}
NAMES = sorted(SCRIPTS | PACKAGES)


def main(arguments: list[str]) -> int:
    """0 when every benchmark ran; how long one took is never an error."""
    options = next((n for n, argument in enumerate(arguments) if argument.startswith("-")), len(arguments))
    names, passed_on = arguments[:options] or NAMES, arguments[options:]
    if unknown := set(names) - set(NAMES):
        print(f"There is no benchmark {', '.join(sorted(unknown))}. There are: {', '.join(NAMES)}.", file=sys.stderr)
        return 2
    environment = {**os.environ, "PYTHONPATH": str(HERE.parent)}
    return max(
        subprocess.run(
            [sys.executable, "-m", f"benchmarks.{name}", *passed_on], env=environment, check=False
        ).returncode
        for name in names
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
