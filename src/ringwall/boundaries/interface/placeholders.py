"""Placeholders for personal data: how they are written, and how they are known again in what a model writes.

``<EMAIL_1>`` stands for the first e-mail address of a session. Models re-case placeholders, take the brackets
off, escape them for Markdown, HTML, JSON or a URL, and change the sign in the middle: all of that is read.
A form without brackets counts only with ``_`` or a hyphen in it: "email 1" is ordinary prose.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

MOST_DIGITS = 5
TOKEN = (26, 640)
"""Shortest and longest run of characters of an encrypted value."""
_REACH = 112
"""Characters of the longest unfinished placeholder; of one that holds an encrypted value: ``TOKEN`` more."""
_OTHER = "ITEM"
_OPEN = r"(?:\\?[<\[{]|[＜〈《⟨‹«【]|&lt;|&#0?60;|&#x3c;|\\u003c|%3c)"
_CLOSE = r"(?:\\?[>\]}]|[＞〉》⟩›»】]|&gt;|&#0?62;|&#x3e;|\\u003e|%3e)"
_SIGN = r"(?:\\?[_\-‐‑–#:.  ])"
_UNDONE = r"(?:\\(?:u(?:0(?:03?)?)?)?|&(?:[lg]t?|#(?:0?6?|x(?:3[ce]?)?)?[0-9]?)?|%3?)"
"""The beginning of an escape that has not ended."""
_BARE = re.compile(r"(?:\\?[_\-‐‑])")
_LETTERS_BEFORE = re.compile(r"[0-9A-Za-z@](?:_{1,2})?$")
_LETTERS_AFTER = re.compile(r"[0-9A-Za-z@]|[_\-]\d|_[A-Za-z]|\.\d")


@dataclass(frozen=True, slots=True)
class Mention:
    """A placeholder as it stands in a text."""

    start: int
    end: int
    kind: str
    """Such as ``EMAIL``."""
    number: int
    """0: an encrypted value, in ``token``."""
    token: str = ""


_NAMED: Mapping[str, str] = {"pii.name": "PERSON"}


def kind_of(cls: str) -> str:
    """The word that stands for a class: ``EMAIL`` for ``pii.email``."""
    name = _NAMED.get(cls, cls.rpartition(".")[2])
    words = re.findall(r"[A-Za-z]{1,24}", name)
    return "_".join(words[:3]).upper() or _OTHER


def written(kind: str, number: int) -> str:
    """The placeholder as the gateway writes it."""
    return f"<{kind}_{number}>"


def written_token(kind: str, token: str) -> str:
    return f"<{kind}_{token}>"


class Grammar:
    """Reads the placeholders of some classes. Immutable; patterns are bounded, so that time is linear."""

    def __init__(self, classes: Collection[str]) -> None:
        self.kinds = tuple(sorted({kind_of(cls) for cls in classes}, key=lambda kind: (-len(kind), kind)))

    @cached_property
    def _whole(self) -> re.Pattern[str]:
        kinds = "|".join(_spelled(kind) for kind in self.kinds)
        low, high = TOKEN
        return re.compile(
            rf"(?P<open>{_OPEN}{{1,2}} ?)?(?P<kind>{kinds})(?P<sign>{_SIGN}{{0,3}})"
            rf"(?:(?P<number>\d{{1,{MOST_DIGITS}}})(?![0-9a-z])|"
            rf"(?<![a-z0-9])(?P<token>[a-z2-7]{{{low},{high}}})(?![a-z0-9]))"
            rf"(?P<close> ?{_CLOSE}{{1,2}})?",
            re.IGNORECASE,
        )

    @cached_property
    def _unfinished(self) -> re.Pattern[str]:
        """What the end of a text may be the beginning of a placeholder by."""
        begun = "|".join(_prefixes(kind) for kind in self.kinds)
        kinds = "|".join(_spelled(kind) for kind in self.kinds)
        rest = (
            rf"(?:\d{{1,{MOST_DIGITS}}}(?: ?{_CLOSE}{{0,2}}|[_\-.])"
            rf"|(?<![a-z0-9])[a-z2-7]{{1,{TOKEN[1]}}} ?{_CLOSE}{{0,2}})?"
        )
        opened = rf"(?:{_OPEN}{{1,2}} ?)"
        return re.compile(
            rf"(?:{opened}?(?<![0-9A-Za-z])|{opened})(?:(?:{begun})|(?:{kinds}){_SIGN}{{0,3}}{rest}{_UNDONE}?)\Z"
            rf"|{_OPEN}{{1,2}} ?{_UNDONE}?\Z|{_UNDONE}\Z",
            re.IGNORECASE,
        )

    def mentions(self, text: str, before: str = "") -> Iterator[Mention]:
        """Every placeholder in the text, in order, known or not. ``before``: the text ahead of it, which
        tells a placeholder from the end of a longer name."""
        if not self.kinds:
            return
        for found in self._whole.finditer(text):
            mention = self._mention(found, text, before)
            if mention:
                yield mention

    def _mention(self, found: re.Match[str], text: str, before: str) -> Mention | None:
        opened, closed = found["open"], found["close"]
        start = found.start() if opened else found.start("kind")
        end = found.end() if closed else found.end("number") if found["number"] else found.end("token")
        if not opened:
            ahead = (before[-2:] + text[max(0, start - 2) : start])[-2:]
            bare = found["sign"] and _BARE.fullmatch(found["sign"])
            if not bare or _LETTERS_BEFORE.search(ahead):
                return None
            if closed:
                end = found.start("close")
        if not (opened and closed) and _LETTERS_AFTER.match(text, end):
            return None
        link = opened and closed and opened[0] == "[" and closed[-1] == "]" and text[end : end + 1] == "("
        if link:  # the label of a Markdown link keeps its brackets
            start, end = start + 1, end - 1
        kind = re.sub(r"[^A-Z]+", "_", found["kind"].upper()).strip("_")
        kind = next((known for known in self.kinds if _bare_letters(known) == _bare_letters(kind)), kind)
        if found["token"]:
            return Mention(start, end, kind, 0, found["token"].lower())
        number = int(found["number"])
        return Mention(start, end, kind, number) if number else None

    def hold_from(self, text: str) -> int:
        """Where a placeholder begins that more text could complete or lengthen; ``len(text)``: nowhere."""
        if not self.kinds or not text:
            return len(text)
        low = max(0, len(text) - _REACH)
        found = self._unfinished.search(text, low)
        start = found.start() if found else len(text)
        if start > low:
            return start
        found = self._unfinished.search(text, max(0, len(text) - _REACH - TOKEN[1]))
        return found.start() if found else len(text)


def _bare_letters(kind: str) -> str:
    return kind.replace("_", "")


def _spelled(kind: str) -> str:
    """The words of a kind with any sign, or none, between them."""
    return r"(?:\\?[_\- ])?".join(kind.split("_"))


def _prefixes(kind: str) -> str:
    """Every beginning of the kind but the whole of it, as one nested pattern."""
    atoms: list[str] = []
    for index, word in enumerate(kind.split("_")):
        if index:
            atoms.append(r"(?:\\?[_\- ]?)")
        atoms.extend(word)
    pattern = ""
    for atom in reversed(atoms[:-1]):
        pattern = f"{atom}(?:{pattern})?" if pattern else atom
    return pattern or kind
