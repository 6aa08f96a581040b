"""Tokens in place of values, and the keys under which they open again.

A collection has generations of keys. ``rotate`` begins a new one: tokens made from now on differ from those
made before, which still open. ``erase`` destroys a generation: its tokens stand for nothing any more.

An opaque token is AES-SIV (RFC 5297) of the value, bound to collection and class, so that the same value
gives the same token and joins keep working; or with a random part, so that it does not. Nothing else is kept:
the token is the value, sealed.
"""

import base64
import os
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from ringwall.core import DataError
from ringwall.storage.database import Database

from ..keys import Sealer
from .format_tokens import FormatTokens

__all__ = ["Opaque", "TokenKeys", "TokenSealer", "Tokens"]

_TOKEN = re.compile(r"<<([A-Z][A-Z0-9-]{0,31})_([1-9][0-9]{0,5})([dr])_([a-z2-7]{26,8192})>>")
MOST = 4096
"""Characters of a value that can be tokenised."""
_RANDOM, _PAD = 16, 16
_STEPS = [
    "CREATE TABLE data_token_keys (collection TEXT NOT NULL, generation INTEGER NOT NULL, "
    "mark BLOB NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (collection, generation)) STRICT, WITHOUT ROWID;"
]


class TokenSealer(Sealer, Protocol):
    """What is needed of ``ringwall.ledger.envelope.Envelope``."""

    def derived(self, owner: str, purpose: str) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Opaque:
    """An opaque token, read."""

    cls: str
    generation: int


class Tokens:
    """Makes and opens the tokens of one collection under one generation of keys. Thread-safe."""

    def __init__(
        self, collection: str, generation: int, opaque_key: bytes, format_key: bytes, tenant: str = ""
    ) -> None:
        """``tenant``: whose values they stand for, where tenants are apart; empty: of all."""
        self.generation = generation
        self._tenant = tenant.encode("utf-8", "surrogatepass")
        self._collection = collection.encode()
        self._siv = AESSIV(opaque_key)
        self._format = FormatTokens(format_key)

    def opaque(self, value: str, cls: str, *, random: bool = False) -> str:
        """``<<EMAIL_1d_…>>``. DataError for a value of more than 4,096 characters."""
        if len(value) > MOST:
            raise DataError(f"A value of more than {MOST} characters can't be tokenised: drop or redact it.")
        raw = value.encode("utf-8", "surrogatepass")
        padded = raw + b"\x80" + bytes(-(len(raw) + 1) % _PAD)  # its length tells less
        salt = os.urandom(_RANDOM) if random else b""
        sealed = salt + self._siv.encrypt(padded, self._bound(cls, salt))
        text = base64.b32encode(sealed).decode().rstrip("=").lower()
        return f"<<{_name(cls)}_{self.generation}{'r' if random else 'd'}_{text}>>"

    def open(self, token: str, cls: str) -> str:
        """The value. DataError when it is no token of this collection, class and generation."""
        found = _TOKEN.fullmatch(token)
        if found is None or int(found[2]) != self.generation:
            raise DataError("This is no token, or it is damaged.")
        text = found[4].upper()
        try:
            sealed = base64.b32decode(text + "=" * (-len(text) % 8))
            size = _RANDOM if found[3] == "r" else 0
            padded = self._siv.decrypt(sealed[size:], self._bound(cls, sealed[:size]))
        except (ValueError, InvalidTag):
            raise DataError("This token is damaged, or of another collection, class or tenant.") from None
        return padded.rstrip(b"\x00")[:-1].decode("utf-8", "surrogatepass")

    def alike(self, value: str, cls: str, *, keep_last: int = 0, luhn: bool = False) -> str | None:
        """A token in the value's own format; None when it has too few digits for that."""
        if not self._format.suits(value, keep_last):
            return None
        return self._format.conceal(value, self._tweak(cls), keep_last=keep_last, luhn=luhn)

    def unlike(self, token: str, cls: str, *, keep_last: int = 0, luhn: bool = False) -> str:
        """The value behind ``alike``. DataError when it can't be one; there is no check that it was."""
        if not self._format.suits(token, keep_last):
            raise DataError("This is no token in the format of its class: it has too few digits.")
        return self._format.reveal(token, self._tweak(cls), keep_last=keep_last, luhn=luhn)

    def _bound(self, cls: str, salt: bytes) -> list[bytes]:
        bound = [b"ringwall token", self._collection, cls.encode(), salt or b"-"]
        return [*bound, self._tenant] if self._tenant else bound

    def _tweak(self, cls: str) -> bytes:
        tweak = cls.encode() + b"\x00" + self._collection
        return tweak + b"\x00" + self._tenant if self._tenant else tweak


