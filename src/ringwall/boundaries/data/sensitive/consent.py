"""What one person asks for and another has to say yes to: to see a value, to destroy a key.

Nothing of the matter itself is kept, only its hash. A yes is good once, for who asked, and for a day. Two
persons are two names and two credentials: the same name in another tenant is nobody else, and may not use
what another one asked for either.
"""

import hashlib
import time

from ringwall.core import DataError, Principal
from ringwall.storage.database import Database

from ..intake.process import credential_of

TERM = 86_400
"""Seconds for which a request, and the yes to it, is good."""
_STEPS = [
    "CREATE TABLE data_consent (matter TEXT NOT NULL, by TEXT NOT NULL, at INTEGER NOT NULL, "
    "second TEXT NOT NULL DEFAULT '', PRIMARY KEY (matter, by)) STRICT, WITHOUT ROWID;",
    "ALTER TABLE data_consent ADD COLUMN tenant TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE data_consent ADD COLUMN credential TEXT NOT NULL DEFAULT '';",
]


class Consents:
    """Thread-safe; several processes may share them."""

    def __init__(self, db: Database) -> None:
        self._db = db
        db.migrate("data_consent", _STEPS)

    def ask(self, matter: str, by: Principal) -> None:
        """Begins anew what the person asked before."""
        with self._db.transaction():
            self._db.write("DELETE FROM data_consent WHERE at < ?", _now() - TERM)
            self._db.write(
                "INSERT OR REPLACE INTO data_consent VALUES (?, ?, ?, '', ?, ?)",
                *(matter, by.subject, _now(), by.tenant, credential_of(by)),
            )

    def waiting(self, matter: str, second: Principal) -> str:
        """Who else asked for it and waits; empty: nobody."""
        row = self._db.one(
            "SELECT by FROM data_consent WHERE matter = ? AND by <> ? AND credential <> ? AND second = '' "
            "AND at >= ? ORDER BY at, by",
            *(matter, second.subject, credential_of(second), _now() - TERM),
        )
        return str(row["by"]) if row else ""

    def allow(self, matter: str, second: Principal) -> str:
        """Says yes; who asked. DataError when nobody else did within the last day."""
        with self._db.transaction():
            asker = self.waiting(matter, second)
            if not asker:
                raise DataError("Nobody else asked for this within the last day.")
            self._db.write(
                "UPDATE data_consent SET second = ? WHERE matter = ? AND by = ?",
                second.subject,
                matter,
                asker,
            )
        return asker

    def take(self, matter: str, by: Principal) -> str:
        """Who said yes to what this person asked for; used up by that. Empty: nobody did."""
        with self._db.transaction():
            row = self._db.one(
                "SELECT second FROM data_consent WHERE matter = ? AND by = ? AND tenant = ? AND at >= ? "
                "AND second <> ''",
                *(matter, by.subject, by.tenant, _now() - TERM),
            )
            if row is None:
                return ""
            self._db.write("DELETE FROM data_consent WHERE matter = ? AND by = ?", matter, by.subject)
        return str(row["second"])


def matter(*parts: object) -> str:
    """The hash of what is asked for."""
    return hashlib.sha256("\x00".join(map(str, parts)).encode("utf-8", "replace")).hexdigest()


def _now() -> int:
    return int(time.time())
