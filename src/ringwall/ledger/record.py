"""What goes into the ledger and what comes back out of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from .merkle import leaf_hash

INDEXED = ("type", "application", "subject", "session", "turn", "kind", "boundary", "action")
"""Top-level event fields that have a column and an index of their own, besides ``id``."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Receipt of an append: it is committed."""

    index: int
    """Position in the ledger, from 0."""
    id: str
    """The event's id."""
    leaf_hash: bytes


@dataclass(frozen=True, slots=True)
class Record:
    """One entry as read back."""

    index: int
    event: Mapping[str, Any]
    body: Mapping[str, Any] | None
    """None when there was none, or when the key of its owner was erased."""
    leaf_hash: bytes
    erased: bool = False
    """There was a body, and it can't be read any more."""


def leaf_data(event: bytes, body: bytes | None) -> bytes:
    """The bytes that a leaf commits to: canonical JSON (RFC 8785) of the object with ``body``, the
    hexadecimal SHA-256 of the body's ciphertext or null, and ``event``."""
    digest = b'"' + sha256(body).hexdigest().encode() + b'"' if body is not None else b"null"
    return b'{"body":' + digest + b',"event":' + event + b"}"


def leaf_of(event: bytes, body: bytes | None) -> bytes:
    return leaf_hash(leaf_data(event, body))


def column(event: Mapping[str, Any], field: str) -> str:
    """The indexed value of a field: empty unless it is a string."""
    value = event.get(field)
    return str(value) if isinstance(value, str) else ""
