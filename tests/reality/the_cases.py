"""Cases of real senders' files: each a folder with made-up files of one to three nights, and what must hold afterwards.

``CLASS/NAME/case.toml`` says it in plain words: ``title`` and ``why``, then ``[[map]]`` (files that ``oneclient map``
describes first), ``[[nights]]`` (a day, the folder of its files, and ``mappings`` if the source mappings change then)
and ``[[checks]]``. A check ``say``s what must hold, and is one of:

| check | holds if |
| --- | --- |
| ``sql`` with ``equals`` or ``equals_any`` | the query gives these rows; a null is ``""``, a date or time ISO text |
| ``file_status`` | each named file ended with this status, or one of these |
| ``reason_names`` | the reason of a held file has these words |
| ``not_in_any_staged_text`` | these words are in no text column of ``staged`` |
| ``told`` | these words are in what the night reports: ledger, rejected rows, unread values, report |
| ``confusion``, ``no_confusion`` | the report lists the pairs with these surnames as a confusion; it lists none |
| ``arrive`` with ``least`` | this share of the people of a CSV file is in ``staged.clients`` |
"""

from __future__ import annotations

import csv
import json
import shutil
import tomllib
from collections.abc import Iterator
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from pipelines import nightly
from pipelines.cli import main
from pipelines.settings import load_settings
from pipelines.warehouse import Warehouse, open_warehouse

Check = dict[str, Any]
BALANCE: Check = {
    "say": "Rows read are rows loaded and rows rejected, in every file",
    "sql": "select file_name from raw.files where status = 'loaded' and rows_read <> rows_loaded + rows_rejected",
    "equals": [],
}
OF_THE_REPORT = {"told", "confusion", "no_confusion"}


