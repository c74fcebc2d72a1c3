"""Each name of the code that the glossary leads to is there."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from pipelines.feeds import FEEDS
from pipelines.settings import Settings

ROOT = Path(__file__).parents[2]
OURS = ("pipelines/", "sql/", "tests/", "expectations/", "dags/", "plugins/", "benchmarks/")
STAGES = {folder.name.partition("_")[2]: folder for folder in (ROOT / "sql").glob("[1-5]_*")}


def ticked(page: Path) -> list[str]:
    """What stands between backticks, fenced blocks left out."""
    return re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL))


@pytest.mark.parametrize("said", sorted(set(ticked(ROOT / "docs" / "glossary.md"))))
def test_every_name_of_the_glossary_is_in_the_code(said: str) -> None:
    """Written as ``path``, ``path:name``, ``stage.table`` with or without ``.column``, ``[section] setting``, or a
    CONSTANT that the code knows as text."""
    if said.startswith(OURS):
        path, _, name = said.partition(":")
        assert (ROOT / path).exists()
        assert not name or name in names_in(ROOT / path)
    elif section := re.fullmatch(r"\[(\w+)\] (\w+)", said):
        assert section[2] in settings_of(section[1])
    elif re.fullmatch(r"[A-Z][A-Z_]+", said):
        assert f'"{said}"' in the_code()
    else:
        stage, _, rest = said.partition(".")
        table, _, column = rest.partition(".")
        assert stage in STAGES, "say where it is: a path, a table, a setting or a constant"
        assert re.search(rf"\b{column}\b", definition(stage, table))


@cache
def names_in(path: Path) -> frozenset[str]:
    """What a Python file defines: functions, classes, their members, constants."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {target.id for target in targets if isinstance(target, ast.Name)}
    return frozenset(found)


@cache
def the_code() -> str:
    """All of ``pipelines/`` as text."""
    return "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "pipelines").rglob("*.py"))


def settings_of(section: str) -> set[str]:
    return set(Settings.model_fields[section].annotation.model_fields)  # type: ignore[union-attr]


def definition(stage: str, table: str) -> str:
    """What says how a table is made: its SELECT, its line in sql/tables.sql, or the fields of its feed."""
    if stage == "raw" and table in FEEDS:
        return " ".join(FEEDS[table].field_names)
    select = STAGES[stage] / f"{table}.sql"
    if select.exists():
        return select.read_text(encoding="utf-8")
    made = re.search(rf"create table if not exists {stage}\.{table} \([^;]*", (ROOT / "sql" / "tables.sql").read_text())
    assert made, f"no table {stage}.{table}"
    return made[0]
