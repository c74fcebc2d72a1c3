"""Files damaged on the way: each is refused in a sentence, or read to the last row.

Nothing crashes, nothing is lost, no good file waits for a bad one, and nothing outside the home is touched.
"""

from __future__ import annotations

import re
import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from hypothesis import given, target
from hypothesis import strategies as st
from office import CLIENT_HEADINGS, Office, client, table

from pipelines.ingest.fields import read_file
from pipelines.ingest.refusal import FileRefusedError
from pipelines.ingest.table import Contents
from pipelines.ingest.unknown import read_first_rows
from pipelines.match.labelled import load_labelled
from pipelines.settings import IngestSettings, SettingsError, load_settings
from pipelines.sources import load_sources, source_for
from pipelines.sources.heading_words import heading_vocabulary
from pipelines.sources.suggest import suggest_mapping
from pipelines.warehouse import scratch_warehouse
from tests.trust import hostile
from tests.trust.hostile import BUILT_IN, CLIENT_BOOK, ROOT, SECRET, VISITS, cases, everything_in

README = (ROOT / "README.md").read_text(encoding="utf-8")
MAPPINGS = (ROOT / "docs" / "mappings.md").read_text(encoding="utf-8")
MAPPING = re.search(r"```yaml\n(.*?)```", MAPPINGS, re.DOTALL)[1]  # type: ignore[index]
SETTINGS = re.sub(r"^# (?=\w+ =)", "", re.search(r"```toml\n(.*?)```", README, re.DOTALL)[1], flags=re.MULTILINE)  # type: ignore[index]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("desk")


@pytest.fixture(autouse=True)
def _quiet_zip() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Duplicate name")
        yield


def read(path: Path, data: bytes) -> Contents | None:
    """The contents of a file, or None if it was refused, in words that quote no cell."""
    path.write_bytes(data)
    source = source_for(path.name, BUILT_IN)
    assert source is not None
    try:
        contents = read_file(path, source, IngestSettings())
    except FileRefusedError as refusal:
        assert SECRET not in str(refusal)
        return None
    numbers = [*contents.rows.column("row_number").to_pylist(), *(row.row_number for row in contents.broken)]
    assert len(set(numbers)) == len(numbers)
    assert all(number > contents.header.row for number in numbers)
    target(float(len(numbers)))
    return contents


class TestAnyDamage:
    """Properties of every reader, over files that were good before."""

    @cases(50, 7_000)
    @given(feed=hostile.feed_texts())
    def test_a_csv_feed(self, desk: Path, feed: tuple[str, bytes]) -> None:
        name, data = feed
        contents = read(desk / name, data)
        if contents is None or contents.layout is None or b'"' in data:
            return
        delimiter, width = contents.layout.delimiter, len(contents.header.headings)
        lines = re.split("\r\n|\n|\r", data.decode(contents.layout.encoding, "replace"))[contents.header.last_line :]
        filled = [
            line for line in lines if line.strip(delimiter if line.count(delimiter) + 1 == width else delimiter + '" ')
        ]
        assert contents.rows.num_rows + len(contents.broken) == len(filled)

    @cases(40, 5_000)
    @given(book=hostile.damaged_books(CLIENT_BOOK))
    def test_a_workbook_feed(self, desk: Path, book: bytes) -> None:
        read(desk / "careplan_roster_clients_1.xlsx", book)
        assert not Path("/oneclient-was-here").exists()

    @cases(30, 3_000)
    @given(mapping=hostile.damaged_settings(MAPPING))
    def test_a_source_mapping(self, desk: Path, mapping: bytes) -> None:
        folder = desk / "sources"
        folder.mkdir(exist_ok=True)
        (folder / "acme.yaml").write_bytes(mapping)
        try:
            source = load_sources(folder)[0]
        except SettingsError:
            return
        assert source.issuer_of_file("acme_clients_1.csv").isprintable()
        assert Path(source.name).name == source.name
        VISITS.encode(source.encoding or "utf-8")

    @cases(30, 3_000)
    @given(written=hostile.damaged_settings(SETTINGS))
    def test_the_settings(self, desk: Path, written: bytes) -> None:
        home = desk / "home"
        home.mkdir(exist_ok=True)
        (home / "settings.toml").write_bytes(written)
        try:
            found = load_settings(home)
        except SettingsError:
            return
        assert found.home == home.resolve()
        assert found.config_hash()

    @cases(30, 2_500)
    @given(
        feed=st.one_of(
            hostile.feed_texts(), hostile.damaged_books(CLIENT_BOOK).map(lambda book: ("clients.xlsx", book))
        )
    )
    def test_a_file_to_map(self, desk: Path, feed: tuple[str, bytes]) -> None:
        path = desk / feed[0]
        path.write_bytes(feed[1])
        try:
            first = read_first_rows(path, heading_vocabulary(), IngestSettings())
        except FileRefusedError:
            return
        values = {heading: first.column(place) for place, heading in enumerate(first.headings)}
        suggestion = suggest_mapping(path, values, BUILT_IN)
        assert yaml.safe_load(suggestion.mapping)["feed"] == suggestion.feed

    @cases(3, 400)
    @given(accidents=st.lists(hostile.damages(b"\n", b",", b'"'), max_size=3))
    def test_a_labelled_file(self, desk: Path, accidents: list[hostile.Damage]) -> None:
        people = table(
            ["person", *CLIENT_HEADINGS], [{**client(f"C{n}", Forename=SECRET), "person": n // 2} for n in range(6)]
        )
        path = desk / "labelled.csv"
        path.write_bytes(hostile.spoilt(people.encode(), accidents))
        home = load_settings(desk / "empty")
        try:
            with scratch_warehouse(home) as scratch:
                load_labelled(scratch, home, path, None, ["person"])
        except SettingsError as refusal:
            assert SECRET not in str(refusal) or SECRET in path.read_text("utf-8", "replace").splitlines()[0]

    @cases(2, 150)
    @given(feed=hostile.feed_texts(), book=hostile.damaged_books(CLIENT_BOOK))
    def test_a_night_with_a_good_file_beside(
        self, tmp_path_factory: pytest.TempPathFactory, feed: tuple[str, bytes], book: bytes
    ) -> None:
        box = tmp_path_factory.mktemp("box")
        (box / "outside").write_text("not ours")
        before = everything_in(box, but=box / "home")
        office = Office(box / "home")
        office.deliver(*feed)
        office.deliver("lost_roster_clients_1.xlsx", book)
        office.deliver("zz_roster_enrolments_9.csv", "ClientID,ContractNumber\nC1,K-7\n")
        *bad, good = office.land_all()
        assert (good.status, good.rows_loaded) == ("loaded", 1)
        for landing in bad:
            assert landing.rows_read == landing.rows_loaded + landing.rows_rejected
            assert SECRET not in str(landing.as_dict())
            if landing.status == "loaded":
                for kept, rows in ((landing.feed, landing.rows_loaded), ("rejected_rows", landing.rows_rejected)):
                    assert office.one(f"select count(*) from raw.{kept} where file_id = $f", f=landing.file_id) == rows
        assert everything_in(box, but=box / "home") == before
        shutil.rmtree(box)
