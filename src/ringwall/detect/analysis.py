"""What an engine needs to know of its rules before it compiles any: worked out, or as kept from before."""

from collections.abc import Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path
from time import thread_time
from typing import NamedTuple

import msgspec

from . import kept
from .anchors import anchors
from .gates import numeric
from .looks import Look, looks
from .rules import Rule

_KIND = "analysis"
_WORTH = 0.05
"""Seconds: what is worked out faster is not kept."""
_CODE = ("analysis.py", "anchors.py", "gates.py", "looks.py", "rules.py")
"""The files that the outcome depends on."""


class Analysis(NamedTuple):
    looks: list[Look]
    digits: frozenset[int]
    """Rules of which each match has a digit in it, or near it."""
    hollow: frozenset[int]
    """Rules that may match nothing at all."""


_Plain = tuple[list[tuple[str, bool, tuple[int, ...], bool, bool]], list[int], list[int]]


def analysed(rules: Sequence[Rule]) -> Analysis:
    """The same for the same rules, in the same order in any process."""
    key = _key(rules)
    known = _read(kept.get(_KIND, key)) if key else None
    if known is not None:
        return known
    start = thread_time()
    wanted = looks(rules)
    digits = frozenset(at for at, rule in enumerate(rules) if _needs_digit(rule))
    found = Analysis(wanted, digits, _hollow(rules, wanted))
    if key and thread_time() - start > _WORTH:
        plain = [(one.pattern, one.sensitive, one.rules, one.literal, one.gated) for one in found.looks]
        kept.put(_KIND, key, msgspec.json.encode((plain, sorted(found.digits), sorted(found.hollow))))
    return found


def _needs_digit(rule: Rule) -> bool:
    return numeric(rule.value.pattern if rule.value else rule.pattern)


def _hollow(rules: Sequence[Rule], wanted: Sequence[Look]) -> frozenset[int]:
    return frozenset(
        index
        for look in wanted
        for index in (() if look.literal else look.rules)
        if not numeric(rules[index].pattern)
        and not anchors(rules[index].pattern, sensitive=rules[index].sensitive)
    )


def _read(data: bytes | None) -> Analysis | None:
    if data is None:
        return None
    try:
        plain, digits, hollow = msgspec.json.decode(data, type=_Plain)
    except msgspec.DecodeError:
        return None
    return Analysis([Look(*one) for one in plain], frozenset(digits), frozenset(hollow))


def _key(rules: Sequence[Rule]) -> bytes:
    """Of all that is read of the rules, and of the code that reads it; empty where that is not to be had."""
    code = _code()
    if not code:
        return b""
    digest = sha256(code)
    for rule in rules:
        value = rule.value.pattern if rule.value else None
        digest.update(repr((rule.pattern, rule.form, rule.sensitive, rule.whole, value)).encode())
    return digest.digest()


@cache
def _code() -> bytes:
    folder = Path(__file__).parent
    try:
        return sha256(b"\0".join((folder / name).read_bytes() for name in _CODE)).digest()
    except OSError:
        return b""
