"""What oneclient is made of: every package is pinned, hashed, declared and of a licence that may be used; and the code
does none of the things by which what is read could be carried out."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path
from typing import ClassVar

import pytest
from licences import PIN, licence, locked
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
RUNS = ("pipelines", "dags", "plugins", "demo.py", "up.py")
AS_MODULE = {"airflow": {"apache-airflow"}}
OURS = {"pipelines", "dags", "plugins", "benchmarks", "tests", "demo", "up"}
DENIED = re.compile(
    r"\bA?GPL|General Public|SSPL|Server Side|Business Source|BUSL|Commons Clause|Non-?Commercial|EUPL|OSL"
)
LOOKED_AT = {
    "python-stdnum": "the Lesser GPL: used as it comes, and may be replaced",
    "text-unidecode": "offered under the Artistic License as well",
}


def sources(*folders: str) -> Iterator[tuple[Path, ast.AST]]:
    """Every Python file of some folders, parsed."""
    for name in folders:
        top = ROOT / name
        for path in [top] if top.is_file() else sorted(top.rglob("*.py")):
            yield path.relative_to(ROOT), ast.parse(path.read_text(encoding="utf-8"))


def declared(*extras: str) -> dict[str, Requirement]:
    """What pyproject.toml asks for, by package."""
    asked = [*PROJECT["dependencies"], *(one for extra in extras for one in PROJECT["optional-dependencies"][extra])]
    return {_plain(found.name): found for found in map(Requirement, asked)}


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


class TestTheLock:
    LINES = (ROOT / "requirements.lock").read_text().splitlines()

    def test_holds_every_package_that_is_asked_for_in_a_version_that_will_do(self) -> None:
        pins = locked()
        wrong = [n for n, asked in declared("dev").items() if n not in pins or not asked.specifier.contains(pins[n])]
        assert len(pins) > 150 and wrong == []

    def test_names_the_hashes_of_each_package(self) -> None:
        text = "\n".join(line for line in self.LINES if not line.lstrip().startswith("#"))
        packages = re.split(r"\n(?=\S)", text)
        assert len(packages) == sum(1 for line in self.LINES if re.match(r"[a-z0-9]", line)) > 150
        assert [p.split("=")[0] for p in packages if not re.search(r"--hash=sha256:[0-9a-f]{64}\b", p)] == []

    def test_says_nothing_of_where_packages_come_from(self) -> None:
        odd = [line for line in self.LINES if re.search(r"://|index|find-links|trusted|file:|@ ", line)]
        assert odd == []

    def test_is_what_make_installs_and_nothing_else_is(self) -> None:
        recipe = (ROOT / "Makefile").read_text().partition("$(READY): ")[2]
        installs = [line for line in recipe.splitlines() if re.match(r"\s+(?:\$\(BIN\)/pip install|install )", line)]
        assert len(installs) == 3
        assert all("--require-hashes" in line or "--no-deps --no-build-isolation" in line for line in installs)


class TestTheLockOfProduction:
    """`deploy/requirements.lock`: what runs, with PostgreSQL and FAB, and without what only tests need."""

    TEXT = (ROOT / "deploy" / "requirements.lock").read_text()
    PINS: ClassVar[dict[str, str]] = dict(PIN.findall(TEXT))

    def test_holds_what_is_asked_for_with_hashes_and_nothing_of_where_it_comes_from(self) -> None:
        asked = declared("postgres", "fab")
        assert [n for n, one in asked.items() if n not in self.PINS or not one.specifier.contains(self.PINS[n])] == []
        text = "\n".join(line for line in self.TEXT.splitlines() if not line.lstrip().startswith("#"))
        packages = re.split(r"\n(?=\S)", text)
        assert [one.split("=")[0] for one in packages if not re.search(r"--hash=sha256:[0-9a-f]{64}\b", one)] == []
        assert not re.search(r"://|index|find-links|trusted|file:|@ ", self.TEXT)

    def test_differs_from_what_is_tested_in_the_one_package_that_fab_wants_older(self) -> None:
        tested = locked()
        other = {name for name, pinned in self.PINS.items() if tested.get(name, pinned) != pinned}
        assert other == {"python-dateutil"}, "lock both anew: docs/supply.md"


class TestLicences:
    PAGE = (ROOT / "docs" / "licences.md").read_text()
    TABLE: ClassVar[dict[str, str]] = dict(
        re.findall(r"^\| ([a-z0-9._-]+) \| \d[^|]* \| ([^|]+) \|$", PAGE, re.MULTILINE)
    )

    def test_every_locked_package_is_listed_with_its_version(self) -> None:
        assert [n for n, v in locked().items() if f"| {n} | {v} |" not in self.PAGE] == []
        assert set(self.TABLE) == set(locked())

    def test_the_list_says_what_the_packages_say(self) -> None:
        here = {name for name, pinned in locked().items() if _installed(name) == pinned}
        assert len(here) > 100
        assert {n: (self.TABLE[n], licence(n)) for n in here if self.TABLE[n] != licence(n)} == {}

    def test_none_is_of_a_licence_that_would_reach_our_own_code(self) -> None:
        assert {name for name, said in self.TABLE.items() if DENIED.search(said)} == set(LOOKED_AT)


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


@pytest.mark.parametrize(("folders", "extras"), [(RUNS, ("spark",)), (("tests",), ("dev", "spark"))])
def test_what_is_imported_is_declared(folders: tuple[str, ...], extras: tuple[str, ...]) -> None:
    """A package that only came along with another may go away with it."""
    asked, offers = set(declared(*extras)), packages_distributions()
    helpers = {path.stem for folder in ("tests", "plugins") for path in (ROOT / folder).rglob("*.py")}
    known = OURS | helpers | set(sys.stdlib_module_names)
    undeclared = {
        (str(path), module)
        for path, tree in sources(*folders)
        for module in _imported(tree)
        if module not in known
        and not (AS_MODULE.get(module) or {_plain(name) for name in offers.get(module, [module])}) & asked
    }
    assert undeclared == set()


def _imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


FORBIDDEN_CALLS = re.compile(
    r"(eval|exec|compile|__import__|os\.(system|popen|exec\w+|spawn\w+)|yaml\.(load|load_all|full_load|unsafe_load)"
    r"|tempfile\.mktemp|importlib\.import_module|pd\.(read_pickle|eval)|\w+\.(eval|to_pickle)|np\.load)$"
)
FORBIDDEN_MODULES = {
    "pickle", "marshal", "shelve", "dill", "joblib", "subprocess", "pty", "ctypes", "telnetlib", "ftplib", "smtplib",
    "socket", "http", "httpx", "requests", "aiohttp", "urllib3", "xmlrpc", "xml", "lxml", "random", "code", "imp",
}  # fmt: skip


class TestTheCode:
    def test_carries_out_nothing_that_it_reads(self) -> None:
        found = [
            f"{path}:{node.lineno} {called}"
            for path, tree in sources(*RUNS[:-1])
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and FORBIDDEN_CALLS.match(called := ast.unparse(node.func))
        ]
        assert [one for one in found if not one.startswith("pipelines/sources/written.py")] == []
        assert len(found) <= 1, "the loader of source mappings is a safe one, made stricter"

    def test_starts_no_process_asks_no_network_and_unpickles_nothing(self) -> None:
        found = {
            (module, str(path))
            for path, tree in sources(*RUNS[:-1])
            for module in _imported(tree)
            if module in FORBIDDEN_MODULES
        }
        assert {one for one in found if not any(one[0] == m and one[1].startswith(p) for m, p in MAY_IMPORT)} == set()

    def test_says_of_no_text_but_its_own_that_it_is_markup(self) -> None:
        marks = {str(p) for p, tree in sources("pipelines") for n in ast.walk(tree) if _is_call(n, "Markup")}
        assert marks == {"pipelines/publishing/pages.py", "pipelines/review/desk/frame.py"}
        safe = {
            (path.name, expression.strip())
            for path in (ROOT / "pipelines").rglob("*.j2")
            for expression in re.findall(r"\{\{((?:(?!\}\}).)*\|\s*safe\b.*?)\}\}", path.read_text())
        }
        assert safe == {
            ("plan.html.j2", "style | content_hash | safe"),
            ("report.html.j2", "style | content_hash | safe"),
            ("report.html.j2", "script | content_hash | safe"),
            ("trends.html.j2", "style | content_hash | safe"),
            ("case.html.j2", 'client_ref | escape | replace("/", "/<wbr>" | safe)'),
        }
        assert not [p for p in (ROOT / "pipelines").rglob("*.j2") if "autoescape" in p.read_text()]


MAY_IMPORT = {
    ("random", "pipelines/review/practice.py"),  # an order of play
    ("random", "pipelines/sample/"),  # made-up people
    ("subprocess", "pipelines/match/spark/submit.py"),  # Spark's own program, where settings ask for it
    ("xml", "pipelines/review/handback.py"),  # the name of an error
    ("xml", "pipelines/ingest/workbook_parts.py"),  # reads formats and formulas of a workbook that was let in
    ("xml", "pipelines/ingest/unpacked.py"),  # refuses a workbook with entities before anything else reads it
}


def _is_call(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func) == name


SQL = re.compile(
    r"^\s*\(?(?:select|insert|update|delete|create|drop|alter|attach|detach|copy|describe|merge into|pragma|install"
    r"|load|semi join|with|from|when (?:not )?matched)\b|\bselect\b.+\bfrom\b|\bin \(select\b"
    r"|\bis (?:not )?distinct from\b",
    re.IGNORECASE | re.DOTALL,
)
WRITTEN_INTO_SQL = {
    "names of tables and columns that the code itself gives": (
        "BLOCKS", "FILLED", "_checked(table)", "blocks", "c", "cell", "cells", "column", "f.name", "feed",
        "field.name", "found", "fresh", "grouped[0]", "grouped[1]", "here", "incoming", "key", "name", "one",
        "other", "owner", "pairs", "proposed", "records", "relation", "rows", "schema", "scored", "self.counts_for",
        "self.key", "self.records", "self.table", "some", "table", "weighed", "work",
    ),
    "lists of such names": (
        "', '.join((f'incoming.{c}' for c in columns))", "', '.join((f'{k} as k{i}' for i, k in enumerate(side)))",
        "', '.join(AS_SENT)", "', '.join(columns)", "', '.join(source.definition.field_names)", "columns", "fields",
        "self._columns(select, parameters)", "values",
    ),
    "headings of a labelled file, in quotation marks": ("', '.join((_quoted(column) for column in withhold))",),
    "files of sql/": (
        "sql", "sql_text('matched.records')", "sql_text('matched.to_compare')", "sql_text('reviewed.facts')",
        "sql_text('staged.people')",
    ),
    "constants": (
        "COMPARED", "f.kind", "f.type", "macro", "_GAPLESS", "_NEVER", "_NEXT",
        "_PART_OF_STATE.get(table, 'true')", "field.required",
        "checked", "feed.name", "landing.feed",
    ),
    "numbers": (
        "PARTITION_BYTES", "ROUNDING_BITS", "bits(LEAST_PROBABILITY)", "bits(least)", "number", "part", "parts",
        "place",
    ),
    "conditions and expressions put together of the above; values are bound": (
        "' union '.join(strict)", "levels", "weight",
        "' union all '.join(each)", "changes",
        "_filled_in(feed, lacking)", "as_read", "known",
        "_affected('left_id')", "blocking_condition(keys)", "condition",
        "each", "early", "has_no_line", "joins", "person", "sent", "whose", "', '.join(content)", "', '.join(person)",
        "_is_plain(f, f.name)", "blocked_pairs(names, 'blocks', 'blocks')",
        "blocked_pairs(blocking, some, others)", "before", "counts",
        "differs", "enough", "keys", "met", "sums",
        "within", "filled", "first", "judged", "lost", "minutes", "not_older", "numbered",
        "pence", "plain",
        "reader", "row", "same", "same_key", "select", "self.match_weight()", "self.within", "shared", "shares",
        "stated", "this",
        "updates", "value.format(c)", "whole_row", "worth_keeping",
    ),
    "no SQL, but a sentence that begins like it": ("_say_day(dated.start_on)", "from_on"),
}  # fmt: skip


@cache
def _written_into_sql() -> dict[str, set[str]]:
    """What f-strings that look like SQL write into it, each with the files that do."""
    found: dict[str, set[str]] = {}
    for path, tree in sources("pipelines"):
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr):
                text = "".join(str(v.value) if isinstance(v, ast.Constant) else "{}" for v in node.values)
                for value in node.values if SQL.search(text) else ():
                    if isinstance(value, ast.FormattedValue):
                        found.setdefault(ast.unparse(value.value), set()).add(str(path))
    return found


class TestSql:
    def test_nothing_is_written_into_it_but_what_was_looked_at(self) -> None:
        """Whoever fails here: bind the value; or, if it is no value but a name of the code's own, say so above."""
        looked_at = {one for ones in WRITTEN_INTO_SQL.values() for one in ones}
        assert len(_written_into_sql()) > 80
        assert {one: files for one, files in _written_into_sql().items() if one not in looked_at} == {}

    def test_is_put_together_in_no_other_way(self) -> None:
        odd = []
        for path, tree in sources("pipelines"):
            for node in ast.walk(tree):
                if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod) and _is_sql(node.left):
                    odd.append(f"{path}:{node.lineno}")
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and _is_sql(node.func.value):
                    odd += [f"{path}:{node.lineno}"] if node.func.attr in {"format", "replace", "__mod__"} else []
        assert odd == []


def _is_sql(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and bool(SQL.search(node.value))
