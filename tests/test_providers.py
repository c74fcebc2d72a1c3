"""The list of providers: what may stand on it, whose key opens what, and that no two share anything."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from several import listed, providers_of

from pipelines.cli import FOUND_A_PROBLEM, WRONG_USE, main
from pipelines.decisions.store import open_decisions
from pipelines.fingerprint import fingerprint
from pipelines.providers import LIST_VARIABLE, ONLY, ProvidersError, provider_of, read_providers
from pipelines.settings import KeyRefusedError, SettingsError, home_of, load_settings
from pipelines.warehouse import open_warehouse
from tests.custody.kept_home import KEY, OTHER_KEY, WITHOUT_HTTPFS

TWO = '[acme]\nhome = "acme"\n[beta]\nhome = "beta"\n'


def refused(folder: Path, patch: pytest.MonkeyPatch, written: str) -> str:
    """What is said of such a list."""
    with pytest.raises(ProvidersError) as said:
        providers_of(folder, patch, written)
    return str(said.value)


class TestTheList:
    def test_without_one_there_is_one_provider_and_all_is_called_as_ever(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv(LIST_VARIABLE, raising=False)
        assert read_providers() == [ONLY]
        assert (ONLY.called("nightly"), ONLY.pool, ONLY.page) == ("nightly", "duckdb_writer", "/oneclient")
        assert (ONLY.key_variable, ONLY.tags, ONLY.placed) == ("ONECLIENT_KEY", ["oneclient"], {})

    def test_gives_everything_of_a_provider_its_name(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        more = 'inbox = "/srv/in"\nat = "03:15"\nqueue = "north"\n'
        acme = providers_of(tmp_path, monkeypatch, f"{TWO.replace('[beta]', more + '[beta]')}")["acme"]
        assert (acme.home, acme.inbox) == (tmp_path / "acme", Path("/srv/in"))
        assert (acme.called("nightly"), acme.pool) == ("nightly_acme", "duckdb_writer_acme")
        assert (acme.key_variable, acme.page) == ("ONECLIENT_KEY_ACME", "/oneclient/acme")
        assert (acme.at.isoformat("minutes"), acme.placed) == ("03:15", {"queue": "north"})

    @pytest.mark.parametrize(
        ("written", "said"),
        [
            pytest.param("[acme", "not valid TOML", id="not TOML"),
            pytest.param("# nobody\n", "is empty", id="nobody"),
            pytest.param('acme = "/srv/acme"\n', "acme has to be a table", id="no table"),
            pytest.param("[acme]\n", "acme has no home", id="no home"),
            pytest.param('[acme]\nhome = "acme"\nhoem = "x"\n', "acme.hoem: Extra inputs", id="an unknown key"),
            pytest.param('[acme]\nhome = "acme"\nkey = "x"\n', "acme.key: Extra inputs", id="a key in the file"),
            pytest.param('[acme]\nhome = "acme"\nname = "beta"\n', "that of its table", id="another name"),
            pytest.param('["Acme Ltd"]\nhome = "acme"\n', "begins with a letter a to z", id="a name of no DAG"),
            pytest.param('["acme-north"]\nhome = "acme"\n', "begins with a letter a to z", id="a name of no variable"),
            pytest.param('[acme]\nhome = "acme"\nat = "half past two"\n', "acme.at: Input", id="no time"),
            pytest.param('[acme]\nhome = "acme"\nat = "02:30:10"\n', "hours and minutes", id="seconds"),
        ],
    )
    def test_is_refused_for_what_cannot_be_meant(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: str, said: str
    ) -> None:
        assert said in refused(tmp_path, monkeypatch, written)

    @pytest.mark.parametrize("named", ["providers.toml", "/nowhere/providers.toml"])
    def test_that_is_not_there_is_said(self, monkeypatch: pytest.MonkeyPatch, named: str) -> None:
        monkeypatch.setenv(LIST_VARIABLE, named)
        with pytest.raises(ProvidersError, match=r"whole path|cannot be read: No such file"):
            read_providers()


class TestApart:
    @pytest.mark.parametrize(
        "beta",
        [
            pytest.param('home = "acme"', id="one home"),
            pytest.param('home = "../folder/acme/"', id="by another path"),
            pytest.param('home = "link"', id="by a link"),
            pytest.param('home = "link/of/beta"', id="inside, by a link"),
            pytest.param('home = "acme/beta"', id="inside"),
            pytest.param('home = "."', id="around"),
            pytest.param('home = "beta"\ninbox = "acme/inbox"', id="the inbox of the other"),
            pytest.param('home = "beta"\ninbox = "acme/archive"', id="an inbox in its home"),
            pytest.param('home = "beta"\ninbox = "in"', id="one inbox"),
            pytest.param('home = "in/2026-11-20"', id="a home in its inbox"),
        ],
    )
    def test_no_folder_is_of_two(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, beta: str) -> None:
        folder = tmp_path / "folder"
        (folder / "acme").mkdir(parents=True)
        (folder / "link").symlink_to("acme")
        inbox = 'inbox = "in"\n' if "in" in beta else ""
        assert "folders of its own" in refused(folder, monkeypatch, f'[acme]\nhome = "acme"\n{inbox}[beta]\n{beta}\n')

    def test_a_folder_beside_another_is_another(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        two = providers_of(tmp_path, monkeypatch, '[acme]\nhome = "acme"\n[acme_north]\nhome = "acme_north"\n')
        assert provider_of(tmp_path / "acme_north") == two["acme_north"]
        assert provider_of(tmp_path / "acme_south") == ONLY

    @pytest.mark.parametrize(
        "beta",
        [
            pytest.param("postgresql://oneclient@db.example/decisions", id="one URL"),
            pytest.param("postgresql+psycopg://other:word@DB.example:5432/decisions", id="written otherwise"),
        ],
    )
    def test_no_store_of_decisions_is_of_two(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, beta: str) -> None:
        homes = providers_of(tmp_path, monkeypatch)
        for name, url in (("acme", "postgresql://oneclient@db.example/decisions"), ("beta", beta)):
            decides_at(load_settings(homes[name].home).home, url)
        for name, other in (("acme", "beta"), ("beta", "acme")):
            with pytest.raises(SettingsError, match=f"of the provider {other} are kept"):
                open_decisions(load_settings(homes[name].home)).__enter__()

    def test_nor_the_file_of_another(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        acme, beta = (load_settings(one.home) for one in providers_of(tmp_path, monkeypatch).values())
        decides_at(beta.home, f"sqlite:///{tmp_path}/./acme/decisions.sqlite")
        with open_decisions(acme) as store:
            assert store.entries() == []
        with pytest.raises(SettingsError, match="of the provider acme are kept"):
            open_decisions(load_settings(beta.home)).__enter__()

    def test_a_store_of_its_own_is_opened_whatever_is_wrong_with_the_others(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        acme, beta = (load_settings(one.home) for one in providers_of(tmp_path, monkeypatch).values())
        decides_at(acme.home, f"sqlite:///{tmp_path}/acme/elsewhere.sqlite")
        for broken in ("[decisions", "decisions = 1\n", "[decisions]\nurl = 7\n", '[decisions]\nurl = "?"\n'):
            (beta.home / "settings.toml").write_text(broken)
            with open_decisions(load_settings(acme.home)) as store:
                assert store.entries() == []


def decides_at(home: Path, url: str) -> None:
    (home / "settings.toml").write_text(f'[decisions]\nurl = "{url}"\n')


class TestKeys:
    @pytest.fixture(autouse=True)
    def _two(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("ONECLIENT_KEY", raising=False)
        for name, one in providers_of(tmp_path, monkeypatch).items():
            assert one.home
            one.home.mkdir()
            (one.home / "settings.toml").write_text(WITHOUT_HTTPFS)
            monkeypatch.setenv(one.key_variable, {"acme": KEY, "beta": OTHER_KEY}[name])
        for name in ("acme", "beta"):
            with open_warehouse(load_settings(tmp_path / name)) as warehouse:
                warehouse.rows("select 1")

    def test_each_home_is_opened_with_its_own(self, tmp_path: Path) -> None:
        keys = [load_settings(tmp_path / name).key for name in ("acme", "beta")]
        assert [key.get_secret_value() for key in keys if key] == [KEY, OTHER_KEY]

    def test_no_other_is_tried(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """The right key, but in the variable of another provider, or of a single home."""
        monkeypatch.setenv("ONECLIENT_KEY_BETA", KEY)
        monkeypatch.delenv("ONECLIENT_KEY_ACME")
        acme = load_settings(tmp_path / "acme")
        with pytest.raises(KeyRefusedError, match="Set ONECLIENT_KEY_ACME to its key"), open_warehouse(acme):
            pass
        with (
            pytest.raises(KeyRefusedError, match="ONECLIENT_KEY_BETA is not the key of this home"),
            open_warehouse(load_settings(tmp_path / "beta")),
        ):
            pass

    def test_a_home_is_not_left_plain_where_a_key_of_a_single_home_is_set(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("ONECLIENT_KEY", KEY)
        monkeypatch.delenv("ONECLIENT_KEY_ACME")
        with pytest.raises(KeyRefusedError, match="set ONECLIENT_KEY_ACME"):
            load_settings(tmp_path / "acme")

    def test_a_backup_is_restored_with_the_key_of_the_home_that_it_makes(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        acme = tmp_path / "acme"
        before = fingerprint(load_settings(acme))
        assert run("backup", "--to", tmp_path / "saved", "--provider", "acme").exit_code == 0
        acme.rename(tmp_path / "old")
        made = run("restore", tmp_path / "saved", "--provider", "acme", "--json")
        assert made.exit_code == 0, made.output
        assert json.loads(made.stdout)["encrypted"]
        assert fingerprint(load_settings(acme)) == before


def run(*words: object):  # type: ignore[no-untyped-def]
    return CliRunner().invoke(main, [str(word) for word in words])


class TestTheCommandLine:
    def test_a_provider_is_named_instead_of_its_home(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        providers_of(tmp_path, monkeypatch)
        assert home_of("beta") == tmp_path / "beta"
        (tmp_path / "beta" / "inbox").mkdir(parents=True)
        assert run("fingerprint", "--provider", "beta").exit_code == 0
        assert (tmp_path / "beta" / "oneclient.duckdb").exists() and not (tmp_path / "acme").exists()

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (("--provider", "gamma"), "no such provider. On the list are: acme, beta"),
            (("--provider", ""), "no such provider"),
            (("--provider", "acme", "--home", "x"), "not both"),
        ],
    )
    def test_and_no_other_word_for_it_is_guessed(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], said: str
    ) -> None:
        providers_of(tmp_path, monkeypatch)
        ended = run("fingerprint", *words)
        assert (ended.exit_code, said in ended.stderr) == (WRONG_USE, True)

    def test_a_list_that_cannot_be_used_is_one_clear_line(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv(LIST_VARIABLE, str(listed(tmp_path, '[acme]\nhome = "x"\n[beta]\nhome = "x"\n')))
        ended = run("providers")
        assert (ended.exit_code, ended.stderr.count("\n")) == (WRONG_USE, 1)

    def test_the_list_is_looked_over(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        providers_of(tmp_path, monkeypatch)
        assert run("providers").exit_code == 0
        (tmp_path / "beta" / "settings.toml").write_text("[report")
        ended = run("providers", "--json")
        assert ended.exit_code == FOUND_A_PROBLEM
        assert [(f["check"], f["well"]) for f in json.loads(ended.stdout)["findings"]] == [
            ("acme", True), ("beta", False),
        ]  # fmt: skip

    @pytest.mark.parametrize("several", [True, False])
    def test_the_pools_are_told_as_airflow_reads_them(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, several: bool
    ) -> None:
        providers_of(tmp_path, monkeypatch) if several else monkeypatch.delenv(LIST_VARIABLE, raising=False)
        told = json.loads(run("providers", "--pools").stdout)
        assert set(told) == ({"duckdb_writer_acme", "duckdb_writer_beta"} if several else {"duckdb_writer"})
        assert {pool["slots"] for pool in told.values()} == {1}
