"""Where the master secret rests: a private file, the environment, the system's keyring, or AWS KMS."""

import base64
import binascii
import os
from pathlib import Path
from typing import Protocol

from ringwall.core import DataError

from .private_file import private_file, promote, read_private, replace_private

ENVIRONMENT = "RINGWALL_MASTER_KEY"
NEXT = "RINGWALL_MASTER_KEY_NEXT"
FILE = "master.key"

KEYRING = "keyring:"
KMS = "awskms:"


class KeySource(Protocol):
    """A rotation stages a new secret beside the one in force, and promotes it once nothing needs the old.

    All methods raise DataError, one sentence without anything secret, when the place can't be used.
    """

    name: str
    """As ``RINGWALL_MASTER_KEY`` writes it; no secret."""

    def read(self) -> list[bytes]:
        """The secret in force, then one that is staged; empty when nothing was made yet."""
        ...

    def make(self) -> bytes:
        """The first secret; if another process was faster, the one that it made."""
        ...

    def stage(self) -> bytes:
        """Make a new secret and keep it for good, beside the one in force."""
        ...

    def promote(self) -> None:
        """The staged one is in force now. Doing so twice does no harm."""
        ...

    def discard(self) -> None:
        """Forget every secret: the data directory has gone over to another source."""
        ...


def key_source(spec: str, data_dir: Path) -> KeySource:
    """The source that a specification names: ``keyring:SERVICE/NAME``, ``awskms:KEY``, ``file`` or nothing
    for ``master.key``, and else the secret itself. Raises DataError when its extra is missing."""
    spec = spec.strip()
    if spec in ("", "file"):
        return FileSource(data_dir)
    if spec.startswith(KEYRING):
        from .keyring_source import KeyringSource  # noqa: PLC0415 - an extra

        return KeyringSource(spec.removeprefix(KEYRING))
    if spec.startswith(KMS):
        from .kms_source import KmsSource  # noqa: PLC0415 - an extra

        return KmsSource(spec.removeprefix(KMS), data_dir)
    return EnvironmentSource(spec)


class FileSource:
    """``master.key`` in the data directory, mode 0600."""

    name = "file"

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / FILE
        self._staged = data_dir / f"{FILE}.next"

    def read(self) -> list[bytes]:
        found = []
        for path in (self._path, self._staged):
            try:
                found.append(decoded(read_private(path).decode("ascii", "replace"), path.name))
            except FileNotFoundError:
                continue
        return found

    def make(self) -> bytes:
        return decoded(private_file(self._path, lambda: _line(os.urandom(32))).decode(), FILE)

    def stage(self) -> bytes:
        secret = os.urandom(32)
        replace_private(self._staged, _line(secret))
        return secret

    def promote(self) -> None:
        promote(self._staged, self._path)

    def discard(self) -> None:
        self._staged.unlink(missing_ok=True)
        self._path.unlink(missing_ok=True)


class EnvironmentSource:
    """The secret itself in ``RINGWALL_MASTER_KEY``; while it is rotated, the new one in
    ``RINGWALL_MASTER_KEY_NEXT``."""

    name = "environment"

    def __init__(self, given: str) -> None:
        self._given = given

    def read(self) -> list[bytes]:
        after = os.environ.get(NEXT, "")
        return [decoded(self._given, ENVIRONMENT), *([decoded(after, NEXT)] if after else [])]

    def make(self) -> bytes:
        return decoded(self._given, ENVIRONMENT)

    def stage(self) -> bytes:
        found = self.read()
        if len(found) < 2 or found[0] == found[1]:
            raise DataError(
                f"The master key comes from {ENVIRONMENT}, which can't be changed from here: set {NEXT} to a "
                "new one (openssl rand -base64 32), or name where it shall rest with --to."
            )
        return found[1]

    def promote(self) -> None:
        """The operator does: the environment is not ours."""

    def discard(self) -> None:
        """The operator does: the environment is not ours."""


def decoded(text: str, where: str) -> bytes:
    """32 bytes from base64 or 64 hexadecimal digits. DataError for anything else."""
    text = text.strip()
    try:
        secret = bytes.fromhex(text) if len(text) == 64 else base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        secret = b""
    if len(secret) != 32:
        raise DataError(f"{where} holds no master key: 32 bytes in base64 or 64 hexadecimal digits.")
    return secret


def _line(secret: bytes) -> bytes:
    return base64.b64encode(secret) + b"\n"
