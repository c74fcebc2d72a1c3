"""A backup is one state of the home, all of it; a restored home is that state, or there is none."""

from __future__ import annotations

import errno
import io
import json
import os
import random
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from kept_home import KEY, OTHER_KEY, WITHOUT_HTTPFS, bytes_under, oneclient, settings_of
from processes import Processes
from the_merges import ANN, ANN_ORDERS, BEA, BEA_TOO, Provider, first_night

from pipelines.cli import FOUND_A_PROBLEM, WRONG_USE
from pipelines.custody import backup as backing_up
from pipelines.custody.backup import MANIFEST, back_up
from pipelines.custody.restore import BACKUP_KEY_VARIABLE
from pipelines.decisions.store import open_decisions
from pipelines.fingerprint import fingerprint
from pipelines.merge.publish import publish_merges
from pipelines.warehouse import open_warehouse

FULL = os.environ.get("PROVE") == "full"
TRY = "import duckdb, sys; duckdb.connect(sys.argv[1])"
HOLD = "import duckdb, sys; con = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
Members = dict[str, tuple[tarfile.TarInfo, bytes]]


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Provider:
    """After a night, a merge and what follows; no test changes it."""
    home = tmp_path_factory.mktemp("provider") / "home"
    home.mkdir(mode=0o700)
    (home / "settings.toml").write_text(WITHOUT_HTTPFS)
    provider = first_night(home)
    provider.decides(f"{BEA} {BEA_TOO}")
    provider.apply()
    publish_merges(provider.settings)
    provider.land("kent_purchase_orders_20261121.csv", "no,orders\nat,all\n")
    provider.deliver("kent_purchase_orders_20261122.csv", "not,taken\nin,yet\n")
    (home / "sources" / "acme.yaml").write_text("feed: roster_visits\nfiles: ['acme_*']\ncolumns: {Visit: visit_id}\n")
    (home / "practice.jsonl").write_text("{}\n")
    (home / "page.key").write_text("secret")
    return provider


