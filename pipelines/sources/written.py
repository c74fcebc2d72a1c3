"""YAML as people write mappings: plain, one meaning a line. What multiplies, repeats or runs code is refused."""

from __future__ import annotations

import re
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from pipelines.settings import SettingsError

MOST_BYTES = 1 << 20


class _Plain(yaml.SafeLoader):
    """Without aliases, which a few lines of can multiply without end, and without a key that stands twice.

    Yes, No, On and Off are words, as in YAML 1.2: they are headings and statuses of sources.
    """

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(problem="an alias stands here: write out what it stands for", problem_mark=mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        if twice := next((key for key in keys if keys.count(key) > 1), None):
            raise yaml.MarkedYAMLError(problem=f"{twice!r} stands twice", problem_mark=node.start_mark)
        return super().construct_mapping(node, deep)


_Plain.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Plain.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"true|True|TRUE|false|False|FALSE"), list("tTfF"))


def yaml_of(text: str) -> Any:
    """What a text says that oneclient itself wrote, read as a mapping's file is."""
    return yaml.load(text, _Plain)  # noqa: S506 - a safe loader, made stricter


def read_yaml(path: Path, what: str) -> Any:
    """What a small YAML file says; ``what`` it is (``source mapping``) is for the errors.

    Raises SettingsError for what is no file, too large, nested without end, or not plain YAML.
    """
    named = f"{what} {ascii(path.name)[1:-1]}"
    if not path.is_file():
        raise SettingsError(
            f"{named} is not a file that can be read. Put the file itself there, or remove it.", code="S2"
        )
    if path.stat().st_size > MOST_BYTES:
        raise SettingsError(
            f"{named} is larger than {MOST_BYTES >> 20} MB, so it is none. Remove it and run again.", code="S2"
        )
    try:
        return yaml_of(path.read_text(encoding="utf-8-sig"))
    except RecursionError:
        raise SettingsError(f"{named} is nested far too deep to be one. Correct it and run again.", code="S2") from None
    except (yaml.YAMLError, ValueError, OverflowError, AttributeError, TypeError) as error:
        raise SettingsError(f"{named} is not valid YAML: {error}", code="S2") from error
