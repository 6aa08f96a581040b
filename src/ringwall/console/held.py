"""A hold with what its card shows."""

from collections.abc import Mapping
from typing import Any

from .argument_view import argument_lines, changes, editable
from .shown import HoldInfo


def view(hold: HoldInfo) -> Mapping[str, Any]:
    """For the templates of ``held.html``."""
    return {
        "hold": hold,
        "lines": argument_lines(hold.arguments, hold.doubtful),
        "changes": changes(hold.arguments, hold.amended) if hold.amended is not None else [],
        "editable": editable(hold.arguments),
    }
