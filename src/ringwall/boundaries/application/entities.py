"""Known entities: destinations that belong to the workload, and what a value of an argument points at."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from .addresses import Host, host_of
from .settings import EgressRule, KnownEntities

_MAIL = re.compile(r"[^\s@<>,;:\"'()\[\]]{1,128}@[^\s@<>,;:\"'()\[\]/?#]{1,255}")
_URL = re.compile(
    r"[A-Za-z][A-Za-z0-9+.\-]{0,15}:[\\/]{1,}[^\s<>\"'`]{1,4096}|(?<![\w:/\\])[\\/]{2}[^\s<>\"'`/\\]{1,4096}[^\s<>\"'`]{0,4096}"
)
_SIGNS = frozenset("@/\\")
"""No URL and no mailbox does without one of these."""
_ROUTES = frozenset("%!")
"""In a mailbox they ask its server to pass the mail on: ``eve%evil.example@shop.example``."""
_SCAN = 65_536
_HARMLESS = re.compile(r"[\w\s\-]*")
"""A bare word that can't be read as a host is none."""
_MAX_FOUND = 64


Listed: TypeAlias = Collection[str]
"""Values that directories name, as ``directory.listed`` gives them."""
NOTHING_LISTED: Listed = frozenset()
_NO_NAME = frozenset({""})


@dataclass(frozen=True, slots=True)
class Destination:
    """A place outside that a value names."""

    text: str
    """As written, cut to 200 characters."""
    host: Host
    mailbox: str = ""
    """Folded address, when it is one."""
    url: str = ""
    """The whole URL, when it is one."""


def destinations(text: str, *, whole: bool = False) -> Iterator[Destination]:
    """The URLs and mailboxes in a text. ``whole``: the text names a destination, so a bare host or an address
    in any spelling counts too."""
    if len(text) > _SCAN:
        yield Destination(text[:40], Host(problem="it is too long to be read"))
        return
    if not whole and _SIGNS.isdisjoint(text):
        return
    found = 0
    for destination in _written(text):
        found += 1
        if found > _MAX_FOUND:  # what is not looked at must not pass as seen
            yield Destination(destination.text, Host(problem="it names too many places"))
            return
        yield destination
    bare = text.strip()
    if whole and not found and bare and " " not in bare:
        host = host_of(bare)
        if host.name or host.address or (host.problem and not _HARMLESS.fullmatch(bare)):
            yield Destination(bare[:200], host)


def _written(text: str) -> Iterator[Destination]:
    for match in _URL.finditer(text):
        yield Destination(match.group()[:200], host_of(match.group()), url=match.group())
    for match in _MAIL.finditer(_URL.sub(" ", text)):
        mailbox = match.group().rstrip(".").lower()
        yield Destination(match.group()[:200], host_of(mailbox.rpartition("@")[2]), mailbox=mailbox)


def leaf_texts(value: Any) -> Iterator[str]:
    """Every string in a value, names of keys included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield str(key)
            yield from leaf_texts(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from leaf_texts(inner)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield str(value)


@dataclass(frozen=True, slots=True)
class EntitySet:
    """Known entities in the forms that they are compared in."""

    domains: frozenset[str] = frozenset()
    mailboxes: frozenset[str] = frozenset()
    hosts: frozenset[str] = frozenset()
    below: tuple[str, ...] = ()
    """Endings of names, each with the dot before it."""
    accounts: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()

    @classmethod
    def of(
        cls,
        *,
        email_domains: Iterable[str] = (),
        emails: Iterable[str] = (),
        hosts: Collection[str] = (),
        accounts: Iterable[str] = (),
        names: Iterable[str] = (),
    ) -> "EntitySet":
        return cls(
            frozenset(_name(domain) for domain in email_domains) - _NO_NAME,
            frozenset(_plain(mailbox) for mailbox in emails) - _NO_NAME,
            frozenset(_name(host) for host in hosts if not host.startswith("*.")) - _NO_NAME,
            tuple("." + _name(host[2:]) for host in hosts if host.startswith("*.")),
            frozenset(map(_account, accounts)) - _NO_NAME,
            frozenset(map(_plain, names)) - _NO_NAME,
        )


class Fetched(Protocol):
    """What services name beside the workload file; ``entity_sources.EntitySources``."""

    def current(self) -> tuple[EntitySet, ...]:
        """As it is at this moment. Takes no longer than a look into memory."""
        ...


class Entities:
    """The registry of known entities of a workload, egress hosts included. What the file names never changes;
    what services name is looked up where their latest answers lie."""

    def __init__(
        self, known: KnownEntities, egress: Iterable[EgressRule] = (), fetched: Fetched | None = None
    ) -> None:
        own = EntitySet.of(
            email_domains=known.email_domains,
            emails=known.emails,
            hosts=[*known.hosts, *(rule.host for rule in egress)],
            accounts=known.accounts,
            names=known.names,
        )
        self._own = (own,)
        self._fetched = fetched

    def _sets(self) -> tuple[EntitySet, ...]:
        return self._own if self._fetched is None else self._own + self._fetched.current()

    def knows_host(self, name: str) -> bool:
        """Exact, or below a ``*.`` entry. The name is a normalised one (``Host.name``)."""
        return bool(name) and any(name in one.hosts or name.endswith(one.below) for one in self._sets())

    def knows(self, destination: Destination, listed: Listed = NOTHING_LISTED) -> bool:
        """``listed``: what directories of this session name beside."""
        if (destination.mailbox or _plain(destination.text)) in listed:
            return True
        if destination.mailbox:
            mailbox = destination.mailbox
            domain = destination.host.name if _ROUTES.isdisjoint(mailbox) else ""
            return any(mailbox in one.mailboxes or domain in one.domains for one in self._sets())
        return not destination.host.problem and self.knows_host(destination.host.name)

    def knows_address(self, address: str) -> bool:
        """Whether the host of an address in running text is known."""
        return self.knows_host(host_of(address).name)

    def knows_value(self, value: Any, listed: Listed = NOTHING_LISTED) -> bool:
        """Whether every place that this argument names is known. An empty value names no place: not known."""
        texts = [text for text in _values(value) if text.strip()]
        return bool(texts) and all(self._knows_text(text, listed) for text in texts)

    def _knows_text(self, text: str, listed: Listed) -> bool:
        plain, account = _plain(text), _account(text)
        if plain in listed or any(plain in one.names or account in one.accounts for one in self._sets()):
            return True
        if " " in plain and _SIGNS.isdisjoint(text):
            return False  # words, and no place in them
        named = list(destinations(text, whole=True))
        if not named or not all(self.knows(destination, listed) for destination in named):
            return False
        # Only the destinations themselves, blanks and separators: words beside them are not vouched for.
        rest = text
        for destination in named:
            rest = rest.replace(destination.url or destination.text, " ")
        return not rest.strip(" \t\n,;<>")


def _values(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if not _SIGNS.isdisjoint(str(key)):  # {eve@evil.example: may read}
                yield str(key)
            yield from _values(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _values(inner)
    elif value is not None:
        yield str(value)


def _name(host: str) -> str:
    return host_of(host.strip()).name or host.strip().lower()


def _plain(text: str) -> str:
    return text.strip().lower()


def _account(text: str) -> str:
    return "".join(text.split()).lower()
