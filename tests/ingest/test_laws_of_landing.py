"""Nothing lost; twice is once; a crash at any moment changes nothing; nothing personal in what is logged."""

from __future__ import annotations

import csv
import io
import json
import logging
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import permutations
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from crashes import Crash, after, crash
from hypothesis import example, given
from hypothesis import strategies as st
from office import VISIT_HEADINGS, Office, client, enrolment, order, table, visit

from pipelines.ingest import archive, land, ledger
from pipelines.sample import make_sample
from pipelines.stage import register
from pipelines.warehouse import Warehouse

ROOT = Path(__file__).parents[2]

# What a cell may hold, and how a row may be too short or too long.
CELLS = st.one_of(
    st.sampled_from(
        ["", " ", "V1", "C1", "20/11/2026", "31/02/2026", "46054", "08:00", "£1,2", "é", "\u00a0", '"', "a\nb", "x,y"]
    ),
    st.text(st.characters(blacklist_categories=["Cs", "Cc"]), max_size=6),
)
ROWS = st.lists(st.lists(CELLS, min_size=1, max_size=13), min_size=1, max_size=12)
GOOD_ROW = [str(cell) for cell in (visit("V0", "C0").get(h, "") for h in VISIT_HEADINGS)]


@given(rows=ROWS, delimiter=st.sampled_from(",;\t|"), encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
@example(rows=[["V1"], [*[""] * 9, "a\nb", ""]], delimiter=",", encoding="utf-8")
def test_rows_read_are_rows_loaded_and_rows_rejected(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], delimiter: str, encoding: str
) -> None:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows([VISIT_HEADINGS, *rows, *[GOOD_ROW] * len(rows)])
    office = Office(tmp_path_factory.mktemp("rows") / "home")
    landing = office.land("careplan_roster_visits_1.csv", text.getvalue().encode(encoding))
    filled = [
        n for n, row in enumerate(rows, start=2) if "".join(row).strip(delimiter + '" ' if len(row) != 10 else "")
    ]
    assert landing.rows_read == landing.rows_loaded + landing.rows_rejected
    if landing.status == "loaded":
        loaded = [n for (n,) in office.rows("select row_number from raw.roster_visits")]
        rejected = office.rows("select row_number, reason from raw.rejected_rows")
        assert (len(loaded), len(rejected)) == (landing.rows_loaded, landing.rows_rejected)
        assert sorted([*loaded, *(n for n, _ in rejected)]) == [*filled, *range(len(rows) + 2, 2 * len(rows) + 2)]
        assert all(reason for _, reason in rejected)
    else:
        assert landing.reason


def a_night_of_files(office: Office) -> None:
    office.clients(client("C1", SocialServicesRef="111"), client("C2", Forename="Bob", Gender="M", KeySafe="1234"))
    office.orders(order("PO1", SocialServicesRef="111", ContractNumber="K-1"), order("PO2", Forename="Eve"), order(""))
    office.enrolments(enrolment("C1", "K-1"))
    office.visits(visit("V1", "C1"), visit("V2", "C9"), visit("V3", "C2", VisitDate="never"), visit("V4", "C2"))


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """The state after the night of files, when nothing goes wrong."""
    office = Office(tmp_path_factory.mktemp("undisturbed") / "home")
    a_night_of_files(office)
    office.night()
    return office.state()


def test_the_same_night_again_changes_nothing(office: Office, undisturbed: dict[str, list[str]]) -> None:
    for _ in range(2):
        a_night_of_files(office)
        office.night()
    assert office.state() == undisturbed
    assert list(office.settings.inbox.iterdir()) == []


def test_the_same_content_under_another_name_is_the_same_file(office: Office) -> None:
    content = table(VISIT_HEADINGS, [visit("V1", "C1")])
    assert office.land("careplan_roster_visits_1.csv", content).status == "loaded"
    before = office.state()
    assert office.land("careplan_roster_visits_2.csv", content).status == "repeated"
    assert office.land("any_name.csv", content).status == "repeated"
    assert office.state() == before


def test_a_refused_file_that_comes_again_changes_nothing(office: Office) -> None:
    office.land("rota.csv", "a,b\n1,2\n")
    before = office.rows("select file_name, delivered_for, status, reason from raw.files")
    office.land("rota.csv", "a,b\n1,2\n")
    assert office.rows("select file_name, delivered_for, status, reason from raw.files") == before


ORDERS = list(permutations(range(4))) if os.environ.get("PROVE") == "full" else [(3, 2, 1, 0), (2, 0, 3, 1)]


@pytest.mark.parametrize("order_of", ORDERS)
def test_files_may_land_in_any_order(
    office: Office, undisturbed: dict[str, list[str]], order_of: tuple[int, ...]
) -> None:
    a_night_of_files(office)
    files = sorted(office.settings.inbox.iterdir())
    for n in order_of:
        office.land(files[n].name)
    register.stage_files(office.settings, office.day)
    assert office.state() == undisturbed


