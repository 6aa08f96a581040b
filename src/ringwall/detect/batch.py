"""Personal data in many texts at once: rows of a data set rather than what somebody says to a model.

One pass of the engine reads many rows together, and only rows in which something was found are looked at one
by one. Rows are read as they came, with Unicode's compatibility forms as the characters that they look like;
a row with smuggled invisible characters goes to ``personal.find``. What somebody *encoded* on purpose
(Base64, leetspeak, reversed words) is for ``personal.find`` alone, at a hundredth of the speed.
"""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from itertools import accumulate
from operator import attrgetter, itemgetter

from . import phones
from .confusables import INVISIBLE
from .engine import Engine, Place
from .invisible import smuggled
from .near import announced
from .overlaps import resolved
from .personal import CLASSES, find
from .rules import builtin
from .scanner import Sighting, sighting

ORDERS = frozenset({"injection", "jailbreak"})
"""Classes of text that gives orders to a model."""
SECRETS = "secret"
"""Class of credentials, which are no personal data but do not belong in a training set either."""
BATCH = 1 << 19
"""Characters that are read together; a longer text is read by itself."""
DESCRIPTIVE = frozenset({"pii.name", "pii.address", "pii.age", "pii.username"})
"""Classes of words rather than of numbers and addresses that have a form. They take half of the time."""
_BETWEEN = "\n\x00\n"
"""Between two rows: no rule reads on over it."""
_WHOLE = frozenset({
    "address-english", "name-self", "passport-mrz", "url-credentials", "url-token", "us-itin", "username",
})  # fmt: skip
"""Rules whose literals are in every other row: prose, sums and links."""
_PLACE = attrgetter("start", "end", "rule")
_UNSEEN = frozenset(map(chr, INVISIBLE))
_PHONE = re.compile(r"\d(?:[ ().\-/]{0,3}\d){5}")


