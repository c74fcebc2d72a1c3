"""Any two client records: decided by their refs whether or not a night proposed them, by command and on the page."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from click.testing import CliRunner

from pipelines.cli import WRONG_USE, main
from pipelines.decisions.store import open_decisions
from pipelines.merge.commands import apply, undo
from pipelines.merge.selection import Selection
from pipelines.merge.status import merge_status
from pipelines.nightly import run_night
from pipelines.review.desk.access_log import read_accesses
from pipelines.review.published import read_report
from pipelines.settings import Settings
from pipelines.warehouse import open_warehouse
from tests.decisions.conftest import DAY
from tests.review.the_desk import Desk

SAID = ("--by", "Jo Bloggs", "--reason", "looked at both files")
CHOSEN = ("--survivor", "left", "--aliases", "keep", "--move-active-orders")
NEXT = DAY + timedelta(days=1)


@pytest.fixture
def refs(home: Settings) -> list[str]:
    """A record of a rostering system and two of orders of other councils, of which matching compares no two."""
    with open_warehouse(home) as warehouse:
        found = warehouse.rows(
            "select l.client_ref, r.client_ref from staged.clients as l, staged.clients as r"
            " where l.client_ref not like '%/reference/%' and r.client_ref like '%/reference/%'"
            " and l.council <> r.council and (l.nhs_number is null or r.nhs_number is null)"
            " and not exists (from matched.pairs where left_id in (l.client_id, r.client_id)"
            " and right_id in (l.client_id, r.client_id)) order by all limit 2"
        )
    return [found[0][0], *(other for _, other in found)]


def asks(home: Settings, *arguments: object, code: int = 0) -> dict[str, object]:
    """The answer in JSON of ``decide``."""
    result = CliRunner().invoke(main, ["decide", *map(str, arguments), "--json", "--home", str(home.home)])
    assert result.exit_code == code, result.output
    return json.loads(result.stdout) if not code else {"told": result.stderr}


def standings_of(home: Settings) -> dict[str, int]:
    """What the next nightly run makes of the decisions."""
    run_night(home, home.inbox, NEXT)
    with open_warehouse(home) as warehouse:
        return dict(warehouse.rows("select standing, count(*) from reviewed.standings group by 1"))


def test_a_pair_that_nobody_proposed_is_decided_merged_undone_and_counted_as_missed(
    home: Settings, refs: list[str]
) -> None:
    done = asks(home, "--records", refs[0], refs[1].lower(), "--verdict", "same", *SAID, *CHOSEN)
    assert (done["recorded"], done["standing"]) == (1, "same")
    with open_decisions(home) as store:
        (entry,) = store.entries()
        assert entry.tier == "" and entry.match_weight is not None and entry.match_weight < 0
        assert store.facts([entry.evidence_hash or ""])
    apply(home, Selection(), who="Sam Lee", reason="", progress=lambda *_: None)
    run_night(home, home.inbox, NEXT)
    assert read_report(home, NEXT).run.review["unproposed"] == {"missed": 1, "different": 0, "unsettled": 0}
    with open_warehouse(home) as warehouse:
        count = "select detail, \"count\" from reviewed.figures where figure = 'not proposed'"
        assert warehouse.rows(count) == [("same", 1)]
    told = asks(home, *refs[:2], "--verdict", "different", *SAID, code=WRONG_USE)["told"]
    (merge,) = merge_status(home, None).as_dict()["merges"]
    assert f"one record already ({merge['merge_id']})" in str(told)
    undo(home, [merge["merge_id"]], who="Sam Lee", reason="", progress=lambda *_: None)
    again = asks(home, done["candidate_id"], "--verdict", "different", *SAID)
    assert (again["recorded"], again["standing"]) == (1, "different")


def test_it_lapses_like_any_other_and_waits_in_the_next_report(home: Settings, refs: list[str]) -> None:
    done = asks(home, *refs[:2], "--verdict", "same", *SAID)
    with open_warehouse(home) as warehouse:
        change = "update staged.clients set surname_key = 'PIMPERNEL' where client_ref = $ref"
        warehouse.execute(change, {"ref": refs[0]})
    assert standings_of(home) == {"lapsed": 1}
    (shown,) = [c for c in read_report(home, NEXT).candidates if c.candidate_id == done["candidate_id"]]
    assert (shown.tier, shown.standing) == ("", "lapsed")
    assert {change.field for change in shown.changed} == {"surname"}


def test_three_records_are_one_person_or_one_of_them_is_another(home: Settings, refs: list[str]) -> None:
    assert asks(home, *refs, "--verdict", "same", *SAID)["recorded"] == 3
    assert asks(home, *refs, "--undo", "--by", "Jo Bloggs")["recorded"] == 3
    assert asks(home, *refs, "--verdict", "different", *SAID, "--apart", refs[2])["recorded"] == 2
    assert standings_of(home) == {"different": 2}


@pytest.mark.parametrize(
    ("named", "why"),
    [
        (("careplan/none", 0), "no client record of the name that stands in place 1"),
        ((0, 0), "named twice"),
        ((0, 1), "forgotten"),
    ],
)
def test_what_cannot_be_decided_is_refused_with_what_to_do(
    home: Settings, refs: list[str], named: tuple[str | int, ...], why: str
) -> None:
    if why == "forgotten":
        with open_warehouse(home) as warehouse:
            warehouse.execute("insert into staged.forgotten values ($ref)", {"ref": refs[1]})
    written = [refs[one] if isinstance(one, int) else one for one in named]
    told = str(asks(home, "--records", *written, "--verdict", "same", *SAID, code=WRONG_USE)["told"])
    assert why in told and not any(ref in told for ref in refs)


def test_the_page_opens_the_case_of_two_refs_masked_and_decides_it(home: Settings, refs: list[str]) -> None:
    desk = Desk(home)
    opened = desk.fill("/", "/records", one=refs[0], other=refs[1])
    path = opened.headers["location"]
    page = desk.read(path)
    assert opened.status_code == 303 and "not proposed by matching" in page and refs[0] not in page
    assert desk.fill(path, f"{path}/decide", verdict="different", reason="two cards").status_code == 303
    assert [(e.verdict, e.tier, e.door) for e in desk.entries()] == [("different", "", "page")]
    assert "Undo what I said" in desk.read(path)
    assert [line["act"] for line in read_accesses(home.home)] == ["open by two refs"]
    assert desk.fill("/", "/records", one=refs[0], other="careplan/none").status_code == 400
