"""The master secret in the operating system's keyring."""

import base64
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ringwall.core import DataError

from .key_source import decoded

MISSING = "The keyring needs the extra: pip install 'ringwall[keyring]'."
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,99}/[A-Za-z0-9][A-Za-z0-9_.\-]{0,99}\Z")
_TRUSTED = 1
"""Priority of a backend that its maintainers recommend; those that write plain files have less."""


class KeyringSource:
    """``keyring:SERVICE/NAME``: Keychain, Secret Service, Credential Locker, whatever ``keyring`` finds."""

    def __init__(self, spec: str) -> None:
        """Raises DataError when there is no keyring, or only one that would keep the secret in clear."""
        if not _NAME.match(spec):
            raise DataError("The master key's place in the keyring is written keyring:SERVICE/NAME.")
        try:
            import keyring  # noqa: PLC0415 - an extra
        except ImportError:
            raise DataError(MISSING) from None
        self.name = f"keyring:{spec}"
        self._service, _, self._entry = spec.partition("/")
        self._keyring: Any = keyring
        with self._errors():
            backend: Any = keyring.get_keyring()
            priority = float(getattr(backend, "priority", 0))
        if priority < _TRUSTED:
            raise DataError(
                f"There is no keyring here that can be trusted with the master key (found: "
                f"{type(backend).__module__}): unlock one, or keep the key in a file or in KMS."
            )

    def read(self) -> list[bytes]:
        with self._errors():
            found = [self._keyring.get_password(self._service, name) for name in self._names()]
        return [decoded(text, self.name) for text in found if text]

    def make(self) -> bytes:
        self._write(self._entry, os.urandom(32))
        return self.read()[0]

    def stage(self) -> bytes:
        secret = os.urandom(32)
        self._write(self._names()[1], secret)
        return secret

    def promote(self) -> None:
        with self._errors():
            staged = self._keyring.get_password(self._service, self._names()[1])
            if staged:
                self._keyring.set_password(self._service, self._entry, staged)
                self._keyring.delete_password(self._service, self._names()[1])

    def discard(self) -> None:
        with self._errors():
            for name in self._names():
                if self._keyring.get_password(self._service, name):
                    self._keyring.delete_password(self._service, name)

    def _names(self) -> tuple[str, str]:
        return self._entry, f"{self._entry}.next"

    def _write(self, name: str, secret: bytes) -> None:
        with self._errors():
            self._keyring.set_password(self._service, name, base64.b64encode(secret).decode())

    @contextmanager
    def _errors(self) -> Iterator[None]:
        from keyring.errors import KeyringError  # noqa: PLC0415 - an extra

        try:
            yield
        except (KeyringError, OSError, RuntimeError) as error:
            raise DataError(
                f"The keyring entry {self.name} can't be used ({type(error).__name__}): is it unlocked?"
            ) from None
