"""What the first pass looks for: the anchors of the rules, and whole patterns where there are none.

A look may match more than its rule, never less: RE2 has the last word.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from .anchors import EDGE, anchors, core, exact_case
from .gates import gated
from .rules import Rule

_SHORT = 3
_USUAL = frozenset('\x27"=;:,.-()/ \n{}[]abcdefghijklmnopqrstuvwxyz0123456789')
"""Single characters that most text has."""
_COUNTED = re.compile(r"(?<![\\pP])\{(\d+),(\d+)\}")
_COUNT = 16
"""A repeat up to this often is counted; a longer one is taken to go on, which makes the automaton small."""
_SPECIAL = frozenset("\\.+*?()|[]{}^$/-#&~ \t\n\r")
_WIDE_CODE = r"\\x\{0{0,4}(?:[0-9A-Fa-f]{3,}|[89A-Fa-f][0-9A-Fa-f])\}|\\x[89A-Fa-f][0-9A-Fa-f]"
_WIDE = re.compile(rf"[^\x00-\x7f]|{_WIDE_CODE}|\\[DWSpP]")
_ATOM = re.compile(
    rf"(?P<atom>\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\]|\.|\\[pP](?:\{{\^?\w+\}}|\w)|{_WIDE_CODE}|\\.|[^\x00-\x7f])"
    r"(?P<times>\{\d+(?:,\d*)?\}|[?])?\??",
    re.DOTALL,
)
_CLASS_PART = re.compile(
    rf"[^\x00-\x7f]-[^\x00-\x7f]|(?:{_WIDE_CODE})-(?:{_WIDE_CODE})|{_WIDE_CODE}|[^\x00-\x7f]"
)


@dataclass(frozen=True, slots=True)
class Look:
    """A literal in any case, or a pattern, and the rules that it may mean."""

    pattern: str
    sensitive: bool
    rules: tuple[int, ...]
    literal: bool = False
    gated: bool = False
    """Whether it is looked for only where a gate (``gates.py``) is open."""

    @property
    def bytewise(self) -> bytes:
        """For Hyperscan, which reads bytes: its own mode for UTF-8 takes seconds to compile."""
        if self.literal:
            if self.sensitive:
                return self.re2.encode()
            return "".join(map(_cases, self.pattern)).encode()
        return _ATOM.sub(_in_bytes, self.pattern).encode("latin-1")

    @property
    def re2(self) -> str:
        pattern = escaped(self.pattern) if self.literal else self.pattern
        return ("" if self.sensitive else "(?i)") + pattern


def looks(rules: Sequence[Rule]) -> list[Look]:
    wanted: dict[tuple[str, bool, bool], list[int]] = defaultdict(list)
    for index, rule in enumerate(rules):
        literals = anchors(rule.pattern, sensitive=rule.sensitive)
        if literals and _common(literals, rule):
            literals = frozenset()
        cased = exact_case(rule.pattern, sensitive=rule.sensitive)
        for literal in sorted(literals):  # in any process the same, or no database would be found again
            wanted[literal, cased and literal != literal.lower(), True].append(index)
        if not literals:
            wanted[_relaxed(rule.form), rule.sensitive, False].append(index)
    return [
        Look(pattern, sensitive, tuple(owners), literal, not literal and gated(rules[owners[0]].form))
        for (pattern, sensitive, literal), owners in wanted.items()
    ]


def _common(literals: frozenset[str], rule: Rule) -> bool:
    """Whether the anchors are everywhere, so that the pattern itself is the better look."""
    return rule.whole or (
        any(map(_everywhere, literals)) if rule.sensitive else not literals.isdisjoint(_USUAL)
    )


def _everywhere(literal: str) -> bool:
    """A short piece of a word: most text has it. With a sign in it (``hf_``, ``$6$``) it is rare, and as a
    word of its own."""
    size = len(core(literal))
    if size < _SHORT:
        return literal.isascii()
    return size == _SHORT and literal.replace(".", "").isalnum()


def _relaxed(pattern: str) -> str:
    """Matches whatever the pattern does, and more."""
    return _COUNTED.sub(
        lambda found: found.group() if int(found[2]) <= _COUNT else f"{{{min(int(found[1]), _COUNT)},}}",
        pattern,
    )


def escaped(literal: str) -> str:
    return "".join(
        "\\b" if char == EDGE else f"\\x{{{ord(char):x}}}" if char in _SPECIAL else char for char in literal
    )


@lru_cache(4096)
def _cases(char: str) -> str:
    """The character in every case, as UTF-8 bytes."""
    if char.isascii():
        return escaped(char)
    forms = sorted({char, char.lower(), char.upper(), char.upper().lower()})
    spelled = ["".join(f"\\x{byte:02x}" for byte in form.encode()) for form in forms if len(form) == 1]
    return f"(?:{'|'.join(spelled)})"


def _in_bytes(found: re.Match[str]) -> str:
    """Whatever may match a character outside ASCII matches any number of bytes of such."""
    atom, times = found["atom"], found["times"] or ""
    if atom == ".":
        inner = "[^\\n]"
    elif atom[0] == "[" and atom[1] == "^":
        inner = _CLASS_PART.sub("", atom)
        inner = inner if inner != "[^]" else "[\\x00-\\xff]"
    elif _WIDE.search(atom):
        kept = _CLASS_PART.sub("", atom[1:-1]) if atom[0] == "[" else ""
        if kept.endswith("-") and not kept.endswith("\\-"):  # a sign, and no range to what follows now
            kept = kept[:-1] + "\\-"
        inner = f"[{kept}\\x80-\\xff]" if not re.match(r"\\[DWSpP]", atom) else "[\\x00-\\xff]"
    else:
        return found.group()
    least = 0 if times == "?" else int(re.sub(r"\D.*", "", times[1:])) if times else 1
    return f"(?:{inner}){{{least},}}"
