"""RE2 as the detectors call it: spans in a part of some bytes, and no object for each match.

The bindings make a generator, a match and a tuple of what one call tells; where short texts are full of
identifiers that costs more than to find them.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import Any

import re2

Finder = Callable[[bytes, int, int], Sequence[tuple[int, int]]]
"""The first match that lies between two places: its span, then those of its groups; ``(-1, -1)`` for what is
not there. What stands before and behind the places is seen by ``\\b`` and ``^``."""

_ANYWHERE: Any = getattr(getattr(re2, "_Anchor", None), "UNANCHORED", None)


@lru_cache(maxsize=4096)
def finder(pattern: str, *, sensitive: bool = True) -> Finder:
    compiled = re2.compile(pattern, options(sensitive=sensitive))
    bound = getattr(compiled, "_regexp", None)
    if bound is None or _ANYWHERE is None:  # other bindings
        return partial(_searched, compiled)
    return partial(bound.Match, _ANYWHERE)


def _searched(compiled: Any, data: bytes, start: int, stop: int) -> Sequence[tuple[int, int]]:
    match = compiled.search(data, start, stop)
    if match is None:
        return ((-1, -1),)
    return [match.span(group) for group in range(compiled.groups + 1)]


def options(*, sensitive: bool = True) -> Any:
    """Bounded memory, nothing on stderr."""
    own = re2.Options()
    own.log_errors = False
    own.max_mem = 64 << 20
    own.case_sensitive = sensitive
    return own
