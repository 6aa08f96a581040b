"""Checks of the rules for personal data that are not national identifiers."""

import ipaddress
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib.resources import files

import yaml

from . import words
from .blockchain import base58_address, bech32_address, ethereum_address
from .checkdigits import dated, luhn, varied
from .identifiers_special import mrz_digit

_WORDS = yaml.safe_load((files(words) / "personal.yaml").read_text("utf-8"))
_FILES, _COUNTRIES, _NO_USER, _NO_NAME = (
    frozenset(str(_WORDS[key]).split()) for key in ("files", "countries", "not_users", "not_names")
)
_MONTHS = {name: at for at, names in enumerate(_WORDS["months"], 1) for name in names.split()}
_CARD_LENGTHS: tuple[tuple[int, int, int, tuple[int, ...]], ...] = (
    # digits of the prefix, from, to, lengths (ISO/IEC 7812 issuer ranges as the schemes publish them)
    (1, 4, 4, (13, 16, 19)),  # Visa
    (2, 51, 55, (16,)),  # Mastercard
    (4, 2221, 2720, (16,)),
    (2, 34, 34, (15,)),  # American Express
    (2, 37, 37, (15,)),
    (4, 6011, 6011, (16, 17, 18, 19)),  # Discover
    (3, 644, 649, (16, 17, 18, 19)),
    (2, 65, 65, (16, 17, 18, 19)),
    (4, 3528, 3589, (16, 17, 18, 19)),  # JCB
    (4, 1800, 1800, (15,)),
    (4, 2131, 2131, (15,)),
    (3, 300, 305, (14, 16, 19)),  # Diners Club
    (4, 3095, 3095, (14, 16, 19)),
    (2, 36, 36, (14, 16, 19)),
    (2, 38, 39, (14, 16, 19)),
    (2, 62, 62, (16, 17, 18, 19)),  # UnionPay
    (4, 2200, 2204, (16, 17, 18, 19)),  # Mir
    (2, 81, 82, (16,)),  # RuPay
    (2, 50, 50, (16, 18, 19)),  # Maestro, Elo
    (2, 56, 58, (16, 18, 19)),
    (2, 60, 60, (16, 18, 19)),
    (2, 63, 63, (16, 18, 19)),
    (2, 67, 67, (16, 18, 19)),
    (4, 9792, 9792, (16,)),  # Troy
)
_VIN = dict(zip("ABCDEFGHJKLMNPRSTUVWXYZ0123456789", "12345678123457923456789" + "0123456789", strict=True))
_VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
_DIGITS = re.compile(r"[^0-9]")
_NUMBER = re.compile(r"\d{1,4}")
_WORD = re.compile(r"[^\W\d_]{3,12}")


def card(text: str) -> bool:
    """Luhn, and a range and length that an issuer uses."""
    digits = _DIGITS.sub("", text)
    return len(digits) in _card_lengths(digits[:4]) and varied(digits) and luhn(digits)


@lru_cache(maxsize=10_000)
def _card_lengths(prefix: str) -> frozenset[int]:
    """How long the numbers are that begin with these four digits."""
    return frozenset(
        length
        for size, low, high, lengths in _CARD_LENGTHS
        if low <= int(prefix[:size]) <= high
        for length in lengths
    )


def card_near(text: str) -> bool:
    """Luhn and any length that cards have: words say that it is one."""
    digits = _DIGITS.sub("", text)
    return 12 <= len(digits) <= 19 and varied(digits) and luhn(digits)


def email(text: str) -> bool:
    """Not the name of a file, and not the account of a service that every user shares."""
    local, _, host = text.rpartition("@")
    return host.rsplit(".", 1)[-1].lower() not in _FILES and local.lower() != "git" and ".." not in local


def bic(text: str) -> bool:
    """ISO 9362: the fifth and sixth letters are a country."""
    return text[4:6].upper() in _COUNTRIES


def ipv4(text: str) -> bool:
    """A public or private host: no mask, loopback or wildcard, and too large for a version."""
    try:
        address = ipaddress.IPv4Address(text)
    except ValueError:
        return False
    octets = [int(part) for part in text.split(".")]
    version = max(octets) < 32 or octets[0] == 0
    return not (
        version or address.is_loopback or address.is_multicast or octets[0] >= 224 or octets[:2] == [255, 255]
    )


def ipv4_near(text: str) -> bool:
    try:
        return not ipaddress.IPv4Address(text).is_unspecified
    except ValueError:
        return False


def ipv6(text: str) -> bool:
    """At least three groups, one with a digit: ``std::begin`` is none."""
    try:
        address = ipaddress.IPv6Address(text)
    except ValueError:
        return False
    groups = [group for group in text.split(":") if group]
    return len(groups) >= 3 and any(map(str.isdigit, text)) and not address.is_unspecified


def mac(text: str) -> bool:
    """Six pairs and no more: a longer list is a fingerprint."""
    packed = re.sub(r"[.:-]", "", text).upper()
    return len(packed) == 12 and len(set(packed)) > 2


