"""The Merkle tree of RFC 9162, section 2.1: hashes, the growing edge, proofs and their verification.

A node is named by its level (0: leaves) and its number on that level; node (l, i) covers the leaves
``i * 2**l`` up to, not including, ``(i + 1) * 2**l``, and is *complete* once all of them exist. Every node
of a tree of any size is a complete node or the hash of a few of them, so a proof takes O(log n) reads.
"""

from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import TypeAlias

EMPTY_ROOT = sha256(b"").digest()

ReadNode: TypeAlias = Callable[[int, int], bytes]
"""``read(level, number)``: the hash of a complete node."""


def leaf_hash(data: bytes) -> bytes:
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


class Frontier:
    """The complete subtrees along the right edge of a tree: all that appending needs to know."""

    __slots__ = ("_peaks", "size")

    def __init__(self, size: int = 0, peaks: Sequence[bytes] = ()) -> None:
        """``peaks``: the roots of the complete subtrees of the tree, the largest first."""
        if len(peaks) != size.bit_count():
            raise ValueError(f"a tree of {size} leaves has {size.bit_count()} peaks, not {len(peaks)}")
        self.size = size
        self._peaks = list(peaks)

    @classmethod
    def read(cls, size: int, read: ReadNode) -> "Frontier":
        """The edge of a stored tree."""
        return cls(size, [read(level, number) for level, number in peaks(size)])

    def append(self, leaf: bytes) -> list[bytes]:
        """Add a leaf hash. Returns the nodes that it completes: the leaf, then one for each level above."""
        completed = [leaf]
        rest = self.size
        while rest & 1:
            leaf = node_hash(self._peaks.pop(), leaf)
            completed.append(leaf)
            rest >>= 1
        self._peaks.append(leaf)
        self.size += 1
        return completed

    def root(self) -> bytes:
        return _fold(self._peaks)

    def copy(self) -> "Frontier":
        return Frontier(self.size, self._peaks)


def peaks(size: int) -> list[tuple[int, int]]:
    """The complete subtrees that a tree of this size is made of, the largest first."""
    return _cover(0, size)


def root(size: int, read: ReadNode) -> bytes:
    return _fold([read(level, number) for level, number in peaks(size)])


def inclusion_proof(index: int, size: int, read: ReadNode) -> list[bytes]:
    """PATH(index, D[size]) of RFC 9162, 2.1.3.1. Raises ValueError for an index outside the tree."""
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is not in a tree of {size}")
    path: list[bytes] = []
    low, high = 0, size
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            path.append(_range(middle, high, read))
            high = middle
        else:
            path.append(_range(low, middle, read))
            low = middle
    return path[::-1]


def consistency_proof(old: int, new: int, read: ReadNode) -> list[bytes]:
    """PROOF(old, D[new]) of RFC 9162, 2.1.4.1. Empty for equal sizes. Raises ValueError unless 0 < old <=
    new."""
    if not 0 < old <= new:
        raise ValueError(f"no consistency proof from a tree of {old} to one of {new}")
    proof: list[bytes] = []
    low, high, known = 0, new, True
    while old < high:
        middle = low + _split(high - low)
        if old <= middle:
            proof.append(_range(middle, high, read))
            high = middle
        else:
            proof.append(_range(low, middle, read))
            low, known = middle, False
    if not known:
        proof.append(_range(low, high, read))
    return proof[::-1]


def verify_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], root_hash: bytes) -> bool:
    """RFC 9162, 2.1.3.2: whether ``leaf`` is leaf ``index`` of the tree with this size and root."""
    if not 0 <= index < size:
        return False
    fn, sn, result = index, size - 1, leaf
    for step in path:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            result = node_hash(step, result)
            while not fn & 1 and fn:
                fn >>= 1
                sn >>= 1
        else:
            result = node_hash(result, step)
        fn >>= 1
        sn >>= 1
    return sn == 0 and result == root_hash


def verify_consistency(old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> bool:
    """RFC 9162, 2.1.4.2: whether the tree of size ``new`` begins with the leaves of the one of size
    ``old``."""
    if not 0 < old <= new:
        return False
    if old == new:
        return not proof and old_root == new_root
    steps = list(proof)
    if old & (old - 1) == 0:
        steps.insert(0, old_root)
    if not steps:
        return False
    fn, sn = old - 1, new - 1
    while fn & 1:
        fn >>= 1
        sn >>= 1
    first = second = steps[0]
    for step in steps[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            first, second = node_hash(step, first), node_hash(step, second)
            while not fn & 1 and fn:
                fn >>= 1
                sn >>= 1
        else:
            second = node_hash(second, step)
        fn >>= 1
        sn >>= 1
    return sn == 0 and first == old_root and second == new_root


def _split(size: int) -> int:
    """The largest power of two below ``size``."""
    return 1 << ((size - 1).bit_length() - 1)


def _cover(low: int, high: int) -> list[tuple[int, int]]:
    """Complete nodes for the leaves low..high, where ``low`` is aligned as the tree's splits align it."""
    nodes = []
    while low < high:
        level = (high - low).bit_length() - 1
        nodes.append((level, low >> level))
        low += 1 << level
    return nodes


def _range(low: int, high: int, read: ReadNode) -> bytes:
    return _fold([read(level, number) for level, number in _cover(low, high)])


def _fold(hashes: Sequence[bytes]) -> bytes:
    if not hashes:
        return EMPTY_ROOT
    result = hashes[-1]
    for left in reversed(hashes[:-1]):
        result = node_hash(left, result)
    return result
