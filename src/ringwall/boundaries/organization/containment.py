"""Taking a session, a person, a key or a tool out of action at once, and giving it back.

The list is kept in the shared database: what the command line or the console quarantines counts for the
gateway from its next crossing on.
"""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ringwall.core import (
    ALLOW,
    Action,
    Boundary,
    ControlFactory,
    Crossing,
    CrossingKind,
    DataError,
    Declaration,
    Finding,
    NoSettings,
    PartKind,
    Services,
    Verdict,
    new_id,
    verdict,
)
from ringwall.storage.database import Database, Row

ID = "organization.containment"
DECLARATION = Declaration(
    id=ID,
    boundary=Boundary.ORGANIZATION,
    summary="Stops everything of a session, subject, tenant, key or tool that was put in quarantine.",
    crossings=frozenset(
        {
            CrossingKind.REQUEST,
            CrossingKind.TOOL_CALL,
            CrossingKind.EGRESS,
            CrossingKind.CONTRIBUTION,
            CrossingKind.RETRIEVAL,
            CrossingKind.EXPORT,
        }
    ),
    parts=frozenset(),
    threats=(
        "LLM01@2023", "LLM03@2023", "LLM06@2023", "LLM08@2023", "LLM10@2023",
        "LLM01@2025", "LLM02@2025", "LLM04@2025", "LLM06@2025", "LLM10@2025",
    ),
    csf=("RS.MI-01", "RS.MA-01"),
    inline=True,
)  # fmt: skip

_MIGRATIONS = [
    """
    CREATE TABLE quarantine (
        id TEXT PRIMARY KEY,
        kind TEXT NOT NULL,
        target TEXT NOT NULL,
        tenant TEXT NOT NULL,
        reason TEXT NOT NULL,
        by TEXT NOT NULL,
        at REAL NOT NULL,
        expires REAL,
        lifted REAL,
        lifted_by TEXT NOT NULL DEFAULT ''
    ) STRICT;
    CREATE INDEX quarantine_open ON quarantine (lifted) WHERE lifted IS NULL;
    """
]


class Contained(StrEnum):
    """What can be put in quarantine."""

    SESSION = "session"
    SUBJECT = "subject"
    TENANT = "tenant"
    KEY = "key"
    TOOL = "tool"


@dataclass(frozen=True, slots=True)
class Quarantine:
    """One entry of the list. Times are seconds since the epoch, UTC."""

    id: str
    kind: Contained
    target: str
    """Session id, subject, tenant, key id or tool name."""
    tenant: str
    """For a subject: the tenant it belongs to; empty: in every tenant."""
    reason: str
    by: str
    """Subject of the person, or id of the rule, that ordered it."""
    at: float
    expires: float | None
    lifted: float | None
    lifted_by: str

    def event(self, action: str) -> dict[str, Any]:
        """For the ledger; ``action`` is ``quarantined`` or ``lifted``. The reason, which a person wrote,
        belongs in the encrypted body."""
        return {
            "id": new_id("evt"),
            "type": "containment",
            "at": time.time_ns() // 1000,
            "boundary": "organization",
            "action": action,
            "quarantine": self.id,
            "kind": str(self.kind),
            "target": self.target,
            "tenant": self.tenant,
            "by": self.by if action == "quarantined" else self.lifted_by,
        }


