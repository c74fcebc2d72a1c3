"""Whatever a page points at is there: another page, a heading, a picture, a file of the code."""

from __future__ import annotations

import re

import pytest
from the_pages import PAGES, ROOT, Page, in_repository


def lost(page: Page) -> list[str]:
    """The links of a page within the repository that lead nowhere."""
    found = []
    for link in page.links:
        if re.match(r"[a-z]+:", link):
            continue
        file, _, anchor = link.partition("#")
        there = (page.path.parent / file).resolve() if file else page.path
        name = there.relative_to(ROOT).as_posix()
        if not there.exists() or (anchor and anchor not in Page(name).anchors):
            found.append(link)
    return found


@pytest.mark.parametrize("name", PAGES)
def test_every_link_leads_somewhere(name: str) -> None:
    assert lost(Page(name)) == []


@pytest.mark.parametrize("name", [name for name in PAGES if name != "CHANGELOG.md"])
def test_every_file_of_ours_that_is_named_is_there(name: str) -> None:
    assert [code for code in Page(name).code if in_repository(code) and not (ROOT / code).exists()] == []


def test_every_page_can_be_reached_from_the_readme() -> None:
    seen, to_see = set(), ["README.md"]
    while to_see:
        page = Page(name := to_see.pop())
        seen.add(name)
        there = [(page.path.parent / link.partition("#")[0]).resolve() for link in page.links if ".md" in link]
        to_see += {
            one.relative_to(ROOT).as_posix() for one in there if one.is_relative_to(ROOT) and one.exists()
        } - seen
    assert [name for name in PAGES if name not in seen] == []


def test_every_picture_is_shown_somewhere() -> None:
    shown = {(Page(name).path.parent / link).resolve() for name in PAGES for link in Page(name).links}
    pictures = [*(ROOT / "docs" / "pictures").glob("*.png"), *(ROOT / "docs" / "pictures").glob("*.svg")]
    assert len(pictures) > 5 and [path.name for path in pictures if path not in shown] == []
    assert [path.name for path in pictures if path.stat().st_size > 200_000] == []


def test_a_lost_link_is_found(tmp_path: object) -> None:
    page = Page("README.md")
    page.__dict__["links"] = ["docs/analyst.md", "docs/nowhere.md", "#see-it-work", "#nowhere", "https://example.org/x"]
    assert lost(page) == ["docs/nowhere.md", "#nowhere"]
