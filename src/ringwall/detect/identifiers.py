"""Identifiers of persons by country: one row each, made of the families in ``checkdigits.py``.

The algorithms are those that the issuing authorities publish. Rules name the rows (``check: pl-pesel``).
"""

import re
from collections.abc import Callable, Mapping

from . import identifiers_special as special
from .checkdigits import (
    MINUS_10,
    MINUS_11,
    MINUS_11_ZERO,
    PLAIN_10,
    PLAIN_11,
    PLAIN_11_ZERO,
    Test,
    dated,
    first,
    joined,
    luhn,
    mod_11_10,
    varied,
    verhoeff,
    weighted,
)

_SEPARATORS = re.compile(r"[\s.\-/()+\u2010-\u2015]")
_JMBG = joined(dated("dm"), weighted("7 6 5 4 3 2 7 6 5 4 3 2", MINUS_11_ZERO))
_EAN = weighted("1 3 1 3 1 3 1 3 1 3 1 3", MINUS_10)

ROWS: Mapping[str, tuple[str, tuple[int, ...], Test]] = {
    # name: characters besides digits, lengths, test
    "ae-id": ("", (15,), joined(lambda text: text.startswith("784"), luhn)),
    "ar-cuil": ("", (11,), joined(lambda text: text[:2] in ("20", "23", "24", "25", "26", "27"),
                                  weighted("5 4 3 2 7 6 5 4 3 2", "09987654321"))),
    "at-svnr": ("", (10,), joined(first("123456789"), dated("dmy", 4, (0, 12)),
                                  weighted("3 7 9 0 5 8 4 2 1 6", PLAIN_11, at=3))),
    "au-abn": ("", (11,), special.abn),
    "au-medicare": ("", (10, 11), joined(first("23456"), weighted("1 3 7 9 1 3 7 9", PLAIN_10))),
    "au-tfn": ("", (9,), joined(varied, weighted("1 4 3 7 5 8 6 9", PLAIN_11))),
    "be-nn": ("", (11,), special.rijksregister),
    "bg-egn": ("", (10,), joined(dated("ymd", 0, (0, 20, 40)),
                                 weighted("2 4 8 5 10 9 7 3 6", PLAIN_11_ZERO))),
    "br-cpf": ("", (11,), joined(varied, weighted("10 9 8 7 6 5 4 3 2", MINUS_11_ZERO),
                                 weighted("11 10 9 8 7 6 5 4 3 2", MINUS_11_ZERO))),
    "ca-sin": ("", (9,), joined(first("12345679"), varied, luhn)),
    "ch-ahv": ("", (13,), joined(lambda text: text.startswith("756"), _EAN)),
    "cl-rut": ("K", (8, 9), joined(varied, special.rut)),
    "cn-id": ("X", (18,), special.chinese),
    "cz-rc": ("", (9, 10), special.rodne_cislo),
    "de-id-card": ("*", (10,), special.german_id_card),
    "de-pension": ("*", (12,), special.german_pension),
    "de-tax": ("", (11,), joined(special.german_tax, mod_11_10)),
    "dk-cpr": ("", (10,), dated("dmy", 0)),
    "do-cedula": ("", (11,), joined(varied, luhn)),
    "ec-cedula": ("", (10,), joined(lambda text: "01" <= text[:2] <= "24" or text[:2] == "30",
                                    lambda text: text[2] < "7", luhn)),
    "ee-isikukood": ("", (11,), special.isikukood),
    "eg-id": ("", (14,), joined(first("23"), dated("ymd", 1), lambda text: "01" <= text[7:9] <= "88")),
    "es-dni": ("*", (9,), special.nie),
    "fi-hetu": ("*", (10, 11), special.hetu),
    "fr-nir": ("AB", (15,), special.nir),
    "gb-nhs": ("", (10,), joined(varied, weighted("10 9 8 7 6 5 4 3 2", MINUS_11))),
    "gb-nino": ("*", (9,), special.nino),
    "gb-utr": ("", (10,), joined(varied, weighted("6 7 8 9 10 5 4 3 2", "21987654321", 1, 0))),
    "gr-afm": ("", (9,), joined(varied, weighted("256 128 64 32 16 8 4 2", PLAIN_11_ZERO))),
    "gr-amka": ("", (11,), joined(dated("dmy"), luhn)),
    "hk-id": ("*", (8, 9), special.hkid),
    "hr-oib": ("", (11,), joined(varied, mod_11_10)),
    "hu-taj": ("", (9,), joined(varied, weighted("3 7 3 7 3 7 3 7", PLAIN_10))),
    "hu-tax": ("", (10,), joined(first("8"), weighted("1 2 3 4 5 6 7 8 9", PLAIN_11))),
    "id-nik": ("", (16,), joined(dated("dmy", 6, days=(0, 40)), lambda text: "11" <= text[:2] <= "94")),
    "ie-pps": ("*", (8, 9), special.pps),
    "il-id": ("", (9,), joined(varied, luhn)),
    "in-aadhaar": ("", (12,), joined(first("23456789"), varied, verhoeff)),
    "is-kennitala": ("", (10,), joined(dated("dmy", days=(0, 40)), lambda text: text[9] in "089",
                                       weighted("3 2 7 6 5 4 3 2", MINUS_11))),
    "it-cf": ("*", (16,), special.codice_fiscale),
    "jmbg": ("", (13,), _JMBG),
    "jp-my-number": ("", (12,), joined(varied, weighted("6 5 4 3 2 7 6 5 4 3 2", MINUS_11_ZERO))),
    "kr-rrn": ("", (13,), joined(dated("ymd"), lambda text: text[6] in "12345678")),
    "kw-id": ("", (12,), joined(first("23"), dated("ymd", 1),
                                weighted("2 1 6 3 7 9 10 5 8 4 2", MINUS_11))),
    "kz-iin": ("", (12,), special.iin),
    "lu-id": ("", (13,), joined(dated("Ymd"), lambda text: luhn(text[:12]),
                                lambda text: verhoeff(text[:11] + text[12]))),
    "lv-pk": ("", (11,), joined(lambda text: text[:2] == "32" or dated("dmy")(text),
                                weighted("10 5 8 4 2 1 6 3 7 9", PLAIN_11_ZERO, plus=1))),
    "md-idnp": ("", (13,), joined(first("02"), weighted("7 3 1 7 3 1 7 3 1 7 3 1", PLAIN_10))),
    "mx-clabe": ("", (18,), special.clabe),
    "mx-curp": ("*", (18,), special.curp),
    "mx-rfc": ("*", (13,), dated("ymd", 4)),
    "my-nric": ("", (12,), special.malaysian),
    "nl-bsn": ("", (9,), joined(varied, weighted("9 8 7 6 5 4 3 2", PLAIN_11))),
    "no-fnr": ("", (11,), joined(dated("dmy", 0, (0, 40, 80), (0, 40)),
                                 weighted("3 7 6 1 8 9 4 5 2", MINUS_11),
                                 weighted("5 4 3 2 7 6 5 4 3 2", MINUS_11))),
    "nz-ird": ("", (8, 9), special.ird),
    "pk-cnic": ("", (13,), first("1234567")),
    "pl-nip": ("", (10,), joined(varied, weighted("6 5 7 2 3 4 5 6 7", PLAIN_11))),
    "pl-pesel": ("", (11,), joined(dated("ymd", 0, (0, 20, 40, 60, 80)),
                                   weighted("1 3 7 9 1 3 7 9 1 3", MINUS_10))),
    "pt-cc": ("*", (12,), special.cartao),
    "pt-nif": ("", (9,), joined(first("123456789"), varied, weighted("9 8 7 6 5 4 3 2", MINUS_11_ZERO))),
    "ro-cnp": ("", (13,), joined(first("123456789"), dated("ymd", 1), lambda text: "01" <= text[7:9] <= "52",
                                 weighted("2 7 9 1 4 6 3 5 8 2 7 9", "01234567891"))),
    "ru-inn": ("", (12,), joined(varied, weighted("7 2 4 10 3 5 9 4 6 8", PLAIN_11_ZERO),
                                 weighted("3 7 2 4 10 3 5 9 4 6 8", PLAIN_11_ZERO))),
    "ru-snils": ("", (11,), joined(varied, special.snils)),
    "sa-id": ("", (10,), joined(first("12"), varied, luhn)),
    "se-pnr": ("", (10, 12), special.personnummer),
    "sg-nric": ("*", (9,), special.nric),
    "th-id": ("", (13,), joined(first("12345678"), varied,
                                weighted("13 12 11 10 9 8 7 6 5 4 3 2", "10987654321"))),
    "tr-tckn": ("", (11,), special.tckn),
    "tw-id": ("*", (10,), special.taiwan),
    "ua-rntrc": ("", (10,), joined(varied, weighted("-1 5 7 9 4 6 10 5 7", PLAIN_11_ZERO))),
    "us-itin": ("", (9,), special.itin),
    "us-routing": ("", (9,), joined(varied, lambda text: "01" <= text[:2] <= "32" or "61" <= text[:2] <= "72",
                                    weighted("3 7 1 3 7 1 3 7", MINUS_10))),
    "us-ssn": ("", (9,), joined(varied, special.ssn)),
    "uy-ci": ("", (7, 8), lambda text: varied(text) and weighted("2 9 8 7 6 3 4", MINUS_10)(text.zfill(8))),
    "za-id": ("", (13,), joined(dated("ymd"), lambda text: text[10] in "012", luhn)),
}  # fmt: skip


def _check(letters: str, lengths: tuple[int, ...], test: Test) -> Callable[[str], bool]:
    def check(text: str) -> bool:
        packed = _SEPARATORS.sub("", text).upper()
        if len(packed) not in lengths or not packed.replace("\u00d1", "N").isascii():
            return False
        if letters != "*" and not packed.translate({ord(char): None for char in letters}).isdecimal():
            return False
        try:
            return packed.isalnum() and test(packed)
        except (ValueError, KeyError, IndexError):  # a letter where the number has a digit
            return False

    return check


IDENTIFIERS: Mapping[str, Callable[[str], bool]] = {name: _check(*row) for name, row in ROWS.items()}
"""Each takes the number as it is written, with its separators."""
