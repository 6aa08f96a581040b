"""What one version of a collection holds, and the hash that stands for all of it."""

from dataclasses import asdict, dataclass
from typing import Any

import orjson

from ringwall.core import DataError
from ringwall.ledger.merkle import EMPTY_ROOT, Frontier, leaf_hash

from .document import canonical


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


@dataclass(frozen=True, slots=True)
class Manifest:
    collection: str
    version: int
    entries: tuple[Entry, ...] = ()
    """In the order of their ids."""

    def find(self, document: str) -> Entry | None:
        return next((entry for entry in self.entries if entry.id == document), None)

    @property
    def root(self) -> str:
        """RFC 9162 Merkle root over the entries, hexadecimal."""
        if not self.entries:
            return EMPTY_ROOT.hex()
        tree = Frontier()
        for entry in self.entries:
            tree.append(leaf_hash(canonical(asdict(entry))))
        return tree.root().hex()

    def to_bytes(self) -> bytes:
        return canonical(asdict(self))

    @classmethod
    def from_bytes(cls, raw: bytes) -> "Manifest":
        """DataError when it is no manifest, or its entries are not in order."""
        try:
            given: dict[str, Any] = orjson.loads(raw)
            entries = tuple(_entry(line) for line in given["entries"])
            manifest = cls(given["collection"], given["version"], entries)
        except (orjson.JSONDecodeError, KeyError, TypeError) as error:
            raise DataError("A manifest is malformed.") from error
        ids = [entry.id for entry in entries]
        if ids != sorted(set(ids)):
            raise DataError(f"The manifest of {manifest.collection} version {manifest.version} is reordered.")
        return manifest


def _entry(line: dict[str, Any]) -> Entry:
    lists = {name: tuple(line[name]) for name in ("roles", "subjects", "sensitivity")}
    return Entry(**{**line, **lists})
