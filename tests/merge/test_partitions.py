"""A partition is one transaction: rows count for whom they should, the ledger says so, and nothing else has changed."""

from __future__ import annotations

from datetime import date

import pytest
from the_merges import BEA, BEA_TOO, NOVEMBER, OCTOBER, Provider

from pipelines.merge import partitions
from pipelines.merge.partitions import CURRENT, ConservationError, Partition
from pipelines.merge.run import Run, open_run, sign_off
from pipelines.merge.selection import Selection
from pipelines.settings import Settings, load_settings

LEDGER = "select partition_name, visits, visit_minutes, signed_by from merged.ledger order by from_on nulls first"


def signed(provider: Provider, **selected: date) -> int:
    """Bea's two records are to be one; what is of today or to come has moved."""
    provider.decides(f"{BEA} {BEA_TOO}", survivor=BEA)
    number = sign_off(provider.settings, Selection(**selected), who="Sam", door="cli")
    assert number is not None
    return number


def cut_by(provider: Provider, partition: str) -> Settings:
    (provider.settings.home / "settings.toml").write_text(f'[merge]\npartition = "{partition}"\n')
    return load_settings(provider.settings.home)


@pytest.mark.parametrize(
    ("partition", "starts"),
    [
        ("week", ["2026-09-14", "2026-10-12", "2026-11-09"]),
        ("month", ["2026-09-01", "2026-10-01", "2026-11-01"]),
        ("quarter", ["2026-07-01", "2026-10-01"]),
        ("year", ["2026-01-01"]),
    ],
)
def test_visits_of_the_past_are_parted_by_date(provider: Provider, partition: str, starts: list[str]) -> None:
    number = signed(provider)
    with open_run(cut_by(provider, partition), number) as run:
        found = run.partitions()
        assert [one.name for one in found] == starts
        assert found[-1].to_on is not None and found[-1].to_on <= date(2026, 11, 21)
        for one in reversed(found):
            run.move(one)
        assert run.partitions() == []
        run.finish()
    assert provider.visits_of(BEA_TOO) == ""


def test_a_range_cuts_a_partition(provider: Provider) -> None:
    """From 15 October until before 10 November: Bea's visit of that day stays."""
    number = signed(provider, from_on=date(2026, 10, 15), to_on=date(2026, 11, 10))
    with open_run(provider.settings, number) as run:
        assert [(one.from_on, one.to_on) for one in run.partitions()] == [(date(2026, 10, 15), NOVEMBER)]


def test_each_partition_has_its_line_in_the_ledger(provider: Provider) -> None:
    provider.decides(f"{BEA} {BEA_TOO}", survivor=BEA)
    provider.apply(to_on=NOVEMBER)
    assert provider.rows(LEDGER) == [
        (CURRENT, 1, 30, "Sam"), ("2026-09-01", 1, 30, "Sam"), ("2026-10-01", 1, 30, "Sam"),
    ]  # fmt: skip
    assert provider.rows("select distinct checksum_before = checksum_after from merged.ledger") == [(True,)]


def test_a_partition_again_moves_nothing_and_writes_no_second_line(provider: Provider) -> None:
    number = signed(provider)
    october = Partition(OCTOBER, NOVEMBER)
    with open_run(provider.settings, number) as run:
        assert [run.move(october).rows["visits"] for _ in range(3)] == [1, 0, 0]
        run.begin()
    assert provider.rows(LEDGER) == [(CURRENT, 1, 30, "Sam"), ("2026-10-01", 1, 30, "Sam")]


def test_what_is_to_come_moves_at_once_and_nothing_new_lands_on_the_merged_away_record(provider: Provider) -> None:
    signed(provider, from_on=OCTOBER, to_on=NOVEMBER)
    assert provider.visits_of(BEA_TOO) == "B2-SEP B2-OCT B2-NOV"
    assert provider.hangs_on(BEA_TOO) == {"visits": 3}


def test_a_partition_in_which_anything_else_changes_is_not_kept(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = signed(provider)
    before = provider.fingerprint()

    def move_and_round(query: partitions._Query, warehouse: object) -> None:
        query.table, table = "staged.visits", query.table
        real_move(query, warehouse)
        run.warehouse.execute("update staged.visits set planned_minutes = 45 where planned_minutes = 30")
        query.table = table

    real_move = partitions._Query.move
    monkeypatch.setattr(partitions._Query, "move", move_and_round)
    with open_run(provider.settings, number) as run, pytest.raises(ConservationError, match="Nothing of the partition"):
        run.move(Partition(OCTOBER, NOVEMBER))
    assert provider.fingerprint() == before


def test_killed_before_the_commit_neither_row_nor_line_is_kept(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = signed(provider)
    before = provider.fingerprint()

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("pipelines.merge.run.write_ledger", stop)
    with open_run(provider.settings, number) as run, pytest.raises(KeyboardInterrupt):
        run.move(Partition(OCTOBER, NOVEMBER))
    assert provider.fingerprint() == before
    assert isinstance(run, Run)
