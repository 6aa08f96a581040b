"""The master key: what every other key hangs on.

Two things are derived from it. *Wrappers* encrypt stored keys and change with each rotation. Everything
else (the canary, keys of hashes, tokens) comes from a *root* secret that a rotation leaves as it is: before
the first rotation root and master secret are the same, afterwards ``keys.db`` holds the root, wrapped.
"""

import os
from pathlib import Path

from ringwall.core import DataError

from .hkdf import derived
from .key_record import KeyRecord, read_record
from .key_source import ENVIRONMENT, KeySource, key_source
from .private_file import locked

KEYS = "keys.db"
_ATTEMPTS = 5


class MasterKey:
    """32 secret bytes. Never used as they are: each purpose derives a key of its own from them."""

    __slots__ = ("_root", "_secret", "data_dir", "generation")

    def __init__(
        self, secret: bytes, root: bytes | None = None, generation: int = 0, data_dir: Path | None = None
    ) -> None:
        if len(secret) != 32:
            raise DataError("A master key has 32 bytes.")
        self._secret = secret
        self._root = root or secret
        self.generation = generation
        self.data_dir = data_dir

    def __repr__(self) -> str:
        return "MasterKey(…)"

    @classmethod
    def load(cls, data_dir: Path) -> "MasterKey":
        """The key from where ``RINGWALL_MASTER_KEY`` says (see ``key_source``), else from ``master.key`` in
        the data directory; it is made when the directory has none yet.

        Finishes a rotation that was killed before its last step. Raises DataError when the key is missing,
        malformed, open to other users, or not the one of this directory.
        """
        source = key_source(os.environ.get(ENVIRONMENT, ""), data_dir)
        for _ in range(_ATTEMPTS):
            record = read_record(data_dir / KEYS)
            secrets = source.read() or _made(source, data_dir)
            found = _chosen(source, record, secrets)
            now = read_record(data_dir / KEYS)
            if (now.generation if now else 0) != (record.generation if record else 0):
                continue  # another process rotates at this moment
            if found is None:
                raise DataError(_stranger(record, source))
            root = record.opened(found) if record else None
            return cls(found, root, record.generation if record else 0, data_dir)
        raise DataError("The master key is being rotated all the time: try again.")

    def derive(self, purpose: str) -> bytes:
        """32 bytes for one purpose, the same after a rotation."""
        return derived(self._root, purpose)

    def wrapper(self, purpose: str) -> bytes:
        """32 bytes that encrypt stored keys: others after each rotation, which encrypts those anew."""
        return derived(self._secret, purpose)

    def recorded(self, *, source: str, at: int) -> KeyRecord:
        """What ``keys.db`` keeps of this key."""
        return KeyRecord.of(self._secret, self._root, generation=self.generation, source=source, at=at)

    def successor(self, secret: bytes, root: bytes | None = None) -> "MasterKey":
        """The next generation, with the same root if no other is given."""
        return MasterKey(secret, root or self._root, self.generation + 1, self.data_dir)


def _chosen(source: KeySource, record: KeyRecord | None, secrets: list[bytes]) -> bytes | None:
    """The secret that this directory's keys are wrapped under. A staged one is so only if a rotation got as
    far as its one transaction."""
    if record is None:
        return secrets[0]
    for place, secret in enumerate(secrets):
        if record.fits(secret):
            if place:
                source.promote()
            return secret
    return None


def _made(source: KeySource, data_dir: Path) -> list[bytes]:
    """The first secret of a directory; of two processes that begin at the same time, one makes it."""
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    with locked(data_dir):
        found = source.read()
        if found:
            return found
        if (data_dir / KEYS).exists() or (data_dir / "checkpoint.key").exists():
            raise DataError(
                f"The master key of this data directory is not in its place ({source.name}): restore it, or "
                f"set {ENVIRONMENT} to where it is. A new one could open nothing."
            )
        return [source.make()]


def _stranger(record: KeyRecord | None, source: KeySource) -> str:
    now = record.source if record else ""
    if now and now != source.name:
        place = f"{ENVIRONMENT} to {now}" if now != "environment" else f"the new secret as {ENVIRONMENT}"
        return f"The master key of this data directory was moved by a rotation: set {place}."
    return (
        "This is another master key than the one of this data directory, which was rotated: restore the "
        f"one that belongs to it ({source.name})."
    )