def _half_written(original: Path) -> archive.Write:
    def write(out: BinaryIO) -> None:
        out.write(original.read_bytes()[:10])
        raise Crash

    return write


STEPS: dict[str, tuple[object, str, Callable[..., Any]]] = {
    "before reading": (land, "read_file", crash),
    "while cells are read": (land, "read_notation", crash),
    "before the checks": (land, "check_rows", crash),
    "with half an archive copy": (archive, "as_it_is", _half_written),
    "after the archive copy": (land, "keep_copy", after(land.keep_copy)),
    "between raw tables": (ledger, "insert", after(ledger.insert)),
    "before the ledger line": (land, "write_ledger", crash),
    "before the commit": (land, "write_ledger", after(land.write_ledger)),
    "after the commit": (Path, "unlink", crash),
    "while people are standardised": (register, "learn_standard_forms", crash),
    "while the register is written": (Warehouse, "upsert", after(Warehouse.upsert)),
    "at the gates": (register._Register, "_gates", crash),
    "after the gates": (register._Register, "_gates", after(register._Register._gates)),
}


@pytest.mark.parametrize("step", STEPS)
def test_a_crash_at_any_step_is_made_good_by_the_next_run(
    office: Office, undisturbed: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    a_night_of_files(office)
    where, name, crash = STEPS[step]
    landing_alone = where in {land, ledger, archive, Path}
    run, schemas = (office.land_all, ["raw"]) if landing_alone else (office.night, [])
    with monkeypatch.context() as patched:
        patched.setattr(where, name, crash)
        with pytest.raises(Crash):
            run()
    run()
    assert_as_if_nothing_had_happened(office, undisturbed, *schemas)


def assert_as_if_nothing_had_happened(office: Office, undisturbed: dict[str, list[str]], *schemas: str) -> None:
    state = office.state(*schemas)
    assert state == {table: undisturbed[table] for table in state}
    assert schemas or set(state) == set(undisturbed)
    assert list(office.settings.inbox.iterdir()) == []
    assert len([p for p in office.settings.archive.rglob("*.csv") if not p.name.startswith(".")]) == 4
    assert b"1234" not in b"".join(p.read_bytes() for p in office.settings.archive.rglob("*") if p.is_file())


NIGHT_IN_A_PROCESS = """
import sys
sys.path[:0] = {paths!r}
from pathlib import Path
from office import Office
office = Office(Path({home!r}))
print("ready", flush=True)
office.night()
"""


def kill_at_random(office: Office, undisturbed: dict[str, list[str]], seed: int) -> None:
    a_night_of_files(office)
    program = NIGHT_IN_A_PROCESS.format(paths=[str(ROOT), str(ROOT / "tests")], home=str(office.settings.home))
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(random.Random(seed).uniform(0, 4))  # noqa: S311 - a moment, not a secret
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    office.night()
    assert_as_if_nothing_had_happened(office, undisturbed)


@pytest.mark.parametrize("seed", range(1))
def test_a_killed_night_is_made_good_by_the_next(office: Office, undisturbed: dict[str, list[str]], seed: int) -> None:
    kill_at_random(office, undisturbed, seed)


@pytest.mark.prove
@pytest.mark.skipif(os.environ.get("PROVE") != "full", reason="run by PROVE=full")
@pytest.mark.parametrize("seed", range(100, 150))
def test_a_night_killed_at_many_moments_is_made_good_by_the_next(
    office: Office, undisturbed: dict[str, list[str]], seed: int
) -> None:
    kill_at_random(office, undisturbed, seed)


def test_nothing_personal_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Of a whole sample night, with every logger open: no name, birth date, reference, address or file name."""
    office = Office(tmp_path / "home")
    make_sample(tmp_path / "sample", clients=60, visits=200, seed=5)
    (tmp_path / "sample/inbox").rename(tmp_path / "inbox")
    office.settings.inbox.rmdir()
    (tmp_path / "inbox").rename(office.settings.inbox)
    office.deliver("archer_unknown.csv", "Forename,Surname\nAnn,Archer\n")
    names = [p.name for p in office.settings.inbox.rglob("*") if p.is_file()]
    with caplog.at_level(logging.DEBUG):
        landings = office.land_all()
        staging = register.stage_files(office.settings, office.day)
    personal = {
        str(value).lower()
        for row in office.rows(
            "select unnest([forename || ' ' || surname, surname, born_as_sent, reference, nhs_as_sent,"
            " address_1, postcode, phone, record_id]) from staged.source_records"
        )
        for value in row
        if value and len(str(value)) > 4
    }
    told = (caplog.text + json.dumps([x.as_dict() for x in landings]) + json.dumps(staging.as_dict())).lower()
    assert caplog.text
    words = {value for value in personal if value in told and not value.isalpha()}
    words |= {value for value in personal if value.isalpha() and f" {value} " in told}
    assert words == set()
    assert [name for name in names if name.lower() in told] == []
