"""Errors: each has a code, a section in docs/errors.md, and is told as such by the command line and by Airflow."""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from office import CLIENT_HEADINGS, Office, client, table

import pipelines
from pipelines.cli import main
from pipelines.decisions.statement import DecisionRefusedError
from pipelines.ingest.land import FileChangedError
from pipelines.ingest.originals import CannotBeReadError
from pipelines.review.desk.seals import BrokenSealError
from pipelines.settings import load_settings
from pipelines.troubles import TROUBLES, KnownError
from pipelines.unforeseen import quoting_nobody
from pipelines.warehouse import WarehouseBusyError, open_warehouse

ROOT = Path(__file__).parent.parent
DOCS = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^### (\w+)\n\n(.*?)(?=^##|\Z)", DOCS, re.DOTALL | re.MULTILINE))
CAUGHT_WHERE_THEY_ARISE = {CannotBeReadError, BrokenSealError, FileChangedError}


def all_errors() -> set[type[Exception]]:
    """Every exception class that oneclient defines."""
    found = set()
    for module in pkgutil.walk_packages(pipelines.__path__, "pipelines."):
        if not module.name.endswith(("__main__", ".env", ".job")) and ".migrations." not in module.name:
            held = vars(importlib.import_module(module.name)).values()
            found |= {one for one in held if isinstance(one, type) and issubclass(one, Exception)}
    return {one for one in found if one.__module__.startswith("pipelines.")}


class TestEveryError:
    def test_has_a_code(self) -> None:
        found = all_errors() - CAUGHT_WHERE_THEY_ARISE - {KnownError}
        assert WarehouseBusyError in found
        assert [one.__name__ for one in found if getattr(one, "code", None) not in TROUBLES] == []
        assert [one.__name__ for one in found if not issubclass(one, KnownError)] == []

    def test_has_a_section_of_its_own_and_there_is_no_other(self) -> None:
        assert set(SECTIONS) == set(TROUBLES)
        assert DOCS.count("\n### ") == len(TROUBLES)

    @pytest.mark.parametrize("code", TROUBLES)
    def test_says_what_it_is_what_became_of_the_data_and_what_to_do(self, code: str) -> None:
        section, trouble = SECTIONS[code], TROUBLES[code]
        assert section.startswith(f"**{trouble.title}.** ")
        assert "\n*Your data:* " in section
        assert f"\n*What to do* (exit code {trouble.exit_code}):\n\n1. " in section

    @pytest.mark.parametrize("code", TROUBLES)
    def test_can_arise(self, code: str) -> None:
        sources = (p.read_text(encoding="utf-8") for p in (ROOT / "pipelines").rglob("*.py"))
        written = re.compile(
            rf'code(: \w+)? ?= ?"{code}"|TROUBLES\["{code}"|\("{code}",|^\s+"{code}",|"{code}" if|else "{code}"', re.M
        )
        assert any(written.search(source) for source in sources)

    def test_a_code_that_is_not_registered_cannot_be_given(self) -> None:
        with pytest.raises(KeyError):
            DecisionRefusedError("No.", code="D999")


def oneclient(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments])


def _settings(text: str) -> Callable[[Path], tuple[object, ...]]:
    def command(home: Path) -> tuple[object, ...]:
        (home / "settings.toml").write_text(text)
        return "doctor", "--home", home

    return command


def _mapping(home: Path) -> tuple[object, ...]:
    (home / "sources").mkdir()
    (home / "sources" / "acme.yaml").write_text("feed: roster_clients\n")
    Office(home).clients(client("1"))
    return "nightly", "--home", home


def _file(name: str, content: str, *before: str) -> Callable[[Path], tuple[object, ...]]:
    def command(home: Path) -> tuple[object, ...]:
        (home / name).write_text(content)
        return *before, home / name, "--home", home

    return command


def _damaged(home: Path) -> tuple[object, ...]:
    (home / "oneclient.duckdb").write_bytes(b"no warehouse" * 1000)
    return "fingerprint", "--home", home


def _cut_off(home: Path) -> tuple[object, ...]:
    with open_warehouse(load_settings(home)):
        pass
    file = home / "oneclient.duckdb"
    file.write_bytes(file.read_bytes()[:20_000])
    return "fingerprint", "--home", home


def _damaged_log(home: Path) -> tuple[object, ...]:
    (home / "decisions.sqlite").write_bytes(b"no database" * 1000)
    return "nightly", "--home", home


def _to_be_made(home: Path) -> tuple[object, ...]:
    (home / "it.bak").write_text("no backup")
    return "restore", home / "it.bak", "--home", home


def _no_backup(home: Path) -> tuple[object, ...]:
    (home / "it.bak").write_text("no backup")
    return "restore", home / "it.bak", "--home", home / "new"


def _unseal(home: Path) -> tuple[object, ...]:
    (home / "it.age").write_text("sealed?")
    return "unseal", home / "it.age", "--out", home / "out", "--home", home


