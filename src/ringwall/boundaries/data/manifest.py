"""What one version of a collection of documents holds, and the hash that stands for all of it."""

from dataclasses import dataclass
from typing import Any

from .tree import Tree


@dataclass(frozen=True, slots=True)
class Entry:
    """One document of a version. Immutable, and so is the blob it names."""

    id: str
    revision: int
    owner: str
    """Whose key seals it: one owner for each life of a document, so that erasing the key erases just it."""
    blob: str
    """SHA-256 of the sealed bytes."""
    fingerprint: str
    """Keyed hash of the content: equal content, equal fingerprint, within one collection."""
    contributor: str
    at: int
    origin: str
    tenant: str
    roles: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    sensitivity: tuple[str, ...] = ()

    def line(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "revision": self.revision,
            "owner": self.owner,
            "blob": self.blob,
            "fingerprint": self.fingerprint,
            "contributor": self.contributor,
            "at": self.at,
            "origin": self.origin,
            "tenant": self.tenant,
            "roles": list(self.roles),
            "subjects": list(self.subjects),
            "sensitivity": list(self.sensitivity),
        }

    @classmethod
    def read(cls, line: dict[str, Any]) -> "Entry":
        lists = {name: tuple(line[name]) for name in ("roles", "subjects", "sensitivity")}
        return cls(**{**line, **lists})


@dataclass(frozen=True, slots=True)
class Manifest:
    collection: str
    version: int
    """0 before the first one."""
    tree: Tree[Entry]

    def __len__(self) -> int:
        return len(self.tree)

    @property
    def entries(self) -> tuple[Entry, ...]:
        """In the order of their ids."""
        return tuple(self.tree)

    def find(self, document: str) -> Entry | None:
        return self.tree.find(document)

    @property
    def root(self) -> str:
        """Merkle root, hexadecimal."""
        return self.tree.root
