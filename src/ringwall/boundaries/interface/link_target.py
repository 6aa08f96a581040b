"""Where an address leads, as browsers read it, and whether that is allowed."""

import html
import re
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import unquote

from ringwall.detect.confusables import INVISIBLE

_KEEP = 256
"""Characters of the longest address whose host is remembered."""
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,31}):")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_HIDDEN_SCHEME = re.compile(r"[A-Za-z]{2,10}%3a|%2f%2f|%5c", re.IGNORECASE)
_HOST_AND_PORT = re.compile(r"[A-Za-z0-9.-]{1,64}:\d{1,5}(?:/|$)")
_HARMLESS = frozenset({"mailto", "tel", "sms"})
_WEB = frozenset({"http", "https", "ftp", "ftps", "ws", "wss"})


class AllowedHosts:
    """Exact names, and ``*.name`` for every name below it."""

    def __init__(self, hosts: Iterable[str]) -> None:
        names = [host.lower().rstrip(".") for host in hosts]
        self._exact = frozenset(name for name in names if not name.startswith("*."))
        self._below = tuple(name[1:] for name in names if name.startswith("*."))
        self._known = lru_cache(maxsize=4096)(self._off_list)

    def stranger(self, address: str) -> str | None:
        """The host to name in place of an address that is not allowed (empty where there is none to name);
        None for one that is."""
        return self._known(address) if len(address) <= _KEEP else self._off_list(address)

    def _off_list(self, address: str) -> str | None:
        for plain in readings(address):
            host = self._named_host(plain)
            if host is not None:
                return host
        return None

    def _named_host(self, plain: str) -> str | None:
        scheme = _SCHEME.match(plain)
        if plain.lower().startswith("www."):
            plain = "//" + plain
        elif scheme and scheme[1].lower() in _WEB:
            plain = "//" + plain[scheme.end() :].lstrip("/")
        elif scheme and scheme[1].lower() in _HARMLESS:
            return None
        elif scheme and not _HOST_AND_PORT.match(plain):  # ``name:8080/...`` is no scheme
            return ""
        if not plain.startswith("//"):
            return None
        host = _host(plain.lstrip("/"))
        if host in self._exact or any(host.endswith(below) and host != below[1:] for below in self._below):
            return None
        return re.sub(r"[^a-z0-9.:-]", "?", host.removeprefix("www."))[:100]


def readings(address: str) -> list[str]:
    """As browsers read it: entities decoded, blanks and controls out, backslashes turned; with Markdown's
    backslash escapes and without."""
    decoded = html.unescape(html.unescape(address)) if "&" in address else address
    found = [decoded]
    if "\\" in decoded:
        found.append(_ESCAPED.sub(r"\1", decoded))
    return [_turned(reading) for reading in found]


def _turned(text: str) -> str:
    text = "".join(char for char in text if char > " " and ord(char) not in INVISIBLE and char != "\u00a0")
    if _HIDDEN_SCHEME.match(text):
        text = unquote(text)
    return text.replace("\\", "/")


def _host(rest: str) -> str:
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    host = unquote(authority).rsplit("@", 1)[-1].lower()
    host = host.translate({0x3002: ".", 0xFF0E: ".", 0xFF61: "."})
    if not host.startswith("["):
        host = host.split(":", 1)[0]
    return host.rstrip(".,;!*_~")
