"""The sample is the same every time, as hard as it says, and its truth is true."""

from __future__ import annotations

import csv
import hashlib
from collections import Counter
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from python_calamine import CalamineWorkbook
from stdnum.gb import nhs

from pipelines.match.roles import guess_roles
from pipelines.sample import SampleSummary, make_sample
from pipelines.sample.people import KINDS, Population, make_population

DAY = date(2026, 11, 20)
HEADINGS = {
    "purchase_orders": (
        "FileReference, Created, AuthorityCode, ProviderRef, ContractNumber, SocialServicesRef, NHSNumber, Title, "
        "Forename, Surname, Gender, DateOfBirth, Address1, Address2, Town, Postcode, Phone, PurchaseOrderNumber, "
        "LineNumber, ServiceType, StartDate, EndDate, WeeklyUnits, UnitOfMeasure, VisitMinutes, Carers, Rate, Status"
    ),
    "roster_clients": (
        "ClientID, SocialServicesRef, NHSNumber, Title, Forename, KnownAs, OtherNames, Surname, Gender, DateOfBirth, "
        "Address1, Address2, Town, County, Postcode, Phone, Mobile, Email, Branch, Area, StartDate, EndDate, Status, "
        "KeySafe, AccessDetails"
    ),
    "roster_visits": (
        "VisitID, ClientID, PurchaseOrderNumber, VisitDate, StartTime, PlannedMinutes, ActualStart, ActualMinutes, "
        "Carers, Status"
    ),
    "roster_enrolments": (
        "ClientID, ContractNumber, FundingType, CareBand, Contribution, KeyWorker, StartDate, EndDate"
    ),
}
Row = list[str]


def _grid(path: Path) -> list[Row]:
    """All rows of a file as text, whatever its habits."""
    if path.suffix == ".xlsx":
        return [
            [str(cell) for cell in row] for row in CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()
        ]
    encoding, delimiter = "utf-8-sig", ","
    if path.name.startswith("kent_"):
        encoding, delimiter = "cp1252", ";"
    elif path.name.startswith("leeds_"):
        delimiter = "\t"
    elif path.name.startswith("rosterly_"):
        encoding = "cp1252"
    with path.open(encoding=encoding, newline="") as file:
        return list(csv.reader(file, delimiter=delimiter))


def _table(path: Path) -> tuple[Row, list[Row]]:
    """The headings of a file and its rows, without what stands above the headings."""
    grid = _grid(path)
    top = next(number for number, row in enumerate(grid) if "Forename" in row or "ClientID" in row)
    return grid[top], grid[top + 1 :]


def _good_rows(path: Path) -> list[dict[str, str]]:
    """The rows that a careful reader would accept."""
    headings, rows = _table(path)
    needed = {"ClientID", "PurchaseOrderNumber"} if "_purchase_orders_" in path.name else {"ClientID"}
    good = []
    for row in rows:
        cells = dict(zip(headings, row, strict=False))
        whole = len(row) == len(headings)
        if (
            path.suffix == ".xlsx"
        ):  # a sheet is a rectangle: what is missing at the end is empty, what is too much is wide
            whole = cells["KeySafe"] != "" and "".join(row[len(headings) :]) == ""
        if whole and "31/02/2026" not in row and all(cells[name] for name in needed & set(headings)):
            good.append(cells)
    return good


def _files(out: Path, feed: str) -> list[Path]:
    return sorted((out / "inbox").rglob(f"*_{feed}_*"))


