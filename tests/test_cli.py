"""The command line as a contract: what each command answers in JSON, where it works, and how it ends."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result
from office import CLIENT_HEADINGS, Office, client, order, table, visit

from pipelines.cli import FOUND_A_PROBLEM, WRONG_USE, main
from pipelines.settings import load_settings
from pipelines.warehouse import open_warehouse

pytestmark = pytest.mark.usefixtures("without_airflow")
ROOT = Path(__file__).parent.parent
DAY = "2026-11-20"
COMMANDS = ("sample", "nightly", "train", "report", "candidates", "decide", "fingerprint", "doctor", "map")


def oneclient(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments])


def as_process(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command as a shell would run it, in which nothing of this process can hide what it prints."""
    return subprocess.run(
        [sys.executable, "-m", "pipelines.cli", *map(str, arguments)],
        capture_output=True, text=True, check=False, cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
    )  # fmt: skip


def answer(result: Result, code: int = 0) -> Any:
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


def refused(result: Result, code: int) -> str:
    """What a command that could not do its work says on the error stream; a traceback is never an answer."""
    assert (result.exit_code, result.stdout) == (code, "")
    assert isinstance(result.exception, SystemExit)
    return result.stderr


@pytest.fixture(scope="module")
def first_night(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """A home after its first night, which ran as a process of its own; no test changes it."""
    folder = tmp_path_factory.mktemp("cli")
    assert oneclient("sample", "--out", folder, "--clients", 150, "--visits", 300, "--day", DAY).exit_code == 0
    ran = as_process(
        "nightly", "--inbox", folder / "inbox", "--day", DAY, "--json", ONECLIENT_HOME=str(folder / "home")
    )
    return folder / "home", ran


@pytest.fixture
def home(first_night: tuple[Path, object], tmp_path: Path) -> Path:
    """A copy of it, to be changed."""
    return shutil.copytree(first_night[0], tmp_path / "home", symlinks=True)


@pytest.fixture(scope="module")
def decided_home(first_night: tuple[Path, object], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy in which Jo has decided; no test changes it."""
    home = shutil.copytree(first_night[0], tmp_path_factory.mktemp("decided") / "home", symlinks=True)
    decided_near_certain(home)
    return home


BY_SAM = ("--by", "Sam Lee", "--reason", "rang her")
LOOKS_AT_A_HOME = (
    ("doctor",), ("report",), ("report", "--as-of", DAY), ("candidates",), ("fingerprint",), ("trends",), ("train",),
    ("decide", "C1", "--verdict", "same", *BY_SAM), ("merge", "plan"), ("merge", "apply", *BY_SAM),
    ("merge", "undo", "--all", *BY_SAM), ("merge", "status"), ("backup", "--to", "it.bak"), ("upgrade",), ("retire",),
    ("forget", "careplan/1", *BY_SAM),
)  # fmt: skip


class TestAnswers:
    """Exit code 0, and with ``--json`` nothing but JSON on the standard output."""

    def test_sample(self, tmp_path: Path) -> None:
        made = answer(oneclient("sample", "--out", tmp_path / "s", "--clients", 20, "--visits", 10, "--json"))
        assert made["people"] == 20
        assert made["files"] == len(list((tmp_path / "s" / "inbox").iterdir()))

    def test_nightly(self, first_night: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
        home, ran = first_night
        assert (ran.returncode, ran.stderr) == (0, "")
        night = json.loads(ran.stdout)
        assert night["day"] == DAY
        assert {landing["status"] for landing in night["landings"]} == {"loaded"}
        assert night["staging"]["new_clients"]
        assert night["matching"]["tiers"]
        assert Path(night["report"]) == home / "reports" / DAY

    def test_nightly_counts_what_is_open_apart(self, home: Path) -> None:
        found = answer(oneclient("candidates", "--home", home, "--json"))
        decided = answer(
            oneclient(
                "decide",
                "--all",
                "near-certain",
                "--verdict",
                "same",
                "--by",
                "ann",
                "--reason",
                "looked",
                "--home",
                home,
                "--json",
            )
        )["recorded"]
        said = " ".join(oneclient("nightly", "--home", home, "--day", DAY).stdout.split())
        assert decided > 0
        assert f"Candidates: {len(found):,} (near-certain" in said
        assert f"of them {len(found) - decided:,} open" in said

    def test_nightly_counts_what_could_not_be_read(self, tmp_path: Path) -> None:
        office = Office(tmp_path / "home")
        office.clients(client("1"), client("2", DateOfBirth="31/31/1940"), client(""))
        said = " ".join(oneclient("nightly", "--home", office.settings.home, "--day", DAY).stdout.split())
        assert "1 rows were rejected and 1 cells could not be read and stayed empty: the report says which" in said

    def test_train(self, home: Path) -> None:
        trained = answer(oneclient("train", "--home", home, "--json"))
        assert (home / "models" / "current").read_text().strip() == trained["model_version"]
        assert Path(trained["folder"]).is_dir()

    def test_report(self, home: Path) -> None:
        before = (home / "reports" / DAY / "index.html").read_bytes()
        published = answer(oneclient("report", "--home", home, "--json"))
        assert Path(published["page"]).read_bytes() == before

    def test_report_of_a_past_night(self, home: Path) -> None:
        before = (home / "reports" / DAY / "index.html").read_bytes()
        oneclient("nightly", "--home", home, "--day", "2026-11-21")
        rebuilt = answer(oneclient("report", "--as-of", DAY, "--home", home, "--json"))
        assert rebuilt["report"] == str(home / "reports" / DAY)
        assert Path(rebuilt["page"]).read_bytes() == before

    def test_candidates(self, home: Path) -> None:
        found = answer(oneclient("candidates", "--home", home, "--json"))
        assert {"candidate_id", "tier", "match_probability", "left", "right", "comparisons"} <= found[0].keys()
        likely = answer(oneclient("candidates", "--tier", "near-certain", "--home", home, "--json"))
        assert likely == [c for c in found if c["tier"] == "near-certain"]
        assert answer(oneclient("candidates", "--as-of", DAY, "--home", home, "--json")) == found

    def test_fingerprint(self, home: Path) -> None:
        whole = answer(oneclient("fingerprint", "--home", home, "--json"))
        linked = answer(oneclient("fingerprint", "--scope", "linked", "--home", home, "--json"))
        assert len(whole["fingerprint"]) == len(linked["fingerprint"]) == 64
        assert whole != linked
        assert oneclient("fingerprint", "--home", home).stdout == whole["fingerprint"] + "\n"

    def test_doctor(self, home: Path) -> None:
        found = answer(oneclient("doctor", "--home", home, "--json"))
        assert found["well"] is True
        assert all(finding["well"] for finding in found["findings"])

    def test_map(self, tmp_path: Path) -> None:
        file = tmp_path / "acme clients 2026.csv"
        file.write_text(table(CLIENT_HEADINGS, [client("1")]))
        suggested = answer(oneclient("map", file, "--home", tmp_path / "home", "--json"))
        assert (suggested["feed"], suggested["missing"]) == ("roster_clients", [])
        mapping = yaml.safe_load(suggested["mapping"])
        assert mapping["columns"]["ClientID"] == "client_id"
        assert mapping["never_store"] == ["KeySafe", "AccessDetails"]

    def test_what_map_prints_can_be_saved_and_used(self, tmp_path: Path) -> None:
        office = Office(tmp_path / "home")
        headings = ["Service User ID", "First Name", "Last Name", "DOB", "Post Code", "Door Code"]
        file = office.deliver("acme_20261120.csv", table(headings, [dict(zip(headings, _PERSON, strict=True))]))
        printed = oneclient("map", file, "--home", office.settings.home).stdout
        completed = re.sub("fixed: .*", "fixed: acme", printed)
        (office.settings.sources / "acme.yaml").write_text(completed)
        night = answer(oneclient("nightly", "--home", office.settings.home, "--day", DAY, "--json"))
        assert [landing["rows_loaded"] for landing in night["landings"]] == [1]
        assert office.rows("select client_ref, forename, surname, postcode from staged.clients") == [
            ("acme/1", "Ann", "Archer", "CO4 3SQ")
        ]
        assert b"C1234X" not in office.everything_on_disk()

    @pytest.mark.parametrize("command", ["nightly", "train", "report", "candidates", "doctor"])
    def test_for_people_too(self, home: Path, command: str) -> None:
        result = oneclient(command, "--home", home)
        assert result.exit_code == 0
        assert result.stdout.strip()
        with pytest.raises(json.JSONDecodeError):
            json.loads(result.stdout)

    def test_the_home_is_the_option_then_the_variable(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("ONECLIENT_HOME", str(tmp_path / "by_variable"))
        load_settings(tmp_path / "by_option")
        assert oneclient("fingerprint").exit_code == FOUND_A_PROBLEM
        assert oneclient("fingerprint", "--home", tmp_path / "by_option").exit_code == 0
        load_settings(tmp_path / "by_variable")
        assert oneclient("fingerprint").exit_code == 0

    @pytest.mark.parametrize("command", COMMANDS)
    def test_help(self, command: str) -> None:
        result = oneclient(command, "--help")
        assert result.exit_code == 0
        assert {"--home", "--json"} <= set(result.stdout.replace(",", " ").split())


class TestMerging:
    """Jo decides, Sam signs off, Kim takes back."""

    def test_from_the_decision_to_the_merge_and_back(self, home: Path) -> None:
        before = oneclient("fingerprint", "--scope", "linked", "--home", home).stdout
        assert answer(oneclient("merge", "apply", "--by", "Sam", "--home", home, "--json"))["merges"] == 0
        decided = decided_near_certain(home)
        plan = answer(oneclient("merge", "plan", "--home", home, "--json"))
        assert (len(plan["ready"]), plan["blocked"], plan["unfinished"]) == (decided, [], None)
        assert plan["moves"]["source_records"] > 0
        done = answer(oneclient("merge", "apply", "--by", "Sam", "--reason", "November", "--home", home, "--json"))
        assert (done["merges"], done["undone"]) == (decided, 0)
        assert {kind: done["moved"][kind] for kind in plan["moves"]} == plan["moves"]
        status = answer(oneclient("merge", "status", "--home", home, "--json"))
        assert {one["state"] for one in status["merges"]} == {"complete"}
        assert len(status["crosswalk"]) == decided
        one = status["merges"][0]["merge_id"]
        assert answer(oneclient("merge", "undo", one, "--by", "Kim", "--home", home, "--json"))["undone"] == 1
        rest = answer(oneclient("merge", "undo", "--all", "--by", "Kim", "--home", home, "--json"))
        assert rest["undone"] == decided - 1
        assert oneclient("fingerprint", "--scope", "linked", "--home", home).stdout == before

    def test_a_dry_run_changes_nothing(self, home: Path) -> None:
        decided = decided_near_certain(home)
        before = oneclient("fingerprint", "--home", home).stdout
        dry = answer(oneclient("merge", "apply", "--dry-run", "--home", home, "--json"))
        assert len(dry["ready"]) == decided
        assert dry == answer(oneclient("merge", "plan", "--home", home, "--json"))
        assert oneclient("fingerprint", "--home", home).stdout == before
        oneclient("merge", "apply", "--by", "Sam", "--home", home)
        before = oneclient("fingerprint", "--home", home).stdout
        dry = answer(oneclient("merge", "undo", "--all", "--dry-run", "--home", home, "--json"))
        assert len(dry["undoes"]) == decided
        assert oneclient("fingerprint", "--home", home).stdout == before

    def test_for_people_too(self, home: Path) -> None:
        decided_near_certain(home)
        for command in (("plan",), ("apply", "--by", "Sam", "--to", "2026-11-01"), ("plan",), ("status",)):
            result = oneclient("merge", *command, "--home", home)
            assert result.exit_code == 0
            assert result.stdout.strip()
            with pytest.raises(json.JSONDecodeError):
                json.loads(result.stdout)

    def test_what_must_never_be_is_a_problem(self, home: Path) -> None:
        decided_near_certain(home)
        oneclient("merge", "apply", "--by", "Sam", "--home", home)
        with open_warehouse(load_settings(home)) as warehouse:
            warehouse.execute('update staged."references" set client_id = origin_client_id')
        answer(oneclient("merge", "status", "--home", home, "--json"), FOUND_A_PROBLEM)

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (("apply",), "Say who signs the merges off"),
            (("apply", "--by", "Jo"), "may not carry it out as well"),
            (("apply", "--by", "airflow"), "machine's name"),
            (("apply", "--by", "Sam", "--from", "2026-11-01", "--to", "2026-11-01"), "holds no day"),
            (("plan", "--wave", "gold"), "Invalid value"),
            (("undo", "--by", "Kim"), "Name the merges to undo, or --all"),
            (("undo", "--all"), "Say who takes the merges back"),
            (("undo", "M0000000000", "--by", "Kim"), "cannot be undone"),
        ],
    )
    def test_wrong_use(self, decided_home: Path, arguments: tuple[str, ...], said: str) -> None:
        assert said in refused(oneclient("merge", *arguments, "--home", decided_home), WRONG_USE)

    @pytest.mark.parametrize("command", ["plan", "apply", "undo", "status"])
    def test_help(self, command: str) -> None:
        result = oneclient("merge", command, "--help")
        assert result.exit_code == 0
        assert {"--home", "--json"} <= set(result.stdout.replace(",", " ").split())


def decided_near_certain(home: Path) -> int:
    """Jo decides the near-certain candidates that nothing is in the way of; gives their number."""
    said = ("--verdict", "same", "--by", "Jo", "--reason", "looked at both files", "--aliases", "keep")
    decided: int = answer(oneclient("decide", "--all", "near-certain", *said, "--home", home, "--json"))["recorded"]
    assert decided > 1
    return decided


class TestProblems:
    """Exit code 1: something was found that a person has to see to."""

    def test_doctor_finds_a_file_in_quarantine(self, home: Path) -> None:
        (home / "inbox" / "kent_purchase_orders_20261120.csv").write_text("not an order\n")
        oneclient("nightly", "--home", home, "--day", DAY)
        found = answer(oneclient("doctor", "--home", home, "--json"), FOUND_A_PROBLEM)
        (problem,) = (finding for finding in found["findings"] if not finding["well"])
        assert problem["check"] == "quarantine"
        assert ".reason.json" in problem["next"]

    def test_doctor_finds_a_file_that_the_register_has_not_taken_in(self, tmp_path: Path) -> None:
        office = Office(tmp_path / "home")
        office.night()
        office.clients(client("1"))
        office.land_all()
        found = oneclient("doctor", "--home", office.settings.home)
        assert found.exit_code == FOUND_A_PROBLEM
        assert "PROBLEM  register: 1 landed files" in found.stdout

    def test_a_quarantined_file_does_not_make_the_night_a_problem(self, tmp_path: Path) -> None:
        office = Office(tmp_path / "home")
        office.deliver("letter.docx", "Dear sirs")
        night = answer(oneclient("nightly", "--home", office.settings.home, "--day", DAY, "--json"))
        assert [landing["status"] for landing in night["landings"]] == ["quarantined"]

    def test_a_table_that_fails_its_gate_stops_the_night(self, tmp_path: Path) -> None:
        office = Office(tmp_path / "home")
        office.clients(client("1"), client("2"))
        office.orders(order("PO1"))
        office.visits(visit("V1", "1"))
        office.land_all()
        with open_warehouse(office.settings) as warehouse:
            warehouse.execute("delete from raw.roster_visits")
        said = refused(oneclient("nightly", "--home", office.settings.home, "--day", DAY), FOUND_A_PROBLEM)
        assert "staged.reconciliation failed its checks" in said
        assert "left as they were" in said
        assert not office.settings.reports.exists()

    @pytest.mark.parametrize("command", LOOKS_AT_A_HOME, ids=" ".join)
    @pytest.mark.parametrize("there", [True, False], ids=["an empty folder", "no folder"])
    def test_no_home_is_made_where_one_is_looked_for(
        self, tmp_path: Path, command: tuple[str, ...], there: bool
    ) -> None:
        folder = tmp_path / "hmoe"
        if there:
            folder.mkdir()
        said = refused(oneclient(*command, "--home", folder), FOUND_A_PROBLEM)
        assert said.startswith(f"oneclient: [S8] There is no home in {folder}, and none was made.")
        assert "oneclient nightly --home" in said
        assert list(tmp_path.rglob("*")) == [folder] * there

    def test_a_warehouse_in_use(self, tmp_path: Path) -> None:
        (tmp_path / "settings.toml").write_text("[warehouse]\nlock_wait_seconds = 0\n")
        with open_warehouse(load_settings(tmp_path)):
            ran = as_process("fingerprint", "--home", tmp_path)
        assert (ran.returncode, ran.stdout) == (FOUND_A_PROBLEM, "")
        assert "open in another process" in ran.stderr

    def test_nothing_to_train_on(self, tmp_path: Path) -> None:
        load_settings(tmp_path)
        assert "[T1]" in refused(oneclient("train", "--home", tmp_path), FOUND_A_PROBLEM)

    def test_a_file_that_no_feed_fits(self, tmp_path: Path) -> None:
        file = tmp_path / "rota.csv"
        file.write_text("Carer,Shift,Van\nJo,Late,2\n")
        assert oneclient("map", file, "--home", tmp_path / "home").exit_code == FOUND_A_PROBLEM


class TestWrongUse:
    """Exit code 2: the command was not understood, or cannot work as it was told to; one line says why."""

    def test_an_unknown_option(self) -> None:
        assert "No such option" in refused(oneclient("nightly", "--quick"), WRONG_USE)

    def test_an_unknown_command(self) -> None:
        assert "No such command" in refused(oneclient("wizard"), WRONG_USE)

    @pytest.mark.parametrize("arguments", [("--day", "20/11/2026"), ("--inbox",)])
    def test_a_bad_value(self, tmp_path: Path, arguments: tuple[str, ...]) -> None:
        refused(oneclient("nightly", "--home", tmp_path, *arguments), WRONG_USE)

    def test_a_missing_inbox(self, tmp_path: Path) -> None:
        said = refused(oneclient("nightly", "--home", tmp_path, "--inbox", tmp_path / "nowhere"), WRONG_USE)
        message = "There is no such inbox folder. Make it, or name another with --inbox."
        assert said == f"oneclient: [U2] {message} (docs/errors.md#u2)\n"

    @pytest.mark.parametrize(
        ("written", "said"),
        [
            ("provider = ", "settings.toml is not valid TOML"),
            ("[match]\nlikely = 2\n", "match.likely is 2; it has to be a number above 0.5"),
            ("[mtach]\nlikely = 0.9\n", "there is no setting mtach (did you mean match?)"),
        ],
    )
    def test_bad_settings(self, tmp_path: Path, written: str, said: str) -> None:
        (tmp_path / "settings.toml").write_text(written)
        assert said in refused(oneclient("doctor", "--home", tmp_path), WRONG_USE)

    def test_a_bad_source_mapping(self, tmp_path: Path) -> None:
        (tmp_path / "sources").mkdir()
        (tmp_path / "sources" / "acme.yaml").write_text("feed: roster_clients\n")
        Office(tmp_path).clients(client("1"))
        assert "source mapping acme.yaml" in refused(oneclient("nightly", "--home", tmp_path), WRONG_USE)

    def test_a_model_that_is_not_there(self, home: Path) -> None:
        (home / "settings.toml").write_text('[match]\nmodel = "0123456789ab"\n')
        assert "no model 0123456789ab" in refused(oneclient("nightly", "--home", home, "--day", DAY), WRONG_USE)

    def test_a_sample_into_a_folder_in_use(self, tmp_path: Path) -> None:
        (tmp_path / "inbox").mkdir()
        (tmp_path / "inbox" / "mine.csv").write_text("")
        assert "is not empty" in refused(oneclient("sample", "--out", tmp_path), WRONG_USE)
        assert [p.name for p in (tmp_path / "inbox").iterdir()] == ["mine.csv"]

    @pytest.mark.parametrize("command", [("report",), ("report", "--as-of", DAY), ("candidates",)])
    def test_no_night_yet(self, tmp_path: Path, command: tuple[str, ...]) -> None:
        load_settings(tmp_path)
        said = refused(oneclient(*command, "--home", tmp_path), WRONG_USE)
        assert "No night has" in said

    def test_a_file_to_map_that_is_not_there(self, tmp_path: Path) -> None:
        assert "does not exist" in refused(oneclient("map", tmp_path / "gone.csv", "--home", tmp_path), WRONG_USE)


_PERSON = ("1", "Ann", "Archer", "12/03/1941", "CO4 3SQ", "C1234X")
