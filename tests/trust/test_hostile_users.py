"""Hostile users of the review page: behind Airflow's own sign-in, everything that can be sent and should do nothing.

What a source says is no hostile user: for names with markup in them see ``test_hostile_values.py``.
"""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest
from cryptography.fernet import Fernet
from fastapi.routing import APIRoute

from pipelines.decisions.entry import Entry
from pipelines.decisions.store import open_decisions
from pipelines.merge.record import Alias
from pipelines.review.desk import app as desk_app
from pipelines.review.desk.access_log import read_accesses
from pipelines.review.desk.frame import admitted
from pipelines.review.desk.seals import Seals
from pipelines.review.practice import read_practice
from pipelines.settings import Settings
from tests.review.examples import a_candidate, a_cluster, a_couple, a_report, a_side
from tests.review.the_desk import Desk, home_with, path_of, proper, publish_a_plan
from tests.trust.the_door import Door, Visitor, door_of, signed

CLUSTER = "/clusters/K0000012"
PLAN = "0123456789ab"
ELSEWHERE = "/candidates/C00000000FF"
GOOD = {"verdict": "same", "reason": "rang her"}
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND")
EVERYTHING = os.environ.get("PROVE") == "full"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Two candidates in a cluster of three: of 1 the form asks all that it can ask, 2 is a couple."""
    left = a_side(references=("CAREPLAN 100234", "KENT 11"), aliases=(Alias(kind="known_as", name="Peg", key="PEG"),))
    right = a_side("careplan/100235", active_orders=2, references=("CAREPLAN 100235", "KENT 12"))
    one = proper(1, a_candidate(left=left, right=right))
    two = proper(2, replace(a_couple(), left=a_side("rosterly/77"), right=right))
    home = home_with(tmp_path_factory.mktemp("page"), a_report(one, two, clusters=(a_cluster(one, two),)))
    assert publish_a_plan(home) == PLAN
    return home


@pytest.fixture(scope="module")
def door(home: Settings) -> Iterator[Door]:
    with door_of(home.home) as door:
        assert door.signed_in("ann").get("/").status_code == 200
        yield door


@pytest.fixture
def ann(door: Door) -> Visitor:
    return door.signed_in("ann")


@pytest.fixture
def sam(door: Door) -> Visitor:
    return door.signed_in("sam")


def entries(home: Settings) -> list[Entry]:
    with open_decisions(home) as store:
        return store.entries()


def kept(home: Settings) -> object:
    """All that the home holds, but for the database's own working files."""
    files = sorted(path for path in home.home.rglob("*") if path.is_file() and "decisions.sqlite" not in path.name)
    return entries(home), [(path, hashlib.sha256(path.read_bytes()).hexdigest()) for path in files]


@pytest.fixture
def unchanged(home: Settings) -> Iterator[None]:
    """Whatever is tried changes nothing."""
    before = kept(home)
    yield
    assert kept(home) == before


def routes(door: Door) -> list[tuple[APIRoute, str, str]]:
    """Every route of the page with a method and an address that it serves, whatever is added one day."""
    found = [route for route in door.page.routes if isinstance(route, APIRoute)]
    names = {
        "candidate_id": path_of(1).rpartition("/")[2], "cluster_id": CLUSTER.rpartition("/")[2], "plan_id": PLAN,
        "pair_id": "P1-01", "name": "desk.js",
    }  # fmt: skip
    return [(route, method, route.path.format(**names)) for route in found for method in sorted(route.methods)]


def closed(door: Door) -> list[tuple[str, str]]:
    """Method and address of every route but that of the style and the script."""
    return [(method, path) for route, method, path in routes(door) if route.path != "/static/{name}"]


INTRUDERS = {
    "nobody": ("", 401),
    "garbage": ("garbage", 403),
    "three dots": ("..", 403),
    "a viewer": (signed("vic", "viewer"), 403),
    "signed with another key": (signed("ann", "admin", key="another key, as long as any"), 403),
    "signed with no key": (signed("ann", "admin", key=""), 403),
    "not signed at all": (signed("ann", "admin", algorithm="none"), 403),
    "a weaker signature promised": (signed("ann", "admin", algorithm="HS256"), 403),
    "a sign-in of yesterday": (signed("ann", "user", exp=int(time.time()) - 60), 401),
    "a sign-in of tomorrow": (signed("ann", "user", nbf=int(time.time()) + 3600), 403),
    "a sign-in to something else": (signed("ann", "user", aud="elsewhere"), 403),
    "who says to be an admin": (signed("vic", "admin"), 403),
    "who was never there": (signed("eve", "admin"), 403),
}


