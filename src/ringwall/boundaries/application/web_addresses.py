"""Addresses in running text, as people write them: with a scheme, with ``www.``, or bare.

Used to ask two things of a call: does it go to an address exactly as it stands in content (then the address
carries nothing of ours out), and does a text that it sends hold an address that came from nobody who
vouches for it.
"""

import re
from collections import Counter
from functools import cache, cached_property, lru_cache
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
    host, rest = _split(_closed(_SCHEME.sub("", text.strip())))
    return host.lower() + rest


def _closed(bare: str) -> str:
    """Without closing punctuation and slashes."""
    return bare.rstrip(_TRAILING).rstrip("/")


def _split(bare: str) -> tuple[str, str]:
    """Host, with what stands before and after it up to the path, and the rest."""
    end = next((at for at, sign in enumerate(bare) if sign in "/?#\\"), len(bare))
    return bare[:end], bare[end:]


class Addresses:
    """The addresses that texts name, read once for any number of questions."""

    def __init__(self, texts: tuple[str, ...]) -> None:
        self._texts = texts

    @cached_property
    def forms(self) -> frozenset[str]:
        return frozenset().union(*map(web_addresses, self._texts))

    @cached_property
    def _sites(self) -> Counter[str]:
        return Counter(map(_site, self.forms))

    @cached_property
    def _uncounted(self) -> bool:
        return any(len(web_addresses(text)) > MAX_ADDRESSES for text in self._texts)

    def verbatim(self, address: str) -> bool:
        """Whether the address stands in one of the texts as it is, and they name few other addresses of its
        site.

        With many to choose from, the choice itself would tell the site's owner something.
        """
        return (
            address_form(address) in self.forms
            and not self._uncounted
            and self._sites[_site(address_form(address))] <= SITE_ADDRESSES
            and self.as_written(address)
        )

    def as_written(self, address: str) -> bool:
        """Whether nothing was put into the spelling of an address that is named here: signs at its end or
        capitals in its host that nobody wrote would carry what the caller likes."""
        bare = _SCHEME.sub("", address.strip())
        host, _ = _split(bare)
        closing = bare[len(_closed(bare)) :]
        return (closing in ("", "/") and host == host.lower()) or any(bare in text for text in self._texts)


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
