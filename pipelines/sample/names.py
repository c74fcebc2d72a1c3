"""Names as the UK's elderly population bears them.

Forenames of the British-born majority follow the registers of the year of birth (the order of the ONS "top 100"
tables for 1924, 1934, 1944 and 1954); everything rarer or younger comes from the lists that Faker ships.
Only names that cp1252 can spell are kept, because half of the feeds are written in it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import import_module

import numpy as np
from nicknames import NickNamer
from numpy.random import Generator
from numpy.typing import NDArray

Texts = NDArray[np.object_]
words = str.split

FEMALE_BY_YEAR = {
    1924: words("""Margaret Mary Joan Joyce Dorothy Kathleen Doris Irene Betty Eileen Doreen Lilian Vera Jean Marjorie
        Barbara Edna Gladys Audrey Elsie Florence Hilda Winifred Olive Violet Elizabeth Edith Ivy Peggy Phyllis Evelyn
        Iris Annie Rose Beryl Lily Muriel Sheila Ethel Alice Nora Sylvia"""),
    1934: words("""Margaret Jean Mary Joan Patricia Sheila Barbara Doreen June Shirley Dorothy Joyce Maureen Elizabeth
        Audrey Brenda Kathleen Sylvia Eileen Pamela Betty Beryl Ann Irene Marion Rita Norma Hazel Josephine Janet
        Pauline Ruth Valerie Iris Daphne Anne Rosemary Thelma Gwendoline Jacqueline Vera Constance"""),
    1944: words("""Margaret Patricia Christine Mary Jean Ann Susan Janet Maureen Barbara Valerie Carol Sandra Pauline
        Elizabeth Joan Pamela Jennifer Kathleen Anne Sheila Brenda Gillian Linda Jacqueline Dorothy Sylvia Judith
        Carole Joyce Marion Doreen Eileen Rosemary Beryl Marilyn Josephine Irene Hazel Shirley"""),
    1954: words("""Susan Linda Christine Margaret Janet Patricia Carol Elizabeth Mary Anne Ann Jane Jacqueline Pauline
        Barbara Jean Gillian Lynn Jennifer Sandra Sheila Maureen Kathleen Lesley Valerie Diane Denise Julie Deborah
        Judith Helen Sally Hilary Heather Wendy Catherine Rosemary Carole Angela Theresa"""),
}
MALE_BY_YEAR = {
    1924: words("""John William George James Ronald Robert Kenneth Frederick Thomas Albert Eric Edward Arthur Charles
        Leslie Sidney Frank Peter Dennis Joseph Alan Stanley Ernest Harold Norman Raymond Leonard Alfred Harry Donald
        Reginald Roy Derek Henry Geoffrey David Gordon Herbert Walter Cyril Jack"""),
    1934: words("""John Peter William Brian David James Michael Ronald Kenneth George Robert Thomas Roy Alan Derek
        Raymond Dennis Donald Edward Anthony Frederick Gordon Albert Charles Eric Arthur Joseph Norman Terence Leslie
        Geoffrey Patrick Leonard Frank Keith Colin Barry Stanley Harry Gerald"""),
    1944: words("""John David Michael Peter Robert Anthony Brian Alan William James Richard Kenneth Roger Keith Colin
        Christopher Raymond Terence Barry Thomas George Ronald Malcolm Graham Derek Geoffrey Edward Dennis Trevor
        Patrick Roy Charles Philip Paul Gordon Leslie Donald Joseph Martin Clive"""),
    1954: words("""David John Stephen Michael Peter Robert Paul Alan Christopher Richard Anthony Andrew Ian Kevin
        Keith Philip Martin William Brian James Graham Colin Nigel Barry Roger Raymond Terence Geoffrey Kenneth Thomas
        Neil Simon Nicholas Trevor George Malcolm Stuart Steven Mark Derek"""),
}
FIRST_YEAR_OF_FAKER_NAMES = 1960
RANK_OFFSET = 4  # weight = 1 / (rank + offset): the commonest name is borne by about one in twelve of its decade
SHARE_OF_RARE_FORENAMES = 0.26
SHARE_OF_RARE_SURNAMES = 0.20
SHARE_OF_DOUBLE_BARRELLED = 0.02

PUNJABI_FEMALE = words("""Gurpreet Harjit Balwinder Surinder Jaswinder Manjit Kulwinder Paramjit Satwant Amarjit
    Mohinder Sukhwinder Rajinder Daljit Ravinder Gurmit Harbans Joginder Nirmal Pritam""")
PUNJABI_MALE = words("""Gurdev Harbhajan Balbir Surjit Jaswant Mohinder Kuldip Avtar Satnam Amrik Darshan Sukhdev
    Rajinder Daljit Resham Gurmit Harbans Joginder Nirmal Pritam""")
MUSLIM_FEMALE = words("""Fatima Nasreen Shamim Zubaida Razia Khadija Amina Parveen Naseem Rukhsana Shaheen Zainab
    Mumtaz Sakina Hamida Rashida Jamila Safia Salma Aisha""")
MUSLIM_MALE = words("""Mohammed Abdul Muhammad Ghulam Mohammad Nazir Bashir Rashid Iqbal Hussain Yusuf Ahmed Akbar
    Aziz Malik Tariq Ibrahim Ismail Karim Rafiq""")
MUSLIM_SURNAMES = words("""Khan Ahmed Hussain Begum Bibi Ali Akhtar Mahmood Miah Iqbal Malik Shah Hassan Uddin Rahman
    Chowdhury Kauser Mirza Sheikh Qureshi Butt Raja Aziz Rashid Rehman Islam Choudhury Siddiqui Ullah Mohammed""")
CARIBBEAN_SURNAMES = words("""Campbell Brown Clarke Francis Gordon Grant Morgan Bailey Reid Lewis Henry Joseph Charles
    Thompson Blake Bennett Dacosta Powell McKenzie Daley Samuels Facey Beckford Lindo Grannum Alleyne Braithwaite
    Holder Greenidge Gayle Dawkins Pryce McFarlane Whyte Morrison Wynter Bogle Coley Duhaney Ffrench""")


def _spellable(names: Iterable[str]) -> list[str]:
    """The names that cp1252 can spell, each once, in their first order, without those of several words."""
    kept = (name for name in names if " " not in name and len(name) > 1)
    return [name for name in dict.fromkeys(kept) if name.encode("cp1252", "ignore").decode("cp1252") == name]


@dataclass(frozen=True)
class Names:
    """Names to draw from. `weights` sums to one and runs beside `names`."""

    names: Texts
    weights: NDArray[np.float64]

    @classmethod
    def of(cls, names: Iterable[str], *, zipf: bool = False, weights: dict[str, float] | None = None) -> Names:
        """Equal weights; falling ones by order (`zipf`); or the given ones."""
        kept = _spellable(names)
        if weights:
            weight = np.array([weights[name] for name in kept])
        else:
            weight = 1 / (np.arange(len(kept)) + RANK_OFFSET + 1) if zipf else np.ones(len(kept))
        return cls(np.array(kept, dtype=object), weight / weight.sum())

    def draw(self, rng: Generator, size: int) -> Texts:
        """`size` names drawn with replacement."""
        chosen: Texts = self.names[np.searchsorted(np.cumsum(self.weights), rng.random(size) * (1 - 1e-12))]
        return chosen


@dataclass(frozen=True)
class Origin:
    """Where a family's names come from. A missing list of forenames means: named as the British of their year."""

    share: float
    surnames: Names
    female: Names | None = None
    male: Names | None = None
    surname_of_women: str = ""  # for families whose women and men bear different last names (Kaur, Singh)


