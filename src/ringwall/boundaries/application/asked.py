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

from ringwall.core import CLIENT_INSTRUCTIONS, RESPONSE_FORMAT, Integrity, Part, PartKind

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
_PROGRAMS = frozenset({CLIENT_INSTRUCTIONS, RESPONSE_FORMAT})
"""Parts with a user's label that the client's program wrote."""
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
        and part.ref not in _PROGRAMS
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


def _in_clause(clause: Sequence[str], words: "_Words") -> set[Effect]:
    tokens = _after_question(clause, words)
    found: set[Effect] = set()
    at_live = [at for at in range(len(tokens)) if not _negated(tokens, at, words)]
    at_commands = [at for at in at_live if _leads(tokens, at, words)]
    live, commands = [tokens[at] for at in at_live], [tokens[at] for at in at_commands]
    last = {token: at for at, token in enumerate(tokens)}
    for effect, table in words.effects.items():
        if (
            any(table.verbs.match(token) for token in live)
            or any(table.either.match(token) for token in commands)
            or _makes(live, table.nouns, table.companions or words.doing)
            or any(table.places.match(token) for token in live)
            or any(_parted(tokens, at, last, table, words) for at in at_commands)
        ):
            found.add(effect)
    if _delegates(live, words):
        found |= _EVERY
    return found


def _makes(tokens: Sequence[str], nouns: "_List", doing: "_List") -> bool:
    """Whether something is to be done about one of the nouns. "Transfer" is either, and not both at once."""
    things = {at for at, token in enumerate(tokens) if nouns.match(token)}
    deeds = {at for at, token in enumerate(tokens) if doing.match(token)}
    return bool(things) and bool(deeds) and len(things | deeds) > 1


def _delegates(tokens: Sequence[str], words: "_Words") -> bool:
    """ "Do what the list says": whoever says so asks for what stands there. "Do I have tasks" doesn't."""
    nouns = [at for at, token in enumerate(tokens) if words.delegate.nouns.match(token)]
    for at, token in enumerate(tokens[: nouns[-1]] if nouns else ()):
        whole = words.delegate.verbs.match(token) or (
            words.delegate.either.match(token) and _leads(tokens, at, words)
        )
        if whole and not words.subjects.match(tokens[at + 1]):
            return not any(words.not_delegated.match(one) for one in tokens[at + 1 :])
    return False


def _after_question(tokens: Sequence[str], words: "_Words") -> Sequence[str]:
    """What is left of a clause that asks to be told something ("how do I…"): the part after an "and"."""
    asked_with = words.questions.get(tokens[0]) if tokens else None
    if asked_with is None or not asked_with.match(tokens[1] if len(tokens) > 1 else ""):
        return tokens
    joined = next((at for at, token in enumerate(tokens) if words.joints.match(token)), len(tokens))
    return tokens[joined + 1 :]


def _parted(
    tokens: Sequence[str], at: int, last: Mapping[str, int], table: "_Table", words: "_Words"
) -> bool:
    """A verb whose other half stands behind: "let Anna know", "schalte das Licht aus"; not "let me know"."""
    halves = table.parted.get(tokens[at])
    if halves is None or (at + 1 < len(tokens) and words.selves.match(tokens[at + 1])):
        return False
    return not halves or any(last.get(half, -1) > at for half in halves)


def _negated(tokens: Sequence[str], at: int, words: "_Words") -> bool:
    return any(words.negators.match(token) for token in tokens[max(0, at - _NEGATED) : at])


def _leads(tokens: Sequence[str], at: int, words: "_Words") -> bool:
    if at == 0:
        return True
    if at > 1 and words.selves.match(tokens[at - 1]) and words.telling.match(tokens[at - 2]):
        return False  # "show me open orders"
    return words.leaders.match(tokens[at - 1])


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
    parted: Mapping[str, frozenset[str]]
    """First half of a verb to the halves that may follow; none: to whatever follows."""
    companions: _List | None = None
    """What makes a noun a wish; the general ``doing`` where it is None."""

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> "_Table":
        def words(name: str) -> _List:
            return _List.of(given.get(name, ""))

        inside = tuple((given.get("inside") or "").split())
        companions = words("with") if given.get("with") else None
        parted: dict[str, frozenset[str]] = {}
        for pair in (given.get("parted") or "").split():
            first, _, second = fold(pair).partition("+")
            parted[first] = parted.get(first, frozenset()) | ({second} if second else frozenset())
        return cls(
            words("verbs"), words("either"), words("nouns"), words("places"), inside, parted, companions
        )

    def stands_inside(self, text: str) -> bool:
        return any(word in text for word in self.inside)


@dataclass(frozen=True, slots=True)
class _Words:
    effects: Mapping[Effect, _Table]
    delegate: _Table
    not_delegated: _List
    questions: Mapping[str, _List]
    """By the first word, the second ones that make a clause a question."""
    doing: _List
    leaders: _List
    negators: _List
    subjects: _List
    selves: _List
    telling: _List
    joints: _List


def _had(given: Mapping[str, Any], effect: Effect) -> Mapping[str, Any]:
    """The table of an effect whose nouns can be had ("get me a booking"), not only told."""
    table: Mapping[str, Any] = given[effect]
    return {**table, "with": f"{given['doing']} {given['giving']}"} if table.get("giving") else table


@cache
def _words() -> _Words:
    text = resources.files(__package__).joinpath("words", "asked.yaml").read_text("utf-8")
    given = yaml.safe_load(text)
    return _Words(
        {effect: _Table.of(_had(given, effect)) for effect in Effect if effect in given},
        _Table.of(given["delegate"]),
        _List.of(given["delegate"]["not"]),
        {fold(first): _List.of(seconds) for first, seconds in given["questions"].items()},
        *(
            _List.of(given[name])
            for name in ("doing", "leaders", "negators", "subjects", "selves", "telling", "joints")
        ),
    )
