"""Numbers, amounts and dates of a text by value, however they are written.

``1.234,56``, ``1,234.56``, ``1 234,56`` and ``1'234.56`` are one number; where one writing has two readings,
both count. Digits of any script are read. Numbers that are spelled out are not.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

_MOST = 2000
"""Figures that are read of one text."""
_MOST_CHARACTERS = 300_000
"""Of all sources together."""
_SEPARATORS = ".,'\u2019\u00a0\u202f\u066c "
_NUMBER = re.compile(
    rf"(?<![\d.,])(?:\d{{1,3}}(?:[{_SEPARATORS}]\d{{3}}){{1,5}}(?:[.,\u066b]\d{{1,4}})?(?!\d)"
    r"|\d{1,15}(?:[.,\u066b]\d{1,6})?)"
)
_UNIT = re.compile(
    r"\s?(?:[%‰€$£¥₹]|percent|prozent|por ciento|euros?\b|eur\b|usd\b|gbp\b|dollars?\b)", re.IGNORECASE
)
_MONTHS = (
    "january januar janvier enero gennaio janeiro januari jan ene gen janv",
    "february februar fevrier febrero febbraio fevereiro februari feb fev fevr",
    "march marz maerz mars marzo marco maart mar mrz",
    "april avril abril aprile apr avr abr",
    "may mai mayo maggio maio mei mag",
    "june juni juin junio giugno junho jun giu",
    "july juli juillet julio luglio julho jul juil lug",
    "august aout agosto augustus aug ago",
    "september septembre septiembre settembre setembro sep sept set",
    "october oktober octobre octubre ottobre outubro oct okt ott out",
    "november novembre noviembre novembro nov",
    "december dezember decembre diciembre dicembre dezembro dec dez dic",
)
_MONTH = {name: number for number, names in enumerate(_MONTHS, 1) for name in names.split()}
_NAME = "|".join(sorted(_MONTH, key=len, reverse=True))
_NUMERIC_DATE = re.compile(r"(?<![\d.-])(\d{1,4})([-./\u5e74])(\d{1,2})[-./\u6708](\d{1,4})(?![\d])")
_WORDED_DATE = re.compile(
    rf"(?<!\d)(\d{{1,2}})(?:\.|st|nd|rd|th|er)?\s{{1,2}}(?:of |de |d')?({_NAME})\b\.?"
    r"(?:,?\s{1,2}(?:de |del )?(\d{4}))?"
    rf"|\b({_NAME})\.?\s{{1,2}}(\d{{1,2}})(?:st|nd|rd|th)?\b(?:,?\s{{1,2}}(\d{{4}}))?",
    re.IGNORECASE,
)
_LISTED = re.compile(r"(?:^|\n)[ \t>]{0,8}$")
_CITED = re.compile(r"\[\d{1,3}\]")


@dataclass(frozen=True, slots=True)
class Figure:
    start: int
    end: int
    values: frozenset[str]
    """Its readings."""
    telling: bool
    """Not a small number that anything may have."""


def figures(text: str) -> list[Figure]:
    """In order of place, numbering of lists and citations left out."""
    plain = _ascii_digits(text)
    found = list(_dates(plain))
    taken = [(one.start, one.end) for one in found]
    taken += [found.span() for found in _CITED.finditer(plain)]
    covered = {at for start, end in taken for at in range(start, end)}
    for count, number in enumerate(_NUMBER.finditer(plain)):
        if count >= _MOST:
            break
        start, end = number.span()
        if start in covered or _numbering(plain, start, end):
            continue
        values = _values(number.group())
        unit = bool(_UNIT.match(plain, end)) or plain[max(0, start - 2) : start].strip() in tuple("$€£¥₹")
        small = all(Decimal(value) <= 10 for value in values) and not unit
        found.append(Figure(start, end, values, not small))
    return sorted(found, key=lambda one: one.start)


def known_values(texts: Iterable[str]) -> frozenset[str]:
    """Readings of all figures of the texts; of a date its parts as well."""
    known: set[str] = set()
    left = _MOST_CHARACTERS
    for whole in texts:
        text, left = whole[:left], max(0, left - len(whole))
        for one in figures(text):
            known |= one.values
        known.update(
            value for found in _NUMBER.finditer(_ascii_digits(text)) for value in _values(found.group())
        )
    return frozenset(known | {value[5:] for value in known if value.count("-") == 2})


def _ascii_digits(text: str) -> str:
    """Digits of any script as ASCII, and letters without their accents; no character moves."""
    return text if text.isascii() else "".join(map(_plain, text))


def _plain(char: str) -> str:
    if char.isascii():
        return char
    return str(unicodedata.decimal(char)) if char.isdecimal() else unicodedata.normalize("NFD", char)[0]


def _values(written: str) -> frozenset[str]:
    marks = [char for char in written if not char.isdigit()]
    plain = re.sub(r"[^\d]", "", written)
    readings = {plain}
    if marks:
        last = max(written.rfind(mark) for mark in set(marks))
        whole, part = re.sub(r"[^\d]", "", written[:last]), written[last + 1 :]
        decimal = f"{whole}.{part}"
        if written[last] not in ".,\u066b" or (len(set(marks)) == 1 and len(marks) > 1):
            readings = {plain}
        elif len(set(marks)) > 1 or len(part) != 3:
            readings = {decimal}
        else:
            readings = {plain, decimal}
    return frozenset(_canonical(reading) for reading in readings)


def _canonical(number: str) -> str:
    value = format(Decimal(number), "f")
    return (value.rstrip("0").rstrip(".") if "." in value else value).lstrip("0") or "0"


def _numbering(text: str, start: int, end: int) -> bool:
    """``3.`` or ``3)`` at the start of a line."""
    return text[end : end + 1] in (".", ")") and bool(_LISTED.search(text[max(0, start - 12) : start]))


def _dates(text: str) -> Iterable[Figure]:
    for count, found in enumerate(_NUMERIC_DATE.finditer(text)):
        if count >= _MOST:
            return
        first, month, last = int(found[1]), int(found[3]), int(found[4])
        if len(found[1]) == 4:
            readings = {_date(first, month, last)}
        else:
            readings = {_date(_year(last), month, first), _date(_year(last), first, month)}
        if values := frozenset(filter(None, readings)):
            yield Figure(*found.span(), values, True)
    for count, found in enumerate(_WORDED_DATE.finditer(text)):
        if count >= _MOST:
            return
        day, name, year = (found[1], found[2], found[3]) if found[1] else (found[5], found[4], found[6])
        if value := _date(int(year or 0), _MONTH[name.lower()], int(day)):
            yield Figure(*found.span(), frozenset({value}), True)


def _year(number: int) -> int:
    return number + 2000 if number < 100 else number


def _date(year: int, month: int, day: int) -> str:
    """``2024-05-03``, or ``05-03`` without a year; empty for what is no date."""
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return ""
    return f"{year:04d}-{month:02d}-{day:02d}" if year else f"{month:02d}-{day:02d}"