def _faker(locale: str) -> type:
    provider: type = import_module(f"faker.providers.person.{locale}").Provider
    return provider


def _listed(locale: str, attribute: str) -> list[str]:
    return list(getattr(_faker(locale), attribute))


@cache
def british_surnames() -> Names:
    """Faker's 500 commonest British surnames with their shares of the population."""
    weights: dict[str, float] = dict(_faker("en_GB").last_names)  # type: ignore[attr-defined]
    return Names.of(weights, weights=weights)


@cache
def rare_surnames() -> Names:
    """Some three thousand surnames borne in the UK but outside the commonest 500."""
    listed = _listed("en_IE", "last_names") + _listed("en_NZ", "last_names") + _listed("nl_NL", "last_names")[::6]
    return Names.of(name for name in listed if name not in set(british_surnames().names))


@cache
def british_forenames(sex: str) -> dict[int, Names]:
    """By reference year of birth; the last entry, 1974, is for everyone born from 1960 on."""
    by_year, attribute = (FEMALE_BY_YEAR, "first_names_female") if sex == "F" else (MALE_BY_YEAR, "first_names_male")
    tables = {year: Names.of(names, zipf=True) for year, names in by_year.items()}
    return tables | {1974: Names.of(_listed("en_GB", attribute), zipf=True)}


@cache
def rare_forenames(sex: str) -> Names:
    """A long tail of forenames that any year may bear."""
    attribute = "first_names_female" if sex == "F" else "first_names_male"
    return Names.of(_listed("en_GB", attribute) + _listed("en_NZ", attribute)[::2] + _listed("en_IE", attribute)[::3])