class Case:
    """One case with a home of its own, in which its nights are run."""

    def __init__(self, folder: Path, work: Path) -> None:
        self.folder = folder
        self.case = tomllib.loads((folder / "case.toml").read_text("utf-8"))
        self.settings = load_settings(work / "home")

    def run(self) -> None:
        """Write the mappings, then run the nights: matching and the report only where a check looks at them."""
        self._mappings(self.case.get("mappings"))
        for asked in self.case.get("map", []):
            words = [str(self.folder / asked["file"]), "--issuer", asked["issuer"], "--write", asked["write"]]
            done = CliRunner().invoke(main, ["map", "--home", str(self.settings.home), *words])
            assert done.exit_code == 0, done.output
        for night in self.case["nights"]:
            self._mappings(night.get("mappings"))
            self._night(date.fromisoformat(night["day"]), self.folder / night["inbox"])
        if any(OF_THE_REPORT & check.keys() for check in self.case["checks"]):
            nightly.match(self.settings, self.last_day)
            nightly.report(self.settings, self.last_day)

    @property
    def last_day(self) -> date:
        """The day of the last night."""
        return date.fromisoformat(self.case["nights"][-1]["day"])

    def failures(self) -> list[str]:
        """What does not hold, in the words of the case, and what was found instead."""
        with open_warehouse(self.settings) as warehouse:
            found = [(check["say"], self._failure(warehouse, check)) for check in [BALANCE, *self.case["checks"]]]
        return [f"{say}: {failure}" for say, failure in found if failure]

    def _mappings(self, folder: str | None) -> None:
        for file in sorted((self.folder / folder).glob("*.yaml")) if folder else []:
            self.settings.sources.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, self.settings.sources / file.name)

    def _night(self, day: date, files: Path) -> None:
        inbox = self.settings.inbox / day.isoformat()
        inbox.mkdir(parents=True)
        for file in files.iterdir():
            shutil.copyfile(file, inbox / file.name)
        nightly.land(self.settings, self.settings.inbox, day, *nightly.find_deliveries(self.settings.inbox, day))
        nightly.stage(self.settings, day)

    def _failure(self, warehouse: Warehouse, check: Check) -> object:
        (kind,) = {"sql", "file_status", "reason_names", "not_in_any_staged_text", "told", "confusion", "no_confusion",
                   "arrive"} & check.keys()  # fmt: skip
        return getattr(self, f"_{kind}")(warehouse, check)

    def _sql(self, warehouse: Warehouse, check: Check) -> object:
        found = [[_plain(cell) for cell in row] for row in warehouse.rows(check["sql"])]
        wanted = [check["equals"]] if "equals" in check else check["equals_any"]
        return None if found in wanted else f"found {found}"

    def _file_status(self, warehouse: Warehouse, check: Check) -> object:
        found = dict(warehouse.rows("select file_name, status from raw.files order by landed_at"))
        wanted = {name: [one] if isinstance(one, str) else one for name, one in check["file_status"].items()}
        return {name: found.get(name) for name in wanted if found.get(name) not in wanted[name]} or None

    def _reason_names(self, warehouse: Warehouse, check: Check) -> object:
        held = "select file_name, lower(reason) from raw.files where status <> 'loaded' order by landed_at"
        found = dict(warehouse.rows(held))
        return {
            name: found.get(name)
            for name, words in check["reason_names"].items()
            if not all(word.lower() in (found.get(name) or "") for word in words)
        } or None

    def _not_in_any_staged_text(self, warehouse: Warehouse, check: Check) -> object:
        columns = warehouse.rows(
            "select table_name, column_name from information_schema.columns where table_schema = 'staged'"
            " and data_type = 'VARCHAR' and column_name not like '%as_sent%' and table_name <> 'standard_forms'"
        )
        return [
            f"{word} in {table}.{column}"
            for word in check["not_in_any_staged_text"]
            for table, column in columns
            if warehouse.rows(
                f'select 1 from staged."{table}" where contains("{column}", $word) limit 1', {"word": word}
            )
        ] or None

    def _told(self, warehouse: Warehouse, check: Check) -> object:
        tables = ("files", "rejected_rows", "unread_values")
        text = [repr(warehouse.rows(f"select * exclude (file_id) from raw.{table}")) for table in tables]
        text += [file.read_text("utf-8") for file in self.settings.quarantine.rglob("*.json")]
        text += [
            f.read_text("utf-8") for f in self.settings.reports.rglob("*") if f.suffix in {".json", ".html", ".md"}
        ]
        said = "\n".join(text).lower()
        return [word for word in check["told"] if word.lower() not in said] or None

    def _confusion(self, warehouse: Warehouse, check: Check) -> object:
        listed = self._confusions(warehouse)
        return [pair for pair in check["confusion"] if tuple(sorted(set(pair))) not in listed] or None

    def _no_confusion(self, warehouse: Warehouse, check: Check) -> object:
        return sorted(self._confusions(warehouse)) or None

    def _confusions(self, warehouse: Warehouse) -> set[tuple[str, ...]]:
        surname = dict(warehouse.rows("select client_ref, lower(coalesce(surname, '')) from staged.clients"))
        return {
            tuple(sorted({surname[one["left_ref"]], surname[one["right_ref"]]}))
            for file in (self.settings.reports / self.last_day.isoformat()).rglob("*.json")
            for said in [json.loads(file.read_text("utf-8"))]
            if isinstance(said, dict)
            for one in said.get("confusions", [])
        }

    def _arrive(self, warehouse: Warehouse, check: Check) -> object:
        with (self.folder / check["arrive"]).open(encoding="utf-8", newline="") as file:
            wanted = [
                (
                    one["forename"].lower(),
                    one["surname"].lower(),
                    one["born_on"],
                    one["postcode"].replace(" ", "").upper(),
                )
                for one in csv.DictReader(file)
            ]
        found = {
            tuple(row)
            for row in warehouse.rows(
                "select lower(forename), lower(surname), born_on::varchar, upper(replace(postcode, ' ', ''))"
                " from staged.clients"
            )
        }
        missing = [one for one in wanted if one not in found]
        enough = len(wanted) - len(missing) >= check["least"] * len(wanted)
        return None if enough else f"{len(missing)} of {len(wanted)} are missing, such as {missing[:2]}"


def cases(folder: Path) -> Iterator[Path]:
    """The folders of all cases, in order."""
    return (file.parent for file in sorted(folder.glob("*/*/case.toml")))


def _plain(value: object) -> object:  # noqa: PLR0911 - a table of cases
    match value:
        case None:
            return ""
        case bool():
            return value
        case int() | float() | Decimal():
            number = float(value)
            return int(number) if number.is_integer() else round(number, 6)
        case datetime() if value.time() == time():
            return value.date().isoformat()
        case date() | time():
            return value.isoformat()
        case list() | tuple():
            return [_plain(one) for one in value]
        case _:
            return str(value)
