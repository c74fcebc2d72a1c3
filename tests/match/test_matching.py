"""Matching, case by case: two records as two doors made them, and what the night may say of them.

All cases go through one real night, among some hundred other people, so that a common name is common. Each is two
records of the table ``CASES``: what both have, then what only the first and only the second says.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import pytest
from office import NIGHT, Office

from pipelines.doctor import examine
from pipelines.nightly import run_night
from pipelines.review.published import read_run
from pipelines.sample import make_sample
from pipelines.settings import load_settings

DAY_BEFORE = date(2026, 11, 19)
Tiers = Mapping[frozenset[str], str]
Scores = Mapping[frozenset[str], tuple[float, float, str]]

FOUND = ("near-certain", "likely", "possible")
WELL_FOUND = ("near-certain", "likely")
NOT_NEAR_CERTAIN = ("likely", "possible", None)
AT_MOST_POSSIBLE = ("possible", None)
NO_CANDIDATE = (None,)
ASLAM, LING, ELENA = ("Mohammed Aslam", "Mohammed Akram"), ("Siu Ling", "Siu Mei"), ("Maria Elena", "Maria Teresa")
ONE_BIRTH = ("30/11/1933", "30/11/1933")


@dataclass(frozen=True)
class Case:
    """Two records in the rostering system or, if ``ordered``, one there and one that a purchase order made."""

    about: str
    both: Mapping[str, str]
    first: Mapping[str, str]
    second: Mapping[str, str]
    may_be: tuple[str | None, ...]
    ordered: bool = True

    def __str__(self) -> str:
        return self.about


def _of_one_family(kind: str, names: tuple[str, str], births: tuple[str, str], surname: str, home: str) -> Case:
    """Two people of one home, or one person twice, whose given names are as said."""
    (first, second), (born, other), (address, postcode) = names, births, home.split(", ")
    return Case(
        f"{kind}: {first} and {second}",
        {"Surname": surname, "Gender": "F", "Address1": address, "Postcode": postcode},
        {"Forename": first, "DateOfBirth": born}, {"Forename": second, "DateOfBirth": other},
        WELL_FOUND if kind == "middle name" else AT_MOST_POSSIBLE,
    )  # fmt: skip


CASES = (
    _of_one_family("twins", ASLAM, ("11/06/1940", "11/06/1940"), "Barkhadle", "14 Wharf Side, DN1 3QX"),
    _of_one_family("twins", LING, ("02/12/1935", "02/12/1935"), "Cheungwah", "6 Hazel Grange, CT7 9PL"),
    _of_one_family("twins", ELENA, ("28/04/1947", "28/04/1947"), "Delgadoro", "81 Printer Street, SS2 4WE"),
    _of_one_family("a birth missing", ASLAM, ("23/09/1944", ""), "Quraishimov", "2 Ropewalk Yard, IP3 0AB"),
    _of_one_family("a birth missing", LING, ("19/01/1932", ""), "Ngaiyuet", "47 Signal Road, ME4 6TT"),
    _of_one_family("a birth missing", ELENA, ("05/07/1950", ""), "Vasconcelhos", "9 Bishop Fold, LS17 8RD"),
    _of_one_family("sisters", ASLAM, ("14/02/1938", "03/09/1940"), "Zubairzada", "33 Upper Green, CB9 2NY"),
    _of_one_family("sisters", LING, ("07/10/1943", "21/05/1946"), "Hohinlam", "118 Cinder Path, CM3 7GU"),
    _of_one_family("sisters", ELENA, ("30/03/1936", "12/11/1938"), "Figueiroz", "5 Lantern Court, TN4 8HJ"),
    _of_one_family("middle name", ("Mohammed", "Mohammed Zafar"), ONE_BIRTH, "Jafarpour", "70 Salt Quay, RM6 5BV"),
    _of_one_family("middle name", ("Siu Fong", "Siu"), ONE_BIRTH, "Tszkwan", "25 Clover Rise, NR5 1MK"),
    _of_one_family("middle name", ("Peggy Ann", "Margaret A"), ONE_BIRTH, "Wigglesworthy", "12 Vesper Close, DA9 4CF"),
    Case(
        "one person by two doors",
        {"Forename": "Wilfreda", "Surname": "Abernethy", "Gender": "F", "DateOfBirth": "02/05/1937",
         "Address1": "7 Tannery Row", "Postcode": "ME15 6QQ"},
        {}, {}, WELL_FOUND,
    ),
    Case(
        "a client who moved",
        {"Forename": "Rosalind", "Surname": "Featherstonehaugh", "Gender": "F", "DateOfBirth": "14/02/1938"},
        {"Address1": "3 Mill Lane", "Postcode": "CO4 3SQ"},
        {"Address1": "Flat 9, 12 Harbour Street", "Postcode": "CT5 1AQ"},
        FOUND,
    ),
    Case(
        "Peggy on the roster, Margaret on the order",
        {"Surname": "Okonedo", "Gender": "F", "DateOfBirth": "21/07/1941", "Address1": "18 Chapel Hill",
         "Postcode": "CM1 2QT"},
        {"Forename": "Peggy"}, {"Forename": "Margaret"}, WELL_FOUND,
    ),
    Case(
        "forename and surname swapped",
        {"Gender": "M", "DateOfBirth": "30/11/1933", "Address1": "4 Orchard View", "Postcode": "SS9 2BT"},
        {"Forename": "Leopold", "Surname": "Marchbanks"}, {"Forename": "Marchbanks", "Surname": "Leopold"}, FOUND,
    ),
    Case(
        "day and month swapped",
        {"Forename": "Cuthbert", "Surname": "Twelvetrees", "Gender": "M", "Address1": "61 Station Road",
         "Postcode": "DA1 5PR"},
        {"DateOfBirth": "04/08/1936"}, {"DateOfBirth": "08/04/1936"}, FOUND,
    ),
    Case(
        "one NHS number, one name, births unknown",
        {"Forename": "Philippa", "Surname": "Quartermaine", "Gender": "F", "NHSNumber": "943 476 5919"},
        {"Address1": "2 Kiln Close"}, {"Address1": "85 London Road"}, FOUND,
    ),
    Case(
        "a couple at one address",
        {"Surname": "Penhallow", "Address1": "22 Quay Street", "Postcode": "CO7 9AA", "Phone": "01206 123456"},
        {"Forename": "Edmund", "Gender": "M", "DateOfBirth": "03/03/1935"},
        {"Forename": "Harriet", "Gender": "F", "DateOfBirth": "19/10/1937"},
        AT_MOST_POSSIBLE,
    ),
    Case(
        "a couple whose births nobody wrote down",
        {"Surname": "Tresilian", "Address1": "9 Ferry Lane", "Postcode": "CO5 7XB", "Phone": "01206 654321"},
        {"Forename": "George", "Gender": "M"}, {"Forename": "Georgina", "Gender": "F"}, AT_MOST_POSSIBLE,
    ),
    Case(
        "twins",
        {"Surname": "Casterbridge", "Gender": "F", "DateOfBirth": "11/06/1940", "Address1": "5 Barn Croft",
         "Postcode": "LS8 4DH", "Phone": "0113 496 0123"},
        {"Forename": "Dorothea"}, {"Forename": "Millicent"}, NOT_NEAR_CERTAIN,
    ),
    Case(
        "twins with like names",
        {"Surname": "Winterbourne", "Gender": "M", "DateOfBirth": "27/01/1939", "Address1": "30 Abbey Walk",
         "Postcode": "LS6 2NT"},
        {"Forename": "Ronald"}, {"Forename": "Donald"}, NOT_NEAR_CERTAIN,
    ),
    Case(
        "twins whose names are one name spelt in two ways",
        {"Surname": "Ravenscroft", "Gender": "M", "DateOfBirth": "05/07/1948", "Address1": "35 Clements Mews",
         "Postcode": "TN23 8FZ", "Phone": "01233 496022"},
        {"Forename": "Antony"}, {"Forename": "Anthony"}, NOT_NEAR_CERTAIN,
    ),
    Case(
        "a father and a son of one name",
        {"Forename": "Barnaby", "Surname": "Hollingworth", "Gender": "M", "Address1": "Rook Farm",
         "Postcode": "ME17 4JH", "Phone": "01622 555777"},
        {"DateOfBirth": "08/12/1931"}, {"DateOfBirth": "25/05/1961"}, NOT_NEAR_CERTAIN,
    ),
    Case(
        "two residents of one care home",
        {"Gender": "F", "Address1": "The Larches Care Home", "Address2": "Spital Road", "Postcode": "CM9 6EG",
         "Phone": "01621 850850"},
        {"Forename": "Agnes", "Surname": "Umfreville", "DateOfBirth": "17/09/1930"},
        {"Forename": "Constance", "Surname": "Babbington", "DateOfBirth": "01/04/1942"},
        NO_CANDIDATE,
    ),
    Case(
        "one name and birth date, two valid NHS numbers",
        {"Forename": "Isadora", "Surname": "Pettigrew", "Gender": "F", "DateOfBirth": "16/03/1944",
         "Address1": "11 Priory Gate", "Postcode": "TN9 1RA"},
        {"NHSNumber": "9434765870"}, {"NHSNumber": "9876543210"}, AT_MOST_POSSIBLE,
    ),
    Case(
        "two ids of one person in one rostering system",
        {"Forename": "Thaddeus", "Surname": "Ormerod", "Gender": "M", "DateOfBirth": "09/09/1932",
         "Address1": "1 Weir Cottages", "Postcode": "CT12 5ES"},
        {}, {}, WELL_FOUND, ordered=False,
    ),
)  # fmt: skip


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """Every case and some hundred other people, in one night."""
    office = Office(tmp_path_factory.mktemp("matching") / "home")
    _other_people(office)
    _first_records(office)
    _second_records(office)
    run_night(office.settings, office.settings.inbox, NIGHT)
    return office


@pytest.fixture(scope="module")
def tiers(office: Office) -> Tiers:
    return {pair: tier for pair, (*_, tier) in _scores(office).items()}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_case(case: Case, office: Office, tiers: Tiers) -> None:
    first, second = (office.record_of(record) for record in _record_ids(case))
    assert first != second, "linked by reference, so that there is nothing to match"
    assert tiers.get(frozenset((first, second))) in case.may_be


def test_no_case_is_a_candidate_with_another(office: Office, tiers: Tiers) -> None:
    case_of = {office.record_of(record): case for case in CASES for record in _record_ids(case)}
    mixed = [pair for pair in tiers if len({str(case_of.get(ref)) for ref in pair}) > 1 and pair & case_of.keys()]
    assert mixed == []


def test_a_candidate_stands_once_with_the_same_id_whichever_record_came_first(office: Office) -> None:
    ids = office.rows(
        "select candidate_id, least(left_id, right_id), greatest(left_id, right_id) from matched.candidates"
    )
    assert len({i for i, *_ in ids}) == len({tuple(pair) for _, *pair in ids}) == len(ids)


def test_night_by_night_is_the_same_as_all_at_once(office: Office, tmp_path_factory: pytest.TempPathFactory) -> None:
    """With one pinned model: new records, and one corrected, in the second night; compared by readable id."""
    home = tmp_path_factory.mktemp("incremental") / "home"
    pinned = office.one("select distinct model_version from matched.candidates")
    shutil.copytree(office.settings.models, home / "models")
    (home / "settings.toml").write_text(f'[match]\nmodel = "{pinned}"\n')
    by_night = Office(home, DAY_BEFORE)
    _other_people(by_night)
    _first_records(by_night)
    run_night(by_night.settings, by_night.settings.inbox, DAY_BEFORE)
    _second_records(by_night)
    second = run_night(by_night.settings, by_night.settings.inbox, NIGHT)
    assert second.matching.model_version == pinned
    assert 0 < second.matching.scored_again < second.matching.records / 10
    assert _scores(by_night) == _scores(office)


def test_a_night_without_news_scores_nothing_again(office: Office) -> None:
    before = _scores(office)
    again = run_night(load_settings(office.settings.home), office.settings.inbox, NIGHT)
    assert again.matching.scored_again == 0
    assert _scores(office) == before


def _scores(office: Office) -> Scores:
    return {
        frozenset((left, right)): (round(probability, 9), round(weight, 9), tier)
        for left, right, probability, weight, tier in office.rows(
            "select l.client_ref, r.client_ref, match_probability, match_weight, tier from matched.candidates as c"
            " join staged.client_ids as l on l.client_id = c.left_id"
            " join staged.client_ids as r on r.client_id = c.right_id"
        )
    }


def _record_ids(case: Case) -> tuple[str, str]:
    number = CASES.index(case) + 1
    return f"CASE{number}", f"PO{number}/1" if case.ordered else f"CASE{number}B"


def _other_people(office: Office) -> None:
    """Seven hundred records, enough to learn from."""
    make_sample(office.settings.home, clients=600, visits=0, seed=7)


def _first_records(office: Office) -> None:
    """What is delivered on the day before: the first record of each case, that of the first case mistyped."""
    people = [{**case.both, **case.first, "ClientID": f"CASE{n}"} for n, case in enumerate(CASES, 1)]
    people[0] |= {"Surname": "Somebody", "DateOfBirth": "01/02/1950"}
    office.clients(*people, system="cases", on="20261119")


def _second_records(office: Office) -> None:
    """What is delivered on the night: the second records, and the first case's first one put right."""
    right = {**CASES[0].both, **CASES[0].first, "ClientID": "CASE1"}
    people = [{**case.both, **case.second} for case in CASES]
    rostered = [{**p, "ClientID": f"CASE{n}B"} for n, p in enumerate(people, 1) if not CASES[n - 1].ordered]
    ordered = [
        {**p, "PurchaseOrderNumber": f"PO{n}", "LineNumber": "1", "StartDate": "01/11/2026"}
        for n, p in enumerate(people, 1)
        if CASES[n - 1].ordered
    ]
    office.clients(right, *rostered, system="cases", on="20261120")
    office.orders(*ordered, council="norfolk", on="20261120")


