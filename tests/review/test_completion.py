"""Completion: what the shell offers while a command is typed, without the warehouse and without making a home."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from examples import a_candidate, a_cluster, a_couple, a_report
from the_desk import home_with, proper

from pipelines.cli import main
from pipelines.cli.completing import SHELLS
from pipelines.settings import Settings
from pipelines.warehouse import open_warehouse


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    one, two = proper(1, a_candidate()), proper(2, a_couple())
    return home_with(tmp_path, a_report(one, two, clusters=(a_cluster(one, two),)))


def offered(*words: str, **environment: str) -> list[str]:
    """What is offered for the last of the words."""
    asked = {
        "_ONECLIENT_COMPLETE": "bash_complete", "COMP_CWORD": f"{len(words)}",
        "COMP_WORDS": " ".join(("oneclient", *words)), **environment,
    }  # fmt: skip
    ran = CliRunner().invoke(main, [], prog_name="oneclient", env=asked)
    return [line.partition(",")[2] for line in ran.stdout.splitlines() if line]


def test_commands_options_and_tiers(home: Settings) -> None:
    assert "nightly" in offered("nig")
    assert offered("merge", "pl") == ["plan"]
    assert "--verdict" in offered("decide", "--ver")
    assert offered("candidates", "--tier", "") == ["near-certain", "likely", "possible"]


def test_candidates_and_clusters_of_the_last_report_while_the_warehouse_is_in_use(home: Settings) -> None:
    with open_warehouse(home):
        assert offered("decide", "c", ONECLIENT_HOME=str(home.home)) == ["C0000000001", "C0000000002"]
        assert offered("decide", "--home", str(home.home), "C0000000002") == ["C0000000002"]
        assert offered("decide", "K", ONECLIENT_HOME=str(home.home)) == ["K0000012"]
        assert offered("merge", "plan", "--candidate", "C", ONECLIENT_HOME=str(home.home))[0] == "C0000000001"


def test_nothing_where_there_is_no_report_and_no_home_is_made(tmp_path: Path) -> None:
    assert offered("decide", "C", ONECLIENT_HOME=str(tmp_path / "none")) == []
    assert not (tmp_path / "none").exists()


def test_providers(tmp_path: Path) -> None:
    (tmp_path / "list.toml").write_text('[acme]\nhome = "acme"\n[beta]\nhome = "beta"\n')
    listed = {"ONECLIENT_PROVIDERS": str(tmp_path / "list.toml")}
    assert offered("doctor", "--provider", "", **listed) == ["acme", "beta"]
    assert offered("doctor", "--provider", "b", **listed) == ["beta"]
    assert offered("doctor", "--provider", "", ONECLIENT_PROVIDERS=str(tmp_path / "gone.toml")) == []


@pytest.mark.parametrize("shell", SHELLS)
def test_a_script_for_each_shell(shell: str) -> None:
    printed = CliRunner().invoke(main, ["completion", shell])
    assert printed.exit_code == 0
    assert f"_ONECLIENT_COMPLETE={shell}_complete" in printed.stdout
    if path := shutil.which(shell):
        read = subprocess.run([path, "-n"], input=printed.stdout, text=True, capture_output=True, check=False)
        assert (read.returncode, read.stderr) == (0, "")


def test_a_real_bash_completes(tmp_path: Path) -> None:
    """The script is read by bash, which then asks the command itself."""
    command = tmp_path / "oneclient"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m pipelines.cli "$@"\n')
    command.chmod(0o700)
    typed = (
        'eval "$(oneclient completion bash)"; COMP_WORDS=(oneclient merge pl); COMP_CWORD=2; '
        '_oneclient_completion oneclient; echo "${COMPREPLY[@]}"'
    )
    root = str(Path(__file__).parent.parent.parent)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": root}
    ran = subprocess.run(["bash", "-c", typed], text=True, capture_output=True, check=True, env=environment)
    assert ran.stdout.splitlines()[-1] == "plan"
