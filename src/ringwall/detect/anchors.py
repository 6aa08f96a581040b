"""Literal strings of which every match of a pattern must hold one: the cheap first look of the engine.

The analysis is that of RE2's FilteredRE2: each piece of a pattern has either a small exact set of strings, or
a set of strings one of which is required. Large repeats make a multi-pattern automaton explode, literals
don't.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

_MAX_SET = 64
_REPEAT = re.compile(r"\{(\d+)(?:,(\d*))?\}\??")
_GROUP_HEAD = re.compile(r"\?(?::|P?<\w+>|[imsU]+(?:-[imsU]+)?:)")
_FLAGS = re.compile(r"\?[imsU]+\)")
_HEX = re.compile(r"x(?:\{([0-9A-Fa-f]+)\}|([0-9A-Fa-f]{2}))")
_ZERO = "bBAz"
_CLASSES = "dDsSwWpP"

_EVERYDAY = frozenset({
    "-", "a", "about", "account", "add", "address", "after", "all", "also", "always", "an", "and",
    "answer", "any", "are", "as", "at", "be", "before", "by", "call", "can", "code", "could", "data",
    "dear", "details", "do", "e-mail", "email", "end", "first", "for", "forward", "from", "get", "give",
    "go", "grant", "have", "he", "hello", "help", "hi", "how", "i", "if", "in", "include",
    "information", "into", "is", "it", "it's", "its", "like", "list", "mail", "make", "me", "message",
    "more", "must", "my", "need", "never", "new", "no", "not", "now", "of", "on", "only", "or", "order",
    "our", "out", "page", "pay", "please", "post", "print", "put", "question", "read", "report",
    "request", "run", "say", "send", "share", "should", "show", "so", "start", "tell", "text", "that",
    "the", "their", "then", "this", "those", "to", "transfer", "us", "use", "user", "was", "we", "what",
    "when", "which", "while", "who", "will", "with", "would", "write", "you", "you're", "your",
})  # fmt: skip
"""Words that most sentences hold: as anchors they would make RE2 look at all of a text."""

Strings = frozenset[str]
NOTHING: Strings = frozenset({""})
EDGE = "\b"
"""Stands before or behind a string where only the edge of a word may be."""
_WORD = 6
"""Characters from which a string is rare enough without its edges."""


@dataclass(frozen=True, slots=True)
class _Piece:
    exact: Strings | None
    """Every string that it matches, where there are few."""
    needed: Strings | None = None
    """One of these is in every match; None when nothing is."""

    @property
    def required(self) -> Strings | None:
        return _better(self.exact, self.needed)


def exact_case(pattern: str, *, sensitive: bool) -> bool:
    """Whether the anchors are to be looked for in the case they are written in."""
    return sensitive and "(?i" not in pattern


@lru_cache(2048)  # several engines have the same rules
def anchors(pattern: str, *, sensitive: bool = False) -> Strings:
    """Strings one of which is in each match, with ``EDGE`` before and behind short ones that are words of
    their own; empty when there is no such set. In lower case unless ``exact_case``."""
    piece = _Parser(pattern, fold=not exact_case(pattern, sensitive=sensitive)).alternatives()
    best = piece.required
    if not best or not _shortest(best):
        return frozenset()
    return _fewest({_trimmed(text) for text in best})


def core(text: str) -> str:
    """The string without the edges."""
    return text.strip(EDGE)


def _trimmed(text: str) -> str:
    inner = text.replace(EDGE, "")
    if len(inner) >= _WORD:
        return inner
    return EDGE * text.startswith(EDGE) + inner + EDGE * text.endswith(EDGE)


def _fewest(strings: set[str]) -> Strings:
    """Without those that hold another one."""
    kept: list[str] = []
    for text in sorted(strings, key=len):
        if not any(one in text for one in kept):
            kept.append(text)
    return frozenset(kept)


def _shortest(strings: Strings) -> int:
    return min(len(text.replace(EDGE, "")) for text in strings)


def _better(a: Strings | None, b: Strings | None) -> Strings | None:
    if a is None or b is None:
        return b if a is None else a
    return max(a, b, key=_rank)


def _rank(strings: Strings) -> tuple[bool, int, int]:
    """Sets without everyday words and blanks first, then longer shortest strings, then smaller sets."""
    bare = [text.replace(EDGE, "").strip(" \t\r\n,.:").lower() for text in strings]
    everyday = any(not text or text in _EVERYDAY for text in bare)
    return not everyday, min(_shortest(strings), 6), -len(strings)


class _Parser:
    """The pattern is known to be well formed: ``width.max_width`` and RE2 have read it."""

    def __init__(self, pattern: str, *, fold: bool) -> None:
        self.pattern = pattern
        self.fold = fold
        self.at = 0

    def cased(self, char: str) -> str:
        return char.lower() if self.fold else char

    def peek(self) -> str:
        return self.pattern[self.at : self.at + 1]

    def alternatives(self) -> _Piece:
        pieces = [self.sequence()]
        while self.peek() == "|":
            self.at += 1
            pieces.append(self.sequence())
        if len(pieces) == 1:
            return pieces[0]
        exacts = [piece.exact for piece in pieces]
        exact = frozenset().union(*(e for e in exacts if e is not None)) if None not in exacts else None
        if exact is not None and len(exact) <= _MAX_SET:
            return _Piece(exact)
        needs = [piece.required for piece in pieces]
        if None in needs:
            return _Piece(None)
        return _Piece(None, frozenset().union(*(n for n in needs if n is not None)))

    def sequence(self) -> _Piece:
        run: Strings = NOTHING
        best: Strings | None = None
        whole = True
        while self.peek() not in ("", "|", ")"):
            piece = self.repeated(self.atom())
            if piece.exact is not None and len(run) * len(piece.exact) <= _MAX_SET:
                run = frozenset(a + b for a in run for b in piece.exact)
                continue
            whole = False
            best = _better(_better(best, run), piece.required)
            run = NOTHING
        return _Piece(run) if whole else _Piece(None, _better(best, run))

    def repeated(self, piece: _Piece) -> _Piece:
        if self.peek() == "?":
            self.at += 2 if self.pattern[self.at + 1 : self.at + 2] == "?" else 1
            return _Piece(piece.exact | NOTHING) if piece.exact is not None else _Piece(None)
        bounds = _REPEAT.match(self.pattern, self.at)
        if not bounds:
            return piece
        self.at = bounds.end()
        low, high = int(bounds[1]), int(bounds[2] or bounds[1])
        if low == 0:
            return _Piece(None) if piece.exact != NOTHING else piece
        if low == high == 1:
            return piece
        if piece.exact is not None and low == high and len(piece.exact) ** low <= _MAX_SET:
            return _Piece(frozenset(map("".join, product(piece.exact, repeat=low))))
        return _Piece(None, piece.required)

    def atom(self) -> _Piece:
        char = self.peek()
        self.at += 1
        match char:
            case "(":
                return self.group()
            case "[":
                return self.char_class()
            case "\\":
                return self.escape()
            case "^" | "$":
                return _Piece(NOTHING)
            case ".":
                return _Piece(None)
            case _:
                return _Piece(frozenset({self.cased(char)}))

    def escape(self) -> _Piece:
        char = self.peek()
        if char in _ZERO:
            self.at += 1
            return _Piece(frozenset({EDGE}) if char == "b" else NOTHING)
        if char in _CLASSES:
            self.at += 1
            return _Piece(None)
        return _Piece(frozenset({self.escaped()}))

    def escaped(self) -> str:
        code = _HEX.match(self.pattern, self.at)
        if code:
            self.at = code.end()
            return self.cased(chr(int(code[1] or code[2], 16)))
        char = self.peek()
        self.at += 1
        return {"n": "\n", "t": "\t", "r": "\r"}.get(char, self.cased(char))

    def group(self) -> _Piece:
        flags = _FLAGS.match(self.pattern, self.at)
        if flags:  # anchors are looked for in any case
            self.at = flags.end()
            return _Piece(NOTHING)
        head = _GROUP_HEAD.match(self.pattern, self.at)
        if head:
            self.at = head.end()
        piece = self.alternatives()
        self.at += 1
        return piece

    def char_class(self) -> _Piece:
        negated = self.peek() == "^"
        chars: set[str] = set()
        small = not negated
        self.at += negated
        while self.peek() != "]":
            if self.peek() == "\\":
                self.at += 1
                if self.peek() in _CLASSES:
                    self.at += 1
                    small = False
                    continue
                char = self.escaped()
            else:
                char = self.cased(self.peek())
                self.at += 1
            chars.add(char)
            if self.peek() == "-" and self.pattern[self.at + 1 : self.at + 2] != "]":
                small = False
                self.at += 1
        self.at += 1
        return _Piece(frozenset(chars)) if small and len(chars) <= 4 else _Piece(None)
