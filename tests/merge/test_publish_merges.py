"""What is published after a merge: what the preview promised, what staff still have to do, and that nothing is lost."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from office import client
from openpyxl import load_workbook
from the_merges import (
    ANN,
    ANN_ORDERS,
    BEA,
    BEA_TOO,
    CAT,
    CAT_ORDERS,
    CAT_TOO,
    DOT,
    DOT_TOO,
    MOVE_ORDERS,
    NOVEMBER,
    OCTOBER,
    Provider,
    of,
)

from pipelines.decisions.statement import Choices
from pipelines.merge import publish
from pipelines.merge.case import Case
from pipelines.merge.commands import apply, undo
from pipelines.merge.plan import sides
from pipelines.merge.preview import Entry, preview
from pipelines.merge.publish import FILES, publish_merges
from pipelines.merge.run import MergeStoppedError, sign_off
from pipelines.merge.selection import Selection
from pipelines.publishing import versions
from pipelines.quality import TableGateError
from pipelines.settings import ReportSettings
from pipelines.stage.register import NoRegisterError
from pipelines.warehouse import open_warehouse

ONE_CAT: dict[str, Any] = {
    "references": {"careplan": "C1"}, "enrolments": {"HC-24": CAT_TOO}, "aliases": "keep", "survivor": CAT,
}  # fmt: skip
STANDS = {"stays", "moves"}


def merged(provider: Provider) -> Path:
    """Everybody of the first night who is there twice is merged, and it is published."""
    provider.decides(f"{BEA} {BEA_TOO}", survivor=BEA)
    provider.decides(f"{ANN} {ANN_ORDERS}", survivor=ANN, **MOVE_ORDERS)
    provider.decides(f"{CAT} {CAT_TOO}", **ONE_CAT)
    provider.decides(f"{DOT} {DOT_TOO}", survivor=DOT)
    return published(provider)


def published(provider: Provider, **selected: Any) -> Path:
    return Path(_apply(provider, **selected).published or "")


def _apply(provider: Provider, **selected: Any) -> Any:
    return apply(provider.settings, Selection(**selected), who="Sam", reason="", progress=lambda *_: None)


def lines(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def golden(folder: Path) -> dict[str, dict[str, Any]]:
    return {row["client_ref"]: row for row in pq.read_table(folder / "golden_clients.parquet").to_pylist()}


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


class TestAllAtOnce:
    def test_every_file_behind_one_link_that_can_be_moved_with_the_home(self, provider: Provider) -> None:
        link = merged(provider)
        assert link == provider.settings.published / "current"
        assert sorted(contents(link)) == sorted(FILES)
        assert not link.readlink().is_absolute()

    def test_the_same_contents_are_the_same_version_and_nothing_is_written(self, provider: Provider) -> None:
        first = merged(provider).resolve()
        written = {path: path.stat().st_mtime_ns for path in first.iterdir()}
        assert publish_merges(provider.settings).resolve() == first
        assert {path: path.stat().st_mtime_ns for path in first.iterdir()} == written

    def test_merged_anew_from_the_same_home_it_is_the_same_bytes(self, provider: Provider) -> None:
        link = merged(provider)
        before = contents(link)
        for path in link.resolve().iterdir():
            path.unlink()
        assert contents(publish_merges(provider.settings)) == before

    def test_a_crash_leaves_what_was_published_before(
        self, provider: Provider, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        link = merged(provider)
        before, target = contents(link), link.resolve()
        provider.undo()
        with monkeypatch.context() as broken:
            broken.setattr(publish, "write_sheet", _fail)
            with pytest.raises(OSError, match="No space"):
                publish_merges(provider.settings)
        assert (contents(link), link.resolve()) == (before, target)
        publish_merges(provider.settings)
        assert lines(link, "crosswalk") == []
        assert contents(target) == before

    def test_a_table_that_fails_its_suite_is_not_published(self, provider: Provider) -> None:
        link = merged(provider)
        before = contents(link)
        with open_warehouse(provider.settings) as warehouse:
            warehouse.execute("update merged.ledger set checksum_after = 'another'")
        with pytest.raises(TableGateError, match=r"merged\.reconciliation failed its checks: before equals after"):
            publish_merges(provider.settings)
        assert contents(link) == before

    def test_before_the_first_night_there_is_nothing_to_publish(self, tmp_path: Path) -> None:
        with pytest.raises(NoRegisterError):
            publish_merges(Provider(tmp_path / "new").settings)

    def test_a_run_that_was_stopped_has_changed_who_counts_for_whom(self, provider: Provider) -> None:
        provider.decides(f"{BEA} {BEA_TOO}", survivor=BEA)
        sign_off(provider.settings, Selection(), who="Sam", door="dag")
        provider.decides(f"{BEA} {BEA_TOO}", "different", who="Lee")
        with pytest.raises(MergeStoppedError):
            published(provider)
        assert [row["client_ref"] for row in lines(provider.settings.published / "current", "crosswalk")] == [BEA_TOO]


class TestCrosswalk:
    def test_who_counts_for_whom_since_which_sign_off(self, provider: Provider) -> None:
        folder = merged(provider)
        rows = lines(folder, "crosswalk")
        assert {row["client_ref"]: row["survivor_ref"] for row in rows} == {
            ANN_ORDERS: ANN, BEA_TOO: BEA, CAT_TOO: CAT, DOT_TOO: DOT,
        }  # fmt: skip
        assert {row["signed_by"] for row in rows} == {"Sam"}
        assert {row["signed_in"] for row in rows} == {"5"}
        assert pq.read_table(folder / "crosswalk.parquet").num_rows == 4

    def test_of_a_chain_each_names_the_merge_that_merged_it_away(self, provider: Provider) -> None:
        provider.decides(f"{BEA} {BEA_TOO}", survivor=BEA)
        published(provider)
        provider.decides(f"{BEA} {DOT}", survivor=DOT)
        rows = {row["client_ref"]: row for row in lines(published(provider), "crosswalk")}
        assert {ref: (row["survivor_ref"], row["merge_id"]) for ref, row in rows.items()} == {
            BEA: (DOT, of(f"{BEA} {DOT}")), BEA_TOO: (DOT, of(f"{BEA} {BEA_TOO}")),
        }  # fmt: skip

    def test_undone_it_is_empty_and_every_record_is_a_client_again(self, provider: Provider) -> None:
        before = golden(publish_merges(provider.settings))
        merged(provider)
        told = undo(provider.settings, None, who="Kim", reason="", progress=lambda *_: None)
        assert lines(Path(told.published or ""), "crosswalk") == []
        assert golden(Path(told.published or "")) == before


class TestGoldenClients:
    @pytest.mark.parametrize("aliases", ["keep", "drop"])
    @pytest.mark.parametrize(
        ("pair", "survivor", "choices"),
        [
            (f"{ANN} {ANN_ORDERS}", ANN, MOVE_ORDERS),
            (f"{ANN} {ANN_ORDERS}", ANN_ORDERS, {}),
            (f"{BEA} {BEA_TOO}", BEA, {}),
            (f"{BEA} {BEA_TOO}", BEA_TOO, {}),
            (f"{CAT} {CAT_TOO}", CAT, ONE_CAT),
            (f"{CAT} {CAT_TOO}", CAT_TOO, ONE_CAT),
            (f"{CAT} {CAT_ORDERS}", CAT, MOVE_ORDERS),
            (f"{DOT} {DOT_TOO}", DOT, {}),
        ],
    )
    def test_a_golden_client_is_what_the_preview_promised(
        self, provider: Provider, pair: str, survivor: str, choices: dict[str, Any], aliases: str
    ) -> None:
        said = {**choices, "aliases": aliases, "survivor": survivor}
        promised = dict(promises(provider, pair, said))
        provider.decides(pair, **said)
        row = golden(published(provider))[survivor]
        assert row["client_refs"] == [survivor, *(ref for ref in pair.split() if ref != survivor)]
        assert has(row) == promised

    def test_there_is_a_row_for_every_live_client_and_none_for_a_merged_away_one(self, provider: Provider) -> None:
        rows = golden(merged(provider))
        assert set(rows) == {ANN, BEA, CAT, CAT_ORDERS, DOT}
        assert rows[CAT_ORDERS]["merge_ids"] == []

    def test_every_contact_says_who_gave_it(self, provider: Provider) -> None:
        row = golden(merged(provider))[BEA]
        assert [contact["from_refs"] for contact in row["contacts"]] == [[BEA, BEA_TOO]]

    def test_a_partial_merge_says_how_many_visits_are_left_behind(self, provider: Provider) -> None:
        provider.decides(f"{BEA} {BEA_TOO}", survivor=BEA)
        row = golden(published(provider, from_on=OCTOBER, to_on=NOVEMBER))[BEA]
        assert (row["past_visits"] + row["upcoming_visits"], row["visits_left_behind"]) == (8, 2)


def promises(provider: Provider, pair: str, said: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """What the preview of a merge says that the single record will be."""
    with open_warehouse(provider.settings) as warehouse, warehouse.rehearsal():
        records = sides(warehouse, provider.day, [(ref, ref) for ref in pair.split()])
    case = Case(tuple(records[ref] for ref in sorted(pair.split())), Choices(**said))
    shown = {line.kind: line.entries for line in preview(case, said["survivor"]).lines}

    def stand(kind: str) -> list[Entry]:
        return [entry for entry in shown.get(kind, ()) if entry.fate in STANDS]

    yield "upcoming_visits", sum(record.upcoming_visits for record in case.records)
    yield "past_visits", sum(record.past_visits for record in case.records)
    yield "active_orders", sum(len(record.active_orders) for record in case.records)
    yield "weekly_pence", sum(record.weekly_pence for record in case.records)
    yield "enrolments", len(stand("Enrolments"))
    yield "contacts", sorted(entry.value for entry in shown.get("Contacts", ()))
    yield "aliases", sorted(entry.value for entry in stand("Aliases"))
    yield "live", sorted(e.value for e in stand("References") if e.detail.endswith("live"))
    yield "references", sorted(entry.value for entry in shown.get("References", ()))
    names = {entry.field: entry.value for entry in stand("Profile")}
    yield "name", (names.get("Forename"), names.get("Surname"))


def has(row: dict[str, Any]) -> dict[str, Any]:
    """The same of a golden client."""
    counts = {name: row[name] for name in ("upcoming_visits", "past_visits", "active_orders", "weekly_pence")}
    labels = {f"{one['issuer'].upper()} {one['number']}": one["standing"] for one in row["references"]}
    return counts | {
        "enrolments": len(row["enrolments"]),
        "contacts": sorted(contact["value"] for contact in row["contacts"]),
        "aliases": sorted(alias["name"] for alias in row["aliases"]),
        "live": sorted(label for label, standing in labels.items() if standing == "live"),
        "references": sorted(labels),
        "name": (row["forename"], row["surname"]),
    }


class TestWorklist:
    def test_a_row_for_each_record_that_goes_in_the_order_of_the_waves(self, provider: Provider) -> None:
        rows = lines(merged(provider), "worklist")
        assert [(row["position"], row["wave"], row["from_ref"], row["into_ref"]) for row in rows][:1] == [
            ("1", "empty", DOT_TOO, DOT)
        ]
        assert [row["wave"] for row in rows] == ["empty", "no money", "no money", "money"]
        assert rows[3]["from_ref"] == ANN_ORDERS

    def test_what_to_enter_to_check_and_to_choose(self, provider: Provider) -> None:
        rows = {row["from_ref"]: row for row in lines(merged(provider), "worklist")}
        bea, ann, cat = rows[BEA_TOO], rows[ANN_ORDERS], rows[CAT_TOO]
        assert (bea["first_visit_on"], bea["last_visit_on"], bea["visits"]) == ("2026-09-15", "2026-12-05", "4")
        assert (bea["from_name"], bea["into_name"]) == ("Beatrice Bell", "Bea Bell")
        assert bea["order_check"].startswith("No order")
        assert ann["orders_to_move"] == "KENT PO1/1"
        assert ann["references_to_carry"] == "KENT 111"
        assert cat["former_references"] == "CAREPLAN C2"
        assert "Enrolments on HC-24: of the record that goes." in cat["to_choose"]
        assert "Other names: keep." in cat["to_choose"]
        assert {row["still_on_the_books"] for row in rows.values()} == {"yes", "not on a roster"}

    def test_the_workbook_holds_the_same_with_room_to_tick_off(self, provider: Provider) -> None:
        folder = merged(provider)
        sheet = load_workbook(folder / "worklist.xlsx").active
        assert sheet is not None
        heading, *rows = sheet.iter_rows(values_only=True)
        assert heading[-2:] == ("Done by", "Done on")
        assert [row[6] for row in rows] == [row["from_ref"] for row in lines(folder, "worklist")]


def test_a_support_case_for_each_reference_that_is_stuck_on_an_inactive_record(provider: Provider) -> None:
    rows = lines(merged(provider), "support_cases")
    assert {(row["reference"], row["standing"], row["from_ref"], row["into_ref"]) for row in rows} == {
        ("KENT 111", "live", ANN_ORDERS, ANN),
        ("ROSTERLY B2", "live", BEA_TOO, BEA),
        ("CAREPLAN C2", "former", CAT_TOO, CAT),
        ("ROSTERLY D2", "live", DOT_TOO, DOT),
    }
    assert all(row["to_ask"] for row in rows)


def test_every_partition_is_after_what_it_was_before_and_all_that_came_in_counts_for_somebody(
    provider: Provider,
) -> None:
    provider.decides(f"{BEA} {BEA_TOO}", survivor=BEA)
    rows = lines(published(provider, from_on=OCTOBER, to_on=NOVEMBER), "reconciliation")
    assert [(row["partition"], row["visits"], row["equal"]) for row in rows if row["line"] == "moved"] == [
        ("2026-10-01", "1", "yes"), ("current", "1", "yes"),
    ]  # fmt: skip
    visits = {row["line"]: row["visits"] for row in rows if row["line"] != "moved"}
    assert visits == {
        "came in for all records": "13", "came in for live records": "9", "came in for merged-away records": "4",
        "count for all records": "13", "count for live records": "11", "count for merged-away records": "2",
    }  # fmt: skip
    assert {row["equal"] for row in rows} == {"yes", ""}


HOSTILE = "=HYPERLINK(0)"


def test_nothing_in_it_is_a_formula(provider: Provider) -> None:
    provider.clients(
        client("H1", Surname="Hale", Forename=HOSTILE, Status="Active"),
        client("H2", Surname="Hale", Forename="@SUM(A1)"),
    )
    provider.night()
    provider.decides("careplan/H1 careplan/H2", survivor="careplan/H1", references={"careplan": "H1"})
    folder = published(provider)
    (row,) = lines(folder, "worklist")
    assert (row["into_name"], row["from_name"]) == (f"'{HOSTILE} Hale", "'@SUM(A1) Hale")
    for name in FILES:
        if name.endswith(".csv"):
            cells = [cell for line in lines(folder, Path(name).stem) for cell in line.values()]
            assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    sheet = load_workbook(folder / "worklist.xlsx").active
    assert sheet is not None
    assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"s", "n"}
    assert golden(folder)["careplan/H1"]["forename"] == HOSTILE


def test_masked_it_may_leave_the_building(provider: Provider) -> None:
    merged(provider)
    masked = provider.settings.model_copy(update={"report": ReportSettings(mask=True)})
    folder = publish_merges(masked)
    texts = b"".join(path.read_bytes() for path in folder.glob("*.csv")).decode()
    for told in ("Archer", "Beatrice", "Kitty", "1941-03-12", "01206 555111", "CO4 3SQ"):
        assert told not in texts
    rows = pq.read_table(folder / "golden_clients.parquet").to_pylist()
    assert {one["forename"] for one in rows} == {"A•••", "B•••", "C•••", "D•••"}
    assert {one["born_on"] for one in rows} == {"••• 1941"}
    assert len(lines(folder, "golden_clients")) == 5


def test_half_a_version_is_never_shown(tmp_path: Path) -> None:
    link = tmp_path / "current"
    versions.publish_version(link, "one", ["a", "b"], lambda folder: [_write(folder, name) for name in "ab"] and None)
    with pytest.raises(OSError, match="No space"):
        versions.publish_version(link, "two", ["a", "b"], lambda folder: _write(folder, "a") or _fail())
    assert link.resolve().name == "one"


def _write(folder: Path, name: str) -> None:
    (folder / name).write_text(name, encoding="utf-8")


def _fail(*_: object, **__: object) -> None:
    raise OSError("No space left on device")