SAID = ("--verdict", "same", "--by", "Jo", "--reason", "rang her")
PROVOKED: dict[str, Callable[[Path], tuple[object, ...]]] = {
    "U1": lambda home: ("nightly", "--dya", "2026-11-20", "--home", home),
    "U2": lambda home: ("nightly", "--inbox", home / "nowhere", "--home", home),
    "U3": _to_be_made,
    "S1": _settings("[match]\nlikely = 2\n"),
    "S2": _mapping,
    "S3": lambda home: ("doctor", "--provider", "nobody"),
    "S5": _file("people.csv", "Van,Tyre\n1,2\n", "evaluate", "--truth", "Person"),
    "S7": lambda home: (_settings('[decisions]\nurl = "mysql://here"\n')(home), ("nightly", "--home", home))[1],
    "K1": _unseal,
    "F2": _file("people.csv", "", "map"),
    "F3": _file("people.csv", "PK\x03\x04rest", "map"),
    "F6": _file("rota.csv", "Carer,Shift,Van\nJo,Late,2\n", "map"),
    "D12": lambda home: ("forget", "careplan/1", "--by", "Jo", "--home", home),
    "D14": lambda home: ("merge", "plan", "--from", "2026-11-01", "--to", "2026-11-01", "--home", home),
    "L2": _damaged_log,
    "R1": lambda home: ("candidates", "--home", home),
    "R2": lambda home: ("report", "--as-of", "2026-11-20", "--home", home),
    "W2": _damaged,
    "W5": _cut_off,
    "B1": _no_backup,
    "S8": lambda home: ("doctor", "--home", home / "hmoe"),
    "T1": lambda home: ("train", "--home", home),
}  # fmt: skip


class TestOnTheCommandLine:
    @pytest.mark.parametrize("code", PROVOKED)
    def test_it_is_one_line_with_its_code_and_where_to_read_on(self, code: str, tmp_path: Path) -> None:
        (tmp_path / "inbox").mkdir()
        arguments, trouble = PROVOKED[code](tmp_path), TROUBLES[code]
        ended = oneclient(*arguments)
        assert (ended.exit_code, ended.stdout) == (trouble.exit_code, "")
        last = ended.stderr.splitlines()[-1]
        assert re.fullmatch(rf"oneclient: \[{code}\] \S.* \({re.escape(trouble.see)}\)", last)
        in_json = oneclient(*arguments, "--json")
        assert in_json.exit_code == ended.exit_code
        said = json.loads(in_json.stdout)
        assert said.keys() == {"error"}
        assert (said["error"]["code"], said["error"]["see"]) == (code, trouble.see)
        assert last == f"oneclient: [{code}] {said['error']['message']} ({trouble.see})"

    def test_the_warehouse_in_use(self, tmp_path: Path) -> None:
        (tmp_path / "settings.toml").write_text("[warehouse]\nlock_wait_seconds = 0\n")
        with open_warehouse(load_settings(tmp_path)):
            command = [sys.executable, "-m", "pipelines.cli", "fingerprint", "--json", "--home", str(tmp_path)]
            ran = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
        assert (ran.returncode, json.loads(ran.stdout)["error"]["code"]) == (1, "W1")

    def test_what_nobody_foresaw_quotes_nothing(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def failing(*_: object) -> None:
            raise ValueError("Ann Archer")

        load_settings(tmp_path)
        monkeypatch.setattr("pipelines.doctor.examine", failing)
        ended = oneclient("doctor", "--home", tmp_path, "--json")
        assert (ended.exit_code, json.loads(ended.stdout)["error"]["code"]) == (1, "X1")
        assert "Archer" not in ended.output

    @pytest.mark.parametrize(
        ("arguments", "meant"),
        [
            (("nightyl",), "'nightly'"),
            (("merge", "aply"), "'apply'"),
            (("nightly", "--inbx", "x"), "'--inbox'"),
            (("candidates", "--tier", "liekly"), "'likely'"),
        ],
    )
    def test_a_slip_of_the_keys_is_told_what_was_meant(self, arguments: tuple[str, ...], meant: str) -> None:
        assert meant in oneclient(*arguments).stderr


class TestElsewhere:
    def test_the_note_beside_a_refused_file_has_the_code(self, tmp_path: Path) -> None:
        office = Office(tmp_path)
        for name, content, code in (
            ("letter.docx", "Dear sirs", "F1"),
            ("a_roster_clients_1.csv", "", "F2"),
            ("b_roster_clients_1.csv", b"PK\x03\x04rest", "F3"),
            ("c_roster_clients_1.csv", table(CLIENT_HEADINGS, [client("1")]).encode() + b"2\xc3", "F4"),
            ("d_roster_clients_1.csv", "Name,Forename\nArcher,Ann\n", "F7"),
            ("e_roster_clients_1.xlsx", "no workbook", "F8"),
        ):
            landing = office.land(name, content)
            assert (name, landing.status, landing.code) == (name, "quarantined", code)
            notes = [json.loads(p.read_text()) for p in office.settings.quarantine.glob("*.reason.json")]
            (note,) = (note for note in notes if note["file_name"] == name)
            assert (note["code"], note["see"]) == (code, TROUBLES[code].see)

    def test_the_message_of_a_task_in_airflow_has_the_code(self) -> None:
        with pytest.raises(WarehouseBusyError) as raised, quoting_nobody():
            raise WarehouseBusyError("The warehouse is open.")
        assert str(raised.value) == "[W1] The warehouse is open. (docs/errors.md#w1)"
        assert raised.value.told == str(raised.value)
        with pytest.raises(KnownError, match=r"^\[X2\] The disk of the home is full"), quoting_nobody():
            raise OSError(28, "No space left on device")
