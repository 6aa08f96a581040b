"""Throwing a kill switch and putting it back: in force first, then on the ledger with who and why."""

from typing import Any

from ringwall.boundaries.application.switches import Switch, ToolSwitches
from ringwall.core import event_record

from .plant import Plant

OFF, ON = "tool.off", "tool.on"
"""Types of the events."""


def switch_off(plant: Plant, target: str, *, reason: str, by: str, tenant: str = "default") -> Switch:
    """See ``ToolSwitches.disable``; ``by`` of ``tenant``."""
    thrown = ToolSwitches(plant.database).disable(target, reason=reason, by=by)
    _note(plant, OFF, target, by, tenant, {"reason": thrown.reason})
    return thrown


def switch_on(plant: Plant, target: str, *, by: str, tenant: str = "default") -> bool:
    """False when it was not off: then nothing is on the ledger."""
    lifted = ToolSwitches(plant.database).enable(target)
    if lifted:
        _note(plant, ON, target, by, tenant, None)
    return lifted


def thrown_switches(plant: Plant) -> list[Switch]:
    return ToolSwitches(plant.database).list()


def _note(plant: Plant, kind: str, target: str, by: str, tenant: str, body: dict[str, Any] | None) -> None:
    """What a person wrote is encrypted under that person's key."""
    event = event_record(kind, by, tenant, {"boundary": "application", "target": target})
    plant.ledger.append_now(event, body, subject=f"{tenant}/{by}")
