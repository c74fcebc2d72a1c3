"""Where people live: councils with their towns, and addresses in them, no two alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.random import Generator
from numpy.typing import NDArray

from pipelines.sample.names import british_surnames, words
from pipelines.sample.numbers import digits

ADDRESSES_PER_POSTCODE = 15
ADDRESSES_PER_HOME_OF_A_CLIENT = 3
FLATS, NAMED_HOUSES = 0.18, 0.05


@dataclass(frozen=True)
class Town:
    """A town with the dialling code and the outcodes of its addresses."""

    name: str
    dialling_code: str
    outcodes: tuple[str, ...]


@dataclass(frozen=True)
class Council:
    """A council by its authority code, with the towns it serves."""

    code: str
    county: str
    towns: tuple[Town, ...]


def _towns(table: str) -> tuple[Town, ...]:
    rows = (line.split("|") for line in table.strip().splitlines())
    return tuple(Town(name.strip(), code.strip(), tuple(outcodes.split())) for name, code, outcodes in rows)


COUNCILS = (
    Council(
        "ESSEX",
        "Essex",
        _towns("""
        Colchester|01206|CO1 CO2 CO3 CO4
        Clacton-on-Sea|01255|CO15 CO16
        Harwich|01255|CO12
        Chelmsford|01245|CM1 CM2 CM3
        Braintree|01376|CM7 CM77
        Maldon|01621|CM9
        Basildon|01268|SS13 SS14 SS15 SS16
        Rayleigh|01268|SS6
        Harlow|01279|CM17 CM18 CM19 CM20
        Brentwood|01277|CM13 CM14 CM15"""),
    ),
    Council(
        "KENT",
        "Kent",
        _towns("""
        Maidstone|01622|ME14 ME15 ME16 ME17
        Canterbury|01227|CT1 CT2 CT4
        Whitstable|01227|CT5
        Ashford|01233|TN23 TN24 TN25
        Dover|01304|CT16 CT17
        Folkestone|01303|CT18 CT19 CT20
        Tunbridge Wells|01892|TN1 TN2 TN4
        Sevenoaks|01732|TN13 TN14
        Dartford|01322|DA1 DA2
        Gravesend|01474|DA11 DA12
        Ramsgate|01843|CT11 CT12
        Sittingbourne|01795|ME10"""),
    ),
    Council(
        "LEEDS",
        "West Yorkshire",
        _towns("""
        Leeds|0113|LS6 LS7 LS8 LS9 LS10 LS11 LS12 LS13 LS14 LS15 LS16 LS17
        Yeadon|0113|LS19
        Guiseley|01943|LS20
        Otley|01943|LS21
        Wetherby|01937|LS22
        Garforth|0113|LS25
        Rothwell|0113|LS26
        Morley|0113|LS27
        Pudsey|0113|LS28"""),
    ),
)

WITH_LAYOUTS_OF_THEIR_OWN = (
    Council(
        "NORFOLK",
        "Norfolk",
        _towns("""
        Norwich|01603|NR1 NR2 NR3 NR5 NR7
        King's Lynn|01553|PE30 PE34
        Great Yarmouth|01493|NR29 NR30 NR31
        Thetford|01842|IP24
        Dereham|01362|NR19 NR20
        Cromer|01263|NR27
        Wymondham|01953|NR18"""),
    ),
    Council(
        "DERBYSHIRE",
        "Derbyshire",
        _towns("""
        Chesterfield|01246|S40 S41 S42 S43
        Buxton|01298|SK17
        Glossop|01457|SK13
        Ilkeston|0115|DE7
        Matlock|01629|DE4
        Ripley|01773|DE5
        Swadlincote|01283|DE11
        Belper|01773|DE56"""),
    ),
)
"""Councils whose files are not in the built-in layout: see `own_layouts`."""

STREETS = words("""Church Station Mill High Victoria Albert Manor Park Queens Kings London School Chapel Green North
    South East West New Cross Springfield Windsor Meadow Orchard Elm Oak Ash Beech Chestnut Lime Willow Hawthorn Cedar
    Poplar Rectory Vicarage Priory Abbey Castle Bridge River Mount Nelson Wellington Alexandra Clarence Milton
    Tennyson Byron Stanley Cambridge Oxford York Richmond Highfield Woodland Sunnyside Riverside Primrose Lavender""")
STREET_TYPES = words("""Road Street Avenue Close Lane Drive Way Gardens Crescent Grove Terrace Place Hill Rise Walk
    Mews Court Square""")
HOUSE_NAMES = words("""Rose Ivy Orchard Holly Primrose Honeysuckle Jasmine Bramble Fern Heather Laurel Willow Wisteria
    Meadow Sunny Corner Hillside Greenacres Fairview Oakdene Ashleigh Woodside""")
BLOCK_NAMES = words("""Rowan Larch Maple Sycamore Hazel Juniper Magnolia Acacia Alder Aspen Birch Cypress Elder
    Hornbeam Linden Mulberry Myrtle Spruce Yew Tamarisk Nelson Churchill Jubilee Coronation Balmoral Sandringham
    Osborne""")
INWARD_LETTERS = np.array(list("ABDEFGHJLNPQRSTUWXYZ"), dtype=object)  # no C I K M O V in the second half of a postcode
INWARD_CODES = 10 * len(INWARD_LETTERS) ** 2


def draw_homes(rng: Generator, care_home: NDArray[np.bool_], councils: tuple[Council, ...] = COUNCILS) -> pd.DataFrame:
    """One address for each entry of `care_home`; no two alike, about fifteen in the pool for each postcode."""
    size = len(care_home)
    slots = rng.permutation(size * ADDRESSES_PER_HOME_OF_A_CLIENT + ADDRESSES_PER_POSTCODE)[:size]
    postcode, place = slots // ADDRESSES_PER_POSTCODE, slots % ADDRESSES_PER_POSTCODE
    postcodes = int(postcode.max()) + 1

    outcodes = [
        (position, council.county, town.name, town.dialling_code, outcode)
        for position, council in enumerate(councils)
        for town in council.towns
        for outcode in town.outcodes
    ]
    order = rng.permutation(len(outcodes))
    area = order[np.arange(postcodes) % len(outcodes)]
    inward = rng.permutation(INWARD_CODES)[(np.arange(postcodes) // len(outcodes) + 41 * area) % INWARD_CODES]
    letters = len(INWARD_LETTERS)
    council, county, town, dialling_code, outcode = (
        np.array(column, dtype=object) for column in zip(*outcodes, strict=True)
    )
    postcode_text = (
        outcode[area] + " " + digits(inward // letters**2)
        + INWARD_LETTERS[inward // letters % letters] + INWARD_LETTERS[inward % letters]
    )  # fmt: skip
    street_names = np.array(STREETS * 6 + list(british_surnames().names), dtype=object)
    street = rng.choice(street_names, postcodes) + " " + rng.choice(np.array(STREET_TYPES, dtype=object), postcodes)
    of_flats = rng.random(postcodes) < FLATS
    block = rng.choice(np.array(BLOCK_NAMES, dtype=object), postcodes) + " Court"
    first_number = rng.integers(1, 80, postcodes)

    numbered = digits(first_number[postcode] + 2 * place) + " " + street[postcode]
    house = np.array(HOUSE_NAMES, dtype=object)[place] + rng.choice(
        np.array([" Cottage", " House"], dtype=object), size
    )
    home_name = np.array(BLOCK_NAMES, dtype=object)[place] + rng.choice(
        np.array([" Care Home", " House Nursing Home", " Lodge Residential Home"], dtype=object), size
    )
    flat, named = of_flats[postcode], rng.random(size) < NAMED_HOUSES
    which = [care_home, flat, named]
    address1 = np.select(which, [home_name, "Flat " + digits(place + 1) + " " + block[postcode], house], numbered)
    address2 = np.select(
        which, [numbered, digits(first_number[postcode]) + " " + street[postcode], street[postcode]], ""
    )

    local = rng.permutation(np.arange(200_000, 900_000))[np.arange(size) % 700_000]
    code = dialling_code[area][postcode]
    landline = code + " " + np.where(np.isin(code, ["0113", "0115"]), "2", "") + digits(local)
    return pd.DataFrame(
        {
            "council": council[area][postcode].astype(np.int8),
            "address1": address1,
            "address2": address2,
            "town": town[area][postcode],
            "county": county[area][postcode],
            "postcode": postcode_text[postcode],
            "landline": landline,
        },
        dtype=object,
    ).astype({"council": np.int8})
