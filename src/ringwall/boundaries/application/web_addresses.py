"""Addresses in running text, as people write them: with a scheme, with ``www.``, or bare.

Used to ask two things of a call: does it go to an address exactly as it stands in content (then the address
carries nothing of ours out), and does a text that it sends hold an address that came from nobody who
vouches for it.
"""

import re
from collections import Counter
from functools import cache, lru_cache
from importlib import resources

MAX_ADDRESSES = 512
"""Looked at in one text; a text with more has none that counts as verbatim."""
SITE_ADDRESSES = 8
"""Addresses of one site among which choosing tells the site next to nothing (three bits)."""
_ADDRESS = re.compile(
    r"(?P<url>[a-z][a-z0-9+.\-]{0,15}:[\\/]{1,8}[^\s<>\"'`|]{1,4096})"
    r"|(?P<host>(?:[\w\-]{1,63}\.){1,8}[^\W\d_]{2,24}|\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-f:.]{2,45}\])(?P<port>:\d{1,5})?"
    r"(?P<path>[/?#][^\s<>\"'`|]{0,4096})?",
    re.IGNORECASE,
)
_SCHEME = re.compile(r"^[A-Za-z][A-Za-z0-9+.\-]{0,15}:[\\/]{1,8}")
_PARTS = re.compile(r"([^/?#\\]*)(.*)", re.DOTALL)
_NONE: frozenset[str] = frozenset()
_TRAILING = ".,;:!?)]}*_\"'”’»"
_FILES = frozenset(
    [
        "py",
        "sh",
        "rs",
        "md",
        "zip",
        "mov",
        "ps",
        "pl",
        "cc",
        "so",
        "ai",
        "is",
        "it",
        "in",
        "at",
        "be",
        "no",
        "me",
        "to",
        "us",
        "am",
        "my",
        "id",
        "as",
        "do",
        "la",
        "pm",
        "tv",
    ]
)
"""Endings that are words or file names as often as domains: they need a ``www.``, a path or a further dot."""


@cache
def _top_level() -> frozenset[str]:
    text = resources.files(__package__).joinpath("words", "top_level_domains.txt").read_text("utf-8")
    return frozenset(text.partition("\n")[2].split())


def web_addresses(text: str) -> frozenset[str]:
    """Each address in the text, in one form: no scheme, host in lower case, no closing punctuation or
    slash. Linear."""
    if "." not in text and ":" not in text and "[" not in text:
        return _NONE
    return _found(text)


@lru_cache(maxsize=2048)
def _found(text: str) -> frozenset[str]:
    found: set[str] = set()
    for match in _ADDRESS.finditer(text):
        if not match["url"] and match.start() and text[match.start() - 1] in "@._-":
            continue  # the tail of a mailbox or of a longer name
        if match["url"] or _reads_as_host(match):
            found.add(address_form(_cut(match)))
            if len(found) > MAX_ADDRESSES:
                break
    return frozenset(found)


def address_form(text: str) -> str:
    """The one form under which addresses are compared."""
    plain = _SCHEME.sub("", text.strip()).rstrip(_TRAILING).rstrip("/")
    parts = _PARTS.match(plain)
    return parts[1].casefold() + parts[2] if parts else plain


def verbatim(address: str, texts: tuple[str, ...]) -> bool:
    """Whether the address stands in one of the texts as it is, and they name few other addresses of its site.

    With many to choose from, the choice itself would tell the site's owner something.
    """
    wanted = address_form(address)
    named: set[str] = set()
    for text in texts:
        found = web_addresses(text)
        if len(found) > MAX_ADDRESSES:
            return False
        named |= found
    if wanted not in named:
        return False
    sites = Counter(_site(one) for one in named)
    return sites[_site(wanted)] <= SITE_ADDRESSES


def _site(address: str) -> str:
    """The last two labels of the host: what one owner can make up names below."""
    host = re.split(r"[/?#:]", address, maxsplit=1)[0]
    return ".".join(host.rsplit(".", 2)[-2:])


def _cut(match: re.Match[str]) -> str:
    """Without the next sentence, where its blank was forgotten: ``www.shop.example.They``."""
    text = match.group()
    if match["url"] or match["port"] or match["path"]:
        return text
    shorter = text.rpartition(".")
    while shorter[0].count(".") and shorter[2].casefold() not in _top_level():
        text = shorter[0]
        shorter = text.rpartition(".")
    return text


def _reads_as_host(match: re.Match[str]) -> bool:
    host = match["host"].casefold()
    if host[0] in "[0123456789" and not host[-1].isalpha():
        return bool(match["path"] or match["port"])
    top = host.rpartition(".")[2]
    if host.startswith("www."):
        return True
    plain = top in _FILES and not match["path"] and host.count(".") == 1
    return top in _top_level() and not plain
