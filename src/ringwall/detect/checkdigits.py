"""Families of check digits: weighted sums, ISO/IEC 7064, Luhn, Verhoeff, and dates inside a number.

Every national identifier (``identifiers.py``) is a row of these. They take the characters without separators.
"""

from collections.abc import Callable
from dataclasses import dataclass

Test = Callable[[str], bool]

_VALUE = {char: at for at, char in enumerate("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")}
_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


@dataclass(frozen=True, slots=True)
class Weighted:
    """The character behind the weighted ones is ``table[sum(weight * value) % len(table)]``."""

    weights: tuple[int, ...]
    table: str
    """``*`` where no number is issued for the remainder."""
    start: int = 0
    """Of the weighted characters."""
    at: int = -1
    """Of the check character; -1: behind the weighted ones."""
    plus: int = 0

    def __call__(self, text: str) -> bool:
        at = self.start + len(self.weights) if self.at < 0 else self.at
        if at >= len(text):
            return False
        body = text[self.start : self.start + len(self.weights)]
        total = self.plus + sum(w * _VALUE[char] for w, char in zip(self.weights, body, strict=True))
        return self.table[total % len(self.table)] == text[at]


def weighted(weights: str, table: str, start: int = 0, at: int = -1, plus: int = 0) -> Test:
    """``weights``: numbers with blanks between them."""
    return Weighted(tuple(map(int, weights.split())), table, start, at, plus)


MINUS_11 = "0*987654321"
"""``11 - sum % 11``, where 10 is not issued."""
MINUS_11_ZERO = "00987654321"
"""``11 - sum % 11``, where 10 becomes 0."""
PLAIN_11 = "0123456789*"
PLAIN_11_ZERO = "01234567890"
PLAIN_10 = "0123456789"
MINUS_10 = "0987654321"


def luhn(text: str) -> bool:
    """Modulus 10, doubling every second digit from the right (ISO/IEC 7812-1, annex B)."""
    if not text.isdecimal():
        raise ValueError("only digits have a check digit")
    digits = text.encode("ascii")
    total = sum(digits[-1::-2].translate(_DIGIT)) + sum(digits[-2::-2].translate(_DOUBLED))
    return total % 10 == 0


_DIGIT = bytes.maketrans(b"0123456789", bytes(range(10)))
_DOUBLED = bytes.maketrans(b"0123456789", bytes((0, 2, 4, 6, 8, 1, 3, 5, 7, 9)))


def mod_11_10(text: str) -> bool:
    """ISO/IEC 7064 MOD 11,10."""
    check = 5
    for char in text:
        check = ((check or 10) * 2 % 11 + int(char)) % 10
    return check == 1


def mod_11_2(text: str) -> bool:
    """ISO/IEC 7064 MOD 11-2; ``X`` stands for ten at the end."""
    check = 0
    for char in text[:-1]:
        check = (2 * (check + int(char))) % 11
    return "0123456789X".find(text[-1]) == (1 - check) % 11


def mod_97(text: str) -> bool:
    """ISO/IEC 7064 MOD 97-10 over digits and letters (A = 10)."""
    return int("".join(str(_VALUE[char]) for char in text)) % 97 == 1


_TURNS = ("0123456789", "1576283094", "5803796142", "8916043527", "9453126870", "4286573901", "2793806415",
          "7046913258")  # fmt: skip
_DIHEDRAL = ("0123456789", "1234067895", "2340178956", "3401289567", "4012395678", "5987604321", "6598710432",
             "7659821043", "8765932104", "9876543210")  # fmt: skip


def verhoeff(text: str) -> bool:
    """J. Verhoeff, Error Detecting Decimal Codes, 1969: the dihedral group D5."""
    check = 0
    for place, char in enumerate(reversed(text)):
        check = int(_DIHEDRAL[check][int(_TURNS[place % 8][int(char)])])
    return check == 0


def dated(order: str, start: int = 0, months: tuple[int, ...] = (0,), days: tuple[int, ...] = (0,)) -> Test:
    """A day of a year is there. ``order``: ``ymd``, ``dmy``, ``Ymd`` (four digits of the year)…; ``months``
    and ``days`` are what some countries add to the month or the day for sex or century."""

    def test(text: str) -> bool:
        at, value = start, {}
        for part in order:
            size = 4 if part == "Y" else 2
            digits = text[at : at + size]
            if len(digits) < size or not digits.isdecimal():
                return False
            value[part.lower()] = int(digits)
            at += size
        month = next((value["m"] - more for more in months if 1 <= value["m"] - more <= 12), 0)
        if not month or ("Y" in order and not 1850 <= value["y"] <= 2100):
            return False
        return any(1 <= value["d"] - more <= _DAYS[month - 1] for more in days)

    return test


def joined(*tests: Test) -> Test:
    return lambda text: all(test(text) for test in tests)


def first(chars: str) -> Test:
    """The number begins with one of these."""
    return lambda text: text[0] in chars


def varied(text: str) -> bool:
    """Not one digit over and over: such numbers pass many checks and are never issued."""
    return text.count(text[:1]) < len(text)
