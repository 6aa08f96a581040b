"""A sample of a stream that is the same whatever its order, and the same rows in every version."""

from collections.abc import Iterator
from hashlib import blake2b
from typing import Generic, TypeVar

_ALL = 1 << 64
Item = TypeVar("Item")


def place(key: str) -> int:
    """Where a key lies between 0 and 2^64: evenly, and for ever the same."""
    return int.from_bytes(blake2b(key.encode("utf-8", "replace"), digest_size=8).digest())


class HashSample(Generic[Item]):
    """Keeps what lies below a bound, which falls as more comes: at most ``most`` items."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._bound = _ALL
        self._kept: dict[int, Item] = {}

    def wants(self, where: int) -> bool:
        return where < self._bound

    def get(self, where: int) -> Item | None:
        return self._kept.get(where)

    def put(self, where: int, item: Item) -> None:
        """In place of what lay there."""
        if where >= self._bound:
            return
        self._kept[where] = item
        while len(self._kept) > self._most:
            self._bound //= 2
            self._kept = {at: kept for at, kept in self._kept.items() if at < self._bound}

    def items(self) -> Iterator[tuple[int, Item]]:
        """In the order of their places."""
        yield from sorted(self._kept.items(), key=lambda one: one[0])

    def __len__(self) -> int:
        return len(self._kept)