def _rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _hashes(out: Path) -> dict[str, str]:
    files = (path for path in sorted(out.rglob("*")) if path.is_file())
    return {str(path.relative_to(out)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, SampleSummary]:
    out = tmp_path_factory.mktemp("sample")
    return out, make_sample(out, clients=2_000, visits=6_000, seed=1)


@pytest.fixture(scope="module")
def two_nights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("two_nights")
    make_sample(out, clients=2_000, visits=6_000, seed=1, nights=2)
    return out


@pytest.fixture(scope="module")
def population() -> Population:
    return make_population(np.random.default_rng(1), 5_000, DAY)


@pytest.mark.parametrize("feed", HEADINGS)
def test_every_file_has_exactly_the_headings_of_its_feed(sample: tuple[Path, SampleSummary], feed: str) -> None:
    files = _files(sample[0], feed)
    assert files
    for path in files:
        headings, _ = _table(path)
        if path.name.startswith("kent_"):
            assert headings.pop() == "Phone", "Kent repeats a heading"
        assert headings == HEADINGS[feed].split(", ")


def test_the_same_arguments_give_the_same_bytes(sample: tuple[Path, SampleSummary], tmp_path: Path) -> None:
    again = make_sample(tmp_path, clients=2_000, visits=6_000, seed=1)
    assert _hashes(tmp_path) == _hashes(sample[0])
    assert again == sample[1]


def test_another_seed_gives_another_sample(sample: tuple[Path, SampleSummary], tmp_path: Path) -> None:
    make_sample(tmp_path, clients=2_000, visits=6_000, seed=2)
    mine, other = _hashes(sample[0]), _hashes(tmp_path)
    assert mine.keys() == other.keys()
    assert all(mine[name] != other[name] for name in mine)


@pytest.mark.parametrize("nights", ["sample", "two_nights"])
def test_the_truth_names_every_good_row_once_and_no_bad_one(nights: str, request: pytest.FixtureRequest) -> None:
    made = request.getfixturevalue(nights)
    out: Path = made if nights == "two_nights" else made[0]
    truth = [(row["feed"], row["issuer"], row["record_id"]) for row in _rows_of(out / "truth.csv")]
    in_files = {
        ("roster_clients", path.name.split("_")[0], row["ClientID"])
        for path in _files(out, "roster_clients")
        for row in _good_rows(path)
    } | {
        ("purchase_orders", row["AuthorityCode"], f"{row['PurchaseOrderNumber']}/{row['LineNumber']}")
        for path in _files(out, "purchase_orders")
        for row in _good_rows(path)
    }
    assert len(truth) == len(set(truth))
    assert set(truth) == in_files


def test_long_files_hold_a_bad_row(sample: tuple[Path, SampleSummary]) -> None:
    out, summary = sample
    bad = 0
    for feed in HEADINGS:
        for path in _files(out, feed):
            _, rows = _table(path)
            bad += (here := len(rows) - len(_good_rows(path)))
            assert here >= (len(rows) > 501), path.name
    assert bad == summary.bad_rows


def test_the_summary_counts_what_was_written(sample: tuple[Path, SampleSummary]) -> None:
    out, summary = sample
    records = _rows_of(out / "records.csv")
    holders = Counter(row["person_id"] for row in records)
    kinds = {row["person_id"]: row["kind"] for row in _rows_of(out / "truth.csv")}
    assert summary.people == 2_000 == len(kinds)
    assert {kinds[person] for person in kinds.keys() - holders.keys()} <= {"confusion"}, (
        "only a person whose every purchase order carries someone else's reference has no record of their own"
    )
    assert summary.records == len(records) == len({row["record_id"] for row in records})
    assert summary.duplicate_pairs == sum(count * (count - 1) // 2 for count in holders.values())
    assert 0.12 < summary.duplicate_pairs / summary.people < 0.35
    assert summary.files == sum(len(_files(out, feed)) for feed in HEADINGS)


def test_each_record_ends_with_the_truth_about_it(sample: tuple[Path, SampleSummary]) -> None:
    out, _ = sample
    truth_columns = ["person_id", "household_id", "kind"]
    truth = {
        f"{row['issuer']}:{row['record_id']}": [row[name] for name in truth_columns]
        for row in _rows_of(out / "truth.csv")
    }
    records = _rows_of(out / "records.csv")
    assert list(records[0])[-3:] == truth_columns
    assert all([row[name] for name in truth_columns] == truth[row["record_id"]] for row in records)
    assert not guess_roles(truth_columns), "the matcher takes none of them for something to compare"


def test_visits_are_counted_once_and_belong_to_roster_clients(two_nights: Path) -> None:
    seen: dict[str, set[str]] = {}
    for path in _files(two_nights, "roster_visits"):
        system = path.name.split("_")[0]
        clients = {row["ClientID"] for other in _files(two_nights, "roster_clients") for row in _good_rows(other)}
        for row in _good_rows(path):
            assert row["ClientID"] in clients
            assert (row["ActualStart"] != "") == (row["Status"] == "Completed")
            seen.setdefault(f"{system} {row['VisitID']}", set()).add(row["Status"])
    assert len(seen) == 6_000
    assert any(len(statuses) > 1 for statuses in seen.values()), "a later export brings some visits up to date"


def test_each_night_has_a_dated_folder_and_news(two_nights: Path) -> None:
    nights = sorted(path.name for path in (two_nights / "inbox").iterdir())
    assert nights == ["2026-11-19", "2026-11-20"]
    first, second = (
        {
            row["ClientID"]: row
            for row in _good_rows(
                two_nights / "inbox" / night / f"rosterly_roster_clients_{night.replace('-', '')}.csv"
            )
        }
        for night in nights
    )
    assert first.keys() < second.keys()
    assert any(first[client]["Phone"] != second[client]["Phone"] for client in first)
    orders = [
        {row["PurchaseOrderNumber"] for path in _files(two_nights, "purchase_orders") if night in str(path)
         for row in _good_rows(path)}
        for night in nights
    ]  # fmt: skip
    assert orders[1] & orders[0] and orders[1] - orders[0]


def test_the_hard_kinds_are_all_there(sample: tuple[Path, SampleSummary], population: Population) -> None:
    missing = set(KINDS) - sample[1].by_kind.keys()
    assert not missing
    shares = population.people["kind"].map(lambda kind: KINDS[kind]).value_counts(normalize=True)
    assert shares["couple"] == pytest.approx(0.16, abs=0.01)
    assert shares["care_home"] == pytest.approx(0.08, abs=0.02)
    assert shares["twin"] == pytest.approx(0.008, abs=0.002)
    assert shares["parent_and_child"] == pytest.approx(0.010, abs=0.002)
    assert shares["namesake"] == pytest.approx(0.02, abs=0.005)


def test_households_are_what_they_say(population: Population) -> None:
    people = population.people
    for kind in ("couple", "twin", "sibling", "parent_and_child"):
        for _, pair in people[people["kind"] == KINDS.index(kind)].groupby("household"):
            assert len(pair) == 2
            assert (pair["born"].nunique() == 1) == (kind == "twin") or kind == "couple"
            assert (pair["forename"].nunique() == 1) == (kind == "parent_and_child")
    residents = people[people["kind"] == KINDS.index("care_home")].groupby("household").size()
    assert residents.between(30, 50).all()


def test_every_nhs_number_is_valid_and_nobody_shares_one(population: Population) -> None:
    numbers = population.people["nhs_number"]
    assert numbers.is_unique
    assert all(nhs.is_valid(number) for number in numbers)


def test_names_are_as_varied_as_in_life(population: Population) -> None:
    people = population.people
    assert people["surname"].nunique() > 1_000
    assert people["forename"].value_counts(normalize=True).iloc[0] < 0.05
    assert 0.58 < people["female"].mean() < 0.66


def test_the_dirt_of_the_councils_is_in_their_files(sample: tuple[Path, SampleSummary]) -> None:
    essex, kent, leeds = (path for path in _files(sample[0], "purchase_orders"))
    assert essex.read_bytes().startswith(b"\xef\xbb\xbf")
    assert any("\n" in row["Address1"] for row in _good_rows(essex))
    assert any("£" in row["Rate"] and "," in row["Rate"] for row in _good_rows(essex))
    assert all(row["Surname"] == row["Surname"].upper() for row in _good_rows(kent))
    assert any(row["DateOfBirth"].isdigit() for row in _good_rows(leeds))
    assert "DateOfBirth" not in _grid(leeds)[0] + _grid(leeds)[1]


def test_money_is_what_home_care_costs(sample: tuple[Path, SampleSummary]) -> None:
    orders = [row for path in _files(sample[0], "purchase_orders") for row in _good_rows(path)]
    assert {row["UnitOfMeasure"] for row in orders} == {"Hours", "Visits", "Weeks"}
    for row in orders:
        rate, units = float(row["Rate"].strip("£").replace(",", "")), float(row["WeeklyUnits"])
        minutes = {"Hours": 60, "Visits": int(row["VisitMinutes"])}.get(row["UnitOfMeasure"])
        assert 17.9 < rate * 60 / minutes <= 32 if minutes else (950 <= rate < 1350 and units == 1)
        assert rate * units < 1350


def test_what_must_never_be_stored_can_be_searched_for(sample: tuple[Path, SampleSummary]) -> None:
    for path in _files(sample[0], "roster_clients"):
        for row in _good_rows(path):
            assert row["KeySafe"].startswith("KEYSAFE-")
            assert row["AccessDetails"].startswith("ACCESS-")


@pytest.mark.parametrize(
    ("clients", "visits", "nights", "says"),
    [(0, 1, 1, "at least one client"), (1, -1, 1, "visits=0"), (1, 1, 0, "nights=1")],
)
def test_impossible_numbers_are_refused(tmp_path: Path, clients: int, visits: int, nights: int, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        make_sample(tmp_path, clients=clients, visits=visits, seed=1, nights=nights)


def test_an_inbox_that_holds_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "inbox").mkdir()
    (tmp_path / "inbox" / "essex_purchase_orders_20261120.csv").write_text("")
    with pytest.raises(ValueError, match="not empty"):
        make_sample(tmp_path, clients=10, visits=10, seed=1)


@pytest.mark.parametrize("clients", [1, 2, 3, 10, 60])
def test_very_small_samples_can_be_made(tmp_path: Path, clients: int) -> None:
    assert make_sample(tmp_path, clients=clients, visits=5, seed=1, nights=2).people == clients