class TestWhoComesIn:
    def test_every_route_asks_who_it_is(self, door: Door) -> None:
        def asks(dependant: object) -> bool:
            below = dependant.dependencies  # type: ignore[attr-defined]
            return any(one.call is admitted or asks(one) for one in below)

        open_to_all = {route.path for route, _, _ in routes(door) if not asks(route.dependant)}
        assert open_to_all == {"/static/{name}"}
        assert len(closed(door)) > 15
        assert {type(route) for route in door.page.routes} == {APIRoute}, "another kind of route is guarded otherwise"

    @pytest.mark.parametrize("who", INTRUDERS)
    @pytest.mark.usefixtures("unchanged")
    def test_nobody_else_gets_anything_from_any_route(self, door: Door, who: str) -> None:
        cookie, status = INTRUDERS[who]
        visitor = door.visitor(cookie)
        for method, path in closed(door):
            answer = visitor.ask(method, path, data=GOOD if method == "POST" else None)
            assert answer.status_code == status, (method, path)
            assert not re.search(r"Peggy|careplan|C0000000001|form_token", answer.text), (method, path)

    @pytest.mark.usefixtures("unchanged")
    def test_no_other_method_does_anything(self, door: Door, ann: Visitor) -> None:
        served = {(method, path) for _, method, path in routes(door)}
        for path in sorted({path for _, path in served}):
            for method in METHODS:
                if (method, path) not in served:
                    assert ann.ask(method, path).status_code in {405, 413}, (method, path)

    @pytest.mark.parametrize(
        "headers",
        [
            {"X-Forwarded-User": "ann"}, {"Remote-User": "ann"}, {"X-User": "ann", "X-Role": "admin"},
            {"Authorization": "Basic YW5uOmFubg=="}, {"Authorization": "Bearer "}, {"Authorization": "bearer null"},
            {"X-Original-URL": "/oneclient/static/desk.js"}, {"X-Rewrite-URL": "/oneclient/static/desk.js"},
            {"X-Forwarded-For": "127.0.0.1"}, {"X-Forwarded-Prefix": "/auth"}, {"Host": "localhost"},
            {"Cookie": "_token=; _token=true"}, {"Cookie": "token=x; _TOKEN=x"}, {"X-HTTP-Method-Override": "TRACE"},
        ],
    )  # fmt: skip
    @pytest.mark.usefixtures("unchanged")
    def test_no_header_lets_anybody_in(self, door: Door, headers: dict[str, str]) -> None:
        for method, path in closed(door):
            assert door.visitor().ask(method, path, headers=headers).status_code in {401, 403, 413}, (method, path)

    @pytest.mark.parametrize("name", ["_token", "token", "access_token", "user", "jwt"])
    def test_no_sign_in_in_the_address(self, door: Door, name: str) -> None:
        assert door.visitor().get(f"/?{name}={signed('ann', 'user')}").status_code == 401

    @pytest.mark.parametrize(
        "path",
        ["//", "//bulk", "/bulk/", "/BULK", "/bulk;.js", "/bulk%2f", "/bulk%00", "/bulk.json", "/./bulk",
         "/%2e%2e/bulk", "/static/../bulk", "/static/%2e%2e/bulk", "/static/..%2fbulk", "/static/desk.js/../../bulk",
         "/static//bulk",
         "/static/%2e%2e%2f%2e%2e%2fpage.key", "/static/....//page.key", "/%5c..%5cbulk", "/bulk%20", "/docs",
         "/openapi.json", "/redoc", "/static/", "/plans/", "/plans/%2e%2e%2fcurrent", "/plans/.versions",
         f"/plans/{PLAN}/plan.json", f"/plans/..%2fplans%2f{PLAN}", f"/plans/{PLAN}%00", f"/plans/{PLAN.upper()}"],
    )  # fmt: skip
    def test_no_other_spelling_of_an_address_leads_round_the_sign_in(self, door: Door, ann: Visitor, path: str) -> None:
        assert door.visitor().get(path).status_code in {401, 404}
        assert "location" not in ann.get(path).headers

    def test_who_may_no_more_is_turned_away_at_the_next_request(self, door: Door, ann: Visitor) -> None:
        """Airflow's simple auth manager writes the role into the cookie, which lasts a day."""
        tokens = ann.tokens(path_of(1))
        for people in ({"ann": "viewer", "sam": "user"}, {"sam": "user"}):
            door.let_in(people)
            try:
                assert ann.get(path_of(1)).status_code == 403
                assert ann.post(f"{path_of(1)}/decide", {**tokens, **GOOD}).status_code == 403
            finally:
                door.let_in({"ann": "user", "sam": "user", "vic": "viewer"})
        assert ann.get(path_of(1)).status_code == 200


