"""`oneclient map` alone, on layouts that it has never seen: then a night, and nine of ten people arrive."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from office import Office
from the_layouts import LAYOUTS, Layout, Person, call_monitoring, commissioned_services, payments

from pipelines.cli import main
from pipelines.feeds import FEEDS

LEAST = 0.9


def oneclient(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments])


def mapped(office: Office, file: Path, issuer: str) -> Result:
    """What `oneclient map FILE --issuer X --write NAME` says."""
    return oneclient("map", file, "--issuer", issuer, "--write", issuer.lower(), "--home", office.settings.home)


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_nine_of_ten_people_arrive(office: Office, layout: Layout) -> None:
    ran = mapped(office, office.deliver(layout.file_name, layout.content), layout.issuer)
    assert ran.exit_code == 0, ran.output
    office.night()
    assert office.rows("select status, reason from raw.files") == [("loaded", None)]
    found = office.rows("select forename, surname, born_on, postcode from staged.clients")
    names = {(_first(forename), str(surname).casefold()) for forename, surname, *_ in found}
    homes = {str(postcode).replace(" ", "").upper() for *_, postcode in found}
    arrived = {
        "names": _share(layout, lambda p: (_first(p.forename), p.surname.casefold()) in names),
        "births": _share(layout, lambda p: p.born in {born for *_, born, _ in found}),
        "postcodes": _share(layout, lambda p: p.postcode.replace(" ", "") in homes),
        "whole people": _share(layout, lambda p: _whole(p) in {_whole_row(*row) for row in found}),
    }
    assert all(share >= LEAST for share in arrived.values()), f"{arrived}, by the mapping\n{_mapping(office)}"
    assert len(found) == len(layout.people), "neither a title, a footer nor a total is a client"


def test_calls_with_day_and_time_in_one_cell(office: Office) -> None:
    ran = mapped(office, office.deliver("calls_20261120.csv", call_monitoring()), "oneroster")
    assert ran.exit_code == 0, ran.output
    office.night()
    calls = office.rows(
        "select visit_id, visit_on::varchar, start_time::varchar, planned_minutes, actual_start::varchar,"
        " actual_minutes, status from staged.visits order by 1"
    )
    assert len(calls) == 40
    assert calls[1] == ("CL90001", "2026-11-10", "08:15:00", 30, "08:19:00", 28, "Completed")


def test_a_file_of_no_feed_is_not_mapped(office: Office) -> None:
    ran = mapped(office, office.deliver("payments_20261120.csv", payments()), "KENT")
    assert ran.exit_code == 1, ran.output
    assert list(office.settings.sources.iterdir()) == []


def test_a_file_that_may_be_of_two_feeds_names_the_runner_up(office: Office) -> None:
    ran = mapped(office, office.deliver("commissioned_20261120.csv", commissioned_services()), "KENT")
    assert ran.exit_code == 1, ran.output
    assert list(office.settings.sources.iterdir()) == []
    assert sum(feed in ran.output for feed in FEEDS) >= 2, ran.output


def _share(layout: Layout, arrived: Callable[[Person], bool]) -> float:
    return sum(map(arrived, layout.people)) / len(layout.people)


def _first(forename: object) -> str:
    """The first given name: a second one may stand among the other names."""
    return str(forename or "").split(" ")[0].casefold()


def _whole(person: Person) -> tuple[object, ...]:
    return _whole_row(person.forename, person.surname, person.born, person.postcode)


def _whole_row(forename: object, surname: object, born: object, postcode: object) -> tuple[object, ...]:
    return (_first(forename), str(surname).casefold(), born, str(postcode).replace(" ", "").upper())


def _mapping(office: Office) -> str:
    return "\n".join(path.read_text("utf-8") for path in office.settings.sources.iterdir())
