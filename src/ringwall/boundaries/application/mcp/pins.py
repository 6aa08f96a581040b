"""Which tools of which servers an operator approved, and what the servers offer now.

One row a tool in the database that all gateways and the command line share. An approval is bound to the hash
of the whole manifest; a server that says anything else has a *changed* tool, which is held.
"""

import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from ringwall.core import DataError
from ringwall.storage.database import Database, Row

from .offered import Offered

_STEPS = (
    """
    CREATE TABLE mcp_tools (
      server TEXT NOT NULL, tool TEXT NOT NULL,
      seen TEXT NOT NULL DEFAULT '', seen_digest TEXT NOT NULL DEFAULT '', seen_at INTEGER NOT NULL DEFAULT 0,
      findings TEXT NOT NULL DEFAULT '[]',
      pinned TEXT NOT NULL DEFAULT '', pinned_digest TEXT NOT NULL DEFAULT '',
      effect TEXT NOT NULL DEFAULT '', target TEXT NOT NULL DEFAULT '[]',
      refused_digest TEXT NOT NULL DEFAULT '',
      decided_by TEXT NOT NULL DEFAULT '', decided_at INTEGER NOT NULL DEFAULT 0,
      PRIMARY KEY (server, tool)
    ) WITHOUT ROWID;
    CREATE TABLE mcp_revision (one INTEGER PRIMARY KEY CHECK (one = 1), revision INTEGER NOT NULL);
    INSERT INTO mcp_revision VALUES (1, 0);
    """,
    "ALTER TABLE mcp_tools ADD COLUMN scanned_digest TEXT NOT NULL DEFAULT '';",
)


class PinState(StrEnum):
    NEW = "new"
    """Offered, and nobody has decided."""
    APPROVED = "approved"
    CHANGED = "changed"
    """Approved, and the server says something else now: held."""
    REFUSED = "refused"
    GONE = "gone"
    """Approved, and the server offers it no more."""


@dataclass(frozen=True)
class Pin:
    """One tool of one server, as approved and as seen."""

    server: str
    tool: str
    seen: Offered | None
    pinned: Offered | None
    refused: str
    """Digest that an operator refused."""
    effect: str
    """As confirmed with the approval."""
    target: tuple[str, ...]
    findings: tuple[str, ...]
    """What detectors said of the manifest as it is seen now."""
    scanned: str
    """Digest of the manifest that detectors looked at last: nothing was said of any other."""
    decided_by: str
    decided_at: int
    """Microseconds since the epoch, UTC."""

    @cached_property
    def state(self) -> PinState:
        if self.pinned is not None:
            if self.seen is None:
                return PinState.GONE
            return PinState.APPROVED if self.seen.digest == self.pinned.digest else PinState.CHANGED
        return PinState.REFUSED if self.seen and self.refused == self.seen.digest else PinState.NEW