class TestForms:
    def posts(self, door: Door) -> list[str]:
        return [path for method, path in closed(door) if method == "POST"]

    def forged(self, home: Settings, ann: Visitor, sam: Visitor) -> dict[str, dict[str, str]]:
        mine = ann.tokens(path_of(1))
        key = Seals(home.home).key
        old = Fernet(key).encrypt_at_time(b'["form", {"user": "ann"}]', int(time.time()) - 13 * 3600).decode()
        other = Fernet(Fernet.generate_key()).encrypt(b'["form", {"user": "ann"}]').decode()
        search = Seals(home.home).seal("search", user="ann", text="", names=False)
        return {
            "none": {},
            "an empty one": {**mine, "form_token": ""},
            "a made-up one": {**mine, "form_token": "gAAAAA" + "A" * 94},
            "one cut off": {**mine, "form_token": mine["form_token"][:-4]},
            "somebody else's": sam.tokens(path_of(1)),
            "one of yesterday": {**mine, "form_token": old},
            "one of another home": {**mine, "form_token": other},
            "one of another purpose": {**mine, "form_token": search},
            "the two swapped": {"form_token": mine["decide_token"], "decide_token": mine["form_token"]},
            "no ASCII": {**mine, "form_token": "ö\u202e\x00"},
        }

    def test_without_our_token_of_today_for_this_person_nothing_is_done(
        self, door: Door, home: Settings, ann: Visitor, sam: Visitor
    ) -> None:
        before, forgeries = kept(home), self.forged(home, ann, sam)
        for path in self.posts(door):
            for how, tokens in forgeries.items():
                assert ann.post(path, {**tokens, **GOOD}).status_code == 403, (path, how)
        assert kept(home) == before

    @pytest.mark.parametrize("site", ["cross-site", "same-site", "nonsense"])
    @pytest.mark.usefixtures("unchanged")
    def test_a_form_that_a_browser_says_another_site_sent_does_nothing(
        self, door: Door, ann: Visitor, site: str
    ) -> None:
        tokens = ann.tokens(path_of(1))
        headers = {"Sec-Fetch-Site": site, "Origin": "https://evil.example", "Referer": "https://evil.example/x"}
        for path in self.posts(door):
            assert ann.post(path, {**tokens, **GOOD}, headers=headers).status_code == 403, path

    @pytest.mark.usefixtures("unchanged")
    def test_no_get_changes_anything(self, door: Door, ann: Visitor) -> None:
        tokens = ann.tokens(path_of(1))
        for _, path in closed(door):
            for more in ("", "?_method=POST&verdict=same&reason=x", "?done=C0000000001&next=bulk&blind=on"):
                ann.get(f"{path}{more}", params=None, headers={"X-HTTP-Method-Override": "POST"})
            ann.get(f"{path}?form_token={tokens['form_token']}&decide_token={tokens['decide_token']}&verdict=same")

    @pytest.mark.parametrize("kind", ["application/json", "text/plain", "multipart/form-data; boundary=x", "text/xml"])
    @pytest.mark.usefixtures("unchanged")
    def test_only_a_form_is_a_form(self, ann: Visitor, kind: str) -> None:
        content = b'{"verdict":"same","form_token":"x"}'
        answer = ann.post(f"{path_of(1)}/decide", content=content, headers={"Content-Type": kind})
        assert answer.status_code in {400, 403}

    @pytest.mark.usefixtures("unchanged")
    def test_what_is_too_much_is_not_read(self, door: Door, ann: Visitor) -> None:
        for path in self.posts(door):
            assert ann.post(path, {"reason": "x" * 2**20}).status_code == 413, path
            assert ann.post(path, {f"f{n}": "" for n in range(1_000)}).status_code in {400, 403}, path
            unsaid = ann.post(path, content=iter([b"reason=x"]), headers={"Transfer-Encoding": "chunked"})
            assert unsaid.status_code == 413, path
            assert ann.post(path, content=b"x", headers={"Content-Length": "-1"}).status_code == 413, path

    def test_a_form_sent_twice_is_sent_once(self, home: Settings, ann: Visitor) -> None:
        tokens = ann.tokens(path_of(2))
        said = {**tokens, "verdict": "different", "reason": "two people"}
        before = len(entries(home))
        assert [ann.post(f"{path_of(2)}/decide", said).status_code for _ in range(3)] == [303] * 3
        assert len(entries(home)) == before + 1
        assert ann.fill(path_of(2), f"{path_of(2)}/undo").status_code == 303
        assert ann.fill(path_of(2), f"{path_of(2)}/undo").status_code == 400

    def test_what_the_form_does_not_ask_is_not_heard(self, home: Settings, ann: Visitor) -> None:
        more = {
            "who": "sam", "by": "sam", "user": "sam", "door": "cli", "candidate_id": "C0000000002", "kind": "signoff",
            "evidence_hash": "0" * 64, "score_was_hidden": "true", "blind": "on", "match_probability": "1",
            "sequence_number": "1", "previous_hash": "0", "undoes": "1", "left_ref": "x", "choices": '{"survivor":"x"}',
            "recorded_at": "2020-01-01T00:00:00+00:00", "seconds_spent": "-5", "tier": "near-certain",
        }  # fmt: skip
        assert ann.fill(path_of(1), f"{path_of(1)}/decide", **GOOD, **more).status_code == 303
        entry = entries(home)[-1]
        assert (entry.who, entry.door, entry.kind, entry.candidate_id) == ("ann", "page", "verdict", "C0000000001")
        assert (entry.score_was_hidden, entry.chosen.survivor, entry.undoes) == (False, None, None)
        assert entry.recorded_at > "2026" and entry.seconds_spent is not None and entry.seconds_spent >= 0
        ann.fill(path_of(1), f"{path_of(1)}/undo", who="sam", undoes="1")
        assert (entries(home)[-1].kind, entries(home)[-1].who) == ("undo", "ann")

    @pytest.mark.parametrize(
        "reason",
        ["", " \t\n ", "bell \x07", "nul \x00", "escape \x1b[2J", "turned \u202e round", "isolated \u2066 x",
         "unassigned \U000e0fff", "x" * 2_001],
    )  # fmt: skip
    @pytest.mark.usefixtures("unchanged")
    def test_a_reason_that_could_deceive_a_reader_is_refused(self, ann: Visitor, reason: str) -> None:
        answer = ann.fill(path_of(1), f"{path_of(1)}/decide", verdict="same", reason=reason)
        assert answer.status_code == 400 and "Not recorded." in answer.text


