"""Two providers in one Airflow whose feeds hold the same people under the same references: nothing of one reaches the
other, and what is wrong with one is no trouble of the other's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest
from airflow import plugins_manager
from airflow.api_fastapi.app import create_auth_manager, init_auth_manager, purge_cached_app
from airflow.dag_processing.dagbag import DagBag
from airflow.serialization.encoders import coerce_to_core_timetable
from airflow.utils import db
from fastapi import FastAPI
from several import WORDS, deliver, listed, providers_of

from pipelines.decisions.store import open_decisions
from pipelines.fingerprint import fingerprint
from pipelines.merge.carry_out import apply_merges
from pipelines.merge.selection import Selection
from pipelines.merge.status import merge_status
from pipelines.providers import LIST_VARIABLE, Provider
from pipelines.review.commands import decide_tier
from pipelines.review.desk.seals import Seals
from pipelines.settings import Settings, load_settings
from tests.trust.the_door import Visitor, signed
from tests.trust.the_marks import NIGHT, contents

ROOT = Path(__file__).parents[2]
DAGS = ROOT / "dags"
PEOPLE = {"ann_acme": "user", "bob_beta": "user", "vic_acme": "viewer", "sue": "admin"}
A_LIST = '[acme]\nhome = "acme"\n[beta]\nhome = "beta"\nat = "03:15"\nqueue = "beta_only"\n'
LATE = "late_roster_clients_20261121.csv"
KINDS = ("nightly", "train", "apply_merges", "undo_merges")
ADDRESS = re.compile(r'href="([^"]*/candidates/C[0-9A-F]{10})')


@pytest.fixture(scope="module")
def patch() -> Iterator[pytest.MonkeyPatch]:
    """What is set until the last test of this file. Airflow keeps the plugins that it finds first for other files too,
    so it is to find them before."""
    plugins_manager.get_fastapi_plugins()
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="module")
def providers(tmp_path_factory: pytest.TempPathFactory, patch: pytest.MonkeyPatch) -> dict[str, Provider]:
    return providers_of(tmp_path_factory.mktemp("several"), patch, A_LIST)


@pytest.fixture(scope="module")
def bag(providers: dict[str, Provider]) -> DagBag:
    db.initdb()
    loaded = DagBag(DAGS)
    for dag in loaded.dags.values():
        for task in dag.tasks:
            task.retries = 0
    return loaded


@pytest.fixture(scope="module")
def nights(
    bag: DagBag, providers: dict[str, Provider], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Settings]:
    """The homes of both after a night each, by the real DAGs. Beta's settings are broken while acme's runs."""
    deliver(providers, tmp_path_factory.mktemp("feeds"))
    homes = {name: one.home for name, one in providers.items() if one.home}
    (homes["beta"] / "settings.toml").write_text("[report\n")
    assert bag.dags["nightly_beta"].test(run_conf={"day": NIGHT.isoformat()}).state == "failed"
    assert not (homes["beta"] / "oneclient.duckdb").exists()
    assert bag.dags["nightly_acme"].test(run_conf={"day": NIGHT.isoformat()}).state == "success"
    (homes["beta"] / "settings.toml").write_text("")
    late = homes["acme"] / "inbox" / LATE
    late.write_text(f"ClientID,Forename,Surname\n1,Peggy,Archer{WORDS['acme']}\n")
    someone_elses = {"day": NIGHT.isoformat(), "inbox": str(homes["acme"] / "inbox")}
    assert bag.dags["nightly_beta"].test(run_conf=someone_elses).state == "success"
    return {name: load_settings(home) for name, home in homes.items()}


def test_each_has_its_dags_and_nobody_else_has_any(bag: DagBag) -> None:
    assert bag.import_errors == {}
    assert set(bag.dags) == {f"{kind}_{name}" for kind in KINDS for name in WORDS}


def test_the_tasks_of_one_share_a_slot_that_no_other_has(bag: DagBag) -> None:
    for name in WORDS:
        pools = {task.pool for kind in KINDS for task in bag.dags[f"{kind}_{name}"].tasks}
        assert pools == {"default_pool", f"duckdb_writer_{name}"}


def test_each_is_found_by_its_tag_runs_at_its_time_and_on_its_workers(bag: DagBag) -> None:
    for name, at, queue in (("acme", "30 2 * * *", "default"), ("beta", "15 3 * * *", "beta_only")):
        assert coerce_to_core_timetable(bag.dags[f"nightly_{name}"].timetable).summary == at
        for kind in KINDS:
            assert bag.dags[f"{kind}_{name}"].tags == {"oneclient", name}
            assert {task.queue for task in bag.dags[f"{kind}_{name}"].tasks} == {queue}


def test_nobody_names_an_inbox_in_the_form(bag: DagBag) -> None:
    assert set(bag.dags["nightly_acme"].params) == {"day"}


def test_a_list_that_cannot_be_used_is_one_clear_import_error(
    bag: DagBag, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(LIST_VARIABLE, str(listed(tmp_path, '[acme]\nhome = "x"\n[beta]\nhome = "./x"\n')))
    broken = DagBag(DAGS)
    assert broken.dags == {}
    assert len(broken.import_errors) == len(list(DAGS.glob("*.py")))
    for error in broken.import_errors.values():
        assert "ProvidersError: The list of providers: the home or inbox of beta is that of acme" in error


class TestANightOfEach:
    """After a night of beta's with broken settings, one of acme's, and one of beta's whose form names acme's inbox."""

    def test_nothing_of_one_is_in_the_home_of_the_other(self, nights: dict[str, Settings]) -> None:
        for name, settings in nights.items():
            other = next(word for whose, word in WORDS.items() if whose != name)
            found = dict(contents(settings.home))
            assert sum(WORDS[name].encode() in content.lower() for content in found.values()) > 10
            assert [place for place, content in found.items() if other.encode() in content.lower()] == []

    def test_an_inbox_that_a_form_names_all_the_same_is_left_alone(self, nights: dict[str, Settings]) -> None:
        assert (nights["acme"].inbox / LATE).exists()

    def test_both_know_the_same_people_by_the_same_references(self, nights: dict[str, Settings]) -> None:
        """So that what is said of one could be taken for what is said of the other."""
        acme, beta = (candidates(settings) for settings in nights.values())
        assert len(acme & beta) > 3

    def test_a_decision_and_a_merge_of_one_change_nothing_of_the_other(self, nights: dict[str, Settings]) -> None:
        acme, beta = nights.values()
        before, files = fingerprint(beta), dict(contents(beta.home))
        decided = decide_tier(acme, "near-certain", verdict="same", who="ann", reason="looked", cells={})
        apply_merges(acme, Selection(), who="sam")
        assert decided.recorded and merge_status(acme).merges
        with open_decisions(beta) as store:
            assert store.entries() == []
        assert (fingerprint(beta), merge_status(beta).merges) == (before, ())
        changed = {place for place, content in contents(beta.home) if files.get(place) != content}
        assert {place for place in changed if not place.endswith(("decisions.sqlite-shm", "oneclient.duckdb"))} == set()


def candidates(settings: Settings) -> set[tuple[str, str]]:
    from pipelines.review.commands import list_candidates

    return {(one.left.client_ref, one.right.client_ref) for one in list_candidates(settings, None)}


@pytest.fixture(scope="module")
def pages(nights: dict[str, Settings], patch: pytest.MonkeyPatch) -> Iterator[FastAPI]:
    """The pages of both, as Airflow mounts them, behind an auth manager that gives rights by DAG."""
    patch.setenv("AIRFLOW__CORE__AUTH_MANAGER", "tests.by_provider.ByProvider")
    patch.setenv("AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS", ",".join(f"{n}:{role}" for n, role in PEOPLE.items()))
    purge_cached_app()
    create_auth_manager()
    init_auth_manager()
    spec = spec_from_file_location("the_pages", ROOT / "plugins" / "oneclient_review.py")
    assert spec and spec.loader
    plugin: Any = module_from_spec(spec)
    spec.loader.exec_module(plugin)
    app = FastAPI(openapi_url=None)
    for mounted in plugin.OneclientReview.fastapi_apps:
        app.mount(mounted["url_prefix"], mounted["app"])
    app.state.menu = plugin.OneclientReview.external_views
    yield app
    purge_cached_app()


def visitor(pages: FastAPI, name: str) -> Visitor:
    return Visitor(pages, signed(name, PEOPLE[name]))


class TestThePages:
    def test_each_has_one_and_an_entry_in_the_menu(self, pages: FastAPI) -> None:
        assert [(entry["name"], entry["href"], entry["url_route"]) for entry in pages.state.menu] == [
            ("Review acme", "/oneclient/acme/", "review_acme"), ("Review beta", "/oneclient/beta/", "review_beta"),
        ]  # fmt: skip

    def test_who_may_decide_for_one_is_refused_at_the_other(self, pages: FastAPI) -> None:
        for name, own, other in (("ann_acme", "acme", "beta"), ("bob_beta", "beta", "acme")):
            there = visitor(pages, name)
            assert there.get(f"/{own}/").status_code == 200
            assert f"Review · {own}" in there.get(f"/{own}/").text
            for path in ("/", "/decisions", "/quality", "/bulk", "/practice"):
                refused = there.get(f"/{other}{path}")
                assert (refused.status_code, f"edit the DAG nightly_{other}" in refused.text) == (403, True)
                assert WORDS[other] not in refused.text
        assert visitor(pages, "vic_acme").get("/acme/").status_code == 403
        assert [visitor(pages, "sue").get(f"/{name}/").status_code for name in WORDS] == [200, 200]

    def test_nobody_is_served_where_no_provider_is(self, pages: FastAPI) -> None:
        assert visitor(pages, "sue").get("/").status_code == 404
        assert visitor(pages, "sue").get("/gamma/").status_code == 404

    def test_a_token_of_one_opens_nothing_of_the_other(self, pages: FastAPI, nights: dict[str, Settings]) -> None:
        """Even for somebody who may decide for both, on a candidate that both have."""
        sue = visitor(pages, "sue")
        at = {name: ADDRESS.search(sue.get(f"/{name}/?state=all").text) for name in WORDS}
        acme, beta = (found[1].removeprefix("/oneclient") for found in at.values() if found)
        assert acme.replace("/acme/", "/beta/") == beta
        before = decisions(nights["beta"])
        form = sue.tokens(acme) | {"verdict": "same", "reason": "rang"}
        assert sue.post(f"{beta}/decide", form).status_code == 403
        assert decisions(nights["beta"]) == before
        assert sue.post(f"{acme}/reveal", sue.tokens(acme)).status_code == 303
        cookies = [(cookie.name, cookie.path) for cookie in sue.client.cookies.jar if cookie.name != "_token"]
        assert cookies == [(f"oneclient_{acme.rpartition('/')[2]}", f"/oneclient{acme}")]
        assert WORDS["acme"] in sue.get(acme).text.casefold()
        sue.client.cookies.set(cookies[0][0], sue.client.cookies[cookies[0][0]], path=f"/oneclient{beta}")
        assert WORDS["beta"] not in sue.get(beta).text.casefold()

    def test_forms_are_sealed_with_a_key_of_each(self, nights: dict[str, Settings]) -> None:
        acme, beta = (Seals(settings.home).key for settings in nights.values())
        assert acme != beta

    def test_what_is_wrong_with_one_is_no_trouble_of_the_other(
        self, pages: FastAPI, nights: dict[str, Settings]
    ) -> None:
        file = nights["beta"].home / "settings.toml"
        file.write_text("[report\n")
        try:
            assert [visitor(pages, "sue").get(f"/{name}/").status_code for name in WORDS] == [200, 503]
        finally:
            file.write_text("")


def decisions(settings: Settings) -> int:
    with open_decisions(settings) as store:
        return len(store.entries())
