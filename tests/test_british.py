"""What people read is in British English: the documentation, the pages, and every sentence in the code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
AMERICAN = re.compile(
    r"\b(?:[a-z]{3,}(?<!s)(?<!pr)(?<!se)iz(?:e|es|ed|ing|ation|ations|er|ers)|analyz\w+|catalog|catalogs"
    r"|(?:col|fav|hon|lab|neighb|behavi|flav|harb|rum|vap)or(?!ous)\w*|(?:cent|fib|lit|theat|met)er"
    r"|(?:cancel|label|travel|model|signal|total|level)(?:ed|ing)|gray|fulfill|enrollments?|judgment|skeptic\w*|defense"
    r"|offense|math)\b",
    re.IGNORECASE,
)
# Names that others gave: an option of Airflow, a variable of the shell, a label of an instrument, a word of SQL.
NAMES = re.compile(r"`[^`]*`|\"[^\"]*\"|NO_COLOR|--[\w-]+|\b\w+\.\w+\b|\w*_\w*|per meter|as materialized")
# Words that are looked for in what others send: headings, names, lines that are no rows.
LOOKED_FOR = {"heading_words.py", "common_names.py", "no_rows.py"}
SIZES = {"size", "sizes", "sized", "prize", "seize"}


def what_people_read() -> Iterator[tuple[str, str]]:
    for path in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")):
        if path.name != "licences.md":
            yield str(path.relative_to(ROOT)), re.sub(r"^(?: {4}|```).*$", "", path.read_text("utf-8"), flags=re.M)
    for path in (ROOT / "pipelines").rglob("*.j2"):
        yield str(path.relative_to(ROOT)), re.sub(r"<[^>]*>|{[{%#].*?[}%#]}", " ", path.read_text("utf-8"), flags=re.S)
    for folder in ("pipelines", "dags", "plugins"):
        for path in (p for p in (ROOT / folder).rglob("*.py") if p.name not in LOOKED_FOR):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.count(" ") > 2:
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", node.value


def test_nothing_is_spelt_the_american_way() -> None:
    found = {
        (where, word)
        for where, text in what_people_read()
        for word in AMERICAN.findall(NAMES.sub(" ", text))
        if word.lower() not in SIZES
    }
    assert found == set()


def test_the_list_knows_what_it_looks_for() -> None:
    american = "color organize center labeled behavior standardized catalog enrollment analyze summarizing"
    assert AMERICAN.findall(american) == american.split()
    assert (
        AMERICAN.findall("colour organise centre labelled behaviour size prize catalogue parameter vigorous horizon")
        == []
    )
