"""Signed tree heads in the C2SP form: https://c2sp.org/tlog-checkpoint over https://c2sp.org/signed-note.

A checkpoint is text that any witness or outsider can keep and check::

    ringwall.ledger/4f1c…
    1042
    8Vq0…=

    — ringwall.ledger/4f1c… Az3e…=

The first three lines (origin, tree size, base64 of the root) are signed with Ed25519. A *verifier key* is
``name+hash+base64(0x01 || public key)``.
"""

import base64
import binascii
import hmac
import os
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ringwall.core import DataError

from .master import MasterKey
from .private_file import private_file, promote, read_private, replace_private

FILE = "checkpoint.key"
_STAGED = "checkpoint.key.next"

_ED25519 = b"\x01"
_DASH = "— "


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a checkpoint says, its signature not yet considered."""

    origin: str
    size: int
    root: bytes
    signatures: tuple[tuple[str, bytes], ...]
    """Name and ``key hash(4) || signature``, one for each signature line."""

    @property
    def signed_text(self) -> bytes:
        return _text(self.origin, self.size, self.root)

    @classmethod
    def parse(cls, note: str) -> "Checkpoint":
        """Strict: text that is not byte for byte what a signer writes raises DataError."""
        try:
            text, lines = note.split("\n\n", 1)
            origin, size, root = text.split("\n")
            if not origin or not lines.endswith("\n") or not size.isascii() or str(int(size)) != size:
                raise ValueError
            signatures = tuple(_signature(line) for line in lines[:-1].split("\n"))
            return cls(origin, int(size), _unbase64(root, 32), signatures)
        except (ValueError, binascii.Error):
            raise DataError("This is not a well-formed checkpoint.") from None


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key with its name."""

    name: str
    public: bytes

    @property
    def key_hash(self) -> bytes:
        return sha256(self.name.encode() + b"\n" + _ED25519 + self.public).digest()[:4]

    @property
    def vkey(self) -> str:
        key = base64.b64encode(_ED25519 + self.public).decode()
        return f"{self.name}+{self.key_hash.hex()}+{key}"

    @classmethod
    def parse(cls, vkey: str) -> "Verifier":
        """Raises DataError for a malformed key or one whose hash does not fit."""
        try:
            name, hashed, key = vkey.strip().split("+", 2)
            raw = _unbase64(key, 33)
            verifier = cls(name, raw[1:])
            Ed25519PublicKey.from_public_bytes(verifier.public)
        except (ValueError, binascii.Error):
            raise DataError("This is not a verifier key (name+hash+key).") from None
        if not name or raw[:1] != _ED25519 or not hmac.compare_digest(verifier.key_hash.hex(), hashed):
            raise DataError("The verifier key's hash does not fit its name and key: it is damaged.")
        return verifier

    def check(self, note: str) -> Checkpoint:
        """The checkpoint, if this key signed it. Raises DataError otherwise."""
        checkpoint = Checkpoint.parse(note)
        if checkpoint.origin != self.name:
            raise DataError(f"The checkpoint is of another ledger: {checkpoint.origin[:100]}.")
        for name, signature in checkpoint.signatures:
            if name == self.name and signature[:4] == self.key_hash:
                try:
                    key = Ed25519PublicKey.from_public_bytes(self.public)
                    key.verify(signature[4:], checkpoint.signed_text)
                except InvalidSignature:
                    break
                return checkpoint
        raise DataError(
            f"The checkpoint of size {checkpoint.size} carries no valid signature of {self.name}."
        )


class Signer:
    """Signs checkpoints. The private key rests in ``checkpoint.key``, encrypted under the master key."""

    def __init__(self, name: str, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.verifier = Verifier(name, self._key.public_key().public_bytes_raw())

    def __repr__(self) -> str:
        return f"Signer({self.verifier.name})"

    @classmethod
    def load(cls, data_dir: Path, master: MasterKey) -> "Signer":
        """The ledger's key, made at first use. Raises DataError when the master key does not open it."""
        content = private_file(data_dir / FILE, lambda: _sealed(_new_name(), os.urandom(32), master))
        try:
            return cls(*_opened(content, master))
        except DataError:
            staged = data_dir / _STAGED
            if not staged.exists():
                raise
        found = _opened(read_private(staged), master)  # a rotation was killed before its last step
        promote(staged, data_dir / FILE)
        return cls(*found)

    @staticmethod
    def stage(data_dir: Path, master: MasterKey, after: MasterKey) -> None:
        """Keep the key wrapped under the next master key, beside the file in force."""
        name, seed = _opened(read_private(data_dir / FILE), master)
        replace_private(data_dir / _STAGED, _sealed(name, seed, after))

    @staticmethod
    def promote(data_dir: Path) -> None:
        """What was staged is in force. Doing so twice does no harm."""
        promote(data_dir / _STAGED, data_dir / FILE)

    def sign(self, size: int, root: bytes) -> str:
        name = self.verifier.name
        text = _text(name, size, root)
        signature = base64.b64encode(self.verifier.key_hash + self._key.sign(text)).decode()
        return f"{text.decode()}\n{_DASH}{name} {signature}\n"


def _new_name() -> str:
    return f"ringwall.ledger/{os.urandom(8).hex()}"


def _sealed(name: str, seed: bytes, master: MasterKey) -> bytes:
    nonce = os.urandom(12)
    cipher = AESGCM(master.wrapper("checkpoint key"))
    wrapped = nonce + cipher.encrypt(nonce, seed, name.encode())
    return f"{name}\n{base64.b64encode(wrapped).decode()}\n".encode()


def _opened(content: bytes, master: MasterKey) -> tuple[str, bytes]:
    """Name and seed."""
    try:
        name, wrapped = content.decode().rstrip("\n").split("\n")
        raw = base64.b64decode(wrapped, validate=True)
        cipher = AESGCM(master.wrapper("checkpoint key"))
        return name, cipher.decrypt(raw[:12], raw[12:], name.encode())
    except (InvalidTag, ValueError, binascii.Error):
        raise DataError(
            f"{FILE} is damaged or belongs to another master key: restore the master.key (or "
            "RINGWALL_MASTER_KEY) that belongs to this data directory."
        ) from None


def _text(origin: str, size: int, root: bytes) -> bytes:
    return f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n".encode()


def _signature(line: str) -> tuple[str, bytes]:
    if not line.startswith(_DASH):
        raise ValueError(line)
    name, encoded = line[len(_DASH) :].split(" ")
    if not name:
        raise ValueError(line)
    return name, _unbase64(encoded)


def _unbase64(text: str, length: int = 0) -> bytes:
    raw = base64.b64decode(text, validate=True)
    if base64.b64encode(raw).decode() != text or (length and len(raw) != length):
        raise ValueError("not canonical base64")
    return raw
