"""Night after night: only news is written, and nothing that fails its checks."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd
import pytest
from office import Office, client, enrolment, order, visit

from pipelines import quality
from pipelines.quality import TableGateError, check
from pipelines.sample import make_sample

TOMORROW = date(2026, 11, 21)


def a_small_register(office: Office) -> None:
    office.clients(
        *(client(f"C{n}", SocialServicesRef=str(n), Phone=f"01206 12345{n}", KnownAs="Annie") for n in range(5))
    )
    office.orders(*(order(f"PO{n}", SocialServicesRef=str(n), ContractNumber="K-1") for n in range(5)))
    office.enrolments(*(enrolment(f"C{n}", "K-1") for n in range(4)))
    office.visits(*(visit(f"V{n}", f"C{n}") for n in range(4)))
    office.night()


def test_a_night_without_files_writes_nothing(office: Office) -> None:
    a_small_register(office)
    before = office.state()
    staging = office.night(TOMORROW)
    assert (staging.files, staging.written, staging.new_clients) == (0, {}, {})
    assert office.state() == before


def test_one_changed_phone_writes_that_client_alone(office: Office) -> None:
    a_small_register(office)
    changed = [
        client(f"C{n}", SocialServicesRef=str(n), Phone=f"01206 12345{n if n != 3 else 9}", KnownAs="Annie")
        for n in range(5)
    ]
    office.clients(*changed, on="20261121")
    staging = office.night(TOMORROW)
    assert {table: rows for table, rows in staging.written.items() if rows} == {
        "staged.source_records": 1,
        "staged.clients": 1,
        "staged.contacts": 2,  # the new number in, the old one out
    }
    assert staging.new_clients == {}


def test_everything_exported_again_writes_nothing(office: Office, tmp_path: Any) -> None:
    """Of a whole sample: the same rows under new dates, so that no file is the same."""
    make_sample(tmp_path / "sample", clients=40, visits=100, seed=2)
    for again in (False, True):
        for path in (tmp_path / "sample/inbox").iterdir():
            if path.suffix == ".csv":
                name = path.name.replace("20261120", "20261121") if again else path.name
                text = path.read_bytes()
                mark = b"\t" if path.name.startswith("leeds") else b";" if path.name.startswith("kent") else b","
                blank_row = mark * text.splitlines()[-1].count(mark) + b"\r\n"
                stamped = text.replace(b"20261120", b"20261121") + blank_row
                office.deliver(name, stamped if again else text)
        staging = office.night(TOMORROW if again else None)
    assert staging.files > 0
    assert {table: rows for table, rows in staging.written.items() if rows} == {}
    assert staging.new_clients == {}


def test_a_table_that_fails_its_checks_leaves_the_register_as_it_was(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_small_register(office)
    before = office.state("staged")
    office.clients(client("C9"), on="20261121")
    strict = [
        {
            "type": "expect_column_values_to_be_in_set",
            "kwargs": {"column": "gender", "value_set": ["M"]},
            "meta": {"why": "everybody is a man"},
        }
    ]
    suite = quality._suite

    def with_a_strict_check(table: str) -> dict[str, Any]:
        return {"name": table, "expectations": strict} if table == "staged.clients" else suite(table)

    with monkeypatch.context() as patched:
        patched.setattr(quality, "_suite", with_a_strict_check)
        with pytest.raises(TableGateError, match=r"staged\.clients failed its checks: everybody is a man"):
            office.night(TOMORROW)
    assert office.state("staged") == before
    assert office.night(TOMORROW).files == 1
    assert "C9" in office.linked()


@pytest.mark.parametrize("missing", [{"column": "no_such_column"}, {"column_list": ["gender", "no_such_column"]}])
def test_an_expectation_that_cannot_be_evaluated_counts_as_failed(
    office: Office, monkeypatch: pytest.MonkeyPatch, missing: dict[str, Any]
) -> None:
    kind = "expect_column_values_to_not_be_null" if "column" in missing else "expect_compound_columns_to_be_unique"
    suite = {
        "name": "staged.clients",
        "expectations": [{"type": kind, "kwargs": missing, "meta": {"why": "it is there"}}],
    }
    monkeypatch.setattr(quality, "_suite", lambda _: suite)
    gate = check("staged.clients", pd.DataFrame({"gender": ["F"]}), "clients")
    assert not gate.success
    assert "it is there" in gate.failures()
    assert "could not be evaluated" in gate.failures()


def test_a_suite_that_names_a_missing_column_stops_the_night(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    suite = quality._suite
    broken = {
        "name": "staged.visits",
        "expectations": [
            {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": column}, "meta": {}}
            for column in ("visit_id", "colour")
        ],
    }
    monkeypatch.setattr(quality, "_suite", lambda table: broken if table == "staged.visits" else suite(table))
    office.visits(visit("V1", "C1"))
    with pytest.raises(TableGateError, match=r"staged\.visits"):
        office.night()
    assert office.state("staged").get("staged.visits", []) == []


def test_what_a_gate_tells_quotes_no_cell() -> None:
    rows = pd.DataFrame({"client_id": [1], "client_ref": ["Archer"], "survivor_id": [1], "gender": ["Archer"]})
    told = str(check("staged.clients", rows, "clients").as_dict())
    assert "gender is F, M or unknown" in told
    assert "Archer" not in told


def test_a_council_learnt_a_night_late_is_known_as_if_all_files_had_come_together(office: Office) -> None:
    clients = "ClientID,SocialServicesRef,Forename,Surname\n1,0123456,Jean,Smith\n"
    enrolments = "ClientID,ContractNumber,StartDate\n1,ESSEX-HC,2026-01-01\n"
    orders = (
        "AuthorityCode,ContractNumber,SocialServicesRef,Forename,Surname,PurchaseOrderNumber,LineNumber,StartDate\n"
        "ESSEX,ESSEX-HC,7777777,Peter,Jones,PO1,1,2026-01-01\n"
    )
    office.deliver("careplan_roster_clients_20261119.csv", clients)
    office.deliver("careplan_roster_enrolments_20261119.csv", enrolments)
    office.night(date(2026, 11, 19))
    assert office.rows("select council from staged.clients where forename = 'Jean'") == [(None,)]
    office.deliver("essex_purchase_orders_20261120.csv", orders)
    office.night(date(2026, 11, 20))
    assert office.rows("select council from staged.clients where forename = 'Jean'") == [("ESSEX",)]
    assert office.rows("select issuer from staged.references where reference = '0123456'") == [("ESSEX",)]