class Pins:
    """``DataError`` says why a decision was not taken."""

    def __init__(self, database: Database, *, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock
        database.migrate("application.mcp", _STEPS)

    def revision(self) -> int:
        """Grows with every approval and refusal."""
        row = self._database.one("SELECT revision FROM mcp_revision")
        return int(row["revision"]) if row else 0

    def list(self, server: str = "") -> Sequence[Pin]:
        """Of one server, or of all, by name."""
        where = "WHERE server = ? " if server else ""
        rows = self._database.all(
            f"SELECT * FROM mcp_tools {where}ORDER BY server, tool",  # noqa: S608 - two constants
            *([server] if server else []),
        )
        return [_pin(row) for row in rows]

    def get(self, server: str, tool: str) -> Pin:
        """Raises DataError when the server was never seen to offer it."""
        row = self._database.one("SELECT * FROM mcp_tools WHERE server = ? AND tool = ?", server, tool)
        if row is None:
            raise DataError(f"The server {server!r} was not seen to offer a tool {tool[:80]!r}.")
        return _pin(row)

    def see(self, server: str, offered: Iterable[Offered]) -> Sequence[Pin]:
        """Note what the server offers now. The tools whose approval this takes the force of."""
        now = {tool.name: tool for tool in offered}
        before = {pin.tool: pin for pin in self.list(server)}
        changed = [tool for name, tool in now.items() if _differs(before.get(name), tool)]
        gone = [name for name, pin in before.items() if pin.seen is not None and name not in now]
        if not changed and not gone:
            return []
        at = self._now()
        with self._database.transaction():
            for tool in changed:
                self._database.write(
                    "INSERT INTO mcp_tools (server, tool, seen, seen_digest, seen_at) VALUES (?, ?, ?, ?, ?)"
                    " ON CONFLICT (server, tool) DO UPDATE SET seen = excluded.seen, findings = '[]',"
                    " seen_digest = excluded.seen_digest, seen_at = excluded.seen_at",
                    *(server, tool.name, tool.text, tool.digest, at),
                )
            for name in gone:
                self._database.write(
                    "UPDATE mcp_tools SET seen = '', seen_digest = '', seen_at = ?, findings = '[]'"
                    " WHERE server = ? AND tool = ?",
                    *(at, server, name),
                )
            self._database.write(
                "DELETE FROM mcp_tools"
                " WHERE server = ? AND seen = '' AND pinned = '' AND refused_digest = ''",
                server,
            )
        after = {pin.tool: pin for pin in self.list(server)}
        return [
            pin
            for name, pin in after.items()
            if pin.state is PinState.CHANGED and before[name].state is not PinState.CHANGED
        ]

    def note_findings(self, server: str, tool: str, digest: str, findings: Sequence[str]) -> None:
        """What detectors said of a manifest; kept only while the server still says that."""
        self._database.write(
            "UPDATE mcp_tools SET findings = ?, scanned_digest = seen_digest"
            " WHERE server = ? AND tool = ? AND seen_digest = ?",
            *(json.dumps(list(findings)), server, tool, digest),
        )

    def approve(self, pin: Pin, effect: str, target: Sequence[str], by: str) -> Pin:
        """Pin what ``pin`` shows as seen. Raises DataError when the server says something else by now."""
        if pin.seen is None:
            raise DataError(f"The server {pin.server!r} does not offer {pin.tool[:80]!r} now.")
        self._decide(
            pin,
            "pinned = seen, pinned_digest = seen_digest, refused_digest = '', effect = ?, target = ?",
            (effect, json.dumps(list(target))),
            by,
        )
        return self.get(pin.server, pin.tool)

    def refuse(self, pin: Pin, by: str) -> Pin:
        """Take an approval away, and refuse what is offered now."""
        self._decide(
            pin,
            "pinned = '', pinned_digest = '', refused_digest = seen_digest, effect = '', target = '[]'",
            (),
            by,
        )
        return self.get(pin.server, pin.tool)

    def _decide(self, pin: Pin, change: str, values: tuple[str, ...], by: str) -> None:
        shown = pin.seen.digest if pin.seen else ""
        with self._database.transaction():
            done = self._database.write(
                f"UPDATE mcp_tools SET {change}, decided_by = ?, decided_at = ?"  # noqa: S608 - constants
                " WHERE server = ? AND tool = ? AND seen_digest = ?",
                *(*values, by, self._now(), pin.server, pin.tool, shown),
            )
            if done:
                self._database.write("UPDATE mcp_revision SET revision = revision + 1")
        if not done:
            raise DataError(
                f"{pin.tool[:80]} has changed since it was shown, so nothing was decided. Look at it again."
            )

    def _now(self) -> int:
        return int(self._clock() * 1_000_000)


def _differs(before: Pin | None, tool: Offered) -> bool:
    return before is None or before.seen is None or before.seen.digest != tool.digest


def _pin(row: Row) -> Pin:
    return Pin(
        server=row["server"],
        tool=row["tool"],
        seen=Offered.read(row["seen"]) if row["seen"] else None,
        pinned=Offered.read(row["pinned"]) if row["pinned"] else None,
        refused=row["refused_digest"],
        effect=row["effect"],
        target=tuple(json.loads(row["target"])),
        findings=tuple(json.loads(row["findings"])),
        scanned=row["scanned_digest"],
        decided_by=row["decided_by"],
        decided_at=row["decided_at"],
    )
