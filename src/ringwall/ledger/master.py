"""The master key: wraps every other key. From the environment, or a file that only its owner can read."""

import base64
import binascii
import os
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ringwall.core import DataError

ENVIRONMENT = "RINGWALL_MASTER_KEY"
FILE = "master.key"


class MasterKey:
    """32 secret bytes. Never used as they are: each purpose derives a key of its own from them."""

    __slots__ = ("_secret",)

    def __init__(self, secret: bytes) -> None:
        if len(secret) != 32:
            raise DataError("A master key has 32 bytes.")
        self._secret = secret

    def __repr__(self) -> str:
        return "MasterKey(…)"

    @classmethod
    def load(cls, data_dir: Path) -> "MasterKey":
        """The key in ``RINGWALL_MASTER_KEY`` (base64 or 64 hexadecimal digits), else the one in
        ``master.key`` of the data directory, which is made, with mode 0600, when there is none.

        Raises DataError when the key is malformed or the file is open to other users.
        """
        given = os.environ.get(ENVIRONMENT)
        if given:
            return cls(_decoded(given, ENVIRONMENT))
        text = private_file(data_dir / FILE, lambda: base64.b64encode(os.urandom(32)) + b"\n")
        return cls(_decoded(text.decode("ascii", "replace"), FILE))

    def derive(self, purpose: str) -> bytes:
        """32 bytes for one purpose (HKDF-SHA256, RFC 5869); the same each time."""
        hkdf = HKDF(algorithm=SHA256(), length=32, salt=b"ringwall", info=purpose.encode())
        return hkdf.derive(self._secret)


def private_file(path: Path, make: Callable[[], bytes]) -> bytes:
    """The content of a file of mode 0600, made with ``make()`` when it isn't there.

    Safe against two processes that make it at the same time: one wins, both read the same. Raises
    DataError when other users can read the file.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        _publish(path, make())
    mode = path.stat().st_mode & 0o777
    if mode & 0o077:
        raise DataError(
            f"{path.name} can be read by other users (mode {mode:04o}): run chmod 600 on it, and replace the "
            "key if somebody may have copied it."
        )
    return path.read_bytes()


def _publish(path: Path, content: bytes) -> None:
    """Write the whole content under another name, then link it to its own unless somebody was first."""
    draft = path.with_name(f".{path.name}.{os.urandom(8).hex()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            return
        sync_directory(path.parent)
    finally:
        draft.unlink()


def sync_directory(path: Path) -> None:
    """Make the names in a directory survive a loss of power."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _decoded(text: str, source: str) -> bytes:
    text = text.strip()
    try:
        secret = bytes.fromhex(text) if len(text) == 64 else base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        secret = b""
    if len(secret) != 32:
        raise DataError(f"{source} holds no master key: 32 bytes in base64 or 64 hexadecimal digits.")
    return secret