def vin(text: str) -> bool:
    """ISO 3779 with the check digit that North America and China demand (49 CFR 565.15)."""
    number = text.upper()
    total = sum(w * int(_VIN[char]) for w, char in zip(_VIN_WEIGHTS, number, strict=True))
    return "0123456789X"[total % 11] == number[8] and vin_near(number)


def vin_near(text: str) -> bool:
    return sum(map(str.isdigit, text)) >= 4 and any(map(str.isalpha, text)) and text[-4:].isdigit()


def birth_date(text: str) -> bool:
    """A day between 1900 and 2030, in figures or with a month's name."""
    numbers = _NUMBER.findall(text)
    word = _WORD.search(text)
    while word and word.group().lower() not in _MONTHS:
        word = _WORD.search(text, word.end())
    if word:
        months = [_MONTHS[word.group().lower()]]
    elif len(numbers) >= 3 and len(numbers[0]) == 4:
        months, numbers = [int(numbers[1])], [numbers[0], numbers[2]]
    elif len(numbers) >= 3:
        months = [int(numbers[0]), int(numbers[1])]
    else:
        return False
    year = numbers[0] if len(numbers[0]) == 4 else numbers[-1]
    days = [int(number) for number in numbers if number is not year]
    return (
        (len(year) == 2 or 1900 <= int(year) <= 2030)
        and any(1 <= month <= 12 for month in months)
        and all(1 <= day <= 31 for day in days)
    )


def age(text: str) -> bool:
    return 0 < int(text) <= 119


def username(text: str) -> bool:
    """A word that someone chose: no plain word of code or prose."""
    bare = text.strip(".,;:").lower()
    mixed = any(map(str.isdigit, bare)) or any(char in "._-" for char in bare[1:-1])
    return mixed and _NO_USER.isdisjoint(bare.split(".")) and not bare.replace(".", "").isdecimal()


def phone(text: str) -> bool:
    """As many digits as a number with its country code has (ITU-T E.164), and no date."""
    digits = _DIGITS.sub("", text)
    return 8 <= len(digits) <= 15 and varied(digits[3:]) and digits[0] != "0"


def phone_near(text: str) -> bool:
    digits = _DIGITS.sub("", text)
    return 6 <= len(digits) <= 15 and varied(digits) and not _iso_date(text)


def _iso_date(text: str) -> bool:
    return bool(re.match(r"(?:19|20)\d\d[-./ ]\d\d[-./ ]\d\d(?!\d)", text)) and dated("Ymd")(
        _DIGITS.sub("", text)
    )


def mrz(text: str) -> bool:
    """The second line of a passport: number, birth date and expiry with their check digits (ICAO 9303-4)."""
    line = text.rsplit(maxsplit=1)[-1]
    return all(mrz_digit(line[a:b]) == line[b] for a, b in ((0, 9), (13, 19), (21, 27)))


def numbered(text: str) -> bool:
    """A document's number: it holds digits, and not one over and over."""
    digits = [char for char in text if char.isdigit()]
    return len(digits) >= 4 and len(set(digits)) > 1


def plate(text: str) -> bool:
    return len(text) >= 4 and any(map(str.isdigit, text)) and any(map(str.isalpha, text))


def luhn_11(text: str) -> bool:
    return len(text) == 11 and varied(text) and luhn(text)


def person(text: str) -> bool:
    """Capitalised words, none of which is one that letters are addressed to or forms are filled with."""
    words = [word.strip(".,'").lower() for word in text.split()]
    return bool(words) and not any(word in _NO_NAME for word in words) and len(max(words, key=len)) > 1


def address(text: str) -> bool:
    """A number and a word, and neither mail nor code."""
    return (
        bool(re.search(r"\d", text))
        and bool(re.search(r"[^\W\d_]{3}", text))
        and not re.search(r"[@=()\[\]|]|://|\d{1,3}(?:\.\d{1,3}){3}|0x", text)
    )


def coordinates(text: str) -> bool:
    """Latitude and longitude in their ranges."""
    found = re.findall(r"-?\d{1,3}\.\d{1,15}", text)
    return len(found) >= 2 and abs(float(found[0])) <= 90 and abs(float(found[1])) <= 180


PERSONAL: Mapping[str, Callable[[str], bool]] = {
    "address": address,
    "age": age,
    "base58": base58_address,
    "bech32": bech32_address,
    "bic": bic,
    "birth-date": birth_date,
    "card": card,
    "card-near": card_near,
    "coordinates": coordinates,
    "email": email,
    "ethereum": ethereum_address,
    "ipv4": ipv4,
    "ipv4-near": ipv4_near,
    "ipv6": ipv6,
    "mac": mac,
    "mrz": mrz,
    "numbered": numbered,
    "luhn-11": luhn_11,
    "person": person,
    "phone": phone,
    "phone-near": phone_near,
    "plate": plate,
    "username": username,
    "vin": vin,
    "vin-near": vin_near,
}
