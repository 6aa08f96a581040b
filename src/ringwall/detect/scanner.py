"""All rules over all readings of a text: the one call that controls make.

The last results are kept, so that the controls of one crossing share a pass.
"""

import threading
from collections import OrderedDict
from functools import cache
from typing import NamedTuple

from .ciphers import ALPHABETS
from .engine import Engine
from .near import announced
from .normalise import views
from .rules import Rule, builtin

RESPELLED = frozenset({"leet", "respelled", "pig-latin", "spelling-alphabet", *ALPHABETS})
"""Readings that make words of what was written: a value in one was never there, and its check sum is
another's."""
_KEEP = 512
_KEEP_LENGTH = 32_768
_KEEP_LONG = 2
"""Of longer texts, so that one crossing reads them once."""


class Sighting(NamedTuple):
    """A rule that matched in some reading of a text, traced back to the text as it came."""

    rule: str
    cls: str
    family: str
    score: float
    message: str
    start: int
    end: int
    view: str
    """The reading it was seen in; empty for the text itself."""
    open: bool = False
    """The match reaches the end of the text and could go on."""
    reading: str = ""
    """The words that matched, as read in the view."""


class Scanner:
    """Thread-safe."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._known: OrderedDict[str, tuple[Sighting, ...]] = OrderedDict()
        self._long: OrderedDict[str, tuple[Sighting, ...]] = OrderedDict()
        self._lock = threading.Lock()

    def scan(self, text: str) -> tuple[Sighting, ...]:
        """Ordered by place. One sighting for each rule and span; the plainest view is named."""
        kept, most = (self._known, _KEEP) if len(text) <= _KEEP_LENGTH else (self._long, _KEEP_LONG)
        known = kept.get(text)
        if known is not None:
            return known
        found = self._scan(text)
        with self._lock:
            kept[text] = found
            if len(kept) > most:
                kept.popitem(last=False)
        return found

    def forget(self) -> None:
        """Drops the last results."""
        with self._lock:
            self._known.clear()
            self._long.clear()

    def _scan(self, text: str) -> tuple[Sighting, ...]:
        out: dict[tuple[str, int, int], Sighting] = {}
        rules = self.engine.rules
        for view in views(text):
            verbatim = RESPELLED.isdisjoint(view.name.split("+"))
            places = self.engine.places(view.text)
            if not places:
                continue
            for index, first, last in announced(view.text, places, rules):
                rule = rules[index]
                if rule.cls == "secret" and not verbatim:
                    continue
                start, end = view.locate(first, last)
                if (rule.id, start, end) not in out:
                    reading = view.text[first:last]
                    goes_on = last == len(view.text) and bool(rule.extend)
                    out[rule.id, start, end] = sighting(rule, start, end, reading, view.name, goes_on=goes_on)
        return tuple(sorted(out.values(), key=lambda one: (one.start, one.end, one.rule)))


def sighting(
    rule: Rule, start: int, end: int, reading: str, view: str = "", *, goes_on: bool = False
) -> Sighting:
    return Sighting(
        rule.id, rule.cls, rule.family, rule.score, rule.message, start, end, view, goes_on, reading
    )


@cache
def scanner() -> Scanner:
    """The scanner of the built-in rules; compiled at first use."""
    return Scanner(Engine(builtin()))