class Containment:
    """The list. Thread-safe; other processes' changes count from the next look-up on."""

    def __init__(self, db: Database, *, now: Callable[[], float] = time.time) -> None:
        db.migrate("containment", _MIGRATIONS)
        self._db = db
        self._now = now
        self._lock = threading.Lock()
        self._version: int | None = None
        self._open: dict[tuple[str, str], list[Quarantine]] = {}

    def quarantine(
        self,
        kind: Contained | str,
        target: str,
        *,
        reason: str,
        by: str,
        tenant: str = "",
        expires: float | None = None,
    ) -> Quarantine:
        """Put it on the list. ``expires`` is in seconds since the epoch. Raises DataError for an entry that
        can't be one."""
        if kind not in set(Contained):
            kinds = ", ".join(Contained)
            raise DataError(f"Only these can be put in quarantine: {kinds}.")
        for what, text in (("target", target), ("reason", reason), ("name of who orders it", by)):
            if not 0 < len(text) <= 1000 or "\0" in text:
                raise DataError(f"A quarantine needs a {what} of 1 to 1000 characters.")
        if expires is not None and expires <= self._now():
            raise DataError("A quarantine that ends at once stops nothing: give a time in the future.")
        entry = Quarantine(
            new_id("qua"), Contained(kind), _storable(target), _storable(tenant), _storable(reason),
            _storable(by), self._now(), expires, None, "",
        )  # fmt: skip
        with self._lock:
            self._db.write(
                "INSERT INTO quarantine VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL, '')",
                entry.id, str(entry.kind), entry.target, entry.tenant, entry.reason, entry.by, entry.at,
                expires,
            )  # fmt: skip
            self._version = None
        return entry

    def lift(self, entry_id: str, *, by: str) -> Quarantine:
        """Take it off the list. Raises DataError when there is no such open entry."""
        with self._lock:
            changed = self._db.write(
                "UPDATE quarantine SET lifted = ?, lifted_by = ? WHERE id = ? AND lifted IS NULL",
                self._now(),
                _storable(by),
                _storable(entry_id),
            )
            self._version = None
            row = self._db.one("SELECT * FROM quarantine WHERE id = ?", _storable(entry_id))
        if not changed or row is None:
            raise DataError("There is no open quarantine of this id.")
        return _entry(row)

    def active(self) -> list[Quarantine]:
        """What is in quarantine now, newest first."""
        now = self._now()
        rows = self._db.all("SELECT * FROM quarantine WHERE lifted IS NULL ORDER BY at DESC, id DESC")
        return [entry for row in rows if not _over(entry := _entry(row), now)]

    def history(self, limit: int = 200) -> list[Quarantine]:
        """Entries open and closed, newest first."""
        return [
            _entry(row)
            for row in self._db.all("SELECT * FROM quarantine ORDER BY at DESC, id DESC LIMIT ?", limit)
        ]

    def find(self, crossing: Crossing) -> Quarantine | None:
        """The entry that stops this crossing, if there is one."""
        known = self._current()
        if not known:
            return None
        now = self._now()
        for kind, target, tenant in _targets(crossing):
            for entry in known.get((kind.value, target), ()):
                if not _over(entry, now) and entry.tenant in ("", tenant):
                    return entry
        return None

    def _current(self) -> dict[tuple[str, str], list[Quarantine]]:
        with self._lock:
            version = self._db.version()
            if version != self._version:
                found: dict[tuple[str, str], list[Quarantine]] = {}
                for row in self._db.all("SELECT * FROM quarantine WHERE lifted IS NULL"):
                    entry = _entry(row)
                    found.setdefault((entry.kind.value, entry.target), []).append(entry)
                self._open, self._version = found, version
            return self._open


def _targets(crossing: Crossing) -> Iterator[tuple[Contained, str, str]]:
    """Kind, target and tenant. A service that acts for somebody is stopped as if it acted for itself."""
    principal = crossing.principal
    for who in (principal, principal.actor):
        if who is not None:
            yield Contained.SUBJECT, who.subject, who.tenant
            yield Contained.TENANT, who.tenant, who.tenant
            if who.credential:
                yield Contained.KEY, who.credential, who.tenant
    if crossing.session:
        yield Contained.SESSION, crossing.session, principal.tenant
    for part in crossing.parts:
        if part.name and (part.kind is PartKind.TOOL_CALL or crossing.kind is CrossingKind.EGRESS):
            yield Contained.TOOL, part.name, principal.tenant


def _over(entry: Quarantine, now: float) -> bool:
    return entry.expires is not None and entry.expires <= now


def _entry(row: Row) -> Quarantine:
    return Quarantine(
        row["id"], Contained(row["kind"]), row["target"], row["tenant"], row["reason"], row["by"],
        row["at"], row["expires"], row["lifted"], row["lifted_by"],
    )  # fmt: skip


def _storable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


class ContainmentControl:
    """Asks the list before anything else happens. The reason given there is for operators, not for the
    caller, who learns only that it is stopped."""

    declaration = DECLARATION

    def __init__(self, containment: Containment) -> None:
        self._containment = containment

    def inspect(self, crossing: Crossing) -> Verdict:
        entry = self._containment.find(crossing)
        if entry is None:
            return ALLOW
        what = {Contained.TOOL: "tool", Contained.SESSION: "conversation"}.get(entry.kind, "access")
        reason = f"This {what} has been suspended: contact the owner of the application."
        found = Finding(
            ID, str(entry.kind), f"In quarantine since {_date(entry.at)}: {entry.id}.", cls="contained"
        )
        return verdict(Action.BLOCK, reason, [found])


def _date(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(at))


def _build(settings: NoSettings, services: Services) -> ContainmentControl:
    return ContainmentControl(services.get(Containment))


CONTROL = ControlFactory(ID, NoSettings, _build)
