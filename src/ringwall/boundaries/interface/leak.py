"""``interface.leak``: the words of the system prompt don't leave, changed a little or encoded neither.

Passages that follow the prompt, any encoding of it, and much of it in pieces stop the answer. A paraphrase
and a translation are noted by the words, names and figures that they share with it; a translation without
names and figures passes.
"""

import re
import string
from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Literal

from pydantic import Field

from ringwall.core import (
    ALLOW,
    Action,
    Application,
    Boundary,
    ControlFactory,
    CrossingKind,
    Declaration,
    Finding,
    PartKind,
    Services,
    Settings,
    Verdict,
    Window,
    verdict,
)
from ringwall.detect import views
from ringwall.detect.confusables import plain

from .leak_forms import Form, folded, forms_of, initials_of
from .leak_hints import Hint, Hints, ends_sentence
from .response import ResponseControl, Seen, last_word

ID = "interface.leak"
_WORD = re.compile(r"\w{1,64}")
_CODED = string.ascii_letters + string.digits + "+/_=-"
"""Characters of base64 and hexadecimal."""
_RUN = 4096
_SHORTEST_RUN = 24
_NEAR = 160
_TAIL = 2048
"""Characters at the end of the text in which an unfinished passage is looked for."""
_SLIP = 3
"""Words that may be changed, left out or put in between two matching ones."""
_REASON = "The answer was about to disclose internal instructions."
_HINTS = {
    "prompt-pieces": "Many pieces of the system prompt are in the answer.",
    "prompt-paraphrase": "A sentence says what the system prompt says, with nearly the same words.",
    "prompt-translated": "Names and figures of the system prompt are in a text in another language.",
}
_SHORTEST = 4
"""Words of the shortest prompt that is guarded."""


class LeakSettings(Settings):
    paraphrase: Literal["annotate", "block", "ignore"] = "annotate"
    """What becomes of an answer that says a sentence of the prompt with nearly the same words, or has some
    of its names and figures in another language. What answers are meant to say is seen too."""
    words: int = Field(default=8, ge=4, le=64)
    """Length of the passage that counts as a leak; three quarters of its words must match in order."""


@dataclass(slots=True)
class _Chain:
    """Words of the text that follow the prompt in order."""

    place: int
    """Index into the prompt of the last match."""
    first: int
    last: int
    """Indices into the text's words."""
    matched: int


