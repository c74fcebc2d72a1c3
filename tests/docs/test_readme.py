"""README.md is true: its commands run as they stand, in their order; its tables and settings are those of the code.

Where something was added and this fails, add its line to README.md: the difference names it.
"""

from __future__ import annotations

import ast
import os
import re
import runpy
import shlex
import tomllib
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result
from pydantic import BaseModel
from the_pages import PAGES, ROOT, Page

from pipelines.cli import main
from pipelines.nightly import run_night
from pipelines.review.published import read_candidate
from pipelines.sample import make_sample
from pipelines.settings import Settings, load_settings
from pipelines.warehouse import STAGES, open_warehouse

README = Page("README.md")
TABLES = runpy.run_path(str(ROOT / "docs" / "tables.py"))
OF_EVERY_COMMAND = {"--home", "--provider", "--json"}
SETTINGS = README.text.partition("```toml\n")[2].partition("```")[0]
FILLED_IN = "\a"
UNCOMMENTED = re.sub(r"^# (?=\w+ =|\[)", "", SETTINGS, flags=re.MULTILINE)

Walk = dict[str, Result]


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Walk]]:
    """The folder in which somebody typed every line of the first hour, and what each came to."""
    folder = tmp_path_factory.mktemp("walk")
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(folder)
        patched.delenv("ONECLIENT_HOME", raising=False)
        patched.setenv("AIRFLOW_HOME", str(folder / "no airflow"))
        came_to = {}
        for line in (one for one in README.fence("sh walk").splitlines() if not one.startswith("#")):
            program, *words = shlex.split(line)
            assert program == "oneclient"
            came_to[line] = CliRunner().invoke(main, words)
        yield folder, came_to


class TestTheFirstHour:
    def test_every_line_works(self, walk: tuple[Path, Walk]) -> None:
        failed = {line: result.output for line, result in walk[1].items() if result.exit_code}
        assert len(walk[1]) > 5 and failed == {}

    def test_the_pair_that_is_decided_is_merged_and_taken_back(self, walk: tuple[Path, Walk]) -> None:
        came_to = {" ".join(line.split()[1:3]): result.stdout for line, result in walk[1].items()}
        assert "Merged: 1;" in came_to["merge apply"] and came_to["merge undo"].startswith("Taken back: 1 merge\n")


class TestTheTables:
    def test_are_those_that_a_home_keeps_in_the_words_of_where_they_are_made(self, walk: tuple[Path, Walk]) -> None:
        with open_warehouse(load_settings(walk[0] / "home")) as warehouse:
            kept = warehouse.tables(*STAGES)
        written = TABLES["BETWEEN"].search(README.text)[0]
        assert len(kept) > 30
        assert written == TABLES["block_of"](kept), "python docs/tables.py HOME writes them anew."


