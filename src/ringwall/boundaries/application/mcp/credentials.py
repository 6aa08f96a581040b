"""Secrets of servers: taken from where the operator keeps them when a server is contacted, and taken out of
whatever a server says."""

import base64
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ringwall.core import ConfigError, Problem

from .settings import Credential, McpServer

REMOVED = "[credential removed]"
_MIN = 6
"""Characters of a value that is looked for: a shorter one stands in any text."""
_MOST = 16_384


class Secrets:
    """The values of one server. ``headers`` and ``env`` are whole; ``redact`` is for all that comes back."""

    def __init__(self, headers: Mapping[str, str], env: Mapping[str, str], secret: frozenset[str]) -> None:
        self.headers = dict(headers)
        self.env = dict(env)
        self._forms = sorted({form for value in secret for form in _forms(value)}, key=len, reverse=True)

    @classmethod
    def of(cls, name: str, server: McpServer, folder: Path) -> "Secrets":
        """Read them now. Raises ConfigError, which names the source and not the value."""
        secret: set[str] = set()

        def value(given: str | Credential) -> str:
            if isinstance(given, str):
                return given
            held = _held(given, name, folder)
            secret.add(held)
            return given.prefix + held

        headers = {key: value(given) for key, given in server.headers.items()}
        env = {key: value(given) for key, given in server.env.items()}
        return cls(headers, env, frozenset(secret))

    def redact(self, text: str) -> str:
        """The text without any of the secrets, also as base64 or percent-encoded."""
        for form in self._forms:
            if form in text:
                text = text.replace(form, REMOVED)
        return text

    def redacted(self, value: Any) -> Any:
        """The same for JSON, names of keys included."""
        if not self._forms:
            return value
        if isinstance(value, str):
            return self.redact(value)
        if isinstance(value, Mapping):
            return {self.redact(str(key)): self.redacted(inner) for key, inner in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.redacted(inner) for inner in value]
        return value


def _held(given: Credential, server: str, folder: Path) -> str:
    if given.env:
        held, source = os.environ.get(given.env, ""), f"the environment variable {given.env}"
    else:
        source = f"the file {given.file}"
        try:
            with (folder / given.file).open(encoding="utf-8") as opened:
                held = opened.read(_MOST).strip()
        except (OSError, UnicodeDecodeError):
            held = ""
    if not held or not held.isprintable():
        raise ConfigError(Problem(f"application.mcp.servers.{server}: {source} holds no usable secret"))
    return held


def _forms(value: str) -> set[str]:
    if len(value) < _MIN:
        return set()
    raw = value.encode()
    encoded = {base64.b64encode(raw[cut:]).decode().rstrip("=") for cut in range(3) if len(raw) - cut >= _MIN}
    # The last group of base64 depends on what follows, so the ones before it are looked for.
    stems = {form[: len(form) // 4 * 4 - 4] for form in encoded if len(form) >= 16}
    return {value, quote(value, safe=""), raw.hex(), *encoded, *stems} - {""}
