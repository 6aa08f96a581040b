"""Personal data in many texts at once: rows of a data set rather than what somebody says to a model.

One pass of the engine reads many rows together, and only rows in which something was found are looked at one
by one. Rows are read as they came, with Unicode's compatibility forms as the characters that they look like;
a row with smuggled invisible characters goes to ``personal.find``. What somebody *encoded* on purpose
(Base64, leetspeak, reversed words) is for ``personal.find`` alone, at a hundredth of the speed.
"""

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache

from . import phones
from .confusables import INVISIBLE
from .engine import Engine, Hit
from .invisible import smuggled
from .near import announced
from .overlaps import resolved
from .personal import CLASSES, find
from .rules import builtin
from .scanner import Sighting

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
        """``classes``: of ``personal.CLASSES``, and ``secret``. All personal classes compete for a span
        whatever is asked for, as in ``personal.find``."""
        self.classes = frozenset(classes)
        wanted = {SECRETS, *CLASSES} if SECRETS in self.classes else set(CLASSES)
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
        for plain in (True, False):
            numbers = [at for at, text in enumerate(texts) if text and text.isascii() is plain]
            for some in _batches(texts, numbers):
                joined = _BETWEEN.join([texts[at] for at in some])
                present = frozenset() if plain else frozenset(joined)
                for char in present & _signs().keys():  # character for character, so that offsets stay
                    joined = joined.replace(char, _signs()[char])
                seen = self._hits(joined, texts, some)
                for at in some if regions else seen:
                    found = [_sighting(hit, texts[at]) for hit in seen.get(at, ())]
                    if regions and _PHONE.search(texts[at]):
                        found.extend(phones.phones(texts[at], regions))
                    out[at] = self._left(found, texts[at], minimum)
                if not present.isdisjoint(_UNSEEN):
                    self._uncovered(texts, some, out, minimum, regions)
        return out

    def _hits(self, joined: str, texts: Sequence[str], numbers: Sequence[int]) -> dict[int, list[Hit]]:
        """Hits by row, in characters of the row."""
        hits = iter(self._engine.scan(joined))
        hit = next(hits, None)
        found: dict[int, list[Hit]] = {}
        start = 0
        for at in numbers:
            if hit is None:
                break
            end = start + len(texts[at])
            if hit.start < end:
                own: list[Hit] = []
                across = False
                while hit is not None and hit.start < end:
                    across = across or hit.end > end or hit.start < start
                    own.append(Hit(hit.rule, hit.start - start, hit.end - start))
                    hit = next(hits, None)
                text = joined[start:end]
                found[at] = announced(text, self._engine.scan(text) if across else own)
            start = end + len(_BETWEEN)
        return found

    def _left(self, found: Sequence[Sighting], text: str, minimum: float) -> list[Sighting]:
        left = resolved((one for one in found if one.score >= minimum), text)
        return [one for one in left if one.cls in self.classes]

    def _uncovered(
        self,
        texts: Sequence[str],
        numbers: Sequence[int],
        out: list[list[Sighting]],
        minimum: float,
        regions: Sequence[str],
    ) -> None:
        """Rows with characters that hide what is between them are read in every way there is."""
        personal = self.classes - {SECRETS}
        for at in numbers:
            if smuggled(texts[at]):
                more = find(texts[at], personal, minimum=minimum, regions=regions)
                out[at] = self._left([*out[at], *more], texts[at], minimum)


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
