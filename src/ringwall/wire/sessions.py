"""Which conversation a request belongs to, and what of it was decided before.

A session is found by the header ``x-ringwall-session``, or by the hash chain of the messages: a request whose
leading messages are those of an earlier request of the same principal goes on with its session. A session
belongs to one principal and one application; nobody else can join it.
"""

import hashlib
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from ringwall.core import Part, Principal
from ringwall.storage.database import Database

_TOKEN = re.compile(r"[A-Za-z0-9_.:-]{1,128}")
_KEEP = 50_000
_PARTS = 500
_DECIDED_SESSIONS = 10_000
_FLUSH_S = 0.2
_MIGRATIONS = [
    """
    CREATE TABLE session_chains (hash BLOB PRIMARY KEY, session TEXT NOT NULL, at INTEGER NOT NULL) STRICT;
    CREATE INDEX session_chains_at ON session_chains (at);
    """,
]


def is_token(text: str) -> bool:
    """Whether a client may name a session so."""
    return bool(_TOKEN.fullmatch(text))


class Sessions:
    """Chains are written behind, at most 0.2 s late, and survive a restart; the memory of decided parts does
    not (they are then decided once more). Both are bounded: the oldest are forgotten."""

    def __init__(self, db: Database) -> None:
        self._db = db
        db.migrate("sessions", _MIGRATIONS)
        db.write(
            "DELETE FROM session_chains WHERE at <= "
            "(SELECT at FROM session_chains ORDER BY at DESC LIMIT 1 OFFSET ?)",
            _KEEP,
        )
        rows = db.all("SELECT hash, session FROM session_chains ORDER BY at")
        self._chains: OrderedDict[bytes, str] = OrderedDict((row["hash"], row["session"]) for row in rows)
        self._decided: OrderedDict[str, OrderedDict[str, None]] = OrderedDict()
        self._lock = threading.Lock()
        self._unwritten: list[tuple[bytes, str]] = []
        self._timer: threading.Timer | None = None

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
        if is_token(token):
            return "ses_" + hashlib.sha256(f"{owner}\0{token}".encode()).hexdigest()[:24]
        chain = _chain(owner, messages)
        session = next((known for known in map(self._chains.get, reversed(chain)) if known), "")
        session = session or "ses_" + hashlib.sha256(f"{owner}\0{turn}".encode()).hexdigest()[:24]
        self._register(chain[-1], session)
        return session

    def decided(self, session: str, part: Part) -> bool:
        """Whether this content was already decided in an earlier turn of the session."""
        known = self._decided.get(session)
        return known is not None and part.digest in known

    def remember(self, session: str, parts: Iterable[Part]) -> None:
        """These parts have now been decided."""
        known = self._decided.setdefault(session, OrderedDict())
        self._decided.move_to_end(session)
        for part in parts:
            known[part.digest] = None
        while len(known) > _PARTS:
            known.popitem(last=False)
        if len(self._decided) > _DECIDED_SESSIONS:
            self._decided.popitem(last=False)

    def flush(self) -> None:
        """Write what is still to be written."""
        with self._lock:
            due, self._unwritten = self._unwritten, []
            self._timer = None
        now = time.time_ns() // 1000
        with self._db.transaction():
            for key, session in due:
                self._db.write("INSERT OR REPLACE INTO session_chains VALUES (?, ?, ?)", key, session, now)

    def close(self) -> None:
        with self._lock:
            timer = self._timer
        if timer:
            timer.cancel()
            timer.join()
        self.flush()

    def _register(self, key: bytes, session: str) -> None:
        if self._chains.get(key) == session:
            return
        self._chains[key] = session
        if len(self._chains) > _KEEP:
            self._chains.popitem(last=False)
        with self._lock:
            self._unwritten.append((key, session))
            if self._timer is None:
                self._timer = threading.Timer(_FLUSH_S, self.flush)
                self._timer.daemon = True
                self._timer.start()


def _chain(owner: str, messages: Sequence[dict[str, Any]]) -> list[bytes]:
    """Hash of every prefix that ends in a user's or a tool's message, and of the whole."""
    running = hashlib.sha256(owner.encode())
    chain: list[bytes] = []
    for message in messages:
        running.update(orjson.dumps([message["role"], message.get("content")]))
        if message["role"] in ("user", "tool"):
            chain.append(running.digest())
    return chain or [running.digest()]
