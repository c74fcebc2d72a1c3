"""Each part of a benchmark runs in a fresh process, so that one's memory and caches are not another's."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any


def in_a_process(benchmark: str, part: str, folder: str | Path, **options: object) -> dict[str, Any]:
    """What ``benchmarks.<benchmark> --part PART --folder FOLDER`` prints as JSON; options that are None are left out.

    Raises subprocess.CalledProcessError when the part fails.
    """
    named = [word for name, value in options.items() if value is not None for word in (f"--{name}", str(value))]
    command = [sys.executable, "-m", f"benchmarks.{benchmark}", "--part", part, "--folder", str(folder), *named]
    told: dict[str, Any] = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout)
    return told
