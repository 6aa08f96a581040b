"""Events of the data boundary on the ledger."""

import time
from typing import Any

from ringwall.core import Principal, new_id


def event(kind: str, by: Principal, **facts: Any) -> dict[str, Any]:
    """``facts`` hold nothing that a person wrote."""
    head = {"id": new_id("dat"), "type": kind, "at": time.time_ns() // 1000, "boundary": "data"}
    return {**head, "subject": by.subject, "tenant": by.tenant, **facts}