def commands(group: click.Group = main, before: str = "") -> Iterator[tuple[str, click.Command]]:
    """Every command by its whole name."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, f"{before}{name} ")
        else:
            yield before + name, command


class TestTheCommandLine:
    def test_every_command_is_in_the_table_with_every_option_and_no_other(self) -> None:
        rows = [row.code for row in README.table_after("commands:")]
        known = dict(commands())
        shown = {_command(code[0], known): set(re.findall(r"--[a-z-]+", " ".join(code))) for code in rows}
        assert shown == {name: _options(command) for name, command in known.items()}

    @pytest.mark.parametrize("name", [name for name in PAGES if name != "CHANGELOG.md"])
    def test_every_command_in_a_page_is_one(self, name: str) -> None:
        known = dict(commands())
        for line in typed(Page(name).text):
            command = _command(line, known)
            assert command or line.split()[0] in {*main.commands, "COMMAND", "--version"}, line
            options = set(re.findall(r"(?<= )--[a-z-]+", line)) - OF_EVERY_COMMAND - {"--help"}
            assert not command or options <= _options(known[command]), line

    def test_commands_are_found_in_blocks_and_in_lines(self) -> None:
        assert typed("    oneclient merge plan      what would move\nSay `oneclient train --json`.\n") == [
            "merge plan", "train --json"
        ]  # fmt: skip


def typed(text: str) -> list[str]:
    """What follows ``oneclient`` wherever a page shows that one types it, up to what the shell or the reader gets."""
    found = re.findall(r"(?:^|; do|^\$) *oneclient (.+)|`oneclient ([^`]+)`", text, re.MULTILINE)
    return [re.split(r" (?:&&|\|\||\\?\||>|#) |;|   ", block or line)[0] for block, line in found]


def _command(words: str, known: dict[str, click.Command]) -> str:
    """The command that a line begins with; empty if none."""
    return max((name for name in known if f"{words} ".startswith(f"{name} ")), key=len, default="")


def _options(command: click.Command) -> set[str]:
    options = {name for one in command.params if isinstance(one, click.Option) for name in one.opts}
    return {name for name in options if name.startswith("--")} - OF_EVERY_COMMAND


def named(table: dict[str, Any], before: str = "") -> set[str]:
    """Every option of a settings file, as section.name."""
    return {
        name
        for key, value in table.items()
        for name in (
            named(value, f"{key}.")
            if isinstance(value, dict) and before + key in Settings.model_fields
            else {before + key}
        )
    }


def options_of(model: type[BaseModel], before: str = "") -> dict[str, Any]:
    """Every option that there is, with its default."""
    found: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        if before + name in {"home", "key"}:
            continue
        if isinstance(field.default, BaseModel):
            found |= options_of(type(field.default), f"{name}.")
        else:
            found[before + name] = field.get_default(call_default_factory=True)
    return found


class TestTheSettings:
    def test_as_they_stand_are_the_defaults(self, tmp_path: Path) -> None:
        assert Settings(home=tmp_path, **tomllib.loads(SETTINGS)) == Settings(home=tmp_path)

    def test_name_every_option_that_has_a_default(self) -> None:
        with_default = {name for name, default in options_of(Settings).items() if default not in (None, {}, (), [])}
        assert named(tomllib.loads(SETTINGS)) == with_default

    def test_name_every_other_option_in_a_comment_with_a_value_that_may_be_used(self, tmp_path: Path) -> None:
        written = tomllib.loads(UNCOMMENTED)
        assert named(written) == set(options_of(Settings))
        Settings(home=tmp_path, **written)


class TestTheExample:
    SHOWN = README.text.partition("## How a pair becomes a candidate")[2].partition("\n## ")[0]
    BITS = tuple(Decimal(one.replace("−", "-")) for one in re.findall(r"\| \**([+−]?\d+\.\d)\** \|\n", SHOWN))

    def test_its_bits_add_up(self) -> None:
        *parts, weight = self.BITS
        assert len(parts) == 9 and abs(sum(parts) - weight) <= Decimal("0.1")

    @pytest.mark.prove
    @pytest.mark.skipif(os.environ.get("PROVE") != "full", reason="both nights of the demo: make prove")
    def test_is_what_the_feeds_of_the_demo_bring(self, tmp_path: Path) -> None:
        settings = load_settings(tmp_path / "home")
        make_sample(tmp_path / "feeds", clients=5000, visits=60000, seed=20261120, nights=2, day=date(2026, 11, 20))
        for day in (date(2026, 11, 19), date(2026, 11, 20)):
            run_night(settings, tmp_path / "feeds" / "inbox" / day.isoformat(), day)
        pair = read_candidate(settings, date(2026, 11, 20), "C592D74E8A7")
        weights = [one.weight for one in pair.comparisons]
        before = pair.weight - sum(weights)
        assert [f"{one:.1f}" for one in (before, *weights, pair.weight)] == [f"{one:.1f}" for one in self.BITS]
        assert (pair.tier, pair.missed.reason) == ("near-certain", "letter O for zero")
        assert f"{pair.match_probability:.6f}" in self.SHOWN
        assert f"£{pair.harm.weekly_pence / 100:.2f} a week" in self.SHOWN


class TestWhatTheDemoPrints:
    """The block of README.md is a real run's; demo.py still prints such lines, and all of its steps are there."""

    SHOWN = tuple(line.strip() for line in README.fence("text demo").splitlines() if line.strip(" ─"))
    CODE = ast.parse((ROOT / "demo.py").read_text(encoding="utf-8"))

    def test_every_line_is_one_that_it_prints(self) -> None:
        printed = _lines(ast.walk(self.CODE))
        alien = [one for one in self.SHOWN if not any(re.match(line, one.removeprefix("✓ ")) for line in printed)]
        assert alien == [], "Run make demo and put what it prints into README.md."

    def test_every_step_is_shown(self) -> None:
        calls = [node for node in ast.walk(self.CODE) if isinstance(node, ast.Call)]
        steps = _lines(call.args[1] for call in calls if ast.unparse(call.func).strip("_") == "step")
        missing = [step for step in steps if not any(re.fullmatch(f"✓ {step} [0-9.]+ s", one) for one in self.SHOWN)]
        assert len(steps) > 5 and missing == []


def _lines(nodes: Iterable[ast.AST]) -> set[str]:
    """Each line of each text in the code, as a pattern: what is filled in may be anything."""
    lines = {line.strip() for node in nodes for line in _text(node).split("\n")}
    return {re.escape(line).replace(FILLED_IN, ".*") for line in lines if len(re.findall("[a-z]", line)) > 2}


def _text(node: ast.AST) -> str:
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(one) if isinstance(one, ast.Constant) else FILLED_IN for one in node.values)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
