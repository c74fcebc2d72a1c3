"""The documentation as a reader's forge parses it: links, headings, code, tables."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[2]
PAGES = [
    *sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md")),
    "README.md",
    "CHANGELOG.md",
    "benchmarks/README.md",
]
_NOT_IN_ANCHORS = str.maketrans("", "", string.punctuation.replace("-", "").replace("_", "") + "…–—’“”·")
_MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])


@dataclass(frozen=True)
class Cells:
    """One row of a table: the text of each cell, and what stands in it as code."""

    texts: tuple[str, ...]
    code: tuple[str, ...]


class Page:
    """One Markdown file of the repository."""

    def __init__(self, name: str) -> None:
        self.path = ROOT / name
        self.text = self.path.read_text(encoding="utf-8")
        self.tokens = _MARKDOWN.parse(self.text)

    @cached_property
    def links(self) -> list[str]:
        """Where its links and pictures lead."""
        return [
            str(token.attrs.get("href") or token.attrs.get("src"))
            for token in self._inline()
            if token.type in {"link_open", "image"}
        ]

    @cached_property
    def code(self) -> list[str]:
        """What stands in it between backticks."""
        return [token.content for token in self._inline() if token.type == "code_inline"]

    @cached_property
    def anchors(self) -> set[str]:
        """The names of its headings, as forges make them: a heading that comes again gets a number."""
        seen: Counter[str] = Counter()
        found = set()
        for before, heading in zip(self.tokens, self.tokens[1:], strict=False):
            if before.type == "heading_open":
                words = "".join(one.content for one in heading.children or [] if one.type in {"text", "code_inline"})
                name = words.strip().lower().translate(_NOT_IN_ANCHORS).replace(" ", "-")
                found.add(f"{name}-{seen[name]}" if seen[name] else name)
                seen[name] += 1
        return found

    def fence(self, info: str) -> str:
        """The one block of code that is marked so."""
        (block,) = [token.content for token in self.tokens if token.type == "fence" and token.info == info]
        return block

    def table_after(self, comment: str) -> list[Cells]:
        """The rows of the first table below a comment, its heading left out."""
        begins = next(
            n for n, one in enumerate(self.tokens) if one.type == "html_block" and f"<!-- {comment}" in one.content
        )
        rows: list[list[Token]] = []
        for token in self.tokens[begins:]:
            if token.type == "tr_open":
                rows.append([])
            elif token.type == "inline" and rows:
                rows[-1].append(token)
            elif token.type == "table_close":
                break
        return [
            Cells(
                tuple(cell.content for cell in row),
                tuple(one.content for cell in row for one in cell.children or [] if one.type == "code_inline"),
            )
            for row in rows[1:]
        ]

    def _inline(self) -> Iterator[Token]:
        for token in self.tokens:
            yield from token.children or []


def in_repository(code: str) -> bool:
    """Whether what stands as code names a file or folder of ours."""
    return bool(re.fullmatch(r"(?:benchmarks|dags|docs|expectations|pipelines|plugins|sql|tests)/[\w./-]*", code))
