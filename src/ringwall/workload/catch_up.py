"""What a process that was killed left undone, taken up by the next one that opens the data directory."""

import time

from ringwall.boundaries.data.export_place import left_behind

from .plant import EXPORTS, Plant

_LEFT_US = 60_000_000
"""Younger than that, whoever decided is about to put it on the ledger themselves."""


def catch_up(plant: Plant, left: int = _LEFT_US) -> int:
    """Put decisions about quarantined data, and exports, on the ledger that are in force and not on it; how
    many there were. What exports left half way is cleared away. ``left``: microseconds after which nobody
    else is at work on a decision any more."""
    waiting = plant.quarantine.untold(time.time_ns() // 1000 - left)
    for held, event in waiting:
        if plant.ledger.find(event["id"]) is None:
            plant.ledger.append_now(event)
        plant.quarantine.told(held)
    exported = left_behind(plant.data_dir / EXPORTS)
    for event in exported:
        if plant.ledger.find(event["id"]) is None:
            plant.ledger.append_now(event)
    return len(waiting) + len(exported)