def test_the_model_says_how_good_it_is_and_shows_it(office: Office) -> None:
    version = office.one("select distinct model_version from matched.candidates")
    folder = office.settings.models / version
    quality = json.loads((folder / "model.json").read_text())["quality"]["near-certain"]
    assert quality["pairs"] > 0
    assert quality["numbers_agree"] is None or quality["numbers_agree"] > 0.9
    charts = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.html")}
    assert charts.keys() == {"match_weights.html", "m_u_parameters.html", "reliability.html"}
    assert not [name for name, page in charts.items() if re.search(r'<(script|link)[^>]+(src|href)="http', page)]


def test_a_register_unlike_the_trained_one_asks_for_training_in_the_report_and_to_the_doctor(
    office: Office, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A model that was trained on one small file is pinned, and then the whole register comes in."""
    home = tmp_path_factory.mktemp("grown") / "home"
    small = Office(home, DAY_BEFORE)
    _first_records(small)
    first = run_night(small.settings, small.settings.inbox, DAY_BEFORE)
    assert first.matching.train_again == []
    _other_people(small)
    grown = run_night(small.settings, small.settings.inbox, NIGHT)
    assert any("has grown from" in reason for reason in grown.matching.train_again)
    assert read_run(small.settings, NIGHT).train_again == tuple(sorted(grown.matching.train_again))
    (finding,) = (finding for finding in examine(small.settings) if finding.check == "model holds")
    assert not finding.well
