"""A contributor's signature: Ed25519 (RFC 8032) over a statement of what is given, by whom, as what.

The signature is detached, a small JSON file beside the data. What is signed is the canonical JSON of the
statement behind a prefix of its own, so that it can never be taken for a signature of anything else.
"""

import base64
import binascii
import hashlib
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ringwall.core import DataError, Principal

from ..canonical import canonical

_PREFIX = b"ringwall contribution 1\n"
_LONGEST = 8192
_AHEAD = 300_000_000
"""Microseconds by which clocks may differ."""


@dataclass(frozen=True, slots=True)
class Statement:
    """What a contributor puts their name to."""

    collection: str
    contributor: str
    licence: str
    sha256: str
    """Of the bytes of a document; of a training set, see ``RowsDigest``."""
    at: int
    """When, in microseconds since the epoch, UTC."""


@dataclass(frozen=True, slots=True)
class Signature:
    statement: Statement
    key: str
    """Public key, Base64."""
    signature: str
    """Base64."""

    def to_bytes(self) -> bytes:
        return canonical(asdict(self))

    @classmethod
    def from_bytes(cls, raw: bytes) -> "Signature":
        """DataError when it is none."""
        try:
            given: dict[str, Any] = orjson.loads(raw if len(raw) <= _LONGEST else b"")
            made = cls(Statement(**given["statement"]), given["key"], given["signature"])
            texts = [value for name, value in asdict(made.statement).items() if name != "at"]
            sound = all(isinstance(text, str) for text in (*texts, made.key, made.signature))
            if sound and type(made.statement.at) is int:
                return made
        except (orjson.JSONDecodeError, KeyError, TypeError):
            pass
        raise DataError("The signature file is not one that `ringwall data sign` makes.")


class RowsDigest:
    """SHA-256 over the rows of a training set as canonical JSON, one to a line, in order: the same whatever
    file they are read from."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def add(self, fields: Mapping[str, Any]) -> None:
        self._hash.update(canonical(fields) + b"\n")

    @property
    def hex(self) -> str:
        return self._hash.hexdigest()


def sign(
    key: Ed25519PrivateKey, *, collection: str, contributor: str, licence: str, sha256: str
) -> Signature:
    """A signature of now."""
    statement = Statement(collection, contributor, licence, sha256, time.time_ns() // 1000)
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return Signature(statement, _text(public), _text(key.sign(_signed(statement))))


def check(
    signature: Signature, *, collection: str, principal: Principal, licence: str, signers: Mapping[str, str]
) -> None:
    """Whether it is this contributor's, by their registered key, for this collection and licence. DataError
    says what does not fit. What is left to the caller is to compare ``sha256``."""
    said = signature.statement
    registered = signers.get(principal.owner, signers.get(principal.subject, ""))
    if not registered:
        raise DataError(f"No signing key is registered for {principal.subject}: add one to data.signers.")
    if _bytes(registered) != _bytes(signature.key):
        raise DataError(f"The signature is not by the key that is registered for {principal.subject}.")
    for name, here, there in (
        ("collection", collection, said.collection),
        ("contributor", principal.subject, said.contributor),
        ("licence", licence, said.licence),
    ):
        if here != there:
            raise DataError(f"The signature is for another {name}: sign what you contribute, as you do it.")
    if said.at > time.time_ns() // 1000 + _AHEAD:
        raise DataError("The signature is dated in the future: set the clock where you sign.")
    try:
        Ed25519PublicKey.from_public_bytes(_bytes(registered)).verify(
            _bytes(signature.signature), _signed(said)
        )
    except (InvalidSignature, ValueError):
        raise DataError("The signature is not valid: the statement was changed after signing.") from None


def public_key(text: str) -> str:
    """The Base64 text of an Ed25519 public key itself. ValueError when it is none."""
    try:
        Ed25519PublicKey.from_public_bytes(_bytes(text))
    except (ValueError, DataError):
        raise ValueError("a signer's key is the Base64 of the 32 bytes of an Ed25519 public key") from None
    return text


def _signed(statement: Statement) -> bytes:
    return _PREFIX + canonical(asdict(statement))


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise DataError("A key or signature is not Base64.") from None
