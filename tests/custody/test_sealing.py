"""An encrypted home: the same state as a plain one, nothing of it to be read without the key, and no key told."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kept_home import KEY, OTHER_KEY, WITHOUT_HTTPFS, bytes_under, cells_of, oneclient, settings_of
from pydantic import SecretStr
from pyrage import EncryptError

from pipelines.cli import FOUND_A_PROBLEM, WRONG_USE
from pipelines.disk import disk_trouble
from pipelines.fingerprint import fingerprint
from pipelines.sealing import SUFFIX, SealBrokenError, is_sealed, originals, sealing, unsealing
from pipelines.settings import KeyRefusedError, load_settings
from pipelines.warehouse import open_warehouse, scratch_warehouse

pytestmark = pytest.mark.usefixtures("without_airflow")
PERSONAL = ("Surname", "NHSNumber", "Address1", "Email", "Mobile", "Phone", "Forename")
KEYS = {"no key": ("", "is encrypted"), "another key": (OTHER_KEY, "not the key of this home")}
MARK = "Thistlethwaite"
SPILL = (
    f"create temp table large as select '{MARK} ' || md5(i::varchar) || md5((i * 7)::varchar) as said"
    " from range(700_000) as r(i)"
)


def state_of(home: Path) -> bytes:
    return bytes_under(home / "oneclient.duckdb", home / "archive", home / "quarantine", home / "decisions.sqlite")


def names(home: Path) -> list[str]:
    """What the files of archive and quarantine are called, and what the notes say."""
    notes = [json.loads(note.read_text())["copy"] for note in (home / "quarantine").glob("*.reason.json")]
    return sorted([path.name for path in originals(settings_of(home, KEY))] + notes)


class TestTheSameState:
    def test_a_night_and_a_merge_come_to_the_same_as_in_a_plain_home(
        self, plain_home: Path, encrypted_home: Path
    ) -> None:
        assert fingerprint(settings_of(encrypted_home, KEY)) == fingerprint(settings_of(plain_home))

    def test_and_to_the_same_report(self, plain_home: Path, encrypted_home: Path) -> None:
        plain, encrypted = (home / "reports" / "2026-11-20" / "run.json" for home in (plain_home, encrypted_home))
        assert json.loads(encrypted.read_text())["config_hash"] == json.loads(plain.read_text())["config_hash"]
        assert encrypted.with_name("index.html").read_bytes() == plain.with_name("index.html").read_bytes()

    def test_doctor_says_what_is_encrypted_and_what_is_not(self, encrypted_home: Path, plain_home: Path) -> None:
        found = {
            home: {
                f["check"]: f
                for f in json.loads(oneclient("doctor", "--home", home, "--json", key=key).stdout)["findings"]
            }
            for home, key in ((encrypted_home, KEY), (plain_home, ""))
        }
        assert "archive and quarantine but for 0 files" in found[encrypted_home]["encryption"]["found"]
        assert "Not encrypted: decisions, models, reports" in found[encrypted_home]["encryption"]["found"]
        assert found[encrypted_home]["encryption"]["well"]
        assert found[plain_home]["encryption"]["found"].startswith("not encrypted")


class TestNothingToBeRead:
    def test_of_names_and_numbers_in_warehouse_archive_and_quarantine(
        self, plain_home: Path, encrypted_home: Path
    ) -> None:
        told = cells_of(plain_home / "archive", *PERSONAL) | {MARK.encode()}
        assert len(told) > 100
        for place in ("oneclient.duckdb", "archive", "quarantine"):
            plain, encrypted = bytes_under(plain_home / place), bytes_under(encrypted_home / place)
            assert sum(cell in plain for cell in told) > (0 if place == "quarantine" else 50)
            assert [cell for cell in told if cell in encrypted] == []

    @pytest.mark.parametrize("key", ["", KEY], ids=["plain", "encrypted"])
    def test_in_the_write_ahead_log_and_in_what_does_not_fit_into_memory(self, tmp_path: Path, key: str) -> None:
        (tmp_path / "settings.toml").write_text(f"{WITHOUT_HTTPFS}memory_limit = '40MB'\nthreads = 1\n")
        settings = settings_of(tmp_path, key)
        with open_warehouse(settings) as warehouse:
            warehouse.execute(f"create table staged.people as select '{MARK}' as surname")
            assert (MARK.encode() in bytes_under(tmp_path / "oneclient.duckdb.wal")) is not bool(key)
        for open_one in (open_warehouse, scratch_warehouse):
            with open_one(settings) as warehouse:
                warehouse.execute(SPILL)
                spilled = bytes_under(settings.scratch)
                assert len(spilled) > 1_000_000
                assert (MARK.encode() in spilled) is not bool(key)

    def test_all_originals_are_sealed_and_their_notes_name_them(self, encrypted_home: Path) -> None:
        settings = settings_of(encrypted_home, KEY)
        assert all(is_sealed(path) and path.suffix == SUFFIX for path in originals(settings))
        notes = [json.loads(note.read_text()) for note in settings.quarantine.glob("*.reason.json")]
        assert len(notes) == 2
        assert all((settings.quarantine / note["copy"]).exists() for note in notes)


class TestTheKey:
    @pytest.mark.parametrize("case", KEYS)
    @pytest.mark.parametrize("words", [("nightly", "--day", "2026-11-21"), ("fingerprint",), ("merge", "plan")])
    def test_a_wrong_one_is_refused_and_nothing_is_changed(
        self, sealed: Path, case: str, words: tuple[str, ...]
    ) -> None:
        key, said = KEYS[case]
        (sealed / "inbox" / "kent_purchase_orders_20261121.csv").write_text("a,b\n1,2\n")
        before = state_of(sealed)
        ended = oneclient(*words, "--home", sealed, key=key)
        assert (ended.exit_code, ended.stdout) == (WRONG_USE, "")
        assert said in ended.stderr
        assert state_of(sealed) == before
        assert (sealed / "inbox" / "kent_purchase_orders_20261121.csv").exists()

    def test_one_over_a_plain_home_is_refused_with_the_way_to_convert(self, plain_home: Path) -> None:
        before = state_of(plain_home)
        ended = oneclient("nightly", "--home", plain_home, key=KEY)
        assert ended.exit_code == WRONG_USE
        assert "oneclient restore FILE --home NEWHOME" in ended.stderr
        assert state_of(plain_home) == before

    def test_a_plain_home_is_converted_by_a_backup(
        self, plain_home: Path, encrypted_home: Path, tmp_path: Path
    ) -> None:
        told = cells_of(plain_home / "archive", *PERSONAL)
        assert oneclient("backup", "--home", plain_home, "--to", tmp_path / "plain").exit_code == 0
        assert oneclient("restore", tmp_path / "plain", "--home", tmp_path / "enc", key=KEY).exit_code == 0
        assert names(tmp_path / "enc") == names(encrypted_home)
        found = bytes_under(*(tmp_path / "enc" / place for place in ("oneclient.duckdb", "archive", "quarantine")))
        assert [cell for cell in told if cell in found] == []

    @pytest.mark.parametrize("case", KEYS)
    def test_doctor_tells_of_it(self, encrypted_home: Path, case: str) -> None:
        key, said = KEYS[case]
        ended = oneclient("doctor", "--home", encrypted_home, key=key)
        assert ended.exit_code == FOUND_A_PROBLEM
        assert said in ended.stdout

    def test_what_is_none_is_refused_and_not_repeated(self, tmp_path: Path) -> None:
        (tmp_path / "inbox").mkdir()
        for bad in (KEY[:-1], KEY.replace("AGE", "GAE"), f"{KEY[:-1]}Q"):
            ended = oneclient("doctor", "--home", tmp_path, key=bad)
            assert ended.exit_code == WRONG_USE
            assert "oneclient key" in ended.stderr
            assert bad not in ended.output

    def test_it_has_no_place_in_settings_toml(self, tmp_path: Path) -> None:
        (tmp_path / "settings.toml").write_text(f'key = "{KEY}"\n')
        with pytest.raises(KeyRefusedError, match="no place in a file") as refused:
            load_settings(tmp_path)
        assert KEY not in str(refused.value)

    def test_it_is_never_told(self, encrypted_home: Path) -> None:
        settings = settings_of(encrypted_home, KEY)
        told = [repr(settings), str(settings), settings.model_dump_json(), str(settings.model_dump())]
        with open_warehouse(settings) as warehouse:
            told.append(str(warehouse.rows("from duckdb_databases()") + warehouse.rows("from duckdb_settings()")))
        assert not [text for text in told if KEY in text or KEY[20:40] in text]
        assert KEY.encode() not in bytes_under(encrypted_home)

    def test_a_new_one_is_good(self, tmp_path: Path) -> None:
        key = oneclient("key").stdout.strip()
        (tmp_path / "settings.toml").write_text(WITHOUT_HTTPFS)
        assert json.loads(oneclient("key", "--json").stdout)["key"] != key
        assert oneclient("doctor", "--home", tmp_path, key=key).exit_code == 0

    def test_without_httpfs_it_takes_an_opt_in(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HOME", str(tmp_path / "of a user without extensions"))
        (tmp_path / "inbox").mkdir()
        ended = oneclient("fingerprint", "--home", tmp_path, key=KEY)
        assert ended.exit_code == WRONG_USE
        assert "INSTALL httpfs" in ended.stderr
        assert "weak_randomness" in ended.stderr
        assert not (tmp_path / "oneclient.duckdb").exists()


class TestUnseal:
    def test_every_original_comes_out_as_a_plain_home_keeps_it(
        self, plain_home: Path, encrypted_home: Path, tmp_path: Path
    ) -> None:
        kept = {path.relative_to(encrypted_home): path for path in originals(settings_of(encrypted_home, KEY))}
        assert len(kept) > 8
        for number, (name, path) in enumerate(kept.items()):
            out = tmp_path / str(number)
            ended = oneclient("unseal", path, "--out", out, "--json", key=KEY)
            assert json.loads(ended.stdout) == {"file": str(out)}
            plain = plain_home / str(name).removesuffix(SUFFIX)
            if plain.suffix == ".csv":
                assert out.read_bytes() == plain.read_bytes()
            assert out.stat().st_mode & 0o777 == 0o600

    def test_the_key_has_to_be_its_own(self, encrypted_home: Path, tmp_path: Path) -> None:
        one = next(originals(settings_of(encrypted_home, KEY)))
        for key in ("", OTHER_KEY):
            ended = oneclient("unseal", one, "--out", tmp_path / "out", key=key)
            assert (ended.exit_code, list(tmp_path.iterdir())) == (WRONG_USE, [])

    def test_a_damaged_one_and_one_that_would_overwrite_are_refused(self, encrypted_home: Path, tmp_path: Path) -> None:
        one = next(originals(settings_of(encrypted_home, KEY)))
        damaged = tmp_path / "damaged.age"
        damaged.write_bytes(one.read_bytes()[:-20])
        ended = oneclient("unseal", damaged, "--out", tmp_path / "out", key=KEY)
        assert (ended.exit_code, list(tmp_path.iterdir())) == (FOUND_A_PROBLEM, [damaged])
        assert oneclient("unseal", one, "--out", damaged, key=KEY).exit_code == WRONG_USE
        assert damaged.read_bytes() == one.read_bytes()[:-20]


@given(content=st.binary(max_size=200_000), pieces=st.integers(1, 70_000))
def test_what_is_sealed_comes_out_again(content: bytes, pieces: int) -> None:
    file, key = io.BytesIO(), SecretStr(KEY)
    with sealing(file, key) as out:
        for start in range(0, len(content), pieces):
            out.write(content[start : start + pieces])
    with unsealing(io.BytesIO(file.getvalue()), key) as plain:
        assert plain.read() == content


@given(content=st.binary(min_size=1, max_size=100_000), at=st.floats(0, 1), cut=st.booleans(), bit=st.integers(0, 7))
def test_what_was_cut_off_or_altered_does_not(content: bytes, at: float, cut: bool, bit: int) -> None:
    file, key = io.BytesIO(), SecretStr(KEY)
    with sealing(file, key) as out:
        out.write(content)
    whole = bytearray(file.getvalue())
    place = int(at * (len(whole) - 1))
    if cut:
        del whole[place:]
    else:
        whole[place] ^= 1 << bit
    with pytest.raises((SealBrokenError, KeyRefusedError)), unsealing(io.BytesIO(bytes(whole)), key) as plain:
        plain.read()


def test_a_reader_that_breaks_off_and_a_disk_that_is_full_hang_nobody_up() -> None:
    class Full(io.BytesIO):
        def write(self, _: object) -> int:
            raise OSError(28, "No space left on device")

    file, key = io.BytesIO(), SecretStr(KEY)
    with sealing(file, key) as out:
        out.write(bytes(5_000_000))
    with pytest.raises(ZeroDivisionError), unsealing(io.BytesIO(file.getvalue()), key) as plain:
        plain.read(10)
        raise ZeroDivisionError
    with pytest.raises(EncryptError) as failed, sealing(Full(), key) as out:
        out.write(bytes(5_000_000))
    assert disk_trouble(failed.value)
