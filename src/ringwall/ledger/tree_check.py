"""Recomputes a stored tree while tolerating damage, so that each damage is located and not multiplied.

Where a computed and a stored hash differ, both go up as candidates; a stored parent that one pair of
candidates gives settles which was right.
"""

from collections.abc import Iterator, Sequence
from itertools import product

from .merkle import EMPTY_ROOT, node_hash

_MOST = 4  # candidates kept for a node: two damages that meet


class TreeCheck:
    """A frontier of candidate sets. An empty set is a node of which nothing is known."""

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[set[bytes]] = []

    def add(self, computed: bytes | None, stored: Sequence[bytes]) -> Iterator[int]:
        """Take the next leaf: its computed hash (None: the record is missing) and the hashes stored with it
        (the leaf's, then those of the nodes it completes). Yields the level of each stored node that does not
        follow from its children."""
        known = {computed} if computed else set()
        known |= set(stored[:1])
        level, rest = 0, self.size
        while rest & 1:
            level += 1
            left = self._peaks.pop()
            parents = {node_hash(a, b) for a, b in product(left, known)}
            claim = set(stored[level : level + 1])
            if not parents or not claim:
                known = set(sorted(parents)[:_MOST]) or claim
            elif claim <= parents:
                known = claim
            else:
                yield level
                known = claim | set(sorted(parents)[:_MOST])
            rest >>= 1
        self._peaks.append(known)
        self.size += 1

    def roots(self) -> set[bytes]:
        """Every root that the candidates give; empty when a part of the tree is unknown."""
        if not self._peaks:
            return {EMPTY_ROOT}
        found = self._peaks[-1]
        for left in reversed(self._peaks[:-1]):
            found = set(sorted(node_hash(a, b) for a, b in product(left, found))[: 4 * _MOST])
        return found
