"""The door in Airflow: it loads light, and Airflow's auth manager says who may come in."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from airflow.api_fastapi.app import init_auth_manager, purge_cached_app
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
from airflow.utils import db
from fastapi import HTTPException
from fastapi.routing import APIRoute
from starlette.requests import Request

from pipelines.review.desk.people import NobodyError

PLUGIN = Path(__file__).parents[2] / "plugins" / "oneclient_review.py"


@pytest.fixture(scope="module")
def plugin() -> ModuleType:
    spec = spec_from_file_location("oneclient_review_file", PLUGIN)
    assert spec and spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def auth_manager() -> Iterator[Any]:
    """Airflow's simple auth manager, where ann and sam are users, and vic a viewer."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS", "ann:user,sam:user,vic:viewer")
        db.initdb()
        yield init_auth_manager()
    purge_cached_app()


def asked_by(auth_manager: Any, name: str, role: str | None) -> Request:
    """A request with the cookie of a sign-in."""
    token = auth_manager.generate_jwt(SimpleAuthManagerUser(username=name, role=role))
    return Request({"type": "http", "method": "GET", "path": "/", "headers": [(b"cookie", f"_token={token}".encode())]})


def test_it_loads_without_what_only_the_page_needs() -> None:
    code = (
        "import sys, runpy; runpy.run_path(sys.argv[1]);"
        "print([m for m in sys.modules if m.split('.')[0] in ('pipelines', 'pyarrow', 'duckdb', 'fastapi')])"
    )
    command = [sys.executable, "-c", code, str(PLUGIN)]
    said = subprocess.run(command, capture_output=True, text=True, env=os.environ, check=False)
    assert said.stdout.strip().splitlines()[-1:] == ["['pipelines', 'pipelines.troubles', 'pipelines.providers']"], (
        said.stdout + said.stderr
    )


def test_airflow_finds_the_page_and_the_menu_entry() -> None:
    from airflow import plugins_manager

    apps, _ = plugins_manager.get_fastapi_plugins()
    assert [app["url_prefix"] for app in apps] == ["/oneclient"]
    views, _ = plugins_manager._get_ui_plugins()
    assert [(view["name"], view["href"]) for view in views] == [("Review", "/oneclient/")]


def test_who_may_edit_the_nightly_dag_may_review(plugin: ModuleType, auth_manager: Any) -> None:
    came_in = asyncio.run(plugin.PAGES[0].admit(asked_by(auth_manager, "ann", "user")))
    assert (came_in.user_id, came_in.who) == ("ann", "ann")


@pytest.mark.parametrize("role", ["viewer", None])
def test_who_may_not_edit_it_may_not_review(plugin: ModuleType, auth_manager: Any, role: str | None) -> None:
    with pytest.raises(HTTPException) as refused:
        asyncio.run(plugin.PAGES[0].admit(asked_by(auth_manager, "vic", role)))
    assert refused.value.status_code == 403


def test_who_may_only_merge_sees_merges_and_plans_and_nothing_else(
    plugin: ModuleType, auth_manager: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plugin, "is_permitted", lambda user, dag_id: dag_id == "apply_merges")
    routes = {route.path: route for route in plugin.PAGES[0].app.routes if isinstance(route, APIRoute)}
    came_in = set()
    for path, route in routes.items():
        request = asked_by(auth_manager, "sam", "user")
        request.scope["route"] = route
        try:
            asyncio.run(plugin.PAGES[0].admit(request))
            came_in.add(path)
        except HTTPException as refused:
            assert refused.status_code == 403
    assert came_in == {"/merges", "/plans/{plan_id}", "/plans/{plan_id}/reveal"}
    assert len(routes) > 10


@pytest.mark.parametrize(("header", "status"), [(b"", 401), (b"_token=forged", 403)])
def test_without_a_sign_in_nobody_comes_in(plugin: ModuleType, auth_manager: Any, header: bytes, status: int) -> None:
    request = Request({"type": "http", "method": "GET", "path": "/", "headers": [(b"cookie", header)]})
    with pytest.raises(HTTPException) as refused:
        asyncio.run(plugin.PAGES[0].admit(request))
    assert refused.value.status_code == status


def test_who_may_no_more_does_not_come_in_with_the_sign_in_of_before(plugin: ModuleType, auth_manager: Any) -> None:
    """The simple auth manager writes the role into the sign-in; that of now counts."""
    for name in ("vic", "eve"):
        with pytest.raises(HTTPException) as refused:
            asyncio.run(plugin.PAGES[0].admit(asked_by(auth_manager, name, "admin")))
        assert refused.value.status_code == 403


def test_the_administrator_that_everybody_is_decides_nothing(
    plugin: ModuleType, auth_manager: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS", "True")
    with pytest.raises(NobodyError):
        asyncio.run(plugin.PAGES[0].admit(asked_by(auth_manager, "Anonymous", "admin")))
