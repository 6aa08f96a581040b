"""Control ``data.volume``: nobody carries a whole collection away passage by passage."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from pydantic import Field

from ringwall.core import (
    ALLOW,
    Action,
    Boundary,
    ControlFactory,
    Crossing,
    CrossingKind,
    Declaration,
    Finding,
    PartKind,
    Services,
    Settings,
    Verdict,
    verdict,
)

ID = "data.volume"
_PRINCIPALS = 20_000  # windows kept; the one that was idle longest goes first
_Key = tuple[str, str, str]


class VolumeSettings(Settings):
    """How much of a collection one principal may see."""

    passages: int = Field(default=300, ge=1, le=100_000)
    """Distinct passages of one collection that one principal is given within the window."""
    window_s: int = Field(default=3600, ge=1, le=604_800)
    """Length of the sliding window, in seconds."""


class Volume:
    """Counts in memory, per process. A passage that was given before in the window is not counted again; a
    blocked retrieval counts nothing, so that the window empties."""

    declaration = Declaration(
        id=ID,
        boundary=Boundary.DATA,
        summary="Blocks a principal who is handed more distinct passages of a collection than the budget.",
        crossings=frozenset({CrossingKind.RETRIEVAL}),
        parts=frozenset({PartKind.DOCUMENT}),
        threats=("LLM06@2023", "LLM10@2023", "LLM02@2025", "LLM10@2025"),
        csf=("PR.DS-10", "DE.CM-03", "DE.CM-09"),
        inline=True,
    )

    def __init__(self, settings: VolumeSettings, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._clock = clock
        self._lock = threading.Lock()
        self._windows: OrderedDict[_Key, OrderedDict[str, float]] = OrderedDict()

    def inspect(self, crossing: Crossing) -> Verdict:
        asked: dict[str, dict[str, int]] = {}
        for index, part in enumerate(crossing.parts):
            if part.kind is PartKind.DOCUMENT:
                collection = str(part.data.get("collection"))
                asked.setdefault(collection, {}).setdefault(part.ref or part.digest, index)
        with self._lock:
            now = self._clock()
            who = crossing.principal
            windows = {name: self._window((who.tenant, who.subject, name), now) for name in asked}
            over = [name for name in asked if len({*windows[name], *asked[name]}) > self._settings.passages]
            if over:
                return _blocked(over, asked)
            for name, passages in asked.items():
                for passage in passages:
                    windows[name].pop(passage, None)
                    windows[name][passage] = now
        return ALLOW

    def _window(self, key: _Key, now: float) -> "OrderedDict[str, float]":
        window = self._windows.setdefault(key, OrderedDict())
        self._windows.move_to_end(key)
        if len(self._windows) > _PRINCIPALS:
            self._windows.popitem(last=False)
        while window and next(iter(window.values())) <= now - self._settings.window_s:
            window.popitem(last=False)
        return window


def _blocked(over: list[str], asked: dict[str, dict[str, int]]) -> Verdict:
    message = "The principal was handed more distinct passages of the collection than its budget allows."
    findings = [
        Finding(ID, "budget", message, part=min(asked[name].values()), cls="extraction") for name in over
    ]
    return verdict(Action.BLOCK, "You have read as much of this collection as is allowed for now.", findings)


def _build(settings: VolumeSettings, services: Services) -> Volume:
    return Volume(settings)


CONTROL = ControlFactory(ID, VolumeSettings, _build)
