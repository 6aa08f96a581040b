"""What the user asked for: the effects that the user's own words name.

A model that obeys an injected text does things that nobody asked for. The user's messages are content that no
outsider wrote, so words in them ("send", "delete", "set up a payment") are evidence of what is wanted;
their absence is a reason to ask. This is no understanding of language: it can only tell *nothing of this
kind was asked* from *something of this kind was*, in English, German, French, Spanish, Italian, Portuguese,
Dutch, Japanese and Chinese. It lets nothing through by itself: where an effect goes is judged elsewhere.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from typing import Any

import yaml

from ringwall.core import CLIENT_INSTRUCTIONS, Integrity, Part, PartKind

from .effect import Effect
from .text_forms import fold

MESSAGES = 3
"""The user's latest messages that are read: "yes, do that" refers to what was said before."""
MAX_CHARACTERS = 20_000
"""Of one message; what lies beyond asks for nothing."""
_QUOTED = re.compile(
    r"\"[^\"\n]{1,400}\"|“[^”\n]{1,400}”|„[^“\n]{1,400}“|«[^»\n]{1,400}»|(?<![^\s(])'[^'\n]{1,400}'(?![^\s.,;:!?)])"
)
_URL = re.compile(r"(?:[a-z][a-z0-9+.\-]{0,15}://|www\.)[^\s<>\"']{1,2000}")
_MAIL = re.compile(r"[^\s@]{1,64}@[^\s@]{1,255}")
_CLAUSE = re.compile(r"[.;:!?\n,()]+")
_WORD = re.compile(r"[^\W\d_]+(?:['’\-][^\W\d_]+)*")
_NEGATED = 3
"""Words after a negator that it may belong to."""
_NEAR_URL = 4
"""Words before an address that may be its own name: "her website: www…"."""
_EVERY = frozenset(Effect) - {Effect.READ}


def asked_by(content: Iterable[Part]) -> frozenset[Effect]:
    """Effects that the user's latest messages ask for. Reads only what counts as the user's own words; a
    part that the session knows as content from outside does not."""
    own = [
        part.text
        for part in content
        if part.kind is PartKind.TEXT
        and part.role == "user"
        and part.label.integrity >= Integrity.USER
        and part.ref != CLIENT_INSTRUCTIONS
    ]
    return frozenset().union(*(asked(text) for text in own[-MESSAGES:]))


@lru_cache(maxsize=1024)
def asked(text: str) -> frozenset[Effect]:
    """Effects that one text asks for. Linear in the text."""
    folded = fold(text[:MAX_CHARACTERS].replace("\n", ". "))
    words = _words()
    found = {effect for effect, table in words.effects.items() if table.stands_inside(folded)}
    plain = _MAIL.sub(" ", _URL.sub(" \0 ", _QUOTED.sub(" ", folded)))
    for clause in _CLAUSE.split(_without_named_pages(plain, words)):
        found |= _in_clause(_WORD.findall(clause.replace("\0", " ")), words)
    return frozenset(found)


def _without_named_pages(text: str, words: "_Words") -> str:
    """The text without words such as "website" that stand right before or after an address: who names the
    page asks for that page, not for others."""
    if "\0" not in text:
        return text
    tokens = text.split()
    kept = list(tokens)
    pages = words.effects[Effect.FETCH].places
    for at, token in enumerate(tokens):
        if "\0" in token:
            for near in range(max(0, at - _NEAR_URL), min(len(tokens), at + 2)):
                if pages.match(tokens[near].strip(".,;:!?()")):
                    kept[near] = " "
    return " ".join(kept)


def _in_clause(tokens: Sequence[str], words: "_Words") -> set[Effect]:
    found: set[Effect] = set()
    live = [token for at, token in enumerate(tokens) if not _negated(tokens, at, words)]
    commands = [token for at, token in enumerate(tokens) if token in live and _leads(tokens, at, words)]
    doing = any(words.doing.match(token) for token in live)
    for effect, table in words.effects.items():
        if (
            any(table.verbs.match(token) for token in live)
            or any(table.either.match(token) for token in commands)
            or (doing and any(table.nouns.match(token) for token in live))
            or any(table.places.match(token) for token in live)
        ):
            found.add(effect)
    if _delegates(live, words):
        found |= _EVERY
    return found


def _delegates(tokens: Sequence[str], words: "_Words") -> bool:
    """ "Do what the list says": whoever says so has asked for what stands there."""
    for at, token in enumerate(tokens):
        if words.delegate.verbs.match(token):
            after = tokens[at + 1 :]
            if any(words.delegate.nouns.match(one) for one in after):
                return not any(words.not_delegated.match(one) for one in after)
    return False


def _negated(tokens: Sequence[str], at: int, words: "_Words") -> bool:
    return any(words.negators.match(token) for token in tokens[max(0, at - _NEGATED) : at])


def _leads(tokens: Sequence[str], at: int, words: "_Words") -> bool:
    return at == 0 or words.leaders.match(tokens[at - 1])


@dataclass(frozen=True, slots=True)
class _List:
    """Words and beginnings of words."""

    exact: frozenset[str]
    stems: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> "_List":
        given = [fold(word) for word in (text or "").split()]
        stems = tuple(word[:-1] for word in given if word.endswith("*"))
        return cls(frozenset(word for word in given if not word.endswith("*")), stems)

    def match(self, token: str) -> bool:
        return token in self.exact or token.startswith(self.stems)


@dataclass(frozen=True, slots=True)
class _Table:
    verbs: _List
    either: _List
    nouns: _List
    places: _List
    inside: tuple[str, ...]

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> "_Table":
        def words(name: str) -> _List:
            return _List.of(given.get(name, ""))

        inside = tuple((given.get("inside") or "").split())
        return cls(words("verbs"), words("either"), words("nouns"), words("places"), inside)

    def stands_inside(self, text: str) -> bool:
        return any(word in text for word in self.inside)


@dataclass(frozen=True, slots=True)
class _Words:
    effects: Mapping[Effect, _Table]
    delegate: _Table
    not_delegated: _List
    doing: _List
    leaders: _List
    negators: _List


@cache
def _words() -> _Words:
    text = resources.files(__package__).joinpath("words", "asked.yaml").read_text("utf-8")
    given = yaml.safe_load(text)
    return _Words(
        {effect: _Table.of(given[effect]) for effect in Effect if effect in given},
        _Table.of(given["delegate"]),
        _List.of(given["delegate"]["not"]),
        *(_List.of(given[name]) for name in ("doing", "leaders", "negators")),
    )
