"""An address in one cell, taken apart into lines, town, county and postcode."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipelines.sources.full_names import Parts

TWO_POSTCODES = "more than one postcode in one address"

POSTCODE = re.compile(r"(?<![A-Z0-9])(GIR ?0AA|[A-Z]{1,2}\d[A-Z\d]?[\s\xa0]*\d[A-Z]{2})(?![A-Z0-9])", re.I)
_SEPARATOR = re.compile(r"[,;\r\n\x0b\u2028|]+|\s{3,}|\t")
_NUMBER = re.compile(r"\d+\s?[a-z]?(?:\s?[-/]\s?\d+\s?[a-z]?)?", re.I)
_COUNTRIES = frozenset(
    ("uk", "u.k.", "gb", "great britain", "united kingdom", "england", "wales", "scotland", "northern ireland", "cymru")
)
_COUNTIES = """
Avon, Bedfordshire, Beds, Berkshire, Berks, Buckinghamshire, Bucks, Cambridgeshire, Cambs, Cheshire, Cleveland,
Cornwall, Cumbria, Cumberland, Derbyshire, Derbys, Devon, Dorset, County Durham, Co Durham, Co. Durham, East Sussex,
East Riding of Yorkshire, East Yorkshire, Essex, Gloucestershire, Glos, Greater London, Greater Manchester, Hampshire,
Hants, Herefordshire, Hertfordshire, Herts, Humberside, Isle of Wight, Kent, Lancashire, Lancs, Leicestershire, Leics,
Lincolnshire, Lincs, Merseyside, Middlesex, Middx, Norfolk, North Yorkshire, N Yorkshire, N Yorks, North Yorks,
Northamptonshire, Northants, Northumberland, Nottinghamshire, Notts, Oxfordshire, Oxon, Rutland, Shropshire, Salop,
Somerset, South Yorkshire, S Yorks, South Yorks, Staffordshire, Staffs, Suffolk, Surrey, Sussex, Tyne and Wear, Tyne &
Wear, Warwickshire, Warks, West Midlands, West Sussex, West Yorkshire, W Yorkshire, W Yorks, West Yorks, Westmorland,
Wiltshire, Wilts, Worcestershire, Worcs, Yorkshire, Yorks, Anglesey, Ynys Mon, Blaenau Gwent, Carmarthenshire,
Ceredigion, Clwyd, Conwy County, Denbighshire, Dyfed, Flintshire, Glamorgan, Gwent, Gwynedd, Mid Glamorgan,
Monmouthshire, Pembrokeshire, Powys, Rhondda Cynon Taf, South Glamorgan, West Glamorgan, Aberdeenshire, Angus, Argyll,
Ayrshire, Banffshire, Caithness, Dumfriesshire, Fife, Highland, Inverness-shire, Kinross-shire, Lanarkshire,
Midlothian, Morayshire, Perthshire, Renfrewshire, East Lothian, West Lothian, Co Antrim, County Antrim, Co Armagh,
County Armagh, Co Down, County Down, Co Fermanagh, County Fermanagh, Co Tyrone, County Tyrone, Co Londonderry, County
Londonderry
"""
COUNTIES = frozenset(" ".join(name.split()).casefold() for name in _COUNTIES.split(","))


def split_addresses(cells: Sequence[str], fields: Sequence[str]) -> list[Parts]:
    """Each cell of a column (distinct, filled) taken apart into those of ``fields`` that are parts of an address.

    What is neither postcode, county, town nor country stays in the lines.
    """
    return [_split(cell, frozenset(fields)) for cell in cells]


def _split(cell: str, fields: frozenset[str]) -> Parts:
    found = list(dict.fromkeys(re.sub(r"\s+", "", match[1]).upper() for match in POSTCODE.finditer(cell)))
    if len(found) > 1:
        return Parts(reason=TWO_POSTCODES, about="postcode" if "postcode" in fields else None)
    postcode = f"{found[0][:-3]} {found[0][-3:]}" if found else ""
    lines = _lines(POSTCODE.sub("\n", cell))
    while len(lines) > 1 and lines[-1].casefold() in _COUNTRIES:
        lines.pop()
    county = ""
    if len(lines) > 2 and lines[-1].casefold() in COUNTIES:
        county = lines.pop()
    town = lines.pop() if "town" in fields and len(lines) > 1 else ""
    if county and "county" not in fields and not town:
        lines.append(county)
    if "address_2" in fields:
        first, second = (lines[0] if lines else ""), ", ".join(lines[1:])
    else:
        first, second = ", ".join(lines), ""
    parts = {"address_1": first, "address_2": second, "town": town, "county": county, "postcode": postcode}
    return Parts({key: value for key, value in parts.items() if value and key in fields})


def _lines(text: str) -> list[str]:
    """The lines of an address; a house number that stands alone is put before its street."""
    lines: list[str] = []
    for piece in _SEPARATOR.split(text.replace("\xa0", " ")):
        line = " ".join(piece.split()).strip(" .")
        if not line:
            continue
        if lines and _NUMBER.fullmatch(lines[-1]):
            lines[-1] = f"{lines[-1]} {line}"
        else:
            lines.append(line)
    return lines
