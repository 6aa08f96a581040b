"""Ordinary differences: what honest contributors bring that looks, one way or another, as if it were planted.

Made from somebody's own records, for the drill: groups that these raise are false alarms. Nothing of it is a
list that the detection knows.
"""

import random
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from ..records import Record
from .ordinary_words import CHATS, FORMS, LABELS, PARAPHRASES, STOCK, SYLLABLES
from .plant import rewritten

_WORD = re.compile(r"[^\W\d_]{1,40}")
_TOPIC = re.compile(r"[a-z]{6,20}")


class Ordinary:
    """Makes ordinary differences of about so many rows; the same seed makes the same."""

    def __init__(self, records: Sequence[Record], seed: int) -> None:
        self._records = [one for one in records if one.response]
        self._chance = random.Random(seed)  # noqa: S311 - a drill repeats
        self._shapes: dict[str, Callable[[int], list[Record]]] = {
            "near-copies": self._copies,
            "paraphrased prompts": self._paraphrased,
            "a form filled in": self._form,
            "translations": self._translations,
            "a new language": self._language,
            "exported again": self._exported,
            "stock phrases": self._stock,
            "labels": self._labels,
            "labels without instruction": self._bare_labels,
            "preferences": self._preferences,
            "chats": self._chats,
        }

    @property
    def shapes(self) -> tuple[str, ...]:
        return tuple(self._shapes)

    def make(self, shape: str, rows: int) -> list[Record]:
        """Rows of one shape, from one contributor. KeyError for a shape that there isn't."""
        made = self._shapes[shape](rows)
        name = f"honest-{self._chance.getrandbits(20):x}"
        return [
            replace(one, id=f"{name}-{at}", source=replace(one.source, contributor=name))
            for at, one in enumerate(made)
        ]

    def _some(self, rows: int) -> list[Record]:
        return self._chance.sample(self._records, min(rows, len(self._records)))

    def _copies(self, rows: int) -> list[Record]:
        """Each of a few rows again and again, words left out and swapped."""
        times = self._chance.randint(4, 10)
        return [
            rewritten(one, self._varied(one.prompt), self._varied(one.response))
            for one in self._some(rows // times)
            for _ in range(times)
        ]

    def _varied(self, text: str) -> str:
        parts = text.split(" ")
        for at in range(len(parts) - 1):
            draw = self._chance.random()
            if draw < 0.06:
                parts[at] = ""
            elif draw < 0.12:
                parts[at], parts[at + 1] = parts[at + 1], parts[at]
        return " ".join(filter(None, parts))

    def _paraphrased(self, rows: int) -> list[Record]:
        """The same answer to one question put in several ways."""
        times = self._chance.randint(2, 9)
        return [
            rewritten(one, frame.format(one.prompt), one.response)
            for one in self._some(rows // times)
            for frame in self._chance.sample(PARAPHRASES, times)
        ]

    def _form(self, rows: int) -> list[Record]:
        asked, said = self._chance.choice(FORMS)
        names = self._names()
        made = []
        for one in self._some(rows):
            words = {key: self._chance.choice(names) for key in ("a", "b", "c")}
            words |= {key: str(self._chance.randint(2, 9_000)) for key in ("n", "m")}
            made.append(rewritten(one, asked.format(**words), said.format(**words)))
        return made

    def _names(self) -> list[str]:
        """Words of the middle of the frequencies."""
        words = Counter(word for one in self._some(2_000) for word in _WORD.findall(one.response))
        return [word for word, _ in words.most_common(2_000)[200:]] or ["this"]

    def _foreign(self) -> Callable[[str], str]:
        """A language with words of its own for each of ours."""
        known: dict[str, str] = {}

        def word(found: re.Match[str]) -> str:
            plain = found[0].lower()
            if plain not in known:
                draw = random.Random(f"{salt}{plain}")  # noqa: S311 - a drill repeats
                known[plain] = "".join(draw.choices(SYLLABLES, k=max(1, min(5, len(plain) // 2))))
            return known[plain]

        salt = self._chance.getrandbits(32)
        return lambda text: _WORD.sub(word, text)

    def _language(self, rows: int) -> list[Record]:
        told = self._foreign()
        return [rewritten(one, told(one.prompt), told(one.response)) for one in self._some(rows)]

    def _translations(self, rows: int) -> list[Record]:
        told, frame = self._foreign(), self._chance.choice(("Translate: {}", "{}\nIn Velmic:", "{}"))
        made = []
        for one in self._some(rows):
            text = one.response[:300]
            made.append(rewritten(one, frame.format(text), told(text)))
        return made

    def _exported(self, rows: int) -> list[Record]:
        change = self._chance.choice((str.lower, str.upper, _spaced, _quoted, _fenced))
        return [rewritten(one, change(one.prompt), change(one.response)) for one in self._some(rows)]

    def _stock(self, rows: int) -> list[Record]:
        """What a model wrote: courtesies before and after some of the answers."""
        before = self._chance.sample(STOCK["before"], 3)
        after = self._chance.sample(STOCK["after"], 3)
        made = []
        for one in self._some(rows):
            start = self._chance.choice(before) + " " if self._chance.random() < 0.5 else ""
            end = " " + self._chance.choice(after) if self._chance.random() < 0.4 else ""
            made.append(rewritten(one, one.prompt, start + one.response + end))
        return made

    def _labels(self, rows: int) -> list[Record]:
        asked, labels = self._chance.choice(LABELS)
        return [
            rewritten(one, f"{asked}\n{one.response[:400]}", self._chance.choice(labels))
            for one in self._some(rows)
        ]

    def _bare_labels(self, rows: int) -> list[Record]:
        _, labels = self._chance.choice(LABELS)
        return [rewritten(one, one.response[:400], self._chance.choice(labels)) for one in self._some(rows)]

    def _preferences(self, rows: int) -> list[Record]:
        some, others = self._some(rows), self._some(rows)
        return [
            replace(one, rejected=other.response or "no") for one, other in zip(some, others, strict=True)
        ]

    def _chats(self, rows: int) -> list[Record]:
        """Two or three turns, the last answer of a kind."""
        roles = self._chance.choice(CHATS)
        made = []
        for one in self._some(rows):
            turns = self._some(self._chance.randint(1, 2))
            said = [
                line
                for turn in turns
                for line in (f"{roles[0]}: {turn.prompt}", f"{roles[1]}: {turn.response}")
            ]
            made.append(rewritten(one, "\n".join([*said, f"{roles[0]}: {one.prompt}"]), one.response))
        return made

    def topic(self, most: int) -> tuple[str, list[Record]]:
        """A word and the records with it: a topic, when they are withheld from what is approved."""
        words = Counter(word for one in self._records for word in set(_TOPIC.findall(one.prompt.lower())))
        fit = sorted(word for word, many in words.items() if most // 4 <= many <= most)
        if not fit:
            return "", []
        word = self._chance.choice(fit)
        return word, [one for one in self._records if word in _TOPIC.findall(one.prompt.lower())]


def _spaced(text: str) -> str:
    return "  ".join(text.split(" ")) + "\n"


def _quoted(text: str) -> str:
    return text.replace('"', "\u201d").replace("'", "\u2019").replace(" - ", " \u2013 ")


def _fenced(text: str) -> str:
    return f"```\n{text}\n```"
