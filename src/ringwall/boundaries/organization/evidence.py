"""Evidence: dated facts that a control works or doesn't, each with an entry of its own on the ledger.

The store is a list to look things up in; what makes a fact stand is the ledger entry that carries its
digest. ``supported`` compares the two.
"""

import hashlib
import re
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import rfc8785

from ringwall.core import DataError, new_id
from ringwall.storage.database import Database, Row

_MIGRATIONS = [
    """
    CREATE TABLE evidence (
        id TEXT PRIMARY KEY,
        kind TEXT NOT NULL,
        control TEXT NOT NULL,
        passed INTEGER NOT NULL,
        detail TEXT NOT NULL,
        threats TEXT NOT NULL,
        at INTEGER NOT NULL,
        expires INTEGER NOT NULL,
        by TEXT NOT NULL,
        entry TEXT NOT NULL
    ) STRICT;
    CREATE INDEX evidence_control ON evidence (control, at);
    """
]
_FAR = 1 << 53
_TAG = re.compile(r"[A-Z][A-Z0-9.]{1,15}@[0-9.]{1,8}", re.ASCII)


class EvidenceKind(StrEnum):
    """Where a fact comes from."""

    CONFIGURATION = "configuration"
    """The control is set up and enforced."""
    DRILL = "drill"
    """It was tried, and did or didn't stop what it should."""
    TELEMETRY = "telemetry"
    """It acted, or failed, on real traffic."""
    ATTESTATION = "attestation"
    """A person says so, for a time."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One fact. Times are microseconds since the epoch, UTC."""

    id: str
    kind: EvidenceKind
    control: str
    passed: bool
    detail: str
    """A sentence; names nobody whose text was looked at."""
    threats: tuple[str, ...]
    """``id@edition`` that it speaks about; empty: the control as such."""
    at: int
    expires: int
    """0: it grows stale with the age that the workload file sets."""
    by: str
    """Who attests, or what found it."""
    entry: str = ""
    """Id of the ledger entry that carries the digest."""

    @property
    def digest(self) -> str:
        """SHA-256 over the canonical JSON of all but the ledger entry, hexadecimal."""
        fields: dict[str, Any] = {
            "id": self.id,
            "kind": str(self.kind),
            "control": self.control,
            "passed": self.passed,
            "detail": self.detail,
            "threats": list(self.threats),
            "at": self.at,
            "expires": self.expires,
            "by": self.by,
        }
        return hashlib.sha256(rfc8785.dumps(fields)).hexdigest()

    def facts(self) -> dict[str, str | int]:
        """What goes into the ledger event (type ``evidence.added``) beside its id and time."""
        return {
            "evidence": self.id,
            "source": str(self.kind),
            "control": self.control,
            "result": "passed" if self.passed else "failed",
            "digest": self.digest,
        }


def evidence(
    kind: EvidenceKind | str,
    control: str,
    *,
    passed: bool,
    detail: str = "",
    threats: tuple[str, ...] = (),
    at: int | None = None,
    expires: int = 0,
    by: str = "system",
) -> Evidence:
    """A fact that is not stored yet. Raises DataError for one that can't be."""
    if kind not in set(EvidenceKind):
        raise DataError(f"Evidence is one of: {', '.join(EvidenceKind)}.")
    when = time.time_ns() // 1000 if at is None else at
    if kind == EvidenceKind.ATTESTATION and expires <= when:
        raise DataError("An attestation needs an expiry after its date: a person can't vouch for ever.")
    if not 0 <= when < _FAR or not 0 <= expires < _FAR:
        raise DataError("The time of evidence lies outside of what can be kept.")
    for what, text, least in (("control", control, 1), ("detail", detail, 0), ("author", by, 1)):
        if not least <= len(text) <= 2000 or not _plain(text):
            raise DataError(f"The {what} of evidence is {least} to 2000 characters of text.")
    tags = tuple(sorted(set(threats)))
    for tag in tags:
        if not _TAG.fullmatch(tag):
            raise DataError("A threat is named as id@edition, such as LLM01@2025.")
    return Evidence(new_id("evi"), EvidenceKind(kind), control, bool(passed), detail, tags, when, expires, by)


class EvidenceStore:
    """Append-only. Thread-safe."""

    def __init__(self, db: Database) -> None:
        db.migrate("evidence", _MIGRATIONS)
        self._db = db
        self._lock = threading.Lock()

    def add(self, fact: Evidence, *, entry: str) -> Evidence:
        """Store a fact under the id of the ledger entry that carries ``fact.facts()``. Raises DataError
        without one: what is not on the ledger proves nothing."""
        if not entry:
            raise DataError("Evidence is stored after it is on the ledger: give the id of its entry.")
        with self._lock:
            self._db.write(
                "INSERT INTO evidence VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                fact.id, str(fact.kind), fact.control, int(fact.passed), fact.detail,
                " ".join(fact.threats), fact.at, fact.expires, fact.by, entry,
            )  # fmt: skip
        row = self._db.one("SELECT * FROM evidence WHERE id = ?", fact.id)
        if row is None:
            raise DataError("The evidence could not be stored.")
        return _fact(row)

    def for_control(self, control: str, limit: int = 200) -> list[Evidence]:
        """Of one control, newest first."""
        rows = self._db.all(
            "SELECT * FROM evidence WHERE control = ? ORDER BY at DESC, id DESC LIMIT ?", control, limit
        )
        return [_fact(row) for row in rows]

    def latest(self) -> list[Evidence]:
        """For every control, source and set of threats the newest facts (several if of one instant)."""
        rows = self._db.all(
            """
            SELECT e.* FROM evidence e JOIN (
                SELECT control, kind, threats, max(at) AS newest FROM evidence GROUP BY control, kind, threats
            ) n ON n.control = e.control AND n.kind = e.kind AND n.threats = e.threats AND n.newest = e.at
            ORDER BY e.control, e.at DESC, e.id DESC
            """
        )
        return [_fact(row) for row in rows]

    def all(self, limit: int = 1000) -> list[Evidence]:
        """Newest first."""
        return [
            _fact(row)
            for row in self._db.all("SELECT * FROM evidence ORDER BY at DESC, id DESC LIMIT ?", limit)
        ]


def supported(fact: Evidence, event: Mapping[str, object] | None) -> bool:
    """Whether the ledger event of ``fact.entry`` says what the stored fact says."""
    if event is None or event.get("id") != fact.entry:
        return False
    return all(event.get(name) == value for name, value in fact.facts().items())


def _fact(row: Row) -> Evidence:
    return Evidence(
        row["id"], EvidenceKind(row["kind"]), row["control"], bool(row["passed"]), row["detail"],
        tuple(row["threats"].split()), row["at"], row["expires"], row["by"], row["entry"],
    )  # fmt: skip


def _plain(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text
