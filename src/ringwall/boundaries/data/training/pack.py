"""A pack: some thousand records in one blob, each under a key and a commitment of its own.

``magic(4) length(4) header record…``. The header is sealed for the collection and holds what the records
have in common (their sources), the length of each sealed record and its Merkle leaf. A record is
AES-256-GCM under its own key, which is used once: the nonce is zero. The associated data is the pack's id
and the record's ordinal. Inside, in this order: id, place, and the canonical JSON of fields, sensitivity and
readings, compressed.

The leaf is SHA-256 over a secret salt of the record, its source and its content (RFC 9162 leaf). So the root
commits to the *content*: an export can be held against it. And a leaf that stays behind when key and salt
are erased tells nothing, not even to somebody who guesses the content.
"""

import struct
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, fields
from hashlib import sha256
from sys import byteorder
from typing import Any

import orjson
import zstandard
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ringwall.core import DataError
from ringwall.ledger.merkle import EMPTY_ROOT

from ..document import canonical
from ..keys import Sealer
from ..records.forms import reading
from ..records.record import Form, Record, Source
from .record_keys import KEY, SECRET

_MAGIC = b"RWP1"
_NONCE = bytes(12)
_TAG = 16
_LEAF = 32
MOST_RECORDS = 1024
MOST_BYTES = 4 * 1024 * 1024
LONGEST = 16 * 1024 * 1024
"""Longest record, in bytes of canonical JSON."""

_COMMON = tuple(field.name for field in fields(Source) if field.name != "place")


@dataclass(frozen=True, slots=True)
class Sealed:
    """A pack, ready to be stored."""

    blob: bytes
    root: str
    bodies: int
    """Bytes of canonical JSON in it."""


def source_line(source: Source) -> dict[str, Any]:
    """What a record's source has in common with others of its contribution: all but the place."""
    return {name: getattr(source, name) for name in _COMMON}


def source_hash(source: Source) -> bytes:
    return sha256(canonical(source_line(source))).digest()


def body_of(record: Record) -> bytes:
    """Canonical JSON of what was contributed: fields, sensitivity, and readings where they are not those
    that the fields give. DataError when it is no JSON, or too long."""
    content: dict[str, Any] = {"fields": record.fields}
    if record.sensitivity:
        content["sensitivity"] = sorted(record.sensitivity)
    given = (record.form, record.prompt, record.response, record.rejected)
    if given != reading(record.fields):
        content["reading"] = list(given)
    try:
        body = orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        raise DataError(
            f"Record {record.id[:128]!r} holds a value that JSON has no form for: a lone surrogate, an "
            "integer of more than 64 bits, or another type."
        ) from None
    if len(body) > LONGEST:
        raise DataError(f"Record {record.id[:128]!r} has {len(body)} bytes; at most {LONGEST} are taken.")
    return body


def record_from(key: str, place: str, body: bytes, source: dict[str, Any]) -> Record:
    content: dict[str, Any] = orjson.loads(body)
    row = content["fields"]
    form, prompt, response, rejected = content.get("reading") or reading(row)
    return Record(
        id=key,
        fields=row,
        form=Form(form),
        prompt=prompt,
        response=response,
        rejected=rejected,
        source=Source(place=place, **source),
        sensitivity=frozenset(content.get("sensitivity", ())),
    )


def leaf_of(salt: bytes, source: bytes, head: bytes, body: bytes) -> bytes:
    """RFC 9162 leaf of a record. ``source``: see ``source_hash``; ``head``: see ``head_of``."""
    return sha256(b"\x00" + salt + source + head + body).digest()


def head_of(key: str, place: str) -> bytes:
    """Id and place with their lengths. DataError when they are no Unicode or too long."""
    try:
        name, where = key.encode(), place.encode()
        return struct.pack(">H", len(name)) + name + struct.pack(">H", len(where)) + where
    except (UnicodeEncodeError, struct.error):
        raise DataError("The id or place of a record is too long, or no Unicode.") from None