class Leak(ResponseControl):
    def __init__(self, settings: LeakSettings, prompt: str) -> None:
        self._prompt = [word for word, _, _ in _words(prompt)]
        self._span = min(settings.words, len(self._prompt))
        self._needed = max(3, -(-3 * self._span // 4))
        self._on = len(self._prompt) >= _SHORTEST
        self._pairs: dict[tuple[str, str], list[int]] = defaultdict(list)
        for at, pair in enumerate(zip(self._prompt, self._prompt[1:], strict=False)):
            self._pairs[pair].append(at)
        self._known = frozenset(self._prompt)
        self._forms = forms_of(prompt) if self._on else []
        self._acrostic = [form for form in self._forms if form.name == "letters"]
        self._hints = Hints(prompt)
        self._paraphrase = settings.paraphrase
        longest = (self._span + _SLIP) * (max(map(len, self._prompt), default=1) + 4)
        super().__init__(
            Declaration(
                id=ID,
                boundary=Boundary.INTERFACE,
                summary="Stops an answer or call that repeats the system prompt, exactly or nearly.",
                crossings=frozenset({CrossingKind.RESPONSE, CrossingKind.TOOL_CALL}),
                parts=frozenset({PartKind.TEXT, PartKind.TOOL_CALL}),
                threats=("LLM01@2023", "LLM06@2023", "LLM07@2025", "LLM02@2025"),
                csf=("DE.CM-09", "PR.DS-10"),
                need=Window(size=4096, overlap=longest),
                inline=True,
            )
        )

    def inspect_text(self, text: str, seen: Seen) -> Verdict:
        if not self._on:
            return ALLOW
        given = _given(seen)
        passage = self._passage(text, given)
        if passage is not ALLOW:
            return passage
        return self._dressed(text).join(self._hinted(text, seen, given))

    def _passage(self, text: str, given: str) -> Verdict:
        for view in views(text):
            if not self._near(view.text):
                continue
            words = _words(view.text)
            for chain in self._chains(words):
                if not self._leaks(chain) or _supplied(words, chain, given):
                    continue
                start, end = view.locate(words[chain.first][1], words[chain.last][2])
                finding = Finding(
                    ID,
                    "prompt-passage",
                    f"{chain.matched} words follow the system prompt.",
                    0,
                    start,
                    end,
                    "leak",
                    0.95,
                    view.name,
                )
                return verdict(Action.BLOCK, _REASON, [finding])
        return ALLOW

    def _dressed(self, text: str) -> Verdict:
        """Runs of the prompt in some encoding, also one that no mark gives away."""
        data = folded(text)
        for form in self._forms:
            span = form.find(data)
            if span is None or not _dress(form, text[slice(*span)]):
                continue
            message = "A run of characters is the system prompt, encoded."
            finding = Finding(ID, "prompt-encoded", message, 0, *span, "leak", 0.95, form.name)
            return verdict(Action.BLOCK, _REASON, [finding])
        for form in self._acrostic:
            if any(form.find(initials) for initials in initials_of(data)):
                message = "The first letters of lines or words spell the system prompt."
                finding = Finding(ID, "prompt-acrostic", message, 0, 0, len(text), "leak", 0.9, "acrostic")
                return verdict(Action.BLOCK, _REASON, [finding])
        return ALLOW

    def _hinted(self, text: str, seen: Seen, given: str) -> Verdict:
        """Over what has left as well: these signs add up."""
        before = seen.fact("before")
        ahead = before if isinstance(before, str) else ""
        new = [word for word, _, _ in _words(text)]
        hints: list[Hint | None] = []
        if self._hints.touched(new):
            words = _words(ahead + text)
            hints.append(self._hints.order(words, given))
            if self._paraphrase != "ignore":
                hints.append(self._hints.translation(words[-400:], given))
        if self._paraphrase != "ignore" and (seen.final or ends_sentence(text)):
            hints.append(self._hints.paraphrase(ahead + text, len(ahead), given))
        joined = ALLOW
        for hint in hints:
            if hint and hint.end > len(ahead):
                joined = joined.join(self._noted(hint, len(ahead)))
        return joined

    def _noted(self, hint: Hint, ahead: int) -> Verdict:
        span = max(0, hint.start - ahead), hint.end - ahead
        score = 0.9 if hint.certain else 0.6
        finding = Finding(ID, hint.rule, _HINTS[hint.rule], 0, *span, "leak", score)
        if hint.certain or self._paraphrase == "block":
            return verdict(Action.BLOCK, _REASON, [finding])
        return verdict(Action.ANNOTATE, findings=[finding])

    def hold_from(self, text: str) -> int:
        """Where a passage begins that the next words, or characters, could still make long enough."""
        if not self._on:
            return len(text)
        low = max(0, len(text) - _TAIL)
        data = folded(text[low:])
        hold = min((low + form.under_way(data) for form in self._forms), default=len(text))
        if self._paraphrase == "block":
            hold = min(hold, _sentence_start(text))
        return min(hold, self._passage_from(text))

    def _passage_from(self, text: str) -> int:
        if text.isascii():
            recent = _WORD.findall(text[-_NEAR:].lower())
            if len(recent) > _SLIP + 3 and self._known.isdisjoint(recent[-_SLIP - 3 :]):
                return self._unfinished(text, last_word(text, _NEAR))
        low = max(0, len(text) - _TAIL)
        words = _words(text[low:])
        end = len(text) - low
        hold = words[-1][1] if words and words[-1][2] == end else end
        for word, start, _ in words[-2:]:
            if word in self._known:
                hold = min(hold, start)
        if not self._pairs.keys().isdisjoint(pairwise([word for word, _, _ in words])):
            for chain in self._chains(words):
                if chain.last >= len(words) - 1 - _SLIP:
                    hold = min(hold, words[chain.first][1])
        return self._unfinished(text, low + hold)

    @staticmethod
    def _unfinished(text: str, hold: int) -> int:
        """The hold, or the start of a run that may be an encoded passage."""
        coded = len(text[-_RUN:]) - len(text[-_RUN:].rstrip(_CODED))
        return min(hold, len(text) - coded) if coded >= _SHORTEST_RUN else hold

    def _near(self, text: str) -> bool:
        """Whether enough word pairs of the prompt are there at all; most answers have too few."""
        if not text.isascii():
            return True
        words = _WORD.findall(text.lower())
        if self._pairs.keys().isdisjoint(pairwise(words)):
            return False
        return sum(map(self._pairs.__contains__, pairwise(words))) >= self._needed // 2

    def _leaks(self, chain: _Chain) -> bool:
        return chain.matched >= self._needed and chain.last - chain.first + 1 >= min(
            self._span, self._needed + 1
        )

    def _chains(self, words: list[tuple[str, int, int]]) -> list[_Chain]:
        """Every maximal run of word pairs that follow the prompt in order with slips of a few words."""
        alive: list[_Chain] = []
        done: list[_Chain] = []
        for at in range(len(words) - 1):
            spots = self._pairs.get((words[at][0], words[at + 1][0]))
            still = [chain for chain in alive if at - chain.last <= _SLIP]
            done.extend(chain for chain in alive if at - chain.last > _SLIP and chain.matched > 3)
            alive = still
            for place in (spots or ())[:32]:
                grown = next(
                    (
                        c
                        for c in alive
                        if c.last <= at + 1
                        and -1 <= place + 1 - c.place - 0 <= _SLIP + 2
                        and c.place < place + 1
                    ),
                    None,
                )
                if grown is None:
                    alive.append(_Chain(place + 1, at, at + 1, 2))
                    continue
                grown.matched += 1 if grown.last == at else 2 if grown.last < at else 0
                grown.place, grown.last = place + 1, at + 1
            del alive[:-64]
        return done + alive


def _dress(form: Form, written: str) -> bool:
    """Whether it is a dress: letters in a row are words, which ``_passage`` reads."""
    if form.name == "letters":
        return len(written) >= 1.7 * form.gram
    if form.name == "leet":
        return sum(not char.isalpha() and not char.isspace() for char in written) >= 3
    return True


def _sentence_start(text: str) -> int:
    """Where the sentence begins that the text ends with, at most ``_TAIL`` characters back."""
    low = max(0, len(text) - _TAIL)
    return max(low, *(text.rfind(mark, low) + len(mark) for mark in (". ", "! ", "? ", "\n")))


def _words(text: str) -> list[tuple[str, int, int]]:
    """Words in lower case, look-alikes folded, with their place."""
    out = []
    for found in _WORD.finditer(text):
        word = found.group()
        if not word.isascii():
            word = "".join(map(plain, word))
        out.append((word.lower(), found.start(), found.end()))
    return out


def _given(seen: Seen) -> str:
    """What the user wrote, as words between blanks. ``context["user_text"]`` is set by the gateway."""
    given = seen.fact("user_text")
    texts = given if isinstance(given, (list, tuple)) else [given]
    return _spoken(tuple(text for text in texts if isinstance(text, str)))


@lru_cache(maxsize=16)
def _spoken(texts: tuple[str, ...]) -> str:
    """Kept for the windows of a stream, which all ask for the same."""
    return " " + " ".join(word for text in texts for word, _, _ in _words(text)) + " "


def _supplied(words: list[tuple[str, int, int]], chain: _Chain, given: str) -> bool:
    return " " + " ".join(word for word, _, _ in words[chain.first : chain.last + 1]) + " " in given


def build(settings: LeakSettings, services: Services) -> Leak:
    return Leak(settings, services.get(Application).system_prompt)


CONTROL = ControlFactory(ID, LeakSettings, build)
