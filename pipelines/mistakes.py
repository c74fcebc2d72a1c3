"""What is wrong with a settings file or a mapping, in the words of whoever wrote it: what it says, what it may say, and
what it is near to. A text is never quoted, since it may be a secret."""

from __future__ import annotations

import tomllib
from collections.abc import Collection
from difflib import get_close_matches
from pathlib import Path
from types import NoneType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic.fields import FieldInfo

_SHORT = 14  # names that one sentence can list
_NOT_WRITTEN = {"home", "name"}  # what a file is told by where it lies
_MOST_LINES = 2_000  # of a file whose lines are counted
_TEXT_BUT_NOT_SO = {"string_pattern_mismatch", "string_too_short", "string_too_long", "literal_error"}
_LIMITS = {"ge": "from", "gt": "above", "le": "to", "lt": "below"}


def first_mistake(error: ValidationError, model: type[BaseModel], *, what: str = "setting") -> str:
    """The first thing that is wrong, in a sentence without its full stop; ``what`` one entry is called."""
    problem = error.errors(include_url=False)[0]
    path = tuple(part for part in problem["loc"] if isinstance(part, str))
    named = ".".join(path) or "the file"
    if problem["type"] == "extra_forbidden":
        return _no_such(path, model, what)
    if problem["type"] == "value_error":
        return f"{named}: {problem['ctx']['error']}"
    field = _field(path, model)
    if problem["type"] == "missing":
        return f"{named} is missing" + (f"; it has to be {wanted(field)}" if field else "")
    if field is None:
        return f"{named}: {problem['msg']}"
    another = isinstance(problem["input"], str) and problem["type"] in _TEXT_BUT_NOT_SO
    written = "another text" if another else _kind(problem["input"])
    return f"{named} is {written}; it has to be {wanted(field)}"


def near(name: str, known: Collection[str]) -> str:
    """`` (did you mean X?)``, or nothing where nothing is near."""
    found = get_close_matches(name.lower(), sorted(known), n=1)
    return f" (did you mean {found[0]}?)" if found else ""


def line_of(error: ValidationError, text: str) -> int | None:
    """The line of a TOML file on which the first mistake stands; None where it cannot be told.

    It is the first line after the longest beginning of the file that is TOML and does not hold it yet.
    """
    path = [part for part in error.errors(include_input=False, include_url=False)[0]["loc"] if isinstance(part, str)]
    lines, before = text.split("\n"), 0
    if not path or len(lines) > _MOST_LINES:
        return None
    for number in range(1, len(lines) + 1):
        try:
            read = tomllib.loads("\n".join(lines[:number]))
        except tomllib.TOMLDecodeError:
            continue
        if _holds(read, path):
            return before + 1
        before = number
    return None


def _holds(read: Any, path: list[str]) -> bool:
    for part in path:
        if not isinstance(read, dict) or part not in read:
            return False
        read = read[part]
    return True


def _no_such(path: tuple[str, ...], model: type[BaseModel], what: str) -> str:
    *section, name = path
    inside = _model(tuple(section), model) or model
    known = [one for one, field in inside.model_fields.items() if not field.exclude and one not in _NOT_WRITTEN]
    said = f"there is no {what} {'.'.join(path)}{near(name, known)}"
    return said + (f"; there are {', '.join(known)}" if len(known) <= _SHORT else "")


def _field(path: tuple[str, ...], model: type[BaseModel]) -> FieldInfo | None:
    """The field that a path leads to; one of whose entries it names, if it leads into a table or list."""
    for at, name in enumerate(path):
        if name in model.model_fields:
            field = model.model_fields[name]
            inside = _model(path[: at + 1], model) if at == 0 else None
            if inside is None or at + 1 == len(path):
                return field
            return _field(path[1:], inside)
    return None


def _model(path: tuple[str, ...], model: type[BaseModel]) -> type[BaseModel] | None:
    """The section that a path leads to."""
    for name in path:
        field = model.model_fields.get(name)
        inside = field.annotation if field else None
        if not (isinstance(inside, type) and issubclass(inside, BaseModel)):
            return None
        model = inside
    return model


def wanted(field: FieldInfo) -> str:
    """What a field may be, with an example: ``a number above 0.5 and below 1, such as 0.99``."""
    default = None if field.is_required() else field.get_default(call_default_factory=True)
    example = field.examples[0] if field.examples else default
    such = "" if example in (None, "", (), {}) or isinstance(example, BaseModel) else f", such as {_toml(example)}"
    if field.description:
        return f"{field.description}{such}"
    annotation = field.annotation
    if get_origin(annotation) in {Union, type(int | None)}:
        annotation = next(one for one in get_args(annotation) if one is not NoneType)
    if get_origin(annotation) is Literal:
        return " or ".join(_toml(one) for one in get_args(annotation))
    kinds = {bool: "true or false", int: "a whole number", float: "a number", str: "a text in quotes"}
    kinds |= {Path: "a path in quotes", SecretStr: "a text in quotes"}
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "a section with lines of its own"
    kind = kinds.get(annotation, "a list" if get_origin(annotation) is tuple else "a table")  # type: ignore[arg-type]
    if annotation is bool:
        return kind
    limits = [
        f"{word} {getattr(limit, name):,}"
        for limit in field.metadata for name, word in _LIMITS.items() if hasattr(limit, name)
    ]  # fmt: skip
    joined = " and ".join(limits).replace(" and to ", " to ")
    if joined.startswith("from ") and " to " not in joined and " and " not in joined:
        joined += " up"
    return f"{kind} {joined}{such}" if joined else f"{kind}{such}"


def _kind(value: Any) -> str:
    """What something is that was written; of a text no more than that."""
    if isinstance(value, bool | int | float):
        return _toml(value)
    names = {str: "a text", list: "a list", tuple: "a list", dict: "a table", NoneType: "nothing"}
    return names.get(type(value), "a date or time")


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else f'"{value}"'
