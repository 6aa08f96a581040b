"""Sessions with MCP servers: one for each principal and client session, never shared between principals
unless the operator says that the server keeps nothing."""

import asyncio
import hashlib
import json
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from ringwall.core import Principal

from .settings import McpServer
from .upstream import McpFault, Upstream


@dataclass(frozen=True, slots=True)
class Owner:
    """On whose behalf a server is spoken to."""

    tenant: str
    subject: str
    session: str
    """The client's MCP session, or another word for what belongs together."""

    @classmethod
    def of(cls, principal: Principal, session: str) -> "Owner":
        return cls(principal.tenant, principal.subject, session)

    def same_person(self, other: "Owner") -> bool:
        return (self.tenant, self.subject) == (other.tenant, other.subject)


_EVERYBODY = Owner("", "", "")


@dataclass(frozen=True, slots=True)
class _Key:
    server: str
    version: str
    """Of the server's settings: a changed server is a new one."""
    owner: Owner


class UpstreamPool:
    """Outlives a reload of the workload file. Used from one event loop."""

    def __init__(self) -> None:
        self._sessions: OrderedDict[_Key, Upstream] = OrderedDict()
        self._opening: dict[_Key, asyncio.Lock] = {}
        self._begun: set[Upstream] = set()
        """All whose task still runs, those that are ending included."""

    async def session(
        self, name: str, server: McpServer, owner: Owner, make: Callable[[], Upstream]
    ) -> Upstream:
        """The owner's session with the server, opened if there is none. Raises McpFault."""
        key = _Key(name, _version(server), _EVERYBODY if server.shared else owner)
        lock = self._opening.setdefault(key, asyncio.Lock())
        try:
            async with lock:
                known = self._sessions.get(key)
                if known is not None and known.alive:
                    self._sessions.move_to_end(key)
                    known.used = time.monotonic()
                    return known
                await self._make_room(key, server)
                made = self._sessions[key] = make()
                self._begun = {one for one in self._begun if not one.over} | {made}
                try:
                    await made.start()
                except BaseException:
                    self._sessions.pop(key, None)
                    raise
                return made
        finally:
            if not lock.locked():
                self._opening.pop(key, None)

    async def end(self, name: str, owner: Owner) -> None:
        """The client ended its session."""
        for key, session in list(self._sessions.items()):
            if key.server == name and key.owner == owner:
                self._sessions.pop(key, None)
                await session.close()

    async def close(self) -> None:
        """End all, at shutdown."""
        begun, self._begun, self._sessions = self._begun, set(), OrderedDict()
        await asyncio.gather(*(session.close() for session in begun), return_exceptions=True)

    async def _make_room(self, key: _Key, server: McpServer) -> None:
        """Bounds hold for each server: the oldest idle session of the principal, then of anybody, ends."""
        for old in [one for one, session in self._sessions.items() if not session.alive]:
            del self._sessions[old]
        mine = [
            one for one in self._sessions if one.server == key.server and one.owner.same_person(key.owner)
        ]
        if len(mine) >= server.limits.sessions_per_principal:
            await self._end_idle(mine, "You have too many sessions with this server: end one.")
        everybodys = [one for one in self._sessions if one.server == key.server]
        if len(everybodys) >= server.limits.sessions:
            await self._end_idle(everybodys, "Too many sessions with this server are open just now.")

    async def _end_idle(self, keys: list[_Key], otherwise: str) -> None:
        for key in keys:
            session = self._sessions[key]
            if session.idle:
                del self._sessions[key]
                await session.close()
                return
        raise McpFault(otherwise)


def _version(server: McpServer) -> str:
    plain = json.dumps(server.model_dump(mode="json"), sort_keys=True)
    return hashlib.sha256(plain.encode()).hexdigest()
