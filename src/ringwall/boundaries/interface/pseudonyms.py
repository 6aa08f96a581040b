"""Which placeholder stands for which value: kept on the server, for one principal, session and application.

A scope belongs to exactly one session of one principal; nothing leads from one scope to another. Callers
without a credential share a name, so theirs lasts for one turn. At rest a scope is sealed under its person's
key: erasing that key erases the scope, here and in every other process.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Protocol

import orjson

from ringwall.core import Crossing, DataError, Principal
from ringwall.storage.sealed_values import SealedStore

from .placeholders import Mention, kind_of, written

MAX_VALUES = 1000
"""Values of one scope. One more gets no placeholder: it is replaced for good."""
MAX_SCOPES = 4096
"""Scopes in memory; those of sessions are in the store as well."""
MAX_LENGTH = 256
_ACTIVE = frozenset('<>[]{}|`\\"')
"""Signs that could make something else of an answer, or break the JSON that a placeholder stands in."""


@dataclass(frozen=True, slots=True)
class Known:
    """What a placeholder stands for."""

    value: str
    cls: str
    """Such as ``pii.email``."""
    data: frozenset[str] = frozenset()
    """Data classes of the content that it was found in."""


class Sealer(Protocol):
    """Encryption under a person's key, as ``ringwall.ledger.envelope.Envelope`` offers."""

    def seal(self, owner: str, plaintext: bytes, aad: bytes) -> bytes: ...

    def open(self, owner: str, sealed: bytes, aad: bytes) -> bytes: ...

    def owner_of(self, sealed: bytes) -> str | None: ...

    def derived(self, owner: str, purpose: str) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Place:
    """Whose scope it is. Two places are one only if all of it is the same."""

    owner: str
    key: str
    lasting: bool
    """False: it ends with the turn."""

    @classmethod
    def of(cls, crossing: Crossing) -> "Place | None":
        """The scope that a crossing belongs to; None when it belongs to no session and no turn."""
        turn = crossing.context.get("turn")
        return cls.at(
            crossing.principal, crossing.application, crossing.session, turn if isinstance(turn, str) else ""
        )

    @classmethod
    def at(cls, principal: Principal, application: str, session: str, turn: str) -> "Place | None":
        lasting = principal.authenticated and bool(session)
        name = f"session {session}" if lasting else f"turn {turn}"
        if not lasting and not turn:
            return None
        names = (principal.tenant, principal.subject, application, name)
        return cls(principal.owner, "\0".join(f"{len(one)}:{one}" for one in names), lasting)


@dataclass(slots=True)
class _Scope:
    values: dict[tuple[str, int], Known] = field(default_factory=dict)
    numbers: dict[tuple[str, str], int] = field(default_factory=dict)
    """(kind, value) -> number."""
    taken: dict[tuple[str, int], None] = field(default_factory=dict)
    """Written by somebody else than the gateway before it could be given out: never to be given out."""
    last: dict[str, int] = field(default_factory=dict)
    """Highest number of each kind."""
    sealed: bytes = b""
    """As it lies in the store, if it does."""

    def give(self, kind: str, known: Known) -> int:
        number = self.last.get(kind, 0) + 1
        while (kind, number) in self.taken:
            number += 1
        self.put(kind, number, known)
        return number

    def put(self, kind: str, number: int, known: Known) -> None:
        self.last[kind] = max(number, self.last.get(kind, 0))
        self.values[kind, number] = known
        self.numbers[kind, known.value] = number

    def packed(self) -> bytes:
        """May run beside a change: the dictionaries are copied in one step each."""
        values = [
            [kind, number, known.value, known.cls, sorted(known.data)]
            for (kind, number), known in tuple(self.values.items())
        ]
        return orjson.dumps({"values": values, "taken": [list(one) for one in tuple(self.taken)]})

    @classmethod
    def unpacked(cls, content: bytes) -> "_Scope":
        scope = cls()
        read = orjson.loads(content)
        for kind, number, value, name, data in read["values"]:
            scope.put(kind, number, Known(value, name, frozenset(data)))
        scope.taken = dict.fromkeys((kind, number) for kind, number in read["taken"])
        return scope