class TokenKeys:
    """The generations of keys of all collections. Thread-safe; several processes may share them."""

    def __init__(self, db: Database, envelope: TokenSealer) -> None:
        self._db = db
        self._envelope = envelope
        db.migrate("data_token_keys", _STEPS)

    def current(self, collection: str, tenant: str = "") -> Tokens:
        """The newest generation; made at first use."""
        newest = self.generations(collection)
        return self.tokens(collection, newest[-1] if newest else self.rotate(collection), tenant)

    def generations(self, collection: str) -> list[int]:
        """All that there ever were, erased ones included, oldest first."""
        rows = self._db.all(
            "SELECT generation FROM data_token_keys WHERE collection = ? ORDER BY generation", collection
        )
        return [int(row["generation"]) for row in rows]

    def states(self, collection: str) -> list[tuple[int, bool]]:
        """Each generation, and whether its tokens still open."""
        return [(number, self._alive(collection, number)) for number in self.generations(collection)]

    def _alive(self, collection: str, generation: int) -> bool:
        try:
            self.tokens(collection, generation)
        except DataError:
            return False
        return True

    def tokens(self, collection: str, generation: int, tenant: str = "") -> Tokens:
        """``tenant``: see ``Tokens``. DataError when there is no such generation, or its key was erased."""
        row = self._db.one(
            "SELECT mark FROM data_token_keys WHERE collection = ? AND generation = ?", collection, generation
        )
        if row is None:
            raise DataError(f"Collection {collection} has no token keys of generation {generation}.")
        owner = _owner(collection, generation)
        # Opening the mark proves that this is the key of that generation: deriving alone would make another.
        self._envelope.open(owner, row["mark"], b"token key")
        opaque = self._envelope.derived(owner, "opaque tokens")
        alike = self._envelope.derived(owner, "format tokens")[:32]
        return Tokens(collection, generation, opaque, alike, tenant)

    def rotate(self, collection: str) -> int:
        """Begin a new generation; its number."""
        with self._db.transaction():
            known = self.generations(collection)
            generation = (known[-1] if known else 0) + 1
            mark = self._envelope.seal(_owner(collection, generation), b"mark", b"token key")
            self._db.write(
                "INSERT INTO data_token_keys VALUES (?, ?, ?, ?)",
                *(collection, generation, mark, time.time_ns() // 1000),
            )
        return generation

    def erase(self, collection: str, generation: int) -> None:
        """Destroy a generation's key, and go on with a new one if it was the newest. DataError as
        ``tokens``."""
        self.tokens(collection, generation)
        if generation == self.generations(collection)[-1]:
            self.rotate(collection)
        self._envelope.erase(_owner(collection, generation))


def read_opaque(token: str, classes: Mapping[str, str]) -> Opaque | None:
    """What an opaque token says of itself; None for what is none. ``classes``: as ``names`` gives them."""
    found = _TOKEN.fullmatch(token)
    if found is None or found[1] not in classes:
        return None
    return Opaque(classes[found[1]], int(found[2]))


def names(classes: Iterable[str]) -> dict[str, str]:
    """Classes by their names in tokens."""
    return {_name(cls): cls for cls in classes}


def _name(cls: str) -> str:
    return "".join(char if char.isalnum() else "-" for char in cls.removeprefix("pii.").upper())[:32]


def _owner(collection: str, generation: int) -> str:
    return f"tokens:{collection}#{generation}"
