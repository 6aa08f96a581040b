"""Kill switches: a tool is off from the next call on, in every process that shares the database.

A switch names one tool (``send_email``), all tools with an effect (``effect:pay``), all tools of an MCP
server (``files__*``), or every tool (``*``). Nothing else is a pattern.
"""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from ringwall.cedar import plain
from ringwall.core import DataError
from ringwall.storage.database import Database

from .effect import Effect

EVERYTHING = "*"
_TARGET = re.compile(r"\*|effect:[a-z]{1,16}|[A-Za-z0-9_.:/-]{1,125}(?:__\*)?")
_STEPS = (
    """
    CREATE TABLE tool_switches (
      tool TEXT PRIMARY KEY, reason TEXT NOT NULL, thrown_by TEXT NOT NULL, at INTEGER NOT NULL
    ) WITHOUT ROWID;
    """,
)
_PREFIXES = 8


@dataclass(frozen=True, slots=True)
class Switch:
    target: str
    """Name of a tool, ``effect:<effect>``, ``<server>__*`` or ``*``."""
    reason: str
    by: str
    """Who threw it."""
    at: int
    """Microseconds since the epoch, UTC."""


def effect_target(effect: str) -> str:
    """The switch of all tools with an effect."""
    return f"effect:{effect}"


class ToolSwitches:
    """Each look is one keyed read of some 10 us: nobody ever sees an old state."""

    def __init__(self, database: Database, *, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock
        database.migrate("application.switches", _STEPS)

    def disable(self, target: str, *, reason: str, by: str) -> Switch:
        """Every further call of the tool, or of each tool that the target names, is blocked.

        Raises DataError for a target that names nothing, or without a reason.
        """
        if not _TARGET.fullmatch(target):
            raise DataError("A switch names a tool, effect:<effect>, <server>__* or *.")
        if target.startswith("effect:") and target.removeprefix("effect:") not in set(Effect):
            raise DataError(f"There is no such effect. Choose one of: {', '.join(Effect)}.")
        for what, text in (("reason", reason), ("name of who throws it", by)):
            if not 0 < len(text.strip()) <= 1000:
                raise DataError(f"A switch needs a {what} of 1 to 1000 characters.")
        made = Switch(target, plain(reason), plain(by), int(self._clock() * 1_000_000))
        self._database.write(
            "INSERT OR REPLACE INTO tool_switches VALUES (?, ?, ?, ?)",
            made.target,
            made.reason,
            made.by,
            made.at,
        )
        return made

    def enable(self, target: str) -> bool:
        """False when it was not off. A tool stays off while another switch names it."""
        return bool(self._database.write("DELETE FROM tool_switches WHERE tool = ?", plain(target)))

    def off(self, tool: str, effect: Effect | None = None) -> Switch | None:
        """A switch that stands against this tool, the narrowest."""
        names = _names(plain(tool), effect)
        marks = ", ".join("?" * len(names))
        rows = self._database.all(
            f"SELECT tool, reason, thrown_by, at FROM tool_switches WHERE tool IN ({marks})",  # noqa: S608
            *names,
        )
        found = {row["tool"]: row for row in rows}
        return next((Switch(*found[name]) for name in names if name in found), None)

    def list(self) -> list[Switch]:
        rows = self._database.all("SELECT tool, reason, thrown_by, at FROM tool_switches ORDER BY tool")
        return [Switch(*row) for row in rows]


def _names(tool: str, effect: Effect | None) -> list[str]:
    """Every target that would name the tool, the narrowest first."""
    words = tool.split("__", _PREFIXES)
    servers = ["__".join(words[:count]) + "__*" for count in range(len(words) - 1, 0, -1)]
    effects = [effect_target(effect)] if effect is not None else []
    return [tool, *servers, *effects, EVERYTHING]