@cache
def origins() -> tuple[Origin, ...]:
    """The UK's real mix, as shares of families. Shares sum to one."""

    def of(share: float, *locales: str, unisex_surnames: str = "last_names") -> Origin:
        gathered: dict[str, list[str]] = {
            attribute: [name for locale in locales for name in _listed(locale, attribute)]
            for attribute in (unisex_surnames, "first_names_female", "first_names_male")
        }
        return Origin(
            share,
            Names.of(gathered[unisex_surnames]),
            Names.of(gathered["first_names_female"]),
            Names.of(gathered["first_names_male"]),
        )

    return (
        Origin(0.825, british_surnames()),
        Origin(0.05, Names.of(_listed("en_IE", "last_names"))),
        of(0.03, "en_IN"),
        Origin(0.025, Names.of(MUSLIM_SURNAMES, zipf=True), Names.of(MUSLIM_FEMALE), Names.of(MUSLIM_MALE)),
        Origin(0.01, Names.of(["Singh"]), Names.of(PUNJABI_FEMALE), Names.of(PUNJABI_MALE), "Kaur"),
        Origin(0.015, Names.of(CARIBBEAN_SURNAMES, zipf=True)),
        of(0.015, "tw_GH", "yo_NG"),
        of(0.015, "pl_PL", unisex_surnames="unisex_last_names"),
        of(0.015, "es_ES", "it_IT", "pt_PT"),
    )


def draw_origins(rng: Generator, size: int) -> NDArray[np.int8]:
    """Positions in `origins()`, one a family."""
    shares = np.array([origin.share for origin in origins()])
    return rng.choice(len(shares), size, p=shares).astype(np.int8)


def draw_surnames(rng: Generator, origin: NDArray[np.int8]) -> Texts:
    """A family name for each position in `origins()`, same shape."""
    surnames = np.empty(len(origin), dtype=object)
    for position, source in enumerate(origins()):
        rows = np.flatnonzero(origin == position)
        surnames[rows] = source.surnames.draw(rng, len(rows))
    british = np.flatnonzero(origin == 0)
    rare = british[rng.random(len(british)) < SHARE_OF_RARE_SURNAMES]
    surnames[rare] = rare_surnames().draw(rng, len(rare))
    double = british[rng.random(len(british)) < SHARE_OF_DOUBLE_BARRELLED]
    surnames[double] = surnames[double] + "-" + british_surnames().draw(rng, len(double))
    return surnames


def draw_forenames(
    rng: Generator, origin: NDArray[np.int8], female: NDArray[np.bool_], born: NDArray[np.int64]
) -> Texts:
    """A forename for each person by origin, sex and year of birth; all of one shape."""
    forenames = np.empty(len(origin), dtype=object)
    for sex, of_sex in (("F", female), ("M", ~female)):
        tables = british_forenames(sex)
        years = np.array(list(tables))
        nearest = years[np.clip(np.round((born - years[0]) / 10).astype(int), 0, len(years) - 1)]
        nearest[born >= FIRST_YEAR_OF_FAKER_NAMES] = years[-1]
        for year, table in tables.items():
            rows = np.flatnonzero(of_sex & (nearest == year))
            forenames[rows] = table.draw(rng, len(rows))
        rows = np.flatnonzero(of_sex)
        rare = rows[rng.random(len(rows)) < SHARE_OF_RARE_FORENAMES]
        forenames[rare] = rare_forenames(sex).draw(rng, len(rare))
        for position, source in enumerate(origins()):
            own = source.female if sex == "F" else source.male
            if own is not None:
                rows = np.flatnonzero(of_sex & (origin == position))
                forenames[rows] = own.draw(rng, len(rows))
    return forenames


@cache
def _variants(name: str) -> tuple[str, ...]:
    namer = _namer()
    return tuple(sorted({other.title() for other in namer.nicknames_of(name) | namer.canonicals_of(name)} - {name}))


@cache
def _namer() -> NickNamer:
    return NickNamer()


def draw_nicknames(rng: Generator, forenames: Texts) -> Texts:
    """Another form of each forename, short for long or long for short; the name itself where none is known."""
    distinct, position = np.unique(forenames.astype("U"), return_inverse=True)
    forms = [_variants(str(name)) or (str(name),) for name in distinct]
    count = np.array([len(of_name) for of_name in forms], dtype=np.int64)
    first = np.cumsum(count) - count
    flat = np.array([form for of_name in forms for form in of_name], dtype=object)
    drawn: Texts = flat[first[position] + (rng.random(len(forenames)) * count[position]).astype(int)]
    return drawn


def draw_alliterating(rng: Generator, forenames: Texts, female: NDArray[np.bool_]) -> Texts:
    """A forename of the given sex with the same first letter as each of `forenames`, where the registers hold one."""
    drawn = forenames.copy()
    initials = forenames.astype("U1")
    for sex, of_sex in (("F", female), ("M", ~female)):
        pool = np.unique(np.concatenate([table.names for table in british_forenames(sex).values()]).astype("U"))
        for initial in np.unique(initials):
            choices = pool[pool.astype("U1") == initial].astype(object)
            rows = np.flatnonzero(of_sex & (initials == initial))
            if len(choices) and len(rows):
                drawn[rows] = rng.choice(choices, len(rows))
    return drawn
