"""Signed-in sessions: kept here in memory, known to the browser by one random id.

The API key that signed a person in is never kept. A restart of the server signs everybody out.
"""

import hashlib
import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from ringwall.core import Principal, new_id

from .shown import Message

IDLE_S = 30 * 60.0
ABSOLUTE_S = 12 * 3600.0
MAX_SESSIONS = 10_000
MAX_PER_SUBJECT = 16
MAX_CONVERSATIONS = 16
MAX_EXCHANGES = 100


@dataclass(frozen=True, slots=True)
class Exchange:
    """One question with its answer."""

    question: str
    answer: str
    turn: str
    finish: str


@dataclass(slots=True)
class Conversation:
    """A chat as the page shows it again after a reload. Its id is the session that labels are bound to."""

    id: str
    application: str
    exchanges: list[Exchange] = field(default_factory=list)
    busy: bool = False
    """True while a turn is being answered."""

    def messages(self, question: str) -> list[Message]:
        """What is sent for the next turn."""
        said: list[Message] = []
        for exchange in self.exchanges:
            said.append(Message("user", exchange.question))
            said.append(Message("assistant", exchange.answer))
        return [*said, Message("user", question)]

    def keep(self, exchange: Exchange) -> None:
        self.exchanges.append(exchange)
        del self.exchanges[:-MAX_EXCHANGES]


@dataclass(slots=True)
class Session:
    principal: Principal
    csrf: str
    created: float
    seen: float
    conversations: OrderedDict[str, Conversation] = field(default_factory=OrderedDict)
    flash: tuple[str, str] = ("", "")
    """What to tell at the next page: ``("done" | "problem", sentence)``."""

    def conversation(self, application: str, wanted: str = "") -> Conversation:
        """The conversation of that id; without an id the latest of the application, else a new one.

        Ids are given out here only, so that a browser can't name the session of somebody else.
        Raises LookupError for an id that this session did not give out.
        """
        if wanted and wanted != "new":
            known = self.conversations.get(wanted)
            if known is None or known.application != application:
                raise LookupError(wanted)
            self.conversations.move_to_end(wanted)
            return known
        mine = [chat for chat in self.conversations.values() if chat.application == application]
        if mine and (wanted != "new" or not mine[-1].exchanges):
            return mine[-1]
        return self._begin(application)

    def _begin(self, application: str) -> Conversation:
        chat = Conversation(new_id("ses"), application)
        self.conversations[chat.id] = chat
        while len(self.conversations) > MAX_CONVERSATIONS:
            self.conversations.popitem(last=False)
        return chat

    def accepts(self, token: str) -> bool:
        """Whether this is the session's CSRF token; compared in constant time."""
        return hmac.compare_digest(token.encode("utf-8", "replace"), self.csrf.encode())

    def take_flash(self) -> tuple[str, str]:
        told, self.flash = self.flash, ("", "")
        return told


class SessionStore:
    """Bounded: the session not seen for longest goes first, and nobody holds more than a few."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._sessions: OrderedDict[str, Session] = OrderedDict()

    def __len__(self) -> int:
        return len(self._sessions)

    def begin(self, principal: Principal) -> str:
        """A new session; returns its id, which only the cookie knows."""
        self._expire()
        self._make_room(principal)
        key = secrets.token_urlsafe(32)
        now = self._clock()
        self._sessions[_digest(key)] = Session(principal, secrets.token_urlsafe(32), now, now)
        return key

    def find(self, key: str, *, touch: bool = True) -> Session | None:
        """The live session of this id. ``touch=False`` for what a page does by itself, so that an unattended
        page does not stay signed in for ever."""
        digest = _digest(key)
        session = self._sessions.get(digest)
        if session is None:
            return None
        now = self._clock()
        if self._over(session, now):
            del self._sessions[digest]
            return None
        if touch:
            session.seen = now
            self._sessions.move_to_end(digest)
        return session

    def end(self, key: str) -> None:
        self._sessions.pop(_digest(key), None)

    def _over(self, session: Session, now: float) -> bool:
        return now - session.seen >= IDLE_S or now - session.created >= ABSOLUTE_S

    def _expire(self) -> None:
        now = self._clock()
        for digest in [digest for digest, held in self._sessions.items() if self._over(held, now)]:
            del self._sessions[digest]

    def _make_room(self, principal: Principal) -> None:
        who = (principal.tenant, principal.subject)
        mine = [
            digest
            for digest, held in self._sessions.items()
            if (held.principal.tenant, held.principal.subject) == who
        ]
        for digest in mine[: max(0, len(mine) - MAX_PER_SUBJECT + 1)]:
            del self._sessions[digest]
        while len(self._sessions) >= MAX_SESSIONS:
            self._sessions.popitem(last=False)


def _digest(key: str) -> str:
    """Looked up by hash: the time of a dictionary miss says nothing of the id."""
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()
