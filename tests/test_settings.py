"""A mistake in settings.toml is told in words: the line, the setting, what stands there and what may stand there."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel

from pipelines.mistakes import wanted
from pipelines.settings import Settings, SettingsError, load_settings
from pipelines.sources import Source


def refused(home: Path, text: str) -> str:
    (home / "settings.toml").write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as told:
        load_settings(home)
    return str(told.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[match]\nlikly = 0.9\n", "line 2: there is no setting match.likly (did you mean likely?); there are model"),
        ("[reprot]\nmask = true\n", "line 1: there is no setting reprot (did you mean report?); there are provider"),
        ("# mine\n\n[match]\nseed = 1\nlikely = 2\n", "line 5: match.likely is 2; it has to be a number"),
        ("[match]\nlikely = 2\n", "above 0.5 and below 1, such as 0.99. Correct it"),
        ("[warehouse]\nthreads = 'four'\n", "line 2: warehouse.threads is a text; it has to be a whole number"),
        ("[warehouse]\nthreads = 1.5\n", "warehouse.threads is 1.5; it has to be a whole number from 1 to 256"),
        ("[warehouse]\nmemory_limit = '4'\n", "is another text; it has to be a number with its unit (KB"),
        ("[match]\nengine = 'duck'\n", 'match.engine is another text; it has to be "duckdb" or "spark".'),
        ("[report]\nmask = 'maybe'\n", "report.mask is a text; it has to be true or false."),
        ("[retention]\nraw_days = 0\n", "retention.raw_days is 0; it has to be a whole number from 1 up, such as 730."),
        ("provider = ['a']\n", 'provider is a list; it has to be a text in quotes, such as "Home-care provider".'),
        ("match = 3\n", "line 1: match is 3; it has to be a section with lines of its own."),
        ("[metrics]\nfile = 2026-11-20\n", "metrics.file is a date or time; it has to be a path in quotes."),
        ("[spark.conf]\n'spark.x' = 3\n", "line 2: spark.conf.spark.x is 3; it has to be properties of Spark"),
        ("timezone = 'Mars'\n", "line 1: timezone: there is no such time zone; write it like Europe/London."),
        ("[match]\nlikely = 0.999\nnear_certain = 0.9\n", "line 1: match: likely promises more than near_certain"),
        ("provider = ", "not valid TOML"),
    ],
)  # fmt: skip
def test_a_mistake_is_told(tmp_path: Path, text: str, said: str) -> None:
    assert said in refused(tmp_path, text)


def test_it_is_on_the_line_where_a_long_value_begins(tmp_path: Path) -> None:
    said = refused(tmp_path, '[report]\n\nmask = """\nno\nand no\n"""\ncandidates = 3\n')
    assert said.startswith("settings.toml, line 3: report.mask is a text;")


@pytest.mark.parametrize("text", ["[decisions]\nurl = ['hush']\n", "password = 'hush'\n", "[match]\nengine = 'hush'\n"])
def test_what_may_be_a_secret_is_not_quoted(tmp_path: Path, text: str) -> None:
    assert "hush" not in refused(tmp_path, text)


def test_nothing_near_is_not_guessed(tmp_path: Path) -> None:
    assert "did you mean" not in refused(tmp_path, "colour = 1\n")


@pytest.mark.parametrize(
    "name", [f"{section}.{name}" for section, part in Settings.model_fields.items()
             if hasattr(part.default, "model_fields") for name in type(part.default).model_fields],
)  # fmt: skip
def test_no_setting_is_answered_in_a_library_s_language(tmp_path: Path, name: str) -> None:
    section, _, key = name.partition(".")
    said = refused(tmp_path, f"[{section}]\n{key} = [[]]\n")
    assert f"line 2: {name} is a list; it has to be " in said


@pytest.mark.parametrize("model", [Settings, Source])
def test_what_a_field_may_be_is_told_in_our_words(model: type[BaseModel]) -> None:
    told = [wanted(field) for field in model.model_fields.values()]
    assert all(told)
    assert [one for one in told if "Undefined" in one] == []
