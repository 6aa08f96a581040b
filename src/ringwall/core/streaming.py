"""How much of a stream a control must see before text may leave.

The needs are ordered, ``EndOfStream < Window < Buffer``; a gate folds those of its active controls with
``stricter``. Bytes once emitted are never rewritten, so the fold decides what is held back.
"""

from dataclasses import dataclass
from functools import reduce
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class EndOfStream:
    """Looks at the whole text after it has left: for findings that inform and don't prevent."""


@dataclass(frozen=True, slots=True)
class Window:
    """Needs to see ``size`` characters at a time, of which ``overlap`` are kept from the text before.

    ``overlap`` is the longest match of the control: any violation is seen whole before its first character
    may leave.
    """

    size: int
    overlap: int


@dataclass(frozen=True, slots=True)
class Buffer:
    """Needs the whole text, up to ``limit`` characters, before any of it leaves. Over the limit: blocked."""

    limit: int


StreamNeed: TypeAlias = EndOfStream | Window | Buffer

END_OF_STREAM = EndOfStream()


def stricter(a: StreamNeed, b: StreamNeed) -> StreamNeed:
    """The need that satisfies both. Associative, commutative, idempotent."""
    if isinstance(a, Buffer) and isinstance(b, Buffer):
        return Buffer(min(a.limit, b.limit))
    if isinstance(a, Buffer):
        return a
    if isinstance(b, Buffer):
        return b
    if isinstance(a, Window) and isinstance(b, Window):
        return Window(max(a.size, b.size), max(a.overlap, b.overlap))
    return a if isinstance(a, Window) else b


def fold(needs: list[StreamNeed]) -> StreamNeed:
    """The one need of a gate."""
    start: StreamNeed = END_OF_STREAM
    return reduce(stricter, needs, start)
