"""A call that was let through, and the arguments that it is made with."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ringwall.boundaries.application.registry import Manifest
from ringwall.boundaries.application.strict_json import canonical, read_arguments
from ringwall.core import Part


@dataclass(frozen=True, slots=True)
class Grant:
    """A call that may be made, once, with these arguments."""

    call: Part
    changed: bool
    """Whether a person put other arguments into it."""
    defaults: Mapping[str, Any]
    """Arguments that say what the manifest says for them: as if they had been left out."""

    @property
    def arguments(self) -> Mapping[str, Any]:
        """As they are to be used: with the values of placeholders, and with what an approver amended."""
        return {**self.defaults, **self.call.data}


def apart(arguments: str, tool: Manifest | None) -> tuple[str, Mapping[str, Any]]:
    """Without the arguments that a framework filled in from the manifest's own defaults, and these."""
    read = read_arguments(arguments)
    properties = tool.parameters.get("properties", {}) if tool and not read.problem else {}
    defaults = {
        name: value
        for name, value in read.data.items()
        if isinstance(facts := properties.get(name), Mapping)
        and "default" in facts
        and canonical(value) == canonical(facts["default"])
    }
    if not defaults:
        return arguments, {}
    return canonical({name: value for name, value in read.data.items() if name not in defaults}), defaults
