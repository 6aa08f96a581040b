"""Personal data in many texts at once: rows of a data set rather than what somebody says to a model.

One pass of the engine reads many rows together, and only rows in which something was found are looked at one
by one. Rows are read as they came, with Unicode's compatibility forms as the characters that they look like;
a row with smuggled invisible characters goes to ``personal.find``. What somebody *encoded* on purpose
(Base64, leetspeak, reversed words) is for ``personal.find`` alone, at a hundredth of the speed.
"""

import re
import unicodedata
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from itertools import accumulate

from . import phones
from .confusables import INVISIBLE
from .engine import Engine, Hit
from .invisible import smuggled
from .near import announced
from .overlaps import resolved
from .personal import CLASSES, find
from .rules import builtin
from .scanner import Sighting

ORDERS = frozenset({"injection", "jailbreak"})
"""Classes of text that gives orders to a model."""
SECRETS = "secret"
"""Class of credentials, which are no personal data but do not belong in a training set either."""
BATCH = 1 << 19
"""Characters that are read together; a longer text is read by itself."""
_BETWEEN = "\n\x00\n"
"""Between two rows: no rule reads on over it."""
_WHOLE = frozenset({
    "address-english", "name-self", "passport-mrz", "url-credentials", "url-token", "us-itin", "username",
})  # fmt: skip
"""Rules whose literals are in every other row: prose, sums and links."""
_UNSEEN = frozenset(map(chr, INVISIBLE))
_PHONE = re.compile(r"\d(?:[ ().\-/]{0,3}\d){5}")


class Batches:
    """Thread-safe. Compiles its rules when made: keep it (``batches``)."""

    def __init__(self, classes: Collection[str] = tuple(CLASSES)) -> None:
        """``classes``: of ``personal.CLASSES``, and ``secret``; or those of ``ORDERS``, which compete with
        nothing. All personal classes compete for a span whatever is asked for, as in ``personal.find``."""
        self.classes = frozenset(classes)
        self._alone = self.classes <= ORDERS
        wanted = set(self.classes) if self._alone else set(CLASSES)
        if SECRETS in self.classes:
            wanted.add(SECRETS)
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
            seen = self._hits(joined, texts, some)
            folded = [at for at in some if any(char in texts[at] for char in folds)] if folds else []
            as_it_came = _BETWEEN.join([texts[at] for at in folded])
            for at, more in self._hits(as_it_came, texts, folded).items():
                seen[at] = [*seen.get(at, ()), *more]
            for at in some if regions else seen:
                found = [_sighting(hit, texts[at]) for hit in seen.get(at, ())]
                if regions and _PHONE.search(texts[at]):
                    found.extend(phones.phones(texts[at], regions))
                out[at] = self._left(found, texts[at], minimum)
            hidden = present & _UNSEEN
            for at in some if hidden else ():
                if any(char in texts[at] for char in hidden) and smuggled(texts[at]):
                    out[at] = self._every_way(texts[at], out[at], minimum, regions)
        return out

    def _hits(self, joined: str, texts: Sequence[str], numbers: Sequence[int]) -> dict[int, list[Hit]]:
        """Hits by row, in characters of the row."""
        starts = list(accumulate((len(texts[at]) + len(_BETWEEN) for at in numbers), initial=0))
        found: dict[int, list[Hit]] = {}
        rows: dict[int, list[Hit]] = defaultdict(list)
        for hit in self._engine.scan(joined):
            row = bisect_right(starts, hit.start) - 1
            rows[row + (hit.start >= starts[row + 1] - len(_BETWEEN))].append(
                hit
            )  # from the break before it on
        for row, hits in rows.items():
            if row == len(numbers):
                continue
            at, start = numbers[row], starts[row]
            text = joined[start : start + len(texts[at])]
            end = start + len(text)
            if any(hit.start < start or hit.end > end for hit in hits):  # as the row alone has it
                own = self._engine.scan(text)
            else:
                own = [Hit(hit.rule, hit.start - start, hit.end - start) for hit in hits]
            found[at] = announced(text, own)
        return found

    def _left(self, found: Sequence[Sighting], text: str, minimum: float) -> list[Sighting]:
        likely = (one for one in found if one.score >= minimum)
        left = list(likely) if self._alone else resolved(likely, text)
        return [one for one in left if one.cls in self.classes]

    def _every_way(
        self, text: str, known: Sequence[Sighting], minimum: float, regions: Sequence[str]
    ) -> list[Sighting]:
        """A row with characters that hide what is between them."""
        more = find(text, self.classes - {SECRETS}, minimum=minimum, regions=regions)
        return self._left([*known, *more], text, minimum)


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


def _sighting(hit: Hit, text: str) -> Sighting:
    rule = hit.rule
    return Sighting(
        rule=rule.id,
        cls=rule.cls,
        family=rule.family,
        score=rule.score,
        message=rule.message,
        start=hit.start,
        end=hit.end,
        view="",
        reading=text[hit.start : hit.end],
    )


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