class TestWhatIsSomebodyElses:
    @pytest.mark.parametrize(
        "path",
        [ELSEWHERE, "/candidates/C1", "/candidates/c0000000001", "/candidates/C0000000001%00", "/clusters/K9999999",
         "/candidates/..%2f..%2fpage.key", "/clusters/..%2f..%2fdecisions.sqlite", "/candidates/C0000000001%2f",
         "/candidates/%2e%2e", "/candidates/C000000000١", "/clusters/K0000012%0d%0aX-Evil:1", "/clusters/K' or '1'='1",
         "/candidates/" + "C" * 8_000],
    )  # fmt: skip
    @pytest.mark.usefixtures("unchanged")
    def test_what_this_night_did_not_publish_is_not_there(self, ann: Visitor, path: str) -> None:
        assert ann.get(path).status_code == 404
        tokens = ann.tokens(path_of(1))
        for act in ("reveal", "preview", "decide", "undo"):
            assert ann.post(f"{path}/{act}", {**tokens, **GOOD}).status_code in {400, 403, 404}, act

    def test_a_form_of_another_home_is_none_of_this_one(self, home: Settings, ann: Visitor, tmp_path: Path) -> None:
        tokens = Desk(home_with(tmp_path, a_report(proper(1, a_candidate()))), "ann").tokens(path_of(1))
        assert len(tokens) == 2
        before = kept(home)
        assert ann.post(f"{path_of(1)}/decide", {**tokens, **GOOD}).status_code == 403
        assert kept(home) == before

    def test_only_ones_own_verdict_can_be_taken_back(self, home: Settings, ann: Visitor, sam: Visitor) -> None:
        ann.fill(path_of(1), f"{path_of(1)}/decide", verdict="unsure", reason="hm")
        before = kept(home)
        for forged in ({}, {"who": "ann"}, {"user": "ann", "undoes": "1"}):
            assert sam.fill(path_of(1), f"{path_of(1)}/undo", **forged).status_code == 400
            assert sam.fill(CLUSTER, f"{CLUSTER}/undo", **forged).status_code == 400
        assert kept(home) == before

    def test_nobody_practises_for_another(self, home: Settings, ann: Visitor, sam: Visitor) -> None:
        mine, theirs = ann.tokens("/practice"), sam.tokens("/practice")
        stolen = {"form_token": mine["form_token"], "decide_token": theirs["decide_token"], "verdict": "same"}
        assert ann.post("/practice", {**stolen, "who": "sam"}).status_code == 403
        assert read_practice(home.home) == []

    def test_a_right_to_see_is_of_one_person_and_one_case(self, home: Settings, ann: Visitor, sam: Visitor) -> None:
        ann.fill(path_of(1), f"{path_of(1)}/reveal")
        right = next(cookie for cookie in ann.client.cookies.jar if cookie.name == "oneclient_C0000000001")
        value = (right.value or "").strip('"')
        assert "Peggy" in ann.get(path_of(1)).text
        sam.client.cookies.set("oneclient_C0000000001", value)
        assert "Peggy" not in sam.get(path_of(1)).text
        ann.client.cookies.set("oneclient_C0000000002", value)
        assert "Peggy" not in ann.get(path_of(2)).text
        old = Fernet(Seals(home.home).key).encrypt_at_time(
            b'["reveal", {"user": "ann", "case": "C0000000002"}]', int(time.time()) - 1801
        )
        ann.client.cookies.set("oneclient_C0000000002", old.decode())
        assert "Peggy" not in ann.get(path_of(2)).text

    def test_every_look_is_written_down_however_many_there_are(self, home: Settings, ann: Visitor) -> None:
        before = len(read_accesses(home.home))
        for number in (1, 2) * 10:
            assert ann.fill(path_of(number), f"{path_of(number)}/reveal").status_code == 303
        looks = [a for a in read_accesses(home.home)[before:] if a["act"] == "reveal"]
        assert len(looks) == 20 and {look["who"] for look in looks} == {"ann"}