@pytest.fixture(scope="module")
def made(provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup of it."""
    file = tmp_path_factory.mktemp("made") / "backup"
    assert oneclient("backup", "--home", provider.settings.home, "--to", file).exit_code == 0
    return file


@pytest.fixture
def own(provider: Provider, tmp_path: Path) -> Provider:
    """A copy of the home, to be changed."""
    return Provider(shutil.copytree(provider.settings.home, tmp_path / "own", symlinks=True))


def tree(home: Path) -> dict[str, bytes | str]:
    """What stands in a home, but for what a backup leaves out and the two databases, whose bytes say little."""
    apart = ("inbox", "scratch", "page.key", "oneclient.duckdb", "decisions.sqlite")
    return {
        name: str(path.readlink()) if path.is_symlink() else path.read_bytes()
        for path in sorted(home.rglob("*"))
        if (path.is_symlink() or path.is_file()) and path.suffix != ".turn"
        if not (name := path.relative_to(home).as_posix()).startswith(apart)
    }


def log_of(home: Path, key: str = "") -> list[Any]:
    with open_decisions(settings_of(home, key)) as store:
        assert store.verify_chain() is None
        return store.entries()


def members_of(file: Path) -> Members:
    with (
        file.open("rb") as packed,
        pa.CompressedInputStream(packed, "zstd") as plain,
        tarfile.open(fileobj=plain, mode="r|") as tar,
    ):
        return {one.name: (one, (tar.extractfile(one) or io.BytesIO()).read() if one.isreg() else b"") for one in tar}


def packed(file: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    with (
        file.open("wb") as out,
        pa.CompressedOutputStream(out, "zstd") as plain,
        tarfile.open(fileobj=plain, mode="w|") as tar,
    ):
        for member, content in members:
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return file


def member(
    name: str, kind: bytes = tarfile.REGTYPE, to: str = "", content: bytes = b"x"
) -> tuple[tarfile.TarInfo, bytes]:
    one = tarfile.TarInfo(name)
    one.type, one.linkname = kind, to
    return one, content if kind == tarfile.REGTYPE else b""


def refused(file: Path, folder: Path, code: int = FOUND_A_PROBLEM, key: str = "") -> str:
    """What is said of a backup that cannot be restored; nothing is left of it."""
    folder.mkdir(exist_ok=True)
    ended = oneclient("restore", file, "--home", folder / "new", key=key)
    assert (ended.exit_code, ended.stdout) == (code, ""), ended.output
    assert list(folder.iterdir()) == []
    return ended.stderr


class TestThereAndBack:
    def test_a_restored_home_is_what_the_backup_was_made_of(
        self, provider: Provider, made: Path, tmp_path: Path
    ) -> None:
        before, home = provider.settings.home, tmp_path / "deep" / "new"
        said = json.loads(oneclient("restore", made, "--home", home, "--json").stdout)
        assert said["fingerprint"] == fingerprint(settings_of(home)) == fingerprint(provider.settings)
        assert tree(home) == tree(before)
        assert len([path for path in tree(home) if path.startswith("archive")]) > 5
        assert (home / "published" / "current").readlink() == (before / "published" / "current").readlink()
        assert log_of(home) == log_of(before)
        assert not list((home / "inbox").iterdir())
        assert not (home / "page.key").exists()
        assert [path for path in home.rglob("*") if not path.is_symlink() and path.stat().st_mode & 0o077] == []
        assert made.stat().st_mode & 0o777 == 0o600

    def test_it_goes_on_from_there(self, made: Path, tmp_path: Path) -> None:
        assert oneclient("restore", made, "--home", tmp_path / "new").exit_code == 0
        restored = Provider(tmp_path / "new")
        before = restored.fingerprint("linked")
        restored.undo()
        assert restored.fingerprint("linked") != before
        restored.decides(f"{ANN} {ANN_ORDERS}", move_active_orders=True)

    def test_it_says_what_was_done(self, provider: Provider, tmp_path: Path) -> None:
        ended = oneclient("backup", "--home", provider.settings.home, "--to", tmp_path / "b", "--json")
        said = json.loads(ended.stdout)
        assert (said["backup"], said["sealed"], said["decisions"]) == (str(tmp_path / "b"), False, 2)
        assert said["bytes"] == (tmp_path / "b").stat().st_size
        manifest = json.loads(members_of(tmp_path / "b")[MANIFEST][1])
        assert (manifest["fingerprint"], len(manifest["files"])) == (said["fingerprint"], said["files"])

    def test_a_newer_backup_takes_the_place_of_the_older(self, own: Provider, tmp_path: Path) -> None:
        back_up(own.settings, tmp_path / "b")
        own.undo()
        back_up(own.settings, tmp_path / "b")
        assert oneclient("restore", tmp_path / "b", "--home", tmp_path / "new").exit_code == 0
        assert fingerprint(settings_of(tmp_path / "new")) == own.fingerprint()

    def test_a_home_before_its_first_night(self, tmp_path: Path) -> None:
        (tmp_path / "new" / "inbox").mkdir(parents=True)
        assert oneclient("backup", "--home", tmp_path / "new", "--to", tmp_path / "b").exit_code == 0
        assert oneclient("restore", tmp_path / "b", "--home", tmp_path / "again").exit_code == 0

    def test_many_rows_are_all_there_in_a_converted_home_too(self, own: Provider, tmp_path: Path) -> None:
        with open_warehouse(own.settings) as warehouse:
            warehouse.execute("create table raw.many as select range as id from range(200_000)")
            warehouse.execute("create table raw.none_yet (id integer)")
        back_up(own.settings, tmp_path / "b")
        assert oneclient("restore", tmp_path / "b", "--home", tmp_path / "new", key=KEY).exit_code == 0
        with open_warehouse(settings_of(tmp_path / "new", KEY)) as warehouse:
            assert warehouse.one("select count(*) from raw.many") == 200_000


class TestKeys:
    def test_there_and_back_encrypted_and_with_another_key(
        self, made: Path, provider: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        state = fingerprint(provider.settings)
        one, other, plain = tmp_path / "one", tmp_path / "other", tmp_path / "plain"
        assert oneclient("restore", made, "--home", one, key=KEY).exit_code == 0
        assert oneclient("backup", "--home", one, "--to", tmp_path / "b", key=KEY).exit_code == 0
        assert b"oneclient-backup" not in (tmp_path / "b").read_bytes()
        assert "another key" in refused(tmp_path / "b", tmp_path / "x", WRONG_USE, OTHER_KEY)
        assert "is encrypted" in refused(tmp_path / "b", tmp_path / "x", WRONG_USE)
        monkeypatch.setenv(BACKUP_KEY_VARIABLE, KEY)
        assert oneclient("restore", tmp_path / "b", "--home", other, key=OTHER_KEY).exit_code == 0
        assert oneclient("restore", tmp_path / "b", "--home", plain).exit_code == 0
        assert fingerprint(settings_of(other, OTHER_KEY)) == fingerprint(settings_of(plain)) == state
        assert tree(plain) == tree(provider.settings.home)
        assert {name.removesuffix(".age") for name in tree(other)} == set(tree(plain))
        assert b"Archer" in bytes_under(plain / "archive")
        assert b"Archer" not in bytes_under(other / "archive")
        assert oneclient("doctor", "--home", other, key=OTHER_KEY).stdout.count("but for 0 files") == 1

    def test_a_sealed_backup_that_was_altered_or_cut_off(self, made: Path, tmp_path: Path) -> None:
        assert oneclient("restore", made, "--home", tmp_path / "one", key=KEY).exit_code == 0
        assert oneclient("backup", "--home", tmp_path / "one", "--to", tmp_path / "b", key=KEY).exit_code == 0
        whole = (tmp_path / "b").read_bytes()
        for spoilt in (whole[:-1], whole[: len(whole) // 2], altered(whole, len(whole) // 2), altered(whole, -1)):
            (tmp_path / "b").write_bytes(spoilt)
            assert "Nothing was restored" in refused(tmp_path / "b", tmp_path / "x", key=KEY)


class TestNotWhole:
    @pytest.mark.parametrize("part", [0.0, 0.1, 0.5, 0.9, 0.99])
    def test_cut_off(self, made: Path, tmp_path: Path, part: float) -> None:
        whole = made.read_bytes()
        (tmp_path / "b").write_bytes(whole[: int(len(whole) * part)])
        assert "Nothing was restored" in refused(tmp_path / "b", tmp_path / "x")

    @pytest.mark.prove
    @pytest.mark.parametrize("seed", range(200 if FULL else 6))
    def test_a_byte_altered(self, made: Path, tmp_path: Path, seed: int) -> None:
        whole = made.read_bytes()
        (tmp_path / "b").write_bytes(altered(whole, random.Random(seed).randrange(len(whole))))  # noqa: S311
        ended = oneclient("restore", tmp_path / "b", "--home", tmp_path / "x" / "new")
        if ended.exit_code == 0:  # a bit of the compression that stands for nothing
            assert tree(tmp_path / "x" / "new")
        else:
            assert ended.exit_code == FOUND_A_PROBLEM
            assert "Nothing was restored" in ended.stderr
            assert not list((tmp_path / "x").iterdir())

    @pytest.mark.parametrize("name", ["settings.toml", "oneclient.duckdb", "decisions.sqlite", "practice.jsonl"])
    def test_a_member_altered_left_out_or_added(self, made: Path, tmp_path: Path, name: str) -> None:
        members = members_of(made)
        about, content = members[name]
        members[name] = about, altered(content, len(content) // 2)
        assert "altered or damaged" in refused(packed(tmp_path / "b", *members.values()), tmp_path / "x")
        del members[name]
        assert "altered or damaged" in refused(packed(tmp_path / "b", *members.values()), tmp_path / "x")
        added = member(f"{name}.more")
        everything = [*members_of(made).values(), added]
        assert "altered or damaged" in refused(packed(tmp_path / "b", *everything), tmp_path / "x")

    def test_without_its_manifest_or_with_one_of_another_kind(self, made: Path, tmp_path: Path) -> None:
        members = members_of(made)
        about, content = members.pop(MANIFEST)
        assert "no manifest" in refused(packed(tmp_path / "b", *members.values()), tmp_path / "x")
        newer = json.dumps({**json.loads(content), "format": 2, "oneclient": "9.9"}).encode()
        said = refused(packed(tmp_path / "b", *members.values(), (about, newer)), tmp_path / "x")
        assert "made by oneclient 9.9" in said

    def test_that_comes_to_another_state(self, made: Path, tmp_path: Path) -> None:
        members = members_of(made)
        about, content = members.pop(MANIFEST)
        lying = json.dumps({**json.loads(content), "fingerprint": "0" * 64}).encode()
        said = refused(packed(tmp_path / "b", *members.values(), (about, lying)), tmp_path / "x")
        assert "not the state that the backup was made of" in said

    @pytest.mark.parametrize(
        "hostile",
        [
            [member("../out")],
            [member("/oneclient-out")],
            [member("reports/../../out")],
            [member("away", tarfile.SYMTYPE, "/etc")],
            [member("away", tarfile.SYMTYPE, "../..")],
            [member("away", tarfile.SYMTYPE, "reports"), member("away/out")],
            [member("away", tarfile.SYMTYPE, "."), member("away")],
            [member("twin", tarfile.LNKTYPE, "settings.toml")],
            [member("pipe", tarfile.FIFOTYPE)],
            [member("disk", tarfile.BLKTYPE)],
            [member("twice"), member("twice")],
        ],
        ids=lambda members: " then ".join(f"{one.name} {one.linkname}".strip() for one, _ in members),
    )
    def test_with_a_hostile_member(
        self, made: Path, tmp_path: Path, hostile: list[tuple[tarfile.TarInfo, bytes]]
    ) -> None:
        members = [*hostile, *members_of(made).values()]
        assert "no backup at all" in refused(packed(tmp_path / "b", *members), tmp_path / "x")
        assert {path.name for path in tmp_path.iterdir()} == {"b", "x"}
        assert not Path("/oneclient-out").exists()

    def test_something_else(self, tmp_path: Path) -> None:
        (tmp_path / "b").write_text("dear diary\n" * 1000)
        assert "no backup at all" in refused(tmp_path / "b", tmp_path / "x")


class TestWhere:
    def test_never_over_a_home_that_holds_something(self, made: Path, own: Provider) -> None:
        before = own.fingerprint()
        ended = oneclient("restore", made, "--home", own.settings.home)
        assert (ended.exit_code, "holds something already" in ended.stderr) == (WRONG_USE, True)
        assert own.fingerprint() == before

    def test_over_an_empty_one(self, made: Path, tmp_path: Path) -> None:
        settings_of(tmp_path / "new")
        assert oneclient("restore", made, "--home", tmp_path / "new").exit_code == 0
        assert oneclient("fingerprint", "--home", tmp_path / "new").exit_code == 0

    def test_a_mounted_disk_cannot_make_way(self, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def mounted(folder: Path) -> None:
            raise OSError(errno.EBUSY, "Device or resource busy", folder.name)

        (tmp_path / "x" / "new").mkdir(parents=True)
        with monkeypatch.context() as patched:
            patched.setattr(Path, "rmdir", mounted)
            ended = oneclient("restore", made, "--home", tmp_path / "x" / "new")
        assert (ended.exit_code, "a mounted disk" in ended.stderr) == (FOUND_A_PROBLEM, True)
        assert [path.name for path in (tmp_path / "x").rglob("*")] == ["new"]

    def test_a_backup_goes_outside_the_home_and_into_a_folder_that_is_there(
        self, own: Provider, tmp_path: Path
    ) -> None:
        for to in (own.settings.home / "b", tmp_path / "nowhere" / "b", tmp_path):
            assert oneclient("backup", "--home", own.settings.home, "--to", to).exit_code == WRONG_USE
        assert not (own.settings.home / "b").exists()


class TestDecisions:
    def test_those_of_another_store_are_in_it_and_go_back_into_it(self, own: Provider, tmp_path: Path) -> None:
        store = tmp_path / "elsewhere.sqlite"
        shutil.move(own.settings.decisions_file, store)
        with (own.settings.home / "settings.toml").open("a") as file:
            file.write(f"[decisions]\nurl = 'sqlite:///{store}'\n")
        entries = log_of(own.settings.home)
        assert oneclient("backup", "--home", own.settings.home, "--to", tmp_path / "b").exit_code == 0

        assert oneclient("restore", tmp_path / "b", "--home", tmp_path / "beside").exit_code == 0
        assert log_of(tmp_path / "beside") == entries  # the store is still there, and holds them

        store.unlink()
        assert oneclient("restore", tmp_path / "b", "--home", tmp_path / "new").exit_code == 0
        assert log_of(tmp_path / "new") == entries
        assert not (tmp_path / "new" / "decisions.sqlite").exists()
        assert oneclient("doctor", "--home", tmp_path / "new").stdout.count("decisions kept") == 1

        store.unlink()
        Provider(tmp_path / "new").decides(f"{ANN} {ANN_ORDERS}", who="Kim", move_active_orders=True)
        other = log_of(tmp_path / "new")
        assert "holds other decisions" in refused(tmp_path / "b", tmp_path / "x")
        assert log_of(tmp_path / "new") == other

    def test_a_log_that_is_not_whole_takes_no_backups_place(self, own: Provider, tmp_path: Path) -> None:
        import sqlite3

        with sqlite3.connect(own.settings.decisions_file) as connection:
            connection.execute("drop trigger entries_not_updated")
            connection.execute("update entries set who = 'Mallory' where sequence_number = 1")
        connection.close()
        (tmp_path / "b").write_text("the last good one")
        ended = oneclient("backup", "--home", own.settings.home, "--to", tmp_path / "b")
        assert ended.exit_code == FOUND_A_PROBLEM
        assert (tmp_path / "b").read_text() == "the last good one"


class TestWithOthersAtWork:
    def test_it_waits_for_the_warehouse_and_then_says_so(self, own: Provider, tmp_path: Path) -> None:
        with subprocess.Popen(
            [sys.executable, "-c", HOLD, str(own.settings.database)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        ) as holder:  # fmt: skip
            assert holder.stdout is not None
            assert holder.stdout.readline() == "open\n"
            ended = oneclient("backup", "--home", own.settings.home, "--to", tmp_path / "b")
            assert (ended.exit_code, "open in another process" in ended.stderr) == (FOUND_A_PROBLEM, True)
            assert {path.name for path in tmp_path.iterdir()} == {"own"}
            holder.communicate()

    def test_nobody_else_opens_the_warehouse_until_it_is_done(
        self, own: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A process that closes a file gives up its locks on it; the last thing that is written is the manifest."""
        write, tried = backing_up._add_bytes, []

        def try_to_open(*arguments: Any) -> None:
            command = [sys.executable, "-c", TRY, str(own.settings.database)]
            tried.append(subprocess.run(command, capture_output=True, text=True, check=False).stderr)
            write(*arguments)

        monkeypatch.setattr(backing_up, "_add_bytes", try_to_open)
        back_up(own.settings, tmp_path / "b")
        assert ["Could not set lock" in said for said in tried] == [True]

    def test_a_log_that_grows_meanwhile_is_taken_as_far_as_it_went(
        self, own: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        add, line = backing_up._member, b"{}\n"

        def growing(name: str, *arguments: Any) -> tarfile.TarInfo:
            if name == "practice.jsonl":
                with (own.settings.home / name).open("ab") as log:
                    log.write(line * 1000)
            return add(name, *arguments)

        monkeypatch.setattr(backing_up, "_member", growing)
        back_up(own.settings, tmp_path / "b")
        assert oneclient("restore", tmp_path / "b", "--home", tmp_path / "new").exit_code == 0
        assert (tmp_path / "new" / "practice.jsonl").read_bytes() == line


@pytest.fixture(scope="module")
def processes() -> Iterator[Processes]:
    processes = Processes()
    yield processes
    processes.end()


@pytest.mark.prove
@pytest.mark.parametrize("seed", range(25 if FULL else 2))
def test_killed_at_any_moment_it_leaves_the_last_backup_and_no_half_home(
    own: Provider, made: Path, processes: Processes, tmp_path: Path, seed: int
) -> None:
    home, copy, new = own.settings.home, shutil.copy(made, tmp_path / "b"), tmp_path / "new"
    moment = random.Random(seed)  # noqa: S311 - a moment, not a secret
    processes.run("backup", "--home", home, "--to", copy, kill_after=moment.uniform(0, 1.5))
    own.fingerprint()  # nobody holds the warehouse
    processes.run("restore", copy, "--home", new, kill_after=moment.uniform(0, 1.5))
    if new.exists():
        assert fingerprint(settings_of(new)) == own.fingerprint()
        shutil.rmtree(new)
    assert oneclient("backup", "--home", home, "--to", copy).exit_code == 0
    assert oneclient("restore", copy, "--home", new).exit_code == 0
    assert {path.name for path in tmp_path.iterdir()} == {"own", "b", "new"}
    assert fingerprint(settings_of(new)) == own.fingerprint()


def altered(content: bytes, place: int) -> bytes:
    """With one bit of one byte turned."""
    changed = bytearray(content)
    changed[place] ^= 1
    return bytes(changed)
