"""The review page behind Airflow's own sign-in, and visitors who ask it things that no browser would ask."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx import Response

PLUGIN = Path(__file__).parents[2] / "plugins" / "oneclient_review.py"
SECRET = os.environ["AIRFLOW__API_AUTH__JWT_SECRET"]
PEOPLE = {"ann": "user", "sam": "user", "vic": "viewer"}
TOKENS = re.compile(r'name="(form_token|decide_token)" value="([^"]+)"')


class Door:
    """The review page of one home, mounted as Airflow mounts it."""

    def __init__(self, app: FastAPI, page: FastAPI, patch: pytest.MonkeyPatch) -> None:
        self.app = app
        self.page = page
        self._patch = patch

    def let_in(self, people: dict[str, str]) -> None:
        """Who may sign in to Airflow from now on, and as what."""
        listed = ",".join(f"{name}:{role}" for name, role in people.items())
        self._patch.setenv("AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS", listed)

    def visitor(self, cookie: str = "") -> Visitor:
        """Somebody with this cookie of a sign-in, or with none."""
        return Visitor(self.app, cookie)

    def signed_in(self, name: str) -> Visitor:
        """Somebody who signed in while they were what ``PEOPLE`` says."""
        return self.visitor(signed(name, PEOPLE[name]))


class Visitor:
    """One browser, or something that passes itself off as one."""

    tried = 0

    def __init__(self, app: FastAPI, cookie: str) -> None:
        self.client = TestClient(app, "http://127.0.0.1:8080", raise_server_exceptions=False, follow_redirects=False)
        if cookie:
            self.client.cookies.set("_token", cookie)

    def ask(self, method: str, path: str, **more: Any) -> Response:
        Visitor.tried += 1
        return self.client.request(method, f"/oneclient{path}", **more)

    def get(self, path: str, **more: Any) -> Response:
        return self.ask("GET", path, **more)

    def post(self, path: str, form: Any = None, **more: Any) -> Response:
        return self.ask("POST", path, data=form, **more)

    def tokens(self, path: str) -> dict[str, str]:
        """The tokens in the forms of a page."""
        return dict(TOKENS.findall(self.get(path).text))

    def fill(self, page: str, path: str, **fields: str) -> Response:
        """Open a page and send one of its forms."""
        return self.post(path, {**self.tokens(page), **fields})


@contextmanager
def door_of(home: Path) -> Iterator[Door]:
    """The door of a home, with Airflow's simple auth manager behind it."""
    from airflow.api_fastapi.app import init_auth_manager, purge_cached_app
    from airflow.api_fastapi.auth.middlewares.refresh_token import JWTRefreshMiddleware
    from airflow.utils import db

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ONECLIENT_HOME", str(home))
        patch.setenv("AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE", str(home.parent / "passwords.json"))
        spec = spec_from_file_location("the_review_plugin", PLUGIN)
        assert spec and spec.loader
        plugin = module_from_spec(spec)
        spec.loader.exec_module(plugin)
        app = FastAPI(openapi_url=None)
        app.add_middleware(JWTRefreshMiddleware)
        (page,) = plugin.PAGES
        app.mount(page.provider.page, page)
        door = Door(app, page.app, patch)
        door.let_in(PEOPLE)
        db.initdb()
        purge_cached_app()
        init_auth_manager()
        yield door
        purge_cached_app()


def signed(name: str, role: str | None, *, key: str = SECRET, algorithm: str = "HS512", **claims: Any) -> str:
    """The cookie of a sign-in as Airflow makes it, or as somebody forges it."""
    now = int(time.time())
    said = {"sub": name, "role": role, "teams": [], "aud": "apache-airflow", "jti": "0" * 32, "iat": now, "nbf": now,
            "exp": now + 3600, **claims}  # fmt: skip
    header = {"alg": algorithm, "kid": "not-used", "typ": "JWT"}
    text = ".".join(_unpadded(json.dumps(part).encode()) for part in (header, said))
    if algorithm == "none":
        return f"{text}."
    return f"{text}.{_unpadded(hmac.new(key.encode(), text.encode(), hashlib.sha512).digest())}"


def _unpadded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")
