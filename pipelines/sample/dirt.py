"""How one person's details go wrong on the way into a record.

`transcribe` copies people into records as a busy office would; `mistype_references` does the same to Social Services
References. The shares are constants at the top, one set for each door, so that a reader can see how hard the sample is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.random import Generator
from numpy.typing import NDArray

from pipelines.sample.names import Texts, draw_nicknames
from pipelines.sample.people import RANK, Population

Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Door:
    """Shares of records, or of the records that a slip can happen to, that go wrong in each way at one door."""

    nickname: float
    initial_only: float
    swapped_names: float
    maiden_name: float
    double_barrel_shortened: float
    apostrophe_changed: float
    forename_typo: float
    surname_typo: float
    title_in_forename: float
    placeholder_name: float
    other_names_kept: float
    known_as_kept: float
    birth_missing: float
    birth_placeholder: float
    birth_estimated: float
    day_and_month_swapped: float
    birth_digit_slip: float
    birth_year_off_by_one: float
    still_at_previous_home: float
    address_abbreviated: float
    postcode_missing: float
    postcode_slip: float
    phone_missing: float
    mobile_as_phone: float
    phone_placeholder: float
    phone_restyled: float
    nhs_missing: float
    nhs_transposed: float
    nhs_of_another: float
    gender_missing: float
    title_missing: float
    trailing_space: float


ROSTER = Door(
    nickname=0.09, initial_only=0.006, swapped_names=0.008, maiden_name=0.012, double_barrel_shortened=0.25,
    apostrophe_changed=0.35, forename_typo=0.012, surname_typo=0.015, title_in_forename=0.006,
    placeholder_name=0.0015, other_names_kept=0.6, known_as_kept=0.6, birth_missing=0.012, birth_placeholder=0.006,
    birth_estimated=0.006, day_and_month_swapped=0.012, birth_digit_slip=0.008, birth_year_off_by_one=0.007,
    still_at_previous_home=0.25, address_abbreviated=0.20, postcode_missing=0.012, postcode_slip=0.010,
    phone_missing=0.10, mobile_as_phone=0.06, phone_placeholder=0.006, phone_restyled=0.20, nhs_missing=0.25,
    nhs_transposed=0.006, nhs_of_another=0.0008, gender_missing=0.02, title_missing=0.05, trailing_space=0.012,
)  # fmt: skip
COUNCIL = Door(
    nickname=0.03, initial_only=0.012, swapped_names=0.012, maiden_name=0.025, double_barrel_shortened=0.30,
    apostrophe_changed=0.45, forename_typo=0.015, surname_typo=0.020, title_in_forename=0.012,
    placeholder_name=0.002, other_names_kept=0.0, known_as_kept=0.0, birth_missing=0.020, birth_placeholder=0.008,
    birth_estimated=0.010, day_and_month_swapped=0.012, birth_digit_slip=0.010, birth_year_off_by_one=0.007,
    still_at_previous_home=0.45, address_abbreviated=0.35, postcode_missing=0.025, postcode_slip=0.012,
    phone_missing=0.22, mobile_as_phone=0.15, phone_placeholder=0.010, phone_restyled=0.15, nhs_missing=0.45,
    nhs_transposed=0.008, nhs_of_another=0.0008, gender_missing=0.04, title_missing=0.10, trailing_space=0.010,
)  # fmt: skip

PHONE_KEPT_AFTER_A_MOVE = 0.4
PLACEHOLDER_FORENAMES = ("Client", "Unknown", "Baby", "Test", "Mr", "Service User")
PLACEHOLDER_PHONES = ("00000000000", "01234567890", "0", "07000000000", "N/A")
PLACEHOLDER_BIRTH = np.datetime64("1900-01-01", "D")
ABBREVIATIONS = {
    " Road": " Rd", " Street": " St", " Avenue": " Ave", " Close": " Cl", " Drive": " Dr", " Lane": " Ln",
    " Gardens": " Gdns", " Crescent": " Cres", " Court": " Ct", " Terrace": " Terr", " Place": " Pl", " Grove": " Gr",
    "Flat ": "Fl ", " Square": " Sq",
}  # fmt: skip
NEIGHBOURS_ON_THE_KEYBOARD = dict(zip("abcdefghijklmnopqrstuvwxyz", "svxfrdghojklnbipwtdyibesua", strict=True))

REFERENCE_SLIPS = {
    "missing": 0.27,
    "leading_zeros_lost": 0.16,
    "letter_o_for_zero": 0.08,
    "space": 0.08,
    "slash_suffix": 0.11,
    "prefix": 0.08,
    "lower_case": 0.05,
    "transposed": 0.09,
    "superseded": 0.08,
}
"""What is wrong with a reference that does not match, as shares of those. A slip that a reference cannot suffer
(no zero to lose, no letter to lower) becomes a slash suffix."""
SLIPS_OF_THE_COUNCIL = ("slash_suffix", "prefix")
SLIPS_OF_THE_ROSTER = ("missing", "leading_zeros_lost", "letter_o_for_zero", "lower_case")

DETAILS = (
    "title", "forename", "known_as", "other_names", "surname", "gender", "born", "address1", "address2", "town",
    "county", "postcode", "phone", "mobile", "email", "nhs_number",
)  # fmt: skip


def _letters(words: Texts) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """The code points of words, one row a word with two spare zeros at its end, and the lengths."""
    fixed = words.astype("U")
    width = max(fixed.dtype.itemsize // 4, 1) + 2
    return fixed.astype(f"U{width}").view(np.uint32).reshape(len(words), width), np.strings.str_len(fixed)


def _words(letters: NDArray[np.uint32]) -> Texts:
    return np.ascontiguousarray(letters).view(f"U{letters.shape[1]}").reshape(len(letters)).astype(object)


def transpose(rng: Generator, words: Texts) -> Texts:
    """Each word with two neighbouring characters that differ changed over, where it has such; same shape."""
    if not len(words):
        return words
    letters, length = _letters(words)
    letters = letters.copy()
    swappable = (letters[:, :-1] != letters[:, 1:]) & (np.arange(letters.shape[1] - 1) < length[:, None] - 1)
    swappable[:, 0] &= length < 3  # slips at the first letter are rare
    place = np.argmax(swappable * rng.random(swappable.shape), axis=1)
    rows = np.flatnonzero(swappable.any(axis=1))
    left, right = letters[rows, place[rows]].copy(), letters[rows, place[rows] + 1].copy()
    letters[rows, place[rows]], letters[rows, place[rows] + 1] = right, left
    return _words(letters)


def mistype(rng: Generator, words: Texts) -> Texts:
    """Each word with one slip of the keyboard: a neighbouring key, a letter dropped, doubled or changed over."""
    if not len(words):
        return words
    letters, length = _letters(words)
    place = 1 + (rng.random(len(words)) * np.maximum(length - 1, 1)).astype(np.int64)
    place = np.minimum(place, np.maximum(length - 1, 0))
    column = np.arange(letters.shape[1])[None, :]
    slip = rng.integers(0, 4, len(words))
    dropped = (slip == 0) & (length > 2)
    doubled = slip == 1
    source = column + dropped[:, None] * (column >= place[:, None]) - doubled[:, None] * (column > place[:, None])
    typed = np.take_along_axis(letters, np.clip(source, 0, letters.shape[1] - 1), axis=1)
    rows = np.flatnonzero(slip == 2)
    keyboard = np.arange(0x250, dtype=np.uint32)
    for key, neighbour in NEIGHBOURS_ON_THE_KEYBOARD.items():
        keyboard[ord(key)], keyboard[ord(key.upper())] = ord(neighbour), ord(neighbour.upper())
    typed[rows, place[rows]] = keyboard[np.minimum(typed[rows, place[rows]], 0x24F)]
    mistyped = _words(typed)
    rows = np.flatnonzero(slip == 3)
    mistyped[rows] = transpose(rng, words[rows])
    return mistyped


def change_digit(rng: Generator, words: Texts) -> Texts:
    """Each word with its last digit changed to another; same shape."""
    last = pd.Series(words, dtype=object).str.extract(r"^(.*)(\d)(\D*)$").fillna("")
    digit = pd.to_numeric(last[1], errors="coerce").fillna(0).to_numpy(dtype=np.int64)
    other = ((digit + rng.integers(1, 10, len(words))) % 10).astype("U").astype(object)
    changed: Texts = np.where(last[1] == "", words, last[0].to_numpy(dtype=object) + other + last[2].to_numpy(object))
    return changed


class _Sheet:
    """The records being written: columns of one length, and how hard each record has become."""

    def __init__(self, rng: Generator, columns: dict[str, Texts], kind: NDArray[np.int8]) -> None:
        self.rng, self.columns, self.kind, self.size = rng, columns, kind.copy(), len(kind)

    def __getitem__(self, column: str) -> Texts:
        return self.columns[column]

    def some(self, share: float, among: Mask | None = None) -> Rows:
        """A random share of the rows (`among` those given)."""
        chosen = self.rng.random(self.size) < share
        return np.flatnonzero(chosen if among is None else chosen & among)

    def mark(self, rows: Rows, kind: str) -> None:
        """Counts rows under `kind` unless something harder applies."""
        self.kind[rows] = np.minimum(self.kind[rows], RANK[kind])

    def pick(self, choices: tuple[str, ...], size: int) -> Texts:
        drawn: Texts = self.rng.choice(np.array(choices, dtype=object), size)
        return drawn


def transcribe(
    rng: Generator, population: Population, person: Rows, door: Door, genders: tuple[str, str] = ("F", "M")
) -> pd.DataFrame:
    """One record for each entry of `person` (rows of `population.people`), with the slips of one door.

    Columns: `person`, the names in `DETAILS` (text, empty where missing; `born` datetime64[s], NaT where missing)
    and `kind` (a position in `KINDS`). `genders` are the words of this source for women and men.
    """
    people = population.people.iloc[person]
    homes = population.homes
    columns = {
        name: people[name].to_numpy(copy=True)
        for name in ("title", "forename", "known_as", "other_names", "surname", "mobile", "email", "nhs_number", "born")
    }
    columns["gender"] = np.where(people["female"].to_numpy(), *genders).astype(object)
    sheet = _Sheet(rng, columns, people["kind"].to_numpy())

    previous = people["previous_home"].to_numpy()
    home = people["home"].to_numpy(copy=True)
    moved = sheet.some(door.still_at_previous_home, previous >= 0)
    home[moved] = previous[moved]
    sheet.mark(moved, "moved")
    for name in ("address1", "address2", "town", "county", "postcode"):
        columns[name] = homes[name].to_numpy()[home]
    phone_home = home.copy()
    kept = moved[rng.random(len(moved)) < PHONE_KEPT_AFTER_A_MOVE]
    phone_home[kept] = people["home"].to_numpy()[kept]
    columns["phone"] = homes["landline"].to_numpy()[phone_home]

    _slip_names(sheet, door, people["maiden_name"].to_numpy(), people["suffix"].to_numpy())
    _slip_births(sheet, door)
    _slip_addresses(sheet, door)
    _slip_numbers(sheet, door, population)
    return pd.DataFrame({"person": person} | {name: columns[name] for name in DETAILS} | {"kind": sheet.kind})


def _slip_names(sheet: _Sheet, door: Door, maiden_name: Texts, suffix: Texts) -> None:
    rng, forename, surname, known_as = sheet.rng, sheet["forename"], sheet["surname"], sheet["known_as"]
    sheet["other_names"][sheet.some(1 - door.other_names_kept)] = ""

    rows = sheet.some(door.nickname)
    by_own = rows[known_as[rows] != ""]
    familiar = draw_nicknames(rng, forename[rows])
    sheet.mark(rows[familiar != forename[rows]], "nickname")
    forename[rows] = familiar
    forename[by_own] = known_as[by_own]
    sheet.mark(by_own, "nickname")
    known_as[sheet.some(1 - door.known_as_kept)] = ""
    known_as[known_as == forename] = ""

    rows = sheet.some(door.maiden_name, maiden_name != "")
    surname[rows] = maiden_name[rows]
    sheet.mark(rows, "maiden_name")
    rows = sheet.some(0.5, suffix != "")
    surname[rows] = surname[rows] + " " + suffix[rows]

    with_hyphen = np.strings.find(surname.astype("U"), "-") >= 0
    rows = sheet.some(door.double_barrel_shortened, with_hyphen)
    parts = pd.Series(surname[rows], dtype=object).str.split("-", n=1)
    surname[rows] = np.where(rng.random(len(rows)) < 0.4, parts.str[0].to_numpy(), parts.str[-1].to_numpy())
    rows = sheet.some(0.15, with_hyphen)
    surname[rows] = pd.Series(surname[rows], dtype=object).str.replace("-", " ").to_numpy()
    rows = sheet.some(door.apostrophe_changed, np.strings.find(surname.astype("U"), "'") >= 0)
    joined = pd.Series(surname[rows], dtype=object).str
    surname[rows] = np.where(
        rng.random(len(rows)) < 0.6, joined.replace("'", "").str.title().to_numpy(), joined.replace("'", " ").to_numpy()
    )

    rows = sheet.some(door.forename_typo)
    forename[rows] = mistype(rng, forename[rows])
    sheet.mark(rows, "name_slip")
    rows = sheet.some(door.surname_typo)
    surname[rows] = mistype(rng, surname[rows])
    sheet.mark(rows, "name_slip")
    rows = sheet.some(door.initial_only)
    forename[rows] = forename[rows].astype("U1").astype(object)
    sheet.mark(rows, "name_slip")
    rows = sheet.some(door.swapped_names)
    forename[rows], surname[rows] = surname[rows], forename[rows]
    sheet.mark(rows, "swapped_names")
    rows = sheet.some(door.title_in_forename)
    forename[rows] = sheet["title"][rows] + " " + forename[rows]
    sheet["title"][rows[rng.random(len(rows)) < 0.6]] = ""
    rows = sheet.some(door.placeholder_name)
    forename[rows] = sheet.pick(PLACEHOLDER_FORENAMES, len(rows))
    sheet.mark(rows, "placeholder")
    sheet["title"][sheet.some(door.title_missing)] = ""
    for column in (forename, surname):
        rows = sheet.some(door.trailing_space)
        column[rows] = column[rows] + " "
    rows = sheet.some(door.gender_missing)
    sheet["gender"][rows] = sheet.pick(("", "Not known", "U"), len(rows))


def _slip_births(sheet: _Sheet, door: Door) -> None:
    rng = sheet.rng
    born = sheet["born"].astype("datetime64[D]")
    months = born.astype("datetime64[M]")
    day, month = (born - months).astype(np.int64), months.astype(np.int64) % 12

    rows = sheet.some(door.day_and_month_swapped, (day < 12) & (day != month))
    born[rows] = (months[rows] - month[rows] + day[rows]).astype("datetime64[D]") + month[rows]
    sheet.mark(rows, "birth_slip")
    rows = sheet.some(door.birth_digit_slip)
    years_off = rng.choice([-40, -30, -20, -10, 10], len(rows)) * 12
    in_year = rng.random(len(rows)) < 0.4
    far = (months[rows] + np.where(in_year, years_off, 0)).astype("datetime64[D]") + np.minimum(day[rows], 27)
    days_off = np.where(day[rows] >= 10, -10, 10)
    slipped = np.where(in_year, far, born[rows] + days_off)
    born[rows] = np.minimum(slipped, np.datetime64("2008-12-31"))
    sheet.mark(rows, "birth_slip")
    rows = sheet.some(door.birth_year_off_by_one)
    born[rows] = (months[rows] + rng.choice([-12, 12], len(rows))).astype("datetime64[D]") + np.minimum(day[rows], 27)
    sheet.mark(rows, "birth_slip")
    rows = sheet.some(door.birth_estimated)
    born[rows] = born[rows].astype("datetime64[Y]").astype("datetime64[D]")
    sheet.mark(rows, "birth_slip")
    rows = sheet.some(door.birth_placeholder)
    born[rows] = PLACEHOLDER_BIRTH
    sheet.mark(rows, "placeholder")
    born[sheet.some(door.birth_missing)] = np.datetime64("NaT")
    sheet.columns["born"] = born.astype("datetime64[s]")


def _slip_addresses(sheet: _Sheet, door: Door) -> None:
    rng = sheet.rng
    rows = sheet.some(door.address_abbreviated)
    for column in ("address1", "address2"):
        shortened = pd.Series(sheet[column][rows], dtype="str")
        for long, short in ABBREVIATIONS.items():
            shortened = shortened.str.replace(long, short, regex=False)
        sheet[column][rows] = shortened.to_numpy(dtype=object)
    flat = np.strings.startswith(sheet["address1"].astype("U"), "Flat ") & (sheet["address2"] != "")
    rows = sheet.some(0.2, flat)
    sheet["address1"][rows] = sheet["address1"][rows] + ", " + sheet["address2"][rows]
    sheet["address2"][rows] = ""

    postcode = sheet["postcode"]
    rows = sheet.some(door.postcode_slip)
    postcode[rows] = change_digit(rng, postcode[rows])
    rows = sheet.some(0.08)
    postcode[rows] = pd.Series(postcode[rows], dtype=object).str.replace(" ", "").to_numpy()
    postcode[sheet.some(door.postcode_missing)] = ""


def _slip_numbers(sheet: _Sheet, door: Door, population: Population) -> None:
    rng, phone, mobile, nhs_number = sheet.rng, sheet["phone"], sheet["mobile"], sheet["nhs_number"]
    rows = sheet.some(door.mobile_as_phone, mobile != "")
    phone[rows] = mobile[rows]
    rows = sheet.some(door.phone_restyled)
    without_spaces = pd.Series(phone[rows], dtype=object).str.replace(" ", "")
    international = "+44" + without_spaces.str[1:]
    phone[rows] = np.where(rng.random(len(rows)) < 0.8, without_spaces, international)
    rows = sheet.some(door.phone_placeholder)
    phone[rows] = sheet.pick(PLACEHOLDER_PHONES, len(rows))
    phone[sheet.some(door.phone_missing)] = ""
    mobile[sheet.some(door.phone_missing * 2)] = ""

    rows = sheet.some(door.nhs_transposed)
    nhs_number[rows] = transpose(rng, nhs_number[rows])
    rows = sheet.some(0.2)
    spaced = pd.Series(nhs_number[rows], dtype=object).str
    nhs_number[rows] = (spaced[:3] + " " + spaced[3:6] + " " + spaced[6:]).to_numpy(dtype=object)
    nhs_number[sheet.some(door.nhs_missing)] = ""
    rows = sheet.some(door.nhs_of_another, nhs_number != "")
    everyone = population.people["nhs_number"].to_numpy()
    nhs_number[rows] = everyone[rng.integers(0, len(everyone), len(rows))]
    sheet.mark(rows, "confusion")


def draw_reference_slips(rng: Generator, size: int) -> Texts:
    """The name of a slip (a key of `REFERENCE_SLIPS`) for each of `size` references."""
    drawn: Texts = rng.choice(
        np.array(list(REFERENCE_SLIPS), dtype=object), size, p=np.array(list(REFERENCE_SLIPS.values()))
    )
    return drawn


def mistype_references(rng: Generator, references: Texts, slips: Texts, superseded: Texts) -> Texts:
    """`references` with the slip named beside each; `superseded` are the older references; all of one shape.

    No result equals its reference: where a slip changes nothing, a slash suffix is added.
    """
    text = pd.Series(references, dtype=object).str
    zero = text.rfind("0").to_numpy(dtype=np.int64)
    with_o = np.where(zero >= 0, text.replace(r"0(?=[^0]*$)", "O", regex=True), references)
    prefix = rng.choice(np.array(["SS-", "SS", "SSR "], dtype=object), len(references))
    suffix = rng.choice(np.array(["/1", "/2", "/A"], dtype=object), len(references))
    written = {
        "missing": np.full(len(references), "", dtype=object),
        "leading_zeros_lost": text.lstrip("0").to_numpy(dtype=object),
        "letter_o_for_zero": with_o,
        "space": (text[:3] + " " + text[3:]).to_numpy(dtype=object),
        "slash_suffix": references + suffix,
        "prefix": prefix + references,
        "lower_case": text.lower().to_numpy(dtype=object),
        "transposed": transpose(rng, references),
        "superseded": superseded,
    }
    mistyped: Texts = np.select([slips == slip for slip in written], list(written.values()), references)
    return np.where(mistyped == references, references + suffix, mistyped)
