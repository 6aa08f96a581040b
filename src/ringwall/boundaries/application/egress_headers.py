"""Headers on their way through the egress guard, in both directions."""

import re
from collections.abc import Iterable

from .egress_outbound import EgressRefused

Headers = list[tuple[str, str]]

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]{0,8192}")
_MOST = 100
_HOP_BY_HOP = frozenset(
    {
        *("connection", "keep-alive", "proxy-connection", "proxy-authenticate", "proxy-authorization"),
        *("te", "trailer", "transfer-encoding", "upgrade", "http2-settings"),
    }
)
_OURS = frozenset({"host", "content-length", "accept-encoding", "expect"})
"""Written by the guard itself: from the address that was judged, and so that sizes are real."""
_CREDENTIALS = frozenset({"authorization", "cookie"})


def outgoing(headers: Iterable[tuple[str, str]], *, own: bool = True) -> Headers:
    """What a request may carry. ``own`` false: it goes to another origin than it was written for, so
    credentials stay behind. Raises EgressRefused for names and values that could be read as more than one
    header."""
    given = list(headers)
    if len(given) > _MOST:
        raise EgressRefused(f"The request has more than {_MOST} headers.")
    for name, value in given:
        if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            raise EgressRefused("A header of the request can't be read.")
    dropped = _OURS if own else _OURS | _CREDENTIALS
    return [(name, value) for name, value in _end_to_end(given) if name.casefold() not in dropped]


def incoming(headers: Iterable[tuple[str, str]]) -> Headers:
    """What of an answer is handed on by a proxy: its length is written anew."""
    return [
        (name, value)
        for name, value in _end_to_end(list(headers))
        if name.casefold() not in _OURS and _NAME.fullmatch(name) and _VALUE.fullmatch(value)
    ]


def _end_to_end(headers: Headers) -> Headers:
    named = {
        option.strip().casefold()
        for name, value in headers
        if name.casefold() == "connection"
        for option in value.split(",")
    }
    dropped = _HOP_BY_HOP | named
    return [(name, value) for name, value in headers if name.casefold() not in dropped]