class PackWriter:
    """Collects the records of one pack and seals them as they come."""

    def __init__(self, pack: str, secrets: bytes) -> None:
        """``secrets``: key and salt for each record that may come."""
        self.pack = pack
        self._secrets = secrets
        self._name = pack.encode()
        self._heads: list[bytes] = []
        self._bodies: list[bytes] = []
        self._hashes: list[bytes] = []
        self._sources: dict[bytes, int] = {}
        self._lines: list[dict[str, Any]] = []
        self._of: list[int] = []
        self.bodies = 0

    def __len__(self) -> int:
        return len(self._bodies)

    @property
    def full(self) -> bool:
        return len(self._bodies) >= MOST_RECORDS or self.bodies >= MOST_BYTES

    def add(self, record: Record, body: bytes, source: bytes) -> None:
        """``body``: see ``body_of``; ``source``: see ``source_hash``."""
        self._heads.append(head_of(record.id, record.source.place))
        self._bodies.append(body)
        self._hashes.append(source)
        known = self._sources.setdefault(source, len(self._sources))
        if known == len(self._lines):
            self._lines.append(source_line(record.source))
        self._of.append(known)
        self.bodies += len(body)

    def sealed(self, collection: str, envelope: Sealer) -> Sealed:
        records, leaves = self._records()
        of = self._of if len(self._lines) > 1 else []
        about = zstandard.compress(
            canonical({"pack": self.pack, "sources": self._lines, "of": of, "count": len(self)}), 3
        )
        lengths = _little(array("I", [len(record) for record in records]))
        plain = struct.pack(">I", len(about)) + about + lengths + b"".join(leaves)
        header = envelope.seal(f"collection:{collection}", plain, b"pack:" + self._name)
        blob = b"".join((_MAGIC, struct.pack(">I", len(header)), header, *records))
        return Sealed(blob, root_of(leaves), self.bodies)

    def _records(self) -> tuple[list[bytes], list[bytes]]:
        """Sealed records and their leaves."""
        bodies: list[bytes | bytearray | memoryview[int]] = [
            *self._bodies
        ]  # the type that it is declared to take
        compressed = zstandard.ZstdCompressor(level=1).multi_compress_to_buffer(bodies)
        records, leaves = [], []
        for ordinal, (head, body, source) in enumerate(
            zip(self._heads, self._bodies, self._hashes, strict=True)
        ):
            secret = self._secrets[ordinal * SECRET : (ordinal + 1) * SECRET]
            plain = head + compressed[ordinal].tobytes()
            records.append(AESGCM(secret[:KEY]).encrypt(_NONCE, plain, _bound(self._name, ordinal)))
            leaves.append(leaf_of(secret[KEY:], source, head, body))
        return records, leaves


def root_of(leaves: Sequence[bytes]) -> str:
    """RFC 9162 root, hexadecimal: neighbours are joined level by level, and who has none goes up alone."""
    level = list(leaves)
    while len(level) > 1:
        joined = [
            sha256(b"\x01" + left + right).digest()
            for left, right in zip(level[::2], level[1::2], strict=False)
        ]
        level = joined + level[2 * len(joined) :]
    return (level[0] if level else EMPTY_ROOT).hex()


