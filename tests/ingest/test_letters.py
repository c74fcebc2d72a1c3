"""Names of many traditions, in every encoding that senders use: read as written, or listed and never guessed."""

from __future__ import annotations

import pytest

from pipelines.ingest.letters import CODE_PAGES, NONSENSE, best_page, cost, decoded, repaired

NAMES = [
    "Renée",
    "Müller",
    "Siân",
    "Seán",
    "Muñoz",
    "Peñarth",
    "Zoë",
    "Michèle",
    "François",
    "López",
    "Gráinne",
    "ÉAMON",
    "JOSÉ",
    "MÜLLER",
    "Björn",
    "Çelik",
    "Özil",
    "Noël",
]
WELSH_AND_POLISH = ["Ŵyn", "tŷ", "Llŷr", "Paweł", "Łukasz", "Żółć", "Ağaoğlu", "Şahin"]


@pytest.mark.parametrize("page", ["cp1252", "cp850", "mac_roman"])
@pytest.mark.parametrize("name", NAMES)
def test_one_name_alone_tells_its_code_page(name: str, page: str) -> None:
    sent = name.encode(page)
    assert decoded(sent, best_page([sent])) == name


def test_polish_names_of_windows_are_told_from_western_ones() -> None:
    sent = [name.encode("cp1250") for name in ("Wałęsa", "Łukasz", "Święty")]
    assert best_page(sent) == "cp1250"


@pytest.mark.parametrize("page", ["sloppy-windows-1252", "mac_roman", "cp850", "cp437"])
@pytest.mark.parametrize("name", [*NAMES, *WELSH_AND_POLISH])
def test_what_was_encoded_twice_is_put_right(name: str, page: str) -> None:
    try:
        sent = name.encode().decode(page)
    except UnicodeError:
        return
    assert repaired(sent) == (name, None)


@pytest.mark.parametrize(
    "name", [*NAMES, *WELSH_AND_POLISH, "Voß’s", "CAFÉ’S", "JOÃO", "SÃO", "Nguyễn", "Đặng", "Þórður", "Αθήνα", "Île—Ré"]
)
def test_a_good_name_stays_as_it_is(name: str) -> None:
    assert repaired(name) == (name, None)


@pytest.mark.parametrize("name", ["Ren\ufffde", "RenÃ?e", "RenÃe", "Ã"])
def test_what_was_lost_is_listed(name: str) -> None:
    assert repaired(name)[1]


@pytest.mark.parametrize("word", ["£12.50", "O’Brien", "1½", "20°C", "–"])
def test_signs_of_writing_are_no_nonsense(word: str) -> None:
    assert cost(word) < NONSENSE


@pytest.mark.parametrize("word", ["Ren‚e", "Mu¤oz", "Siƒn", "OÕHagan", "RenŽe"])
def test_signs_within_a_name_are_nonsense(word: str) -> None:
    assert cost(word) >= NONSENSE


def test_the_code_page_of_windows_in_britain_comes_first() -> None:
    assert next(iter(CODE_PAGES)) == "cp1252"
