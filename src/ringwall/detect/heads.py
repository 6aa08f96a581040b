"""Literal strings that every match of a pattern begins with: where in a stream a match may have begun.

A stream that ends in none of them, nor in a part of one, can't be in the middle of a match. The parser is
that of ``anchors.py``; here the first piece of a sequence counts instead of the best one.
"""

from dataclasses import dataclass

from .anchors import _REPEAT, EDGE, NOTHING, Strings, _Parser, _Piece

_MOST = 400
"""Strings of one pattern; a pattern with more of them has no heads."""


def heads(pattern: str) -> Strings:
    """Strings (lower case) one of which each match begins with; holds the empty string when unknown."""
    return frozenset(one.replace(EDGE, "") for one in _head(_Reader(pattern, fold=True).alternatives()))


@dataclass(frozen=True, slots=True)
class _Headed(_Piece):
    head: Strings = NOTHING


def _head(piece: _Piece) -> Strings:
    if piece.exact is not None:
        return piece.exact
    return piece.head if isinstance(piece, _Headed) else NOTHING


class _Reader(_Parser):
    def alternatives(self) -> _Piece:
        pieces = [self.sequence()]
        while self.peek() == "|":
            self.at += 1
            pieces.append(self.sequence())
        if len(pieces) == 1:
            return pieces[0]
        union: Strings = frozenset().union(*map(_head, pieces))
        union = union if len(union) <= _MOST else NOTHING
        exact = all(piece.exact is not None for piece in pieces) and union != NOTHING
        return _Piece(union) if exact else _Headed(None, head=union)

    def sequence(self) -> _Piece:
        lead: Strings = NOTHING
        growing = whole = True
        while self.peek() not in ("", "|", ")"):
            piece = self.repeated(self.atom())
            begin = _head(piece)
            if growing and len(lead) * len(begin) <= _MOST:
                lead = frozenset(a + b for a in lead for b in begin)
            else:
                growing = False
            if piece.exact is None:
                growing = whole = False
            whole = whole and growing
        return _Piece(lead) if whole else _Headed(None, head=lead)

    def repeated(self, piece: _Piece) -> _Piece:
        bounds = _REPEAT.match(self.pattern, self.at)
        given = super().repeated(piece)
        if bounds and int(bounds[1]) and given is not piece and given.exact is None:
            return _Headed(None, head=_head(piece))
        return given
