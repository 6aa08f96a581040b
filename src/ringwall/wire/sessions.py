"""Which conversation a request belongs to, and what of it was decided before.

A session is found by the header ``x-ringwall-session``, or by the hash chain of the messages: a request whose
leading messages are those of an earlier request of the same principal goes on with its session. A session
belongs to one principal and one application; nobody else can join it.
"""

import hashlib
import re
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from ringwall.core import Part, Principal
from ringwall.storage.database import Database

_TOKEN = re.compile(r"[A-Za-z0-9_.:-]{1,128}")
_KEEP = 50_000
_PARTS = 2_000

_MIGRATIONS = [
    """CREATE TABLE session_chains (hash BLOB PRIMARY KEY, session TEXT NOT NULL) WITHOUT ROWID;""",
]


class Sessions:
    """Chains survive a restart; the memory of decided parts does not (they are then decided once more)."""

    def __init__(self, db: Database) -> None:
        self._db = db
        db.migrate("sessions", _MIGRATIONS)
        self._chains: OrderedDict[bytes, str] = OrderedDict()
        self._decided: OrderedDict[str, OrderedDict[str, None]] = OrderedDict()

    def find(
        self,
        principal: Principal,
        application: str,
        token: str,
        messages: Sequence[dict[str, Any]],
        turn: str,
    ) -> str:
        """The session id of a request."""
        owner = f"{principal.tenant}\0{principal.subject}\0{application}"
        if token and _TOKEN.fullmatch(token):
            return "ses_" + hashlib.sha256(f"{owner}\0{token}".encode()).hexdigest()[:24]
        chain = _chain(owner, messages)
        session = next((known for known in map(self._lookup, reversed(chain)) if known), "")
        session = session or "ses_" + hashlib.sha256(f"{owner}\0{turn}".encode()).hexdigest()[:24]
        self._register(chain[-1], session)
        return session

    def decided(self, session: str, part: Part) -> bool:
        """Whether this content was already decided in an earlier turn of the session."""
        return part.digest in self._decided.get(session, ())

    def remember(self, session: str, parts: Iterable[Part]) -> None:
        """These parts have now been decided."""
        known = self._decided.setdefault(session, OrderedDict())
        self._decided.move_to_end(session)
        for part in parts:
            known[part.digest] = None
            if len(known) > _PARTS:
                known.popitem(last=False)
        if len(self._decided) > _KEEP:
            self._decided.popitem(last=False)

    def _lookup(self, key: bytes) -> str:
        if key in self._chains:
            return self._chains[key]
        row = self._db.one("SELECT session FROM session_chains WHERE hash = ?", key)
        return str(row["session"]) if row else ""

    def _register(self, key: bytes, session: str) -> None:
        if self._chains.get(key) == session:
            return
        self._chains[key] = session
        if len(self._chains) > _KEEP:
            self._chains.popitem(last=False)
        self._db.write("INSERT OR REPLACE INTO session_chains VALUES (?, ?)", key, session)


def _chain(owner: str, messages: Sequence[dict[str, Any]]) -> list[bytes]:
    """Hash of every prefix that ends in a user's or a tool's message, and of the whole."""
    running = hashlib.sha256(owner.encode())
    chain: list[bytes] = []
    for message in messages:
        running.update(orjson.dumps([message["role"], message.get("content")]))
        if message["role"] in ("user", "tool"):
            chain.append(running.digest())
    return chain or [running.digest()]
