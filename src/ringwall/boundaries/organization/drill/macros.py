"""Placeholders in scenario files for texts that must not stand in a repository, or can't be read there.

``{{tags: text}}`` in invisible Unicode tag characters, ``{{base64: text}}``, ``{{base64-prefix: text}}`` (as
much as is the same whatever follows), ``{{secret: KIND}}`` a well-formed key of that kind that never was one,
``{{messages: N}}`` the JSON body of a request with N messages, ``{{token: KIND}}`` a JWT that proves nothing.
"""

import base64
import hashlib
import json
import re
import zlib
from collections.abc import Callable, Mapping
from typing import Any

_MACRO = re.compile(r"\{\{\s*([a-z0-9-]+)\s*:\s*(.*?)\s*\}\}", re.DOTALL)
_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_MESSAGES_LIMIT = 5000


def expand(value: Any) -> Any:
    """The value with every placeholder in its strings replaced. Raises ValueError for an unknown one."""
    if isinstance(value, str):
        return _MACRO.sub(_one, value) if "{{" in value else value
    if isinstance(value, Mapping):
        return {key: expand(inner) for key, inner in value.items()}
    return [expand(inner) for inner in value] if isinstance(value, list) else value


def _one(match: re.Match[str]) -> str:
    name, argument = match.groups()
    if name not in _MACROS:
        raise ValueError(f"unknown placeholder {name!r}: known are {', '.join(sorted(_MACROS))}")
    return _MACROS[name](argument)


def _tags(text: str) -> str:
    return "".join(chr(0xE0000 + ord(character)) for character in text if 0x20 <= ord(character) < 0x7F)


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _base64_prefix(text: str) -> str:
    raw = text.encode()
    return base64.b64encode(raw[: len(raw) // 3 * 3]).decode()


def _letters(alphabet: str, length: int, seed: str) -> str:
    """Letters that look random and are always the same."""
    number = int.from_bytes(hashlib.shake_256(seed.encode()).digest(length), "big")
    out = []
    for _ in range(length):
        number, index = divmod(number, len(alphabet))
        out.append(alphabet[index])
    return "".join(out)


def _github() -> str:
    body = _letters(_BASE62, 30, "github")
    check, digits = zlib.crc32(body.encode()), ""
    for _ in range(6):  # GitHub's checksum: CRC-32 in base 62, six digits
        check, digit = divmod(check, 62)
        digits = _BASE62[digit] + digits
    return f"ghp_{body}{digits}"


def _private_key() -> str:
    raw = hashlib.shake_256(b"private key").digest(600)
    text = base64.b64encode(raw).decode()
    lines = "\n".join(text[at : at + 64] for at in range(0, len(text), 64))
    kind = "RSA PRIVATE KEY"
    return f"-----BEGIN {kind}-----\n{lines}\n-----END {kind}-----"


_SECRETS: Mapping[str, Callable[[], str]] = {
    "github": _github,
    "aws-key": lambda: "AKIA" + _letters(_BASE32, 16, "aws"),
    "aws-secret": lambda: _letters(_BASE62 + "+/", 40, "aws secret"),
    "private-key": _private_key,
}


def _secret(kind: str) -> str:
    if kind not in _SECRETS:
        raise ValueError(f"unknown kind of secret {kind!r}: known are {', '.join(sorted(_SECRETS))}")
    return _SECRETS[kind]()


def _messages(count: str) -> str:
    number = min(int(count), _MESSAGES_LIMIT)
    messages = [{"role": "user", "content": f"Message {index}"} for index in range(number)]
    return json.dumps({"model": "default", "messages": messages})


_CLAIMS = {"iss": "https://id.example", "aud": "ringwall", "sub": "casey", "iat": 1700000000}
_TOKENS: Mapping[str, tuple[Mapping[str, object], Mapping[str, object]]] = {
    "unsigned": ({"alg": "none", "typ": "at+jwt"}, {**_CLAIMS, "exp": 4102444800}),
    "forged": ({"alg": "RS256", "typ": "at+jwt", "kid": "k1"}, {**_CLAIMS, "exp": 4102444800}),
    "expired": ({"alg": "RS256", "typ": "at+jwt", "kid": "k1"}, {**_CLAIMS, "exp": 1700000300}),
}


def _token(kind: str) -> str:
    if kind not in _TOKENS:
        raise ValueError(f"unknown kind of token {kind!r}: known are {', '.join(sorted(_TOKENS))}")
    parts = [json.dumps(part).encode() for part in _TOKENS[kind]]
    parts.append(hashlib.shake_256(kind.encode()).digest(256))
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


_MACROS: Mapping[str, Callable[[str], str]] = {
    "tags": _tags,
    "base64": _base64,
    "base64-prefix": _base64_prefix,
    "secret": _secret,
    "messages": _messages,
    "token": _token,
}
