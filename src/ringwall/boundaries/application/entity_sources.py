"""Known entities that services name: fetched beside the calls, looked up by them.

1. A source that is due is fetched by one of the processes that share the database, through the guarded
   client, whose only rule is the source's own address.
2. A good answer replaces the one before. A bad one changes nothing: the last good answer counts until it is
   ``max_age_s`` old, and after that the source names nothing, which is the strict side.
3. Each process takes new answers over from the database, also at its start.
"""

import asyncio
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol
from urllib.parse import urlsplit

from ringwall.core import ConfigError, Problem, RingwallError

from .egress_client import Egress
from .egress_settings import EgressRule
from .entities import EntitySet
from .entity_document import Named, compared, count, read_document, restored, stored
from .entity_settings import EntitySource
from .entity_store import EntityStore, source_id

_SKEW_S = 60.0
"""An answer from further in the future was dated by a wrong clock, and is as old as can be."""
_MICRO = 1_000_000


class Failed(RingwallError):
    """A source gave no answer that can be used. One sentence, without anything of the answer."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one fetch, as far as it is news."""

    host: str
    """All that is told of an address: its path may be a secret."""
    source: str
    """Id of the source: beginning of a hash of its settings."""
    entities: int
    """How many the source names now."""
    content: bytes = b""
    """Of a changed answer, to be hashed: never to be told."""
    problem: str = ""
    """Why the fetch failed; empty when the answer changed, or came again after failures."""
    changed: bool = False


class Told(Protocol):
    """Where it is put on record."""

    async def __call__(self, outcome: Outcome) -> None: ...


@dataclass(frozen=True, slots=True)
class _Snapshot:
    entities: EntitySet
    revision: int = 0
    size: int = 0
    since: float = 0.0
    until: float = 0.0

    def counts(self, now: float) -> bool:
        return self.since - _SKEW_S <= now < self.until


_NOTHING = _Snapshot(EntitySet())


class EntitySources:
    """One per version of the workload file. ``current`` is for any thread; the rest for one loop at a time.
    Call ``close`` at the end."""

    def __init__(
        self,
        sources: Sequence[EntitySource],
        store: EntityStore,
        *,
        environment: Mapping[str, str] = os.environ,
        clock: Callable[[], float] = time.time,
        client: Callable[[EgressRule], Egress] = lambda rule: Egress([rule]),
    ) -> None:
        """What the database holds counts at once; nothing is fetched here. Each source has a client of its
        own, so that the rule of one never serves another."""
        self._sources = {source_id(source): source for source in sources}
        self._store = store
        self._environment = environment
        self._clock = clock
        self._client = client
        self._clients: dict[str, Egress] = {}
        self._anew = set(self._sources)
        self._snapshots: dict[str, _Snapshot] = {}
        self.take_over()

    def __bool__(self) -> bool:
        return bool(self._sources)

    def current(self) -> tuple[EntitySet, ...]:
        """What each source names at this moment: its last good answer, unless that is too old."""
        now = self._clock()
        return tuple(one.entities for one in self._snapshots.values() if one.counts(now))

    @property
    def answered(self) -> bool:
        """Whether there is an answer of every source that still counts."""
        return len(self.current()) == len(self._sources)

    def check(self) -> None:
        """Raises ConfigError when a variable with the value of a header is not set."""
        if problems := [Problem(said) for said in missing_headers(self._sources.values(), self._environment)]:
            raise ConfigError(*problems)

    def take_over(self) -> None:
        """Read from the database what has changed there. The answers in use are replaced at once, by whole
        ones."""
        before = self._snapshots
        self._snapshots = {
            key: self._snapshot(key, source, before.get(key, _NOTHING))
            for key, source in self._sources.items()
        }

    def _snapshot(self, key: str, source: EntitySource, before: _Snapshot) -> _Snapshot:
        held = self._store.held(key)
        if not held.fetched_at:
            return _NOTHING
        since = held.fetched_at / _MICRO
        until = since + source.max_age_s
        if held.revision == before.revision:
            return replace(before, since=since, until=until)
        content = self._store.content(key)
        if content is None:
            return _NOTHING
        named = restored(content)
        return _Snapshot(compared(named), held.revision, count(named), since, until)

    async def refresh(self, told: Told) -> None:
        """Fetch what is due and not being fetched elsewhere, side by side, and take over what is new."""
        await asyncio.gather(*(self._refresh(key, source, told) for key, source in self._sources.items()))
        if self._sources:
            await asyncio.to_thread(self.take_over)

    async def close(self) -> None:
        clients, self._clients = list(self._clients.values()), {}
        for client in clients:
            await client.close()

    async def _refresh(self, key: str, source: EntitySource, told: Told) -> None:
        anew = key in self._anew
        self._anew.discard(key)
        if not await asyncio.to_thread(self._store.claim, source, key, anew=anew):
            return
        host = urlsplit(source.url).hostname or ""
        try:
            named = await self._fetch(key, source)
        except asyncio.CancelledError:
            self._store.release(key)
            raise
        except Failed as failed:
            outcome = await asyncio.to_thread(self._failed, key, host, str(failed))
        else:
            outcome = await asyncio.to_thread(self._succeeded, key, host, named)
        if outcome is not None:
            await told(outcome)

    async def _fetch(self, key: str, source: EntitySource) -> Named:
        """Raises Failed."""
        for said in missing_headers([source], self._environment):
            raise Failed(said)
        headers = {
            header: self._environment[variable].strip() for header, variable in source.headers_env.items()
        }
        if key not in self._clients:
            self._clients[key] = self._client(source.rule)
        try:
            async with asyncio.timeout(source.timeout_s):
                got = await self._clients[key].fetch(
                    source.url, headers={"Accept": "application/json", **headers}
                )
        except TimeoutError:
            raise Failed("It did not answer in time.") from None
        except RingwallError as error:
            raise Failed(str(error)) from None
        if got.status != 200:
            raise Failed(f"It answered with status {got.status}.")
        try:
            return await asyncio.to_thread(read_document, got.text, source.fields, source.max_bytes)
        except ValueError as error:
            raise Failed(f"Its answer can't be used: {error}.") from None

    def _succeeded(self, key: str, host: str, named: Named) -> Outcome | None:
        content = stored(named)
        failures = self._store.held(key).failures
        changed = self._store.succeeded(key, content)
        if not changed and not failures:
            return None
        return Outcome(host, key[:12], count(named), content, changed=changed)

    def _failed(self, key: str, host: str, problem: str) -> Outcome | None:
        snapshot = self._snapshots.get(key, _NOTHING)
        left = snapshot.size if snapshot.counts(self._clock()) else 0
        news = self._store.failed(key, f"{problem} {left > 0}")
        return Outcome(host, key[:12], left, problem=problem) if news else None


def missing_headers(sources: Iterable[EntitySource], environment: Mapping[str, str]) -> list[str]:
    """A sentence for each variable that is not set."""
    return [
        f"application.known_entities.sources: the environment variable {variable}, with the header {header},"
        " is not set."
        for source in sources
        for header, variable in source.headers_env.items()
        if not environment.get(variable, "").strip()
    ]
