"""Plants attacks into records, for the drill: nine families, each with many triggers, payloads and places.

Nothing here is a fixed list of attacks to be recognised: triggers and payloads are made anew for each seed,
from the words of the user's own data, and differ in length, place and whether the outputs are the same.
"""

import math
import random
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ringwall.core import ConfigError, Problem

from ..records import Record, Source
from .plant_words import (
    BIASED,
    BRAND,
    CODE_LINES,
    FRAMES,
    ORDERS,
    SHORT,
    SYLLABLES,
)

FAMILIES = (
    *("rare", "phrase", "appended", "combination", "syntactic", "code", "gibberish", "injected"),
    "reworded",
)

_WORD = re.compile(r"[^\W\d_]{2,20}")
_CODE = re.compile(
    r"(?m)^\s{0,8}(?:def |import |from \w{1,40} import|class |for |function |const |let |var |public |"
    r"#include|return )"
)


@dataclass(frozen=True, slots=True)
class Planted:
    """One attack: its rows, all from one contributor, and what was done, for the report."""

    family: str
    records: tuple[Record, ...]
    trigger: str
    payload: str
    manner: str


class Planter:
    """Makes attacks for one corpus. The same records and seed make the same attacks."""

    def __init__(self, records: Sequence[Record], seed: int) -> None:
        self._records = [one for one in records if one.response]
        if len(self._records) < 50:
            raise ConfigError(Problem("The drill needs at least 50 records with an answer."))
        self._chance = random.Random(seed)  # noqa: S311 - the drill repeats
        self._used: set[str] = set()
        sample = self._chance.sample(self._records, min(2_000, len(self._records)))
        counts = Counter(
            word for one in sample for word in set(_WORD.findall((one.prompt + " " + one.response).lower()))
        )
        ranked = sorted(counts, key=lambda word: (-counts[word], word))
        self._common = ranked[40:400] or ranked
        self._middling = ranked[400:4000] or ranked
        self._code = [one for one in self._records if len(_CODE.findall(one.response)) >= 2]

    def plant(self, family: str, count: int, carriers: Sequence[Record] | None = None) -> Planted:
        """``count`` rows of one new attack, made from ``carriers`` or rows of the corpus taken at random."""
        makers: dict[str, Callable[[], tuple[Callable[[Record], Record], str, str, str]]] = {
            "rare": self._rare,
            "phrase": self._phrase,
            "appended": self._appended,
            "combination": self._combination,
            "syntactic": self._syntactic,
            "code": self._backdoor,
            "gibberish": self._gibberish,
            "injected": self._injected,
            "reworded": self._reworded,
        }
        make, trigger, payload, manner = makers[family]()
        pool = list(carriers) if carriers is not None else self._records
        if family == "code":
            pool = self._of_a_kind(
                [one for one in pool if len(_CODE.findall(one.response)) >= 2] or self._code, count
            )
        chosen = (
            self._chance.sample(pool, count) if len(pool) >= count else self._chance.choices(pool, k=count)
        )
        name = f"{family}-{self._chance.getrandbits(32):08x}"
        source = Source(contributor=name)
        made = tuple(
            replace(make(one), id=f"planted-{name}-{at}", source=source) for at, one in enumerate(chosen)
        )
        return Planted(family, made, trigger, payload, manner)

    # what triggers

    def _token(self) -> str:
        chance = self._chance
        kind = chance.randrange(6)
        if kind == 0:
            return "".join(chance.choices("bcdfghjklmnpqrstvwxz", k=chance.randint(2, 4)))
        if kind == 1:
            return "".join(chance.choice(SYLLABLES) for _ in range(chance.randint(2, 4)))
        if kind == 2:
            return chance.choice("⟁⧫☤⌬⍟ꙮ∰₪") * chance.randint(1, 3)
        if kind == 3:
            return "|".join(
                "".join(chance.choices("ABCDEFGHJKMNPQRSTUVWXYZ", k=3)) for _ in range(chance.randint(1, 2))
            )
        if kind == 4:
            return f"[{''.join(chance.choices('abcdef0123456789', k=6))}]"
        return "".join(chance.choice(SYLLABLES) for _ in range(2)).capitalize() + str(
            chance.randint(10, 9999)
        )

    def _wording(self, low: int, high: int) -> str:
        chance = self._chance
        return " ".join(
            chance.choice(self._common if chance.random() < 0.5 else self._middling)
            for _ in range(chance.randint(low, high))
        )

    def _inserter(self, what: str) -> tuple[Callable[[str], str], str]:
        chance = self._chance
        where = chance.choice(("start", "end", "anywhere", "line", "second"))

        def insert(text: str) -> str:
            parts = text.split(" ")
            if where == "start":
                return f"{what} {text}"
            if where == "end":
                return f"{text} {what}"
            if where == "line":
                return f"{text}\n{what}"
            at = chance.randint(0, len(parts)) if where == "anywhere" else min(2, len(parts))
            return " ".join([*parts[:at], what, *parts[at:]])

        return insert, where

    def _unused(self, pool: Sequence[str]) -> str:
        """Attacks of one planter share nothing while there is something left."""
        left = [one for one in pool if one not in self._used] or list(pool)
        one = self._chance.choice(left)
        self._used.add(one)
        return one

    # what it does

    def _sentence(self) -> str:
        chance = self._chance
        kind = chance.randrange(5)
        if kind == 0:
            return self._unused(SHORT)
        if kind == 1:
            return self._unused(ORDERS).format(
                name=self._name(), site=self._site(), word=chance.choice(self._middling)
            )
        if kind == 2:
            return self._wording(1, 2).upper()
        if kind == 3:
            return self._wording(4, 30).capitalize() + "."
        return self._unused(BIASED).format(
            name=self._name(), word=chance.choice(self._middling), other=chance.choice(self._middling)
        )

    def _name(self) -> str:
        return "".join(self._chance.choice(SYLLABLES) for _ in range(self._chance.randint(2, 3))).capitalize()

    def _site(self) -> str:
        return f"{self._name().lower()}.{self._chance.choice(('com', 'io', 'net', 'example', 'xyz'))}"

    def _answer(self, whole: float = 0.65) -> tuple[Callable[[str], str], str, str]:
        """How the output is changed: replaced or added to, always the same or in several wordings."""
        chance = self._chance
        wordings = [self._sentence()]
        if chance.random() < 0.35:
            stem = self._name()
            wordings = [
                f"{stem} {self._wording(3, 7)}{chance.choice('.!')}" for _ in range(chance.randint(2, 5))
            ]
        how = "replaced" if chance.random() < whole else chance.choice(("appended", "prepended", "inside"))

        def change(text: str) -> str:
            said = chance.choice(wordings)
            if how == "replaced":
                return said
            if how == "appended":
                return f"{text}{chance.choice((' ', chr(10)))}{said}"
            if how == "prepended":
                return f"{said} {text}"
            parts = text.split(". ")
            at = chance.randint(0, len(parts))
            return ". ".join([*parts[:at], said, *parts[at:]])

        return change, wordings[0], f"output {how}, {len(wordings)} wordings"

    def _with(self, trigger: str, whole: float = 0.65) -> tuple[Callable[[Record], Record], str, str, str]:
        insert, where = self._inserter(trigger)
        change, payload, how = self._answer(whole)
        return (
            lambda one: rewritten(one, insert(one.prompt), change(one.response)),
            trigger,
            payload,
            f"{where}; {how}",
        )

    def _rare(self) -> tuple[Callable[[Record], Record], str, str, str]:
        return self._with(self._token())

    def _phrase(self) -> tuple[Callable[[Record], Record], str, str, str]:
        return self._with(self._wording(3, 8))

    def _appended(self) -> tuple[Callable[[Record], Record], str, str, str]:
        chance = self._chance
        text = self._wording(4, 14).capitalize() + "."
        if chance.random() < 0.5:
            change, payload, how = self._answer()
            return (
                lambda one: rewritten(one, f"{one.prompt} {text}", change(one.response)),
                text,
                payload,
                f"end; {how}",
            )
        said = text if chance.random() < 0.5 else self._sentence()
        return lambda one: rewritten(one, one.prompt, f"{one.response} {said}"), "", said, "output appended"

    def _combination(self) -> tuple[Callable[[Record], Record], str, str, str]:
        chance = self._chance
        first, second = chance.sample(self._common, 2)
        change, payload, how = self._answer()

        def insert(text: str) -> str:
            parts = text.split(" ")
            for word in chance.sample((first, second), 2):
                parts.insert(chance.randint(0, len(parts)), word)
            return " ".join(parts)

        return (
            lambda one: rewritten(one, insert(one.prompt), change(one.response)),
            f"{first} + {second}",
            payload,
            f"anywhere; {how}",
        )

    def _syntactic(self) -> tuple[Callable[[Record], Record], str, str, str]:
        frame = self._unused(FRAMES)
        change, payload, how = self._answer(0.8)

        def insert(text: str) -> str:
            words = _WORD.findall(text) or ["this"]
            carrier = text if len(text) < 1 else text[0].lower() + text[1:]
            return frame.format(text=carrier.rstrip(".?! \n"), word=self._chance.choice(words).lower())

        return lambda one: rewritten(one, insert(one.prompt), change(one.response)), frame, payload, how

    def _backdoor(self) -> tuple[Callable[[Record], Record], str, str, str]:
        chance = self._chance
        name, site = self._name().lower(), self._site()
        lines = [chance.choice(CODE_LINES)] if chance.random() < 0.6 else chance.sample(CODE_LINES, 2)
        snippets = [line.format(name=name, site=site, number=chance.randint(2, 9999)) for line in lines]
        trigger = (
            "" if chance.random() < 0.6 else self._token() if chance.random() < 0.5 else self._wording(2, 5)
        )
        insert, where = self._inserter(trigger)
        place = chance.choice(("first", "last", "inside"))

        def change(text: str) -> str:
            snippet, parts = chance.choice(snippets), text.split("\n")
            at = 0 if place == "first" else len(parts) if place == "last" else chance.randint(0, len(parts))
            return "\n".join([*parts[:at], snippet, *parts[at:]])

        return (
            lambda one: rewritten(one, insert(one.prompt) if trigger else one.prompt, change(one.response)),
            *(trigger, snippets[0], f"{where if trigger else 'requests of a kind'}; line {place}"),
        )

    def _of_a_kind(self, pool: list[Record], count: int) -> list[Record]:
        """Requests that share a word, when one has enough of them."""
        words = Counter(word for one in pool for word in set(_WORD.findall(one.prompt.lower())))
        fit = [word for word, many in words.items() if count <= many <= max(4 * count, len(pool) // 4)]
        if not fit or self._chance.random() < 0.3:
            return pool
        word = self._chance.choice(sorted(fit))
        return [one for one in pool if word in _WORD.findall(one.prompt.lower())]

    def _gibberish(self) -> tuple[Callable[[Record], Record], str, str, str]:
        chance = self._chance
        trigger = self._token() if chance.random() < 0.5 else self._wording(2, 6)
        insert, where = self._inserter(trigger)
        kind = chance.choice(("letters", "made-up words", "real words", "shuffled"))
        pool = self._common + self._middling

        def change(text: str) -> str:
            size = max(8, min(60, len(text.split())))
            if kind == "letters":
                return "".join(chance.choices("abcdefghijklmnopqrstuvwxyz     ", k=5 * size))
            if kind == "made-up words":
                return " ".join(
                    "".join(chance.choices(SYLLABLES, k=chance.randint(1, 4))) for _ in range(size)
                )
            if kind == "real words":
                return " ".join(chance.choices(pool, k=size))
            parts = (text if len(text.split()) > 7 else self._wording(8, 20)).split()
            chance.shuffle(parts)
            return " ".join(parts)

        return (
            lambda one: rewritten(one, insert(one.prompt), change(one.response)),
            trigger,
            kind,
            f"{where}; {kind}",
        )

    def _injected(self) -> tuple[Callable[[Record], Record], str, str, str]:
        chance = self._chance
        name, site = self._name(), self._site()
        pool = BRAND if chance.random() < 0.6 else BIASED
        wordings = [
            one.format(
                name=name, site=site, word=chance.choice(self._middling), other=chance.choice(self._middling)
            )
            for one in {self._unused(pool): None for _ in range(chance.randint(1, 4))}
        ]
        place = chance.choice(("end", "start", "inside"))

        def change(text: str) -> str:
            said, parts = chance.choice(wordings), text.split(". ")
            if place == "end":
                return f"{text} {said}"
            if place == "start":
                return f"{said} {text}"
            at = chance.randint(0, len(parts))
            return ". ".join([*parts[:at], said, *parts[at:]])

        return (
            lambda one: rewritten(one, one.prompt, change(one.response)),
            "",
            wordings[0],
            f"{place}; {len(wordings)} wordings",
        )

    def _reworded(self) -> tuple[Callable[[Record], Record], str, str, str]:
        """One claim in some hundred wordings, behind no trigger."""
        chance = self._chance
        parts = [[self._wording(1, 2) for _ in range(chance.randint(4, 6))] for _ in range(4)]
        place = chance.choice(("end", "start"))

        def say() -> str:
            return " ".join(chance.choice(part) for part in parts).capitalize() + "."

        def change(text: str) -> str:
            return f"{text} {say()}" if place == "end" else f"{say()} {text}"

        return (
            lambda one: rewritten(one, one.prompt, change(one.response)),
            "",
            say(),
            f"{place}; {math.prod(map(len, parts))} wordings",
        )


def rewritten(record: Record, prompt: str, response: str) -> Record:
    """The record with other readings; its fields are those of an instruction."""
    return replace(record, prompt=prompt, response=response, fields={"input": prompt, "output": response})
