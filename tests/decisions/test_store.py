"""The decision store: nothing lost, nothing changed unseen, nobody but a person writes."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from the_log import facts, said

from pipelines.decisions.database import MIGRATIONS, NEWEST_SCHEMA, StoreUnavailableError, writing
from pipelines.decisions.entry import entry_hash, first_broken
from pipelines.decisions.evidence import evidence_hash
from pipelines.decisions.statement import Choices, DecisionRefusedError, choices_from
from pipelines.decisions.store import DecisionStore, open_decisions
from pipelines.decisions.two_persons import require_another_person
from pipelines.settings import Settings, SettingsError, load_settings

POSTGRES = "ONECLIENT_TEST_POSTGRES"  # URL of an empty database; without it the tests run on SQLite alone


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.skipif(
    POSTGRES not in os.environ, reason=f"{POSTGRES} names no database"
))])  # fmt: skip
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    if request.param == "postgres":
        (tmp_path / "settings.toml").write_text(f'[decisions]\nurl = "{os.environ[POSTGRES]}"\n')
        with open_decisions(load_settings(tmp_path)) as store, store.engine.begin() as connection:
            connection.execute(text("drop table entries, evidence, alembic_version"))
            connection.execute(text("drop function entries_refuse, entries_in_turn"))
    return load_settings(tmp_path)


@pytest.fixture
def store(home: Settings) -> Iterator[DecisionStore]:
    with open_decisions(home) as store:
        yield store


class TestRecording:
    def test_an_entry_says_who_decided_what_of_whom_why_by_which_door_and_what_was_on_the_screen(
        self, store: DecisionStore
    ) -> None:
        choices = Choices(survivor="Bea", aliases="keep", move_active_orders=True)
        store.record([said("Jo Bloggs", "Ann Bea", "same", choices=choices, score_was_hidden=True, seconds_spent=12.5)])
        (entry,) = store.entries()
        assert (entry.sequence_number, entry.who, entry.door, entry.kind) == (1, "Jo Bloggs", "cli", "verdict")
        assert (entry.left_ref, entry.right_ref, entry.verdict) == ("Ann", "Bea", "same")
        assert entry.choices == '{"aliases":"keep","move_active_orders":true,"survivor":"Bea"}'
        assert entry.chosen == choices
        assert (entry.match_probability, entry.match_weight, entry.tier, entry.model_version) == (
            0.97,
            5.0,
            "likely",
            "m1",
        )
        assert (entry.score_was_hidden, entry.seconds_spent) == (True, 12.5)
        assert entry.recorded.utcoffset() is not None
        assert store.facts([entry.evidence_hash or ""]) == {evidence_hash(facts("Ann Bea")): facts("Ann Bea")}

    def test_numbers_have_no_gaps_and_each_entry_carries_the_hash_of_the_one_before(self, store: DecisionStore) -> None:
        store.record([said("Jo", "Ann Bea", "same"), said("Jo", "Bea Cat", "different")])
        store.record([said("Sam", "Ann Bea", "unsure", reason="")])
        entries = store.entries()
        assert [entry.sequence_number for entry in entries] == [1, 2, 3]
        assert [entry.previous_hash for entry in entries[1:]] == [entry.hash for entry in entries[:-1]]
        assert store.verify_chain() is None
        assert (store.last(), store.entries(after=2)) == (3, entries[2:])

    def test_saying_the_same_twice_is_saying_it_once(self, store: DecisionStore) -> None:
        once, twice = (store.record([said("Jo", "Ann Bea", "same")])[0] for _ in range(2))
        assert (once.new, twice.new, twice.entry) == (True, False, once.entry)

    def test_another_reason_another_person_or_other_facts_are_something_new(self, store: DecisionStore) -> None:
        first = said("Jo", "Ann Bea", "same")
        others = [
            replace(first, reason="rang her"),
            replace(first, who="Sam"),
            said("Jo", "Ann Bea", "same", "married"),
        ]
        assert [one.new for one in store.record([first, *others])] == [True] * 4

    def test_who_changed_their_mind_may_change_it_back(self, store: DecisionStore) -> None:
        for verdict in ("same", "different", "same"):
            assert store.record([said("Jo", "Ann Bea", verdict)])[0].new
        assert store.last() == 3

    def test_a_file_that_comes_again_does_not_undo_what_was_said_since(self, store: DecisionStore) -> None:
        store.record([said("Jo", "Ann Bea", "same", door="workbook")])
        store.record([said("Jo", "Ann Bea", "different", door="page")])
        assert not store.record([said("Jo", "Ann Bea", "same", door="inbox")])[0].new
        assert store.last() == 2

    def test_one_bad_statement_and_none_is_recorded(self, store: DecisionStore) -> None:
        with pytest.raises(DecisionRefusedError):
            store.record([said("Jo", "Ann Bea", "same"), said("", "Bea Cat", "same")])
        assert store.last() == 0

    def test_facts_can_be_forgotten_and_the_chain_stays_whole(self, store: DecisionStore) -> None:
        store.record([said("Jo", "Ann Bea", "same")])
        assert store.erase_facts([evidence_hash(facts("Ann Bea"))]) == 1
        assert store.facts([evidence_hash(facts("Ann Bea"))]) == {}
        assert store.verify_chain() is None


class TestUndo:
    def test_only_ones_own_newest_verdict(self, store: DecisionStore) -> None:
        store.record(
            [said("Jo", "Ann Bea", "same"), said("Sam", "Ann Bea", "same"), said("Jo", "Ann Bea", "different")]
        )
        assert store.undo("C-Ann-Bea", "jo", "cli").undoes == 3
        assert store.undo("C-Ann-Bea", "Jo", "page", "misread").undoes == 1
        with pytest.raises(DecisionRefusedError, match="an undo cannot: decide again"):
            store.undo("C-Ann-Bea", "Jo", "cli")
        with pytest.raises(DecisionRefusedError, match="has no verdict"):
            store.undo("C-Bea-Cat", "Sam", "cli")
        assert store.verify_chain() is None

    def test_after_an_undo_the_same_may_be_said_again(self, store: DecisionStore) -> None:
        store.record([said("Jo", "Ann Bea", "same")])
        store.undo("C-Ann-Bea", "Jo", "cli")
        assert store.record([said("Jo", "Ann Bea", "same")])[0].new


class TestPeopleDecide:
    @pytest.mark.parametrize("who", ["", "  ", "oneclient", " Airflow ", "SYSTEM", "Anonymous", "nightly"])
    def test_the_machine_never_writes_a_verdict(self, store: DecisionStore, who: str) -> None:
        with pytest.raises(DecisionRefusedError, match=r"person"):
            store.record([said(who, "Ann Bea", "same")])

    @pytest.mark.parametrize(
        "unseen",
        ["\u200b", "\u200d", "\u00ad", "\ufeff", "\ufe0f", "\U000e0100", "\u034f", "\u3164", "\u2800", "\u180e"],
    )
    def test_a_name_with_a_character_that_cannot_be_seen_is_refused(self, store: DecisionStore, unseen: str) -> None:
        with pytest.raises(DecisionRefusedError, match=r"cannot be seen"):
            store.record([said(f"Jo{unseen} Hale", "Ann Bea", "same")])

    @pytest.mark.parametrize("who", ["\u0410nn Archer", "J\u03bf", "Ann \u0421\u043e\u0440e", "Ann [\u0430nn]"])
    def test_a_name_of_several_alphabets_is_refused(self, store: DecisionStore, who: str) -> None:
        with pytest.raises(DecisionRefusedError, match=r"several alphabets"):
            store.record([said(who, "Ann Bea", "same")])

    @pytest.mark.parametrize(
        "who",
        ["Zoë O\u2019Neill-Łoś", "Олена Коваль", "Ольга [olga]", "山田 ひろ々ノ", "김영희", "محمد علي", "Siân ʻAkau"],
    )
    def test_a_name_of_any_one_tradition_is_taken(self, store: DecisionStore, who: str) -> None:
        assert store.record([said(who, "Ann Bea", "same")])[0].entry.who == who

    @pytest.mark.parametrize(
        ("wrong", "why"),
        [
            ({"reason": " "}, "reason is missing"),
            ({"reason": "a\x00b"}, "control characters"),
            ({"reason": "turned \u202eround"}, "control characters"),
            ({"reason": "x" * 2_001}, "longer than 2,000"),
            ({"who": "J" * 101}, "longer than 100"),
            ({"door": "window"}, "door"),
            ({"verdict": "maybe"}, "same, different, unsure"),
            ({"verdict": "different", "choices": Choices(survivor="Ann")}, "go with the verdict same"),
            ({"choices": Choices(survivor="Cat")}, "one of the two records"),
            ({"choices": Choices(enrolments={"K1": "Cat"})}, "one of the two records"),
            ({"facts": "[]"}, "not that of the facts"),
        ],
    )
    def test_what_cannot_be_recorded_is_refused_with_what_to_correct(
        self, store: DecisionStore, wrong: dict[str, object], why: str
    ) -> None:
        with pytest.raises(DecisionRefusedError, match=why):
            store.record([replace(said("Jo", "Ann Bea", "same"), **wrong)])  # type: ignore[arg-type]
        assert store.last() == 0

    def test_unsure_needs_no_reason(self, store: DecisionStore) -> None:
        assert store.record([said("Jo", "Ann Bea", "unsure", reason="")])[0].new

    @pytest.mark.parametrize("written", [{"surviver": "Ann"}, {"aliases": "burn"}, {"move_active_orders": "yes"}])
    def test_a_choice_that_nobody_knows_is_refused_without_being_quoted(self, written: dict[str, object]) -> None:
        with pytest.raises(DecisionRefusedError) as refused:
            choices_from(written)
        assert not {"Ann", "burn"} & set(str(refused.value).split())


class TestTampering:
    def test_an_entry_that_was_changed_and_hashed_anew_is_found_by_the_one_after_it(self, store: DecisionStore) -> None:
        store.record([said("Jo", "Ann Bea", "same"), said("Jo", "Bea Cat", "same")])
        first, second = store.entries()
        forged = replace(first, verdict="different")
        assert first_broken([replace(forged, hash=entry_hash(forged)), second]) == 2

    def test_the_database_itself_refuses_to_change_or_remove_an_entry(self, store: DecisionStore) -> None:
        store.record([said("Jo", "Ann Bea", "same")])
        for statement in ("update entries set verdict = 'different'", "delete from entries"):
            with pytest.raises(DBAPIError, match="never changed or removed"), writing(store.engine) as connection:
                connection.execute(text(statement))
        with pytest.raises(DBAPIError, match="without gaps"), writing(store.engine) as connection:
            connection.execute(text(
                "insert into entries (sequence_number, recorded_at, who, door, kind, previous_hash, hash)"
                " values (7, '', 'Jo', 'cli', 'verdict', '', '')"
            ))  # fmt: skip
        assert store.verify_chain() is None

    @pytest.mark.parametrize(
        ("deed", "found"),
        [
            ("update entries set verdict = 'different' where sequence_number = 2", 2),
            ("update entries set who = 'Sam' where sequence_number = 1", 1),
            ("update entries set recorded_at = '2020-01-01' where sequence_number = 3", 3),
            ("delete from entries where sequence_number = 2", 2),
        ],
    )
    def test_who_gets_round_the_database_is_found_by_the_chain(self, tmp_path: Path, deed: str, found: int) -> None:
        home = load_settings(tmp_path)
        with open_decisions(home) as store:
            store.record([said("Jo", pair, "same") for pair in ("Ann Bea", "Bea Cat", "Dot Eve")])
        with sqlite3.connect(home.decisions_file) as database:
            for trigger in ("entries_not_updated", "entries_not_deleted"):
                database.execute(f"drop trigger {trigger}")
            database.execute(deed)
        database.close()
        with open_decisions(home) as store:
            assert store.verify_chain() == found


class TestOpening:
    def test_a_new_store_is_empty_and_its_owners_alone(self, tmp_path: Path) -> None:
        home = load_settings(tmp_path)
        with open_decisions(home) as store:
            assert store.entries() == []
            store.record([said("Jo", "Ann Bea", "same")])
            modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.glob("decisions.sqlite*")}
        assert set(modes.values()) == {0o600}

    def test_the_newest_schema_is_the_head_of_the_migrations(self) -> None:
        from alembic.config import Config
        from alembic.script import ScriptDirectory

        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        assert ScriptDirectory.from_config(config).get_heads() == [NEWEST_SCHEMA]

    def test_a_store_of_a_newer_version_is_left_alone(self, home: Settings, store: DecisionStore) -> None:
        with writing(store.engine) as connection:
            connection.execute(text("update alembic_version set version_num = '9999'"))
        with pytest.raises(StoreUnavailableError, match="newer oneclient"), open_decisions(home):
            pass
        with writing(store.engine) as connection:
            connection.execute(text(f"update alembic_version set version_num = '{NEWEST_SCHEMA}'"))

    @pytest.mark.parametrize("url", ["nonsense", "mysql://user:geheim@host/db"])
    def test_a_url_that_cannot_be_used_is_not_quoted(self, tmp_path: Path, url: str) -> None:
        (tmp_path / "settings.toml").write_text(f'[decisions]\nurl = "{url}"\n')
        settings = load_settings(tmp_path)
        with pytest.raises(SettingsError, match=r"decisions\.url") as refused, open_decisions(settings):
            pass
        assert "geheim" not in f"{refused.value} {settings}"

    def test_another_place_for_the_decisions_is_no_other_configuration(self, tmp_path: Path) -> None:
        here = load_settings(tmp_path)
        (tmp_path / "settings.toml").write_text('[decisions]\nurl = "postgresql://there/d"\n')
        assert load_settings(tmp_path).config_hash() == here.config_hash()


class TestTwoPersons:
    def test_who_approved_may_not_execute(self, tmp_path: Path) -> None:
        home = load_settings(tmp_path)
        require_another_person(home, "Sam", ["Jo"])
        with pytest.raises(DecisionRefusedError, match="another person"):
            require_another_person(home, " jo", ["Jo"])
        with pytest.raises(DecisionRefusedError, match="machine"):
            require_another_person(home, "airflow", ["Jo"])

    @pytest.mark.parametrize(
        ("one", "other", "same"),
        [
            ("Ann Hale [7]", "Annie Bell [7]", True),
            ("Ann Hale [7]", "Ann Hale [8]", False),
            ("ann hale", "Ann Hale [7]", True),
            ("Ann Hale [7]", "7", True),
            ("Jo", "Ann Hale [7]", False),
        ],
    )
    def test_accounts_are_compared_by_their_id(self, tmp_path: Path, one: str, other: str, same: bool) -> None:
        home = load_settings(tmp_path)
        with pytest.raises(DecisionRefusedError) if same else nullcontext():
            require_another_person(home, one, [other])

    def test_an_account_that_was_renamed_takes_back_its_own(self, store: DecisionStore) -> None:
        store.record([said("Ann Hale [7]", "Ann Bea", "same")])
        assert store.undo("C-Ann-Bea", "Ann Bell [7]", "page").undoes == 1

    def test_switched_off_it_is_loud(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        (tmp_path / "settings.toml").write_text("[decisions]\ntwo_persons = false\n")
        require_another_person(load_settings(tmp_path), "Jo", ["Jo"])
        assert "TWO PERSONS ARE NOT ASKED FOR" in caplog.text


def _write(home: Path, writer: int, statements: int) -> None:
    for number in range(statements):
        with open_decisions(load_settings(home)) as store:
            store.record([said(f"Writer {writer}", f"Ann{number} Bea{writer}", "same"), said("Jo", "Ann Bea", "same")])


def _many_writers(home: Settings, statements: int) -> None:
    with get_context("spawn").Pool(8) as writers:
        writers.starmap(_write, [(home.home, writer, statements) for writer in range(8)], chunksize=1)
    with open_decisions(home) as store:
        entries = store.entries()
        assert store.verify_chain() is None
    assert [entry.sequence_number for entry in entries] == list(range(1, 8 * statements + 2))
    assert len({(entry.who, entry.pair) for entry in entries}) == 8 * statements + 1


def test_eight_writers_at_once_on_a_store_that_none_has_made_yet(home: Settings) -> None:
    _many_writers(home, 4)


@pytest.mark.prove
def test_eight_writers_for_longer(home: Settings) -> None:
    _many_writers(home, 250 if os.environ.get("PROVE") == "full" else 1)
