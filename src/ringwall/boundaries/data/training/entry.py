"""What a version of a training set says of one pack."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class PackEntry:
    """A pack and which of its records the version holds. Immutable, and so is the blob."""

    id: str
    """Sorts in the order in which packs were contributed."""
    blob: str
    """SHA-256 of the stored bytes."""
    count: int
    """Records in the pack."""
    root: str
    """RFC 9162 root over all of its records."""
    contributors: tuple[str, ...]
    contributions: tuple[str, ...]
    at: int
    """When it was written, in microseconds since the epoch, UTC."""
    dropped: tuple[int, ...] = ()
    """Ordinals of the records that the version does not hold, in order."""
    tenants: tuple[str, ...] = ()
    """Of its contributors."""

    @property
    def live(self) -> set[int]:
        return set(range(self.count)).difference(self.dropped)

    @property
    def held(self) -> int:
        """How many records the version has of it."""
        return self.count - len(self.dropped)

    def without(self, ordinals: Iterable[int]) -> "PackEntry":
        return replace(self, dropped=tuple(sorted({*self.dropped, *ordinals})))

    def only(self, ordinals: Iterable[int]) -> "PackEntry":
        return replace(self, dropped=tuple(sorted(set(range(self.count)).difference(ordinals))))

    def line(self) -> dict[str, Any]:
        told = {"tenants": list(self.tenants)} if self.tenants else {}
        return {
            **told,
            "id": self.id,
            "blob": self.blob,
            "count": self.count,
            "root": self.root,
            "contributors": list(self.contributors),
            "contributions": list(self.contributions),
            "at": self.at,
            "dropped": list(self.dropped),
        }

    @classmethod
    def read(cls, line: dict[str, Any]) -> "PackEntry":
        names = ("contributors", "contributions", "dropped", "tenants")
        lists = {name: tuple(line.get(name, ())) for name in names}
        return cls(**{**line, **lists})
