"""The page of trends shows what the nights came to, to anybody, and names nobody."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from pipelines.cli import main
from pipelines.monitor.charts import Chart, Series, draw
from pipelines.monitor.figures import Figure, figures
from pipelines.monitor.trends import NIGHTS_EACH, gather_trends, render_trends, trends_of
from pipelines.settings import Settings, load_settings
from pipelines.warehouse import open_warehouse
from tests.review.examples import HOSTILE
from tests.review.test_page import Page
from tests.review.the_desk import Desk

NIGHT = date(2026, 11, 20)


def a_night(day: date, **counts: int) -> list[Figure]:
    """A night with a hundred records; a count is named by figure and detail, ``waiting_likely``."""
    made = [Figure(day, "records", "", "", "", 100), Figure(day, "people", "", "", "", 80)]
    for name, count in counts.items():
        figure, _, detail = name.partition("_")
        made.append(Figure(day, figure, "purchase_orders", "KENT", detail, count))
    return made


def values(settings: Settings, counted: list[Figure], key: str) -> dict[str, list[float | None]]:
    (chart,) = [chart for chart in gather_trends(settings, counted).charts if chart.key == key]
    return {one.name: list(one.values) for one in chart.series}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(tmp_path / "home")


def test_the_page_is_published_with_the_night_and_follows_from_it_alone(three_nights: Settings) -> None:
    page = three_nights.reports / "trends.html"
    before = page.read_bytes()
    trends, published = trends_of(three_nights)
    assert published == page and page.read_bytes() == before
    assert len(trends.nights) == 3 and not [chart.key for chart in trends.charts if not chart.periods]


def test_the_command_says_where_it_is_and_what_it_shows(three_nights: Settings) -> None:
    said = CliRunner().invoke(main, ["trends", "--home", str(three_nights.home)])
    assert said.exit_code == 0 and said.output.split()[-1] == str(three_nights.reports / "trends.html")
    told = json.loads(CliRunner().invoke(main, ["trends", "--home", str(three_nights.home), "--json"]).output)
    assert (told["by"], len(told["nights"]), {chart["key"] for chart in told["charts"]}) == (
        "night", 3,
        {"found-by-sender", "found-by-cause", "refused", "waiting", "decisions", "missed", "merges",
         "records-per-person", "confusions"},
    )  # fmt: skip


def test_the_review_page_leads_to_it_and_shows_it_to_reviewers_alone(three_nights: Settings, tmp_path: Path) -> None:
    ann = Desk(three_nights)
    assert 'href="/trends"' in ann.read("/quality")
    shown = ann.get("/trends")
    assert shown.text == three_nights.trends_page.read_text()
    assert "script-src" not in shown.headers["Content-Security-Policy"], "none is allowed"
    assert Desk(three_nights, "vic").get("/trends").status_code == 403
    assert Desk(load_settings(tmp_path / "other")).get("/trends").status_code == 404


def test_a_home_without_a_night_has_a_page_that_says_so(settings: Settings) -> None:
    assert "No night has been counted yet" in render_trends(trends_of(settings)[0])


def test_what_happened_is_drawn_for_its_night_and_the_first_night_left_out(settings: Settings) -> None:
    days = [NIGHT + timedelta(days=n) for n in range(3)]
    counted = [one for day, found in zip(days, (216, 4, 7), strict=True) for one in a_night(day, found_suffix=found)]
    assert values(settings, counted, "found-by-cause") == {"suffix": [0.0, 4.0, 7.0]}
    assert values(settings, counted, "found-by-sender") == {"KENT": [0.0, 4.0, 7.0]}
    assert gather_trends(settings, counted).first_found == 216


def test_verdicts_are_drawn_for_the_night_that_they_came_before(settings: Settings) -> None:
    days = [NIGHT + timedelta(days=n) for n in range(4)]
    counted = [one for day, said in zip(days, (5, 5, 9, 9), strict=True) for one in a_night(day, decisions_same=said)]
    assert values(settings, counted, "decisions")["same"] == [0.0, 0.0, 4.0, 0.0]


def test_many_nights_are_shown_by_month(settings: Settings) -> None:
    days = [date(2026, 1, 1) + timedelta(days=n) for n in range(NIGHTS_EACH + 1)]
    counted = [one for n, day in enumerate(days) for one in a_night(day, rejected_postcode=1, waiting_likely=n)]
    assert gather_trends(settings, counted).by == "month"
    assert values(settings, counted, "refused") == {"KENT": [31.0, 28.0, 4.0]}, "what happened is added up"
    assert values(settings, counted, "waiting")["likely"] == [30.0, 58.0, 62.0], "what stands is as it stood at the end"


def test_nights_of_two_years_are_told_apart(settings: Settings) -> None:
    counted = a_night(NIGHT) + a_night(NIGHT.replace(year=2027))
    assert gather_trends(settings, counted).charts[0].periods == ("20 Nov 2026", "20 Nov 2027")


def test_names_for_which_there_is_no_place_are_counted_together(settings: Settings) -> None:
    issuers = [replace(one, issuer=f"C{n:02}") for n in range(12) for one in a_night(NIGHT, rejected_town=n + 1)]
    shown = values(settings, issuers, "refused")
    assert list(shown) == ["C11", "C10", "C09", "C08", "C07", "C06", "others"]
    assert shown["others"] == [sum(range(1, 7))]


def test_bars_are_as_high_as_their_values() -> None:
    chart = Chart("k", "", "", "bars", ("a", "b"), (Series("one", (2.0, None)), Series("two", (4.0, 3.0))))
    drawing = draw(chart)
    foot, top = drawing.ticks[0], drawing.ticks[-1]
    of_one = (foot[0] - top[0]) / (top[1] - foot[1])
    assert [round(bar.height / of_one, 2) for bar in drawing.bars] == [2, 4, 3]
    assert foot[1] == 0 and top[1] >= 6
    first, second, _ = drawing.bars
    assert second.y + second.height == pytest.approx(first.y), "stacked"


def test_a_line_has_a_gap_where_nothing_is_known() -> None:
    drawing = draw(Chart("k", "", "", "lines", tuple("abcd"), (Series("one", (1.2, None, 1.1, 1.3)),), 1.0, 2))
    assert [len(path.points) for path in drawing.paths] == [1, 2]
    assert drawing.ticks[0][1] == 1.0 and drawing.ticks[-1][1] >= 1.3


def test_what_a_source_calls_itself_stays_text(settings: Settings) -> None:
    counted = [replace(one, issuer=HOSTILE, detail=one.detail and HOSTILE) for one in a_night(NIGHT, rejected_x=3)]
    page = Page(render_trends(gather_trends(settings, [*counted, *a_night(NIGHT)])))
    assert page.inline["script"] == [] and len(page.inline["style"]) == 1
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]


def test_every_chart_has_a_name_and_its_numbers_in_a_table(three_nights: Settings) -> None:
    with open_warehouse(three_nights) as warehouse:
        trends = gather_trends(three_nights, figures(warehouse))
    page = Page(render_trends(trends))
    drawn = [chart for chart in trends.charts if not chart.is_empty]
    assert [
        attributes.get("aria-labelledby")
        for tag, attributes in page.elements
        if tag == "svg" and attributes.get("role")
    ] == [f"{chart.key}-picture" for chart in drawn]
    assert sum(tag == "table" for tag, _ in page.elements) == len(drawn) + 1 > 5
    assert not [v for tag, a in page.elements for k, v in a.items() if k in {"src", "href"} and not v.startswith("#")]  # type: ignore[union-attr]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium, where it is installed."""
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as started:
        try:
            chromium = started.chromium.launch(args=["--no-sandbox"], executable_path=_CHROMIUM)
        except playwright.Error:
            pytest.skip("there is no Chromium")
        yield chromium
        chromium.close()


_CHROMIUM = "/usr/bin/chromium" if Path("/usr/bin/chromium").exists() else None


@pytest.mark.parametrize("width", [1280, 400])
def test_axe_finds_nothing_against_wcag(three_nights: Settings, browser: Any, width: int) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.goto((three_nights.reports / "trends.html").as_uri())
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert [(one["id"], one["nodes"][0]["html"]) for one in axe.run(page).response["violations"]] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
