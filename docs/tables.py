"""Writes the list of tables in README.md from where each table is described, so that the two cannot differ.

    python docs/tables.py HOME

``HOME`` is one after a night; ``tests/docs/test_readme.py`` compares with a home in which people have merged as well. A
table is described by the head of its file in ``sql/``, else by the comment above it in ``sql/tables.sql``; one whose
columns are the model's by the comment above its name in ``pipelines/match/``, one of the decision store by that in
``pipelines/decisions/``; a feed's rows as sent by nothing but the feed.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from pipelines.decisions.forgetting import METADATA  # noqa: E402 - whole only once every table of the store is named
from pipelines.feeds import FEEDS  # noqa: E402
from pipelines.settings import load_settings  # noqa: E402
from pipelines.warehouse import SQL, STAGES, open_warehouse  # noqa: E402

README = ROOT / "README.md"
BETWEEN = re.compile(r"(?<=<!-- tables: docs/tables.py -->\n).*?(?=<!-- end of tables -->)", re.DOTALL)


class UndescribedError(Exception):
    """Nothing says what one row of a table is; the message says where to."""


def main(home: Path) -> None:
    """Write README.md anew."""
    with open_warehouse(load_settings(home)) as warehouse:
        block = block_of(warehouse.tables(*STAGES))
    README.write_text(BETWEEN.sub(lambda _: block, README.read_text(encoding="utf-8")), encoding="utf-8")


def block_of(kept: Iterable[str]) -> str:
    """The list as README.md has it: the tables ``stage.name`` of a warehouse, then those of the decision store."""
    by_stage = {stage: sorted(name for name in kept if name.startswith(f"{stage}.")) for stage in STAGES}
    lines = [f"| `{name}` | {described(name)} |" for names in by_stage.values() for name in names]
    lines += [f"| `{name}` (decision store) | {described_in_store(name)} |" for name in sorted(METADATA.tables)]
    return "\n".join(["", "| table | one row is |", "| --- | --- |", *lines, "", ""])


def described(table: str) -> str:
    """What one row of ``stage.name`` is. Raises UndescribedError."""
    stage, _, name = table.partition(".")
    own, shared = SQL / STAGES[stage] / f"{name}.sql", (SQL / "tables.sql").read_text(encoding="utf-8")
    if own.exists():
        return _said(own.read_text(encoding="utf-8"), f"the head of {own.relative_to(ROOT)}")
    if stage == "raw" and name in FEEDS:
        return f"one row of a loaded file of {name.replace('_', ' ')}, its cells as sent"
    above = re.search(rf"((?:^-- .*\n)+)^create table if not exists {table} ", shared, re.MULTILINE)
    if not above:
        above = re.search(rf'((?:^# .*\n)+)^\w+ = "{table}"$', _source("match"), re.MULTILINE)
    return _said(above[1] if above else "", f"sql/tables.sql, above {table}")


def described_in_store(name: str) -> str:
    """What one row of a table of the decision store is. Raises UndescribedError."""
    above = re.search(rf'((?:^# .*\n)+)^\w+ = Table\(\n    "{name}"', _source("decisions"), re.MULTILINE)
    return _said(above[1] if above else "", f"pipelines/decisions/, above {name}")


def _source(room: str) -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "pipelines" / room).glob("*.py")))


def _said(head: str, where: str) -> str:
    """The first sentence of a comment, without its "One row is"."""
    comment = re.match(r"(?:(?:--|#) .*\n)*", head)
    words = " ".join(line.lstrip("-# ") for line in (comment[0] if comment else "").splitlines())
    if not (found := re.match(r"(?:One row is|The one row is) (.+?)\.(?= |$)", words)):
        raise UndescribedError(f'Say what one row is in {where}: "-- One row is …."')
    return found[1].replace("|", "\\|")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