class PackReader:
    """A pack that was read from the store. Records are opened one by one."""

    def __init__(self, pack: str, blob: bytes, collection: str, envelope: Sealer) -> None:
        """DataError when the header is damaged or belongs to another pack."""
        self.pack = pack
        self._name = pack.encode()
        size = struct.unpack(">I", blob[4:8])[0] if len(blob) >= 8 and blob[:4] == _MAGIC else 0
        start = 8 + size
        plain = envelope.open(f"collection:{collection}", blob[8:start], b"pack:" + self._name)
        cut = 4 + struct.unpack(">I", plain[:4])[0]
        about: dict[str, Any] = orjson.loads(zstandard.decompress(plain[4:cut]))
        count = about["count"]
        lengths = array("I")
        lengths.frombytes(plain[cut : cut + 4 * count])
        leaves = plain[cut + 4 * count :]
        self.leaves = [leaves[at : at + _LEAF] for at in range(0, _LEAF * count, _LEAF)]
        self._blob = memoryview(blob)
        self._starts = [start]
        for length in _little_array(lengths):
            self._starts.append(self._starts[-1] + length)
        self.sources: list[dict[str, Any]] = about["sources"]
        self.hashes = [sha256(canonical(line)).digest() for line in self.sources]
        self._of: list[int] = about["of"]
        self._decompress = zstandard.ZstdDecompressor().decompress

    def __len__(self) -> int:
        return len(self.leaves)

    @property
    def root(self) -> str:
        return root_of(self.leaves)

    def source(self, ordinal: int) -> dict[str, Any]:
        """All of the record's source but its place."""
        return self.sources[self.source_number(ordinal)]

    def span(self, ordinal: int) -> tuple[int, int]:
        """Where a sealed record begins and ends in the blob."""
        return self._starts[ordinal], self._starts[ordinal + 1]

    def terms(self, ordinal: int) -> Source:
        """The record's source without its place."""
        return Source(**self.source(ordinal))

    def source_number(self, ordinal: int) -> int:
        return self._of[ordinal] if self._of else 0

    def raw(self, ordinal: int, secret: bytes) -> tuple[str, str, bytes]:
        """Id, place and body of a record. DataError when it is damaged, or not what was committed."""
        sealed = self._blob[self._starts[ordinal] : self._starts[ordinal + 1]]
        try:
            plain = AESGCM(secret[:KEY]).decrypt(_NONCE, sealed, _bound(self._name, ordinal))
        except InvalidTag:
            raise DataError(f"Record {ordinal} of pack {self.pack} is damaged.") from None
        end = _head_end(plain)
        body: bytes = self._decompress(plain[end:])
        leaf = leaf_of(secret[KEY:], self.hashes[self.source_number(ordinal)], plain[:end], body)
        if leaf != self.leaves[ordinal]:
            raise DataError(f"Record {ordinal} of pack {self.pack} is not what its Merkle leaf says.")
        return *_split(plain[:end]), body

    def record(self, ordinal: int, secret: bytes) -> Record:
        """Raises as ``raw``."""
        key, place, body = self.raw(ordinal, secret)
        return record_from(key, place, body, self.source(ordinal))

    def guessed_id(self, ordinal: int, secret: bytes) -> str:
        """The id of a *damaged* record, unverified: its ciphertext read without the check that it fails.
        For a message that says what is damaged, once the index confirms the id; '' when it is no text."""
        sealed = bytes(self._blob[self._starts[ordinal] : self._starts[ordinal + 1] - _TAG])
        # GCM encrypts with the counter from 2 on (NIST SP 800-38D, 7.1).
        counter = modes.CTR(_NONCE + (2).to_bytes(4, "big"))
        plain = Cipher(algorithms.AES(secret[:KEY]), counter).decryptor().update(sealed)
        try:
            return _split(plain[: _head_end(plain)])[0]
        except (struct.error, UnicodeDecodeError):
            return ""


def _bound(pack: bytes, ordinal: int) -> bytes:
    return b"record:" + pack + b"#%d" % ordinal


def _head_end(plain: bytes) -> int:
    name = 2 + int.from_bytes(plain[:2], "big")
    return name + 2 + int.from_bytes(plain[name : name + 2], "big")


def _split(head: bytes) -> tuple[str, str]:
    name = 2 + int.from_bytes(head[:2], "big")
    return head[2:name].decode(), head[name + 2 :].decode()


def _little(numbers: "array[int]") -> bytes:
    return _little_array(numbers).tobytes()


def _little_array(numbers: "array[int]") -> "array[int]":
    if byteorder == "big":
        numbers = numbers[:]
        numbers.byteswap()
    return numbers


def ordinals(count: int, dropped: Sequence[int]) -> list[int]:
    """What is left of a pack."""
    gone = set(dropped)
    return [ordinal for ordinal in range(count) if ordinal not in gone]