class Pseudonyms:
    """The vault. Thread-safe; bounded: of the scopes in memory those unused for longest go first."""

    def __init__(self, store: SealedStore | None = None, sealer: Sealer | None = None) -> None:
        """Without a store and a sealer scopes last as long as the process."""
        self._store = store if sealer else None
        self._sealer = sealer if store else None
        self._scopes: OrderedDict[str, _Scope] = OrderedDict()
        self._lock = threading.RLock()

    def give(self, place: Place, value: str, cls: str, data: frozenset[str] = frozenset()) -> str | None:
        """The placeholder for a value, always the same one in a scope.

        None when the scope is full, or the value is of a shape that is never put back (``restorable``).
        """
        kind = kind_of(cls)
        if not restorable(value):
            return None
        with self._lock:
            scope = self._scope(place)
            number = scope.numbers.get((kind, value))
            if number is None:
                if len(scope.values) >= MAX_VALUES:
                    return None
                number = scope.give(kind, Known(value, cls, data))
                self._changed(place, scope)
            elif not data <= scope.values[kind, number].data:
                before = scope.values[kind, number]
                scope.values[kind, number] = Known(value, before.cls, before.data | data)
                self._changed(place, scope)
            return written(kind, number)

    def reserve(self, place: Place, mentions: Iterable[Mention]) -> None:
        """Somebody wrote these. Those not yet given out never will be: they would then be restored to a
        value that their author did not mean."""
        with self._lock:
            scope: _Scope | None = None
            for mention in mentions:
                scope = scope or self._scope(place)
                key = (mention.kind, mention.number)
                new = mention.number and key not in scope.values and key not in scope.taken
                if new and len(scope.taken) < MAX_VALUES:
                    scope.taken[key] = None
                    self._changed(place, scope)

    def known(self, place: Place, kind: str, number: int) -> Known | None:
        """What the placeholder stands for here; None for one that was never given out in this scope."""
        with self._lock:
            return self._scope(place).values.get((kind, number))

    def placeholders(self, place: Place) -> Mapping[str, str]:
        """Every value of the scope, with its placeholder."""
        with self._lock:
            values = self._scope(place).values
            return {known.value: written(kind, number) for (kind, number), known in values.items()}

    def secret(self, place: Place, purpose: str) -> bytes:
        """64 bytes for one purpose in one scope, under the key of its person. Raises DataError."""
        if self._sealer is None:
            raise DataError("There is no key store to derive keys from.")
        return self._sealer.derived(place.owner, f"{purpose}\0{place.key}")

    def flush(self) -> None:
        if self._store:
            self._store.flush()

    def close(self) -> None:
        if self._store:
            self._store.close()

    def _scope(self, place: Place) -> _Scope:
        scope = self._scopes.get(place.key)
        if scope is not None and self._erased(scope):
            scope = None
        if scope is None:
            scope = self._scopes[place.key] = self._loaded(place)
            if len(self._scopes) > MAX_SCOPES:
                self._scopes.popitem(last=False)
        self._scopes.move_to_end(place.key)
        return scope

    def _erased(self, scope: _Scope) -> bool:
        """Whether the person's key was erased since: then nothing may be remembered."""
        try:
            return bool(scope.sealed and self._sealer and self._sealer.owner_of(scope.sealed) is None)
        except DataError:
            return True

    def _loaded(self, place: Place) -> _Scope:
        if not place.lasting or self._store is None or self._sealer is None:
            return _Scope()
        sealed = self._store.load(_row(place))
        if sealed is None:
            return _Scope()
        try:
            scope = _Scope.unpacked(self._sealer.open(place.owner, sealed, _row(place).encode()))
        except DataError:
            return _Scope()
        scope.sealed = sealed
        return scope

    def _changed(self, place: Place, scope: _Scope) -> None:
        sealer = self._sealer
        if not place.lasting or self._store is None or sealer is None:
            return

        def seal() -> bytes:
            scope.sealed = sealer.seal(place.owner, scope.packed(), _row(place).encode())
            return scope.sealed

        self._store.save(_row(place), seal)


def restorable(value: str) -> bool:
    """Whether a value may ever be put back into an answer or a call: one short line that means nothing to
    Markdown, HTML, JSON or an address bar. The controls of answers judge the text with placeholders in it, so
    what takes their place must not be able to add markup or a link."""
    return (
        0 < len(value) <= MAX_LENGTH
        and value.isprintable()
        and _ACTIVE.isdisjoint(value)
        and "://" not in value
        and not value.casefold().startswith(("www.", "javascript:", "data:"))
    )


def _row(place: Place) -> str:
    return sha256(place.key.encode("utf-8", "surrogatepass")).hexdigest()