INJECTED = (
    "' or '1'='1", "'; drop table entries; --", "1 union select 1,2,3", "{{ 1234*5678 }}", "{% include 'x' %}",
    "${1234*5678}", "(a+)+$" * 9, "../../../etc/passwd", "\x00", "%00", "\r\nSet-Cookie: a=b",
    "C0000000001\r\nLocation: http://x",
    "http://evil.example/", "//evil.example", "javascript:alert(1)", "\u202e", "😀" * 60, "1e309", "-1", "99" * 60,
    "NaN", "true", "[]", "x" * 5_000, "<script>alert(1)</script>", "\ud83d".encode("utf-8", "surrogatepass").decode(
        "latin-1"), "=cmd()", "%", "_", "C0000000001" * 40,
)  # fmt: skip
ASKED = ("state", "tier", "relation", "blockers", "system", "page", "search", "done", "next", "blind", "found", "base")


class TestInjection:
    @pytest.mark.usefixtures("unchanged")
    def test_nothing_in_an_address_is_ever_carried_out(self, door: Door, ann: Visitor) -> None:
        pages = [path for method, path in closed(door) if method == "GET"]
        for said in INJECTED[:: 1 if EVERYTHING else 3]:
            value = quote(said, safe="")
            each = [f"{name}={value}" for name in ASKED] if EVERYTHING else []
            for page in pages:
                for asked in ("&".join(f"{name}={value}" for name in ASKED if name != "page"), *each):
                    answer = ann.get(f"{page}?{asked}")
                    assert answer.status_code in {200, 404} and "location" not in answer.headers, (page, said)
                    assert "7006652" not in answer.text, (page, said)
                    assert said not in answer.text or not said.startswith("<"), (page, said)
                    assert "set-cookie" not in answer.headers or "a=b" not in answer.headers["set-cookie"]

    def test_nothing_that_is_searched_for_is_ever_carried_out(self, home: Settings, door: Door, ann: Visitor) -> None:
        tokens = ann.tokens("/")
        before = entries(home)
        for said in INJECTED[:: 1 if EVERYTHING else 4]:
            door.page.state.desk.limit._made.clear()
            answer = ann.post("/search", {**tokens, "text": said, "names": "yes"})
            there = answer.headers["location"]
            assert answer.status_code == 303 and there.startswith("/oneclient/")
            found = ann.get(there.removeprefix("/oneclient"))
            assert (found.status_code == 200 and said[:40] not in found.text) or "<" not in said
        assert entries(home) == before

    @pytest.mark.usefixtures("unchanged")
    def test_no_choice_but_those_offered_is_taken(self, ann: Visitor) -> None:
        tokens = ann.tokens(path_of(1))
        for said in INJECTED[:: 1 if EVERYTHING else 2]:
            for name in ("verdict", "survivor", "aliases", "enrolment_0", "reference_0")[: 5 if EVERYTHING else 2]:
                answer = ann.post(f"{path_of(1)}/decide", {**tokens, **GOOD, name: said})
                assert answer.status_code == 400 and "<script>alert" not in answer.text, (name, said)

    @pytest.mark.parametrize("name", ["evil.example", "evil.example:80@127.0.0.1", "127.0.0.1\\@evil.example", ""])
    def test_no_host_but_the_browsers_own_is_ever_named(self, door: Door, ann: Visitor, name: str) -> None:
        headers = {"Host": name, "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "javascript"}
        tokens = ann.tokens("/")
        for answer in (
            *(ann.get(path, headers=headers) for method, path in closed(door) if method == "GET"),
            ann.post("/preferences", {**tokens, "keys": "on"}, headers=headers),
        ):
            assert "evil.example" not in answer.text + str(answer.headers)


class TestAnswers:
    def test_every_answer_forbids_what_it_does_not_need(self, door: Door, ann: Visitor) -> None:
        answers = [ann.ask(method, path) for _, method, path in routes(door)]
        answers += [door.visitor().get("/"), ann.get("/nowhere"), ann.post("/search", {"text": "x" * 2**17})]
        for answer in answers:
            policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))
            assert policy["default-src"] == policy["base-uri"] == "'none'"
            assert policy["script-src"] == policy["form-action"] == policy["frame-ancestors"] == "'self'"
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["referrer-policy"] == "same-origin"
            assert answer.headers["cross-origin-opener-policy"] == "same-origin"
            assert answer.headers["cache-control"] == "no-store" or "/static/" in str(answer.url)

    def test_a_cookie_of_ours_is_for_no_script_and_no_other_site(self, door: Door, ann: Visitor) -> None:
        tokens = ann.tokens(path_of(1))
        for path in (f"{path_of(1)}/reveal", f"{CLUSTER}/reveal", "/preferences"):
            for cookie in ann.post(path, {**tokens, "blind": "off"}).headers.get_list("set-cookie"):
                assert "HttpOnly" in cookie and "SameSite=strict" in cookie and "Path=/oneclient" in cookie

    def test_a_page_that_fails_tells_nobody_what_of(
        self, home: Settings, ann: Visitor, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def fail(*_: object, **__: object) -> None:
            raise RuntimeError("Peggy O'Sullivan, 9434765919")

        monkeypatch.setattr("pipelines.review.desk.pages.read_candidate", fail)
        answer = ann.get(path_of(1))
        assert answer.status_code == 500 and "nothing was recorded" in answer.text
        assert answer.headers["content-security-policy"] == desk_app.HEADERS["Content-Security-Policy"]
        assert "RuntimeError at" in caplog.text and "test_hostile_users.py" in caplog.text
        assert not re.search("Peggy|Sullivan|943", answer.text + caplog.text)
