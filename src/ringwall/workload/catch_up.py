"""What a process that was killed left undone, taken up by the next one that opens the data directory."""

import time
from collections.abc import Iterator
from typing import Any

from ringwall.boundaries.data.export_place import left_behind
from ringwall.boundaries.data.versions import Version

from .data_anchors import ANNOUNCED
from .plant import EXPORTS, Plant

_LEFT_US = 60_000_000
"""Younger than that, whoever decided is about to put it on the ledger themselves."""
_LAST = 50
"""Announcements that are looked at: a process that is killed leaves one at most."""


def catch_up(plant: Plant, left: int = _LEFT_US) -> int:
    """Put versions, decisions about quarantined data, and exports on the ledger that are in force and not on
    it; how many there were. What exports left half way is cleared away. ``left``: microseconds after which
    nobody else is at work on them any more."""
    before = time.time_ns() // 1000 - left
    made = list(_untold(plant, before))
    for version in made:
        told = {"kind": "training"} if version.kind == "training" else {}
        plant.ledger.append_now(version.event(**told))
    waiting = plant.quarantine.untold(before)
    for held, event in waiting:
        if plant.ledger.find(event["id"]) is None:
            plant.ledger.append_now(event)
        plant.quarantine.told(held)
    exported = left_behind(plant.data_dir / EXPORTS)
    for event in exported:
        if plant.ledger.find(event["id"]) is None:
            plant.ledger.append_now(event)
    return len(made) + len(waiting) + len(exported)


def _untold(plant: Plant, before: int) -> Iterator[Version]:
    """Versions that were announced and made, of which the ledger does not say so."""
    announced = plant.ledger.latest(_LAST, type=ANNOUNCED)
    told: set[str] = set()
    at: int | None = announced[-1].index if announced else None
    while at is not None and (page := plant.ledger.since(at, type="data.version")):
        told.update(record.event["chain"] for record in page)
        at = page[-1].index + 1
    for record in reversed(announced):
        said: dict[str, Any] = dict(record.event)
        if said["at"] < before and said["chain"] not in told:
            made = plant.vault.lines.versions.whatever(said["collection"])
            yield from (one for one in made if one.chain == said["chain"])
