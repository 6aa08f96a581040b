"""Cheap signs without which a pattern can't match: so many digits close together, so long a run of letters.

National numbers, cards and wallet addresses have no literal to look for, and dozens of their patterns cost
more than all literals. Prose has few places with six digits in a row: only there they are looked for.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from .anchors import _FLAGS, _GROUP_HEAD, _HEX, _REPEAT, _ZERO

_BYTES = 4
"""A character that may be none of ASCII has up to so many bytes."""


@dataclass(frozen=True, slots=True)
class Gate:
    """``count`` of these characters, with at most ``gap`` bytes between one and the next."""

    chars: frozenset[str]
    spelled: str
    """The same as a character class."""
    count: int
    gap: int

    @property
    def pattern(self) -> bytes:
        between = f"[\\x00-\\xff]{{0,{self.gap}}}" if self.gap else ""
        return f"{self.spelled}(?:{between}{self.spelled}){{{self.count - 1}}}".encode()


_DIGITS = frozenset("0123456789")
_ALNUM = _DIGITS | frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
GATES = (
    Gate(_DIGITS, "[0-9]", 6, 2),
    Gate(_ALNUM, "[0-9A-Za-z]", 16, 0),
)

_ONE_DIGIT = Gate(_DIGITS, "[0-9]", 1, 0)


@lru_cache(2048)
def gated(pattern: str) -> bool:
    """Whether each match of the pattern goes through one of the gates."""
    return any(_Reader(pattern, gate).alternatives().most >= gate.count for gate in GATES)


@lru_cache(2048)  # several engines have the same rules
def numeric(pattern: str) -> bool:
    """Whether each match of the pattern has a digit in it."""
    return _Reader(pattern, _ONE_DIGIT).alternatives().most >= 1


class _Chain(NamedTuple):
    """So many bytes at most, then ``members`` of the characters at least, then so many bytes at most."""

    lead: int
    members: int
    tail: int


class _Piece(NamedTuple):
    width: int
    """Bytes at most."""
    chain: _Chain | None = None
    inner: int = 0
    """Characters of the longest chain that is known to be somewhere in it."""

    @property
    def most(self) -> int:
        return max(self.inner, self.chain.members if self.chain else 0)


_NOTHING = _Piece(0)


class _Reader:
    """The pattern is known to be well formed: ``width.max_width`` and RE2 have read it."""

    def __init__(self, pattern: str, gate: Gate) -> None:
        self.pattern, self.gate = pattern, gate
        self.at = 0

    def peek(self) -> str:
        return self.pattern[self.at : self.at + 1]

    def alternatives(self) -> _Piece:
        pieces = [self.sequence()]
        while self.peek() == "|":
            self.at += 1
            pieces.append(self.sequence())
        if len(pieces) == 1:
            return pieces[0]
        chains = [piece.chain for piece in pieces]
        chain = None
        if None not in chains:
            leads, counts, tails = zip(*(one for one in chains if one), strict=True)
            chain = _Chain(max(leads), min(counts), max(tails))
        return _Piece(max(piece.width for piece in pieces), chain, min(piece.most for piece in pieces))

    def sequence(self) -> _Piece:
        width = inner = 0
        lead = count = gap = 0
        whole = True
        for piece in self.pieces():
            width += piece.width
            inner = max(inner, piece.inner)
            if piece.chain is None:
                gap += piece.width
            elif count and gap + piece.chain.lead <= self.gate.gap:
                count, gap = count + piece.chain.members, piece.chain.tail
            else:
                whole = whole and not count
                lead, inner = gap + piece.chain.lead, max(inner, count)
                count, gap = piece.chain.members, piece.chain.tail
        chain = _Chain(lead, count, gap) if whole and count else None
        return _Piece(width, chain, max(inner, count))

    def pieces(self) -> Iterator[_Piece]:
        while self.peek() not in ("", "|", ")"):
            yield self.repeated(self.atom())

    def repeated(self, piece: _Piece) -> _Piece:
        if self.peek() == "?":
            self.at += 2 if self.pattern[self.at + 1 : self.at + 2] == "?" else 1
            return _Piece(piece.width)
        bounds = _REPEAT.match(self.pattern, self.at)
        if not bounds:
            return piece
        self.at = bounds.end()
        low = int(bounds[1])
        width = piece.width * int(bounds[2] or low)
        if not low or piece.chain is None:
            return _Piece(width, None, piece.inner if low else 0)
        lead, count, tail = piece.chain
        if lead + tail <= self.gate.gap:
            return _Piece(width, _Chain(lead, count * low, tail), piece.inner)
        return _Piece(width, None, piece.most)

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
                return _NOTHING
            case ".":
                return _Piece(_BYTES)
            case _:
                return self.one({char})

    def one(self, chars: set[str]) -> _Piece:
        if chars <= self.gate.chars:
            return _Piece(1, _Chain(0, 1, 0))
        return _Piece(1 if all(map(str.isascii, chars)) else _BYTES)

    def escape(self) -> _Piece:
        char = self.peek()
        if char in _ZERO:
            self.at += 1
            return _NOTHING
        if char == "d":
            self.at += 1
            return self.one(set(_DIGITS))
        return self.one({self.escaped()}) if char not in "DsSwWpP" else self.any()

    def any(self) -> _Piece:
        self.at += 1
        if self.pattern[self.at - 1] in "pP":
            self.at = self.pattern.index("}", self.at) + 1 if self.peek() == "{" else self.at + 1
        return _Piece(_BYTES)

    def escaped(self) -> str:
        code = _HEX.match(self.pattern, self.at)
        if code:
            self.at = code.end()
            return chr(int(code[1] or code[2], 16))
        self.at += 1
        return {"n": "\n", "t": "\t", "r": "\r"}.get(self.pattern[self.at - 1], self.pattern[self.at - 1])

    def group(self) -> _Piece:
        flags = _FLAGS.match(self.pattern, self.at)
        if flags:
            self.at = flags.end()
            return _NOTHING
        head = _GROUP_HEAD.match(self.pattern, self.at)
        if head:
            self.at = head.end()
        piece = self.alternatives()
        self.at += 1
        return piece

    def char_class(self) -> _Piece:
        negated = self.peek() == "^"
        self.at += negated
        chars: set[str] = set()
        wide = negated
        while self.peek() != "]":
            if self.pattern.startswith("[:", self.at):
                self.at = self.pattern.index(":]", self.at) + 2
                wide = True
            elif self.peek() == "\\" and self.pattern[self.at + 1] in "dDsSwWpP":
                self.at += 1
                if self.peek() == "d":
                    self.at += 1
                    chars |= _DIGITS
                else:
                    self.any()
                    wide = True
            else:
                chars |= self.range()
        self.at += 1
        return _Piece(_BYTES) if wide else self.one(chars)

    def range(self) -> set[str]:
        low = self.member()
        if self.peek() != "-" or self.pattern[self.at + 1 : self.at + 2] == "]":
            return {low}
        self.at += 1
        high = self.member()
        return {"\u0100"} if not high.isascii() else {chr(code) for code in range(ord(low), ord(high) + 1)}

    def member(self) -> str:
        self.at += 1
        if self.pattern[self.at - 1] == "\\":
            return self.escaped()
        return self.pattern[self.at - 1]