class Batches:
    """Thread-safe. Compiles its rules when made: keep it (``batches``)."""

    def __init__(self, classes: Collection[str] = tuple(CLASSES)) -> None:
        """``classes``: of ``personal.CLASSES``, and ``secret``; or those of ``ORDERS``, which compete with
        nothing. All personal classes compete for a span whatever is asked for, as in ``personal.find``; but
        those of ``DESCRIPTIVE`` do so only where one of them is asked for."""
        self.classes = frozenset(classes)
        self._alone = self.classes <= ORDERS
        wanted = set(self.classes) if self._alone else set(CLASSES)
        if not self._alone and self.classes.isdisjoint(DESCRIPTIVE):
            wanted -= DESCRIPTIVE
        if SECRETS in self.classes:
            wanted.add(SECRETS)
        self._exact = wanted == self.classes
        """Whether what is looked for is what is asked for."""
        rules = [
            replace(rule, whole=rule.whole or rule.id in _WHOLE) for rule in builtin() if rule.cls in wanted
        ]
        self._engine = Engine(rules, short=0, gates=False)

    def find(
        self, texts: Sequence[str], *, minimum: float = 0.5, regions: Sequence[str] = ()
    ) -> list[list[Sighting]]:
        """For each text, in order, what is in it: disjoint, ordered by place.

        ``regions``: as for ``personal.find``; they cost some ten microseconds for each number and region.
        """
        out: list[list[Sighting]] = [[] for _ in texts]
        plain: list[int] = []
        other: list[int] = []
        for at, text in enumerate(texts):
            (plain if text.isascii() else other).append(at)
        for some in (*_batches(texts, plain), *_batches(texts, other)):
            joined = _BETWEEN.join([texts[at] for at in some])
            present = frozenset() if joined.isascii() else frozenset(joined)
            folds = present & _signs().keys()
            for char in folds:  # character for character, so that offsets stay
                joined = joined.replace(char, _signs()[char])
            seen = self._places(joined, texts, some)
            folded = [at for at in some if any(char in texts[at] for char in folds)] if folds else []
            as_it_came = _BETWEEN.join([texts[at] for at in folded])
            for at, more in self._places(as_it_came, texts, folded).items():
                seen[at] = [*seen.get(at, ()), *more]
            for at in some if regions else seen:
                out[at] = self._sightings(texts[at], seen.get(at, ()), minimum, regions)
            hidden = present & _UNSEEN
            if joined.count("\x00") < len(some):  # those between the rows
                hidden -= {"\x00"}
            for at in some if hidden else ():
                if any(char in texts[at] for char in hidden) and smuggled(texts[at]):
                    out[at] = self._every_way(texts[at], out[at], minimum, regions)
        return out

    def _places(
        self, joined: str, texts: Sequence[str], numbers: Sequence[int]
    ) -> dict[int, Sequence[Place]]:
        """What is in a row, in characters of the row."""
        rules, out = self._engine.rules, {}
        starts = list(accumulate([len(texts[at]) + len(_BETWEEN) for at in numbers], initial=0))
        for row, places in _by_row(self._engine.places(joined), starts):
            at, start = numbers[row], starts[row]
            end = start + len(texts[at])
            text = joined[start:end]
            if places[0][1] < start or max([last for _, _, last in places]) > end:
                own = self._engine.places(text)  # as the row alone has it
            else:
                own = [(index, first - start, last - start) for index, first, last in places]
            out[at] = announced(text, own, rules, again=False)
        return out

    def _sightings(
        self, text: str, places: Sequence[Place], minimum: float, regions: Sequence[str]
    ) -> list[Sighting]:
        rules = self._engine.rules
        found = [
            sighting(rules[index], start, end, text[start:end])
            for index, start, end in places
            if rules[index].score >= minimum
        ]
        if regions and _PHONE.search(text):
            found.extend(one for one in phones.phones(text, regions) if one.score >= minimum)
        return self._left(found, text) if found else found

    def _left(self, found: list[Sighting], text: str) -> list[Sighting]:
        left = sorted(found, key=_PLACE) if self._alone else resolved(found, text)
        return left if self._exact else [one for one in left if one.cls in self.classes]

    def _every_way(
        self, text: str, known: Sequence[Sighting], minimum: float, regions: Sequence[str]
    ) -> list[Sighting]:
        """A row with characters that hide what is between them."""
        more = find(text, self.classes - {SECRETS}, minimum=minimum, regions=regions)
        return self._left([*known, *more], text)


@cache
def batches(classes: frozenset[str] = frozenset(CLASSES)) -> Batches:
    """Compiled at first use, and kept."""
    return Batches(classes)


def _batches(texts: Sequence[str], numbers: Sequence[int]) -> Iterator[list[int]]:
    some: list[int] = []
    size = 0
    for at in numbers:
        if some and size + len(texts[at]) > BATCH:
            yield some
            some, size = [], 0
        some.append(at)
        size += len(texts[at]) + len(_BETWEEN)
    if some:
        yield some


def _by_row(places: list[Place], starts: Sequence[int]) -> Iterator[tuple[int, list[Place]]]:
    """By row, ordered by place. What begins in the break before a row is of that row; what follows the last
    row is of none."""
    some: list[Place] = []
    row = stop = -1
    for place in sorted(places, key=itemgetter(1)):
        begin = place[1]
        if begin >= stop:
            if some:
                yield row, some
            row = bisect_right(starts, begin + len(_BETWEEN)) - 1
            if row + 1 == len(starts):
                return
            stop = starts[row + 1] - len(_BETWEEN)
            some = []
        some.append(place)
    if some:
        yield row, some


@cache
def _signs() -> Mapping[str, str]:
    """Characters that stand for one of ASCII: other digits, dashes and blanks, full width."""
    table: dict[str, str] = {}
    for code in range(0x100, 0x20000):
        char = chr(code)
        digit = unicodedata.decimal(char, None)
        folded = str(digit) if digit is not None else unicodedata.normalize("NFKC", char)
        category = unicodedata.category(char)
        if len(folded) == 1 and folded.isascii() and category != "Lm":  # raised letters are footnotes
            table[char] = folded
        elif category in ("Pd", "Zs"):
            table[char] = "-" if category == "Pd" else " "
    return {**table, "\xa0": " "}
