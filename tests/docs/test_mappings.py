"""The page on mappings names every field that a mapping can name."""

from __future__ import annotations

import re

from pipelines.feeds import FEEDS
from tests.docs.the_pages import Page


def test_the_table_of_fields_has_those_of_each_feed_in_bold_where_required() -> None:
    lines = re.findall(r"^\| `(\w+)` \| (.+) \|$", Page("docs/mappings.md").text, re.MULTILINE)
    told = {feed: fields for feed, fields in lines if feed in FEEDS}
    assert told == {
        feed.name: ", ".join(f"**`{field.name}`**" if field.required else f"`{field.name}`" for field in feed.fields)
        for feed in FEEDS.values()
    }
