"""What a process that was killed left undone, taken up by the next one that opens the data directory."""

import time

from .plant import Plant

_LEFT_US = 60_000_000
"""Younger than that, whoever decided is about to put it on the ledger themselves."""


def catch_up(plant: Plant, left: int = _LEFT_US) -> int:
    """Put decisions about quarantined data on the ledger that are in force and not on it; how many there
    were. ``left``: microseconds after which nobody else is on it any more."""
    waiting = plant.quarantine.untold(time.time_ns() // 1000 - left)
    for held, event in waiting:
        if plant.ledger.find(event["id"]) is None:
            plant.ledger.append_now(event)
        plant.quarantine.told(held)
    return len(waiting)
