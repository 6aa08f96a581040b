"""Hashed n-grams of a text: what the linear tier looks at.

Characters (as UTF-8 bytes) in runs of 3 to 5, words in runs of 1 to 4, and pairs of words with one between
them, each
hashed to a row of the weight table. The hash is a polynomial over prefix sums (Karp and Rabin 1987), so
that numpy
hashes all places of a text at once.
"""

import re
from functools import cache
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

Ints: TypeAlias = npt.NDArray[np.int64]
Hashes: TypeAlias = npt.NDArray[np.uint64]

BITS = 19
"""The table has ``2 ** BITS`` rows."""
PIECE = 4096
"""Bytes that are hashed at a time; the powers of the base are kept for so many."""
_CHARS = (3, 4, 5)
_WORDS = (1, 2, 3, 4)
_BASE = 0x9E3779B97F4A7C15
_MIX = np.uint64(0xD6E8FEB86659FD93)
_FOLD, _SHIFT = np.uint64(29), np.uint64(64 - BITS)
_BLANKS = re.compile(r"\s+")
_LETTER = np.array([chr(code).isalnum() or code >= 128 or code == 39 for code in range(256)])


class Features(NamedTuple):
    """One entry a feature."""

    rows: Ints
    """Row of the weight table."""
    starts: Ints
    """Byte at which it begins."""


def squeezed(text: str) -> bytes:
    """Lower case, runs of blanks as one, a blank at both ends, as UTF-8: as the features see a text."""
    return f" {_BLANKS.sub(' ', text).strip().lower()} ".encode("utf-8", "replace")


def features(data: bytes) -> Features:
    """All features of a squeezed text. Linear in its length."""
    pieces = [_piece(data[at : at + PIECE], at) for at in range(0, len(data), PIECE)]
    if len(pieces) == 1:
        return pieces[0]
    rows, starts = zip(*pieces, strict=True) if pieces else ((), ())
    return Features(np.concatenate([_NONE, *rows]), np.concatenate([_NONE, *starts]))


_NONE = np.zeros(0, np.int64)


def _piece(data: bytes, offset: int) -> Features:
    raw = np.frombuffer(data, np.uint8)
    size = len(raw)
    powers, inverses = _powers()
    sums = np.zeros(size + 1, np.uint64)
    np.cumsum((raw + np.uint64(1)) * powers[:size], out=sums[1:])
    places = np.arange(offset, offset + size)
    hashes: list[Hashes] = []
    starts: list[Ints] = []
    for n in _CHARS:
        if size >= n:
            hashes.append(_mixed((sums[n:] - sums[:-n]) * inverses[: size - n + 1], n))
            starts.append(places[: size - n + 1])
    for found, begun in _words(raw, sums, inverses):
        hashes.append(found)
        starts.append(places[begun])
    if not hashes:
        return Features(_NONE, _NONE)
    return Features((np.concatenate(hashes) >> _SHIFT).astype(np.int64), np.concatenate(starts))


def _words(raw: npt.NDArray[np.uint8], sums: Hashes, inverses: Hashes) -> list[tuple[Hashes, Ints]]:
    letters = np.zeros(len(raw) + 2, np.bool_)
    letters[1:-1] = _LETTER[raw]
    edges = np.flatnonzero(letters[1:] != letters[:-1])
    starts, ends = edges[::2], edges[1::2]
    words = _mixed((sums[ends] - sums[starts]) * inverses[starts], 11)
    out: list[tuple[Hashes, Ints]] = []
    run = words
    for n in _WORDS:
        if n > len(words):
            break
        if n > 1:
            run = run[:-1] * np.uint64(3) + words[n - 1 :]
        out.append((_mixed(run, 20 + n), starts[: len(run)]))
    if len(words) > 2:
        out.append((_mixed(words[:-2] * np.uint64(5) + words[2:], 30), starts[:-2]))
    return out


def _mixed(hashes: Hashes, kind: int) -> Hashes:
    return (hashes ^ (hashes >> _FOLD)) * (_MIX + np.uint64(2 * kind))


@cache
def _powers() -> tuple[Hashes, Hashes]:
    """Powers of the base and of its inverse, modulo 2 ** 64."""
    whole = 1 << 64
    inverse = pow(_BASE, -1, whole)
    up, down = [1], [1]
    for _ in range(PIECE):
        up.append(up[-1] * _BASE % whole)
        down.append(down[-1] * inverse % whole)
    return np.array(up, np.uint64), np.array(down, np.uint64)
