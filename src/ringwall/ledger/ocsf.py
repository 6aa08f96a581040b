"""Decisions as OCSF 1.8 events, for a SIEM or a security lake.

What crossed the data boundary (contribution, retrieval, export) is Datastore Activity (6005), every other
decision API Activity (6003), both with the profiles ``ai_operation`` and ``security_control``. Only the
public event is exported, never a body: nothing that a person wrote leaves with it.
"""

from collections.abc import Mapping
from typing import Any

from .record import Record

VERSION = "1.8.0"

_DATASTORE = {"contribution": (5, "Write"), "retrieval": (1, "Read"), "export": (1, "Read")}
_CREATE = (1, "Create")
_API = {
    "request": _CREATE,
    "response": (2, "Read"),
    "tool_offer": (2, "Read"),
    "tool_call": _CREATE,
    "tool_result": (2, "Read"),
    "egress": _CREATE,
    "model_call": _CREATE,
    "model_admission": _CREATE,
}
_ROLE = {
    "request": (1, "User"),
    "response": (2, "Assistant"),
    "tool_offer": (3, "Tool"),
    "tool_call": (2, "Assistant"),
    "tool_result": (3, "Tool"),
    "model_call": (5, "Orchestrator"),
    "retrieval": (6, "Retriever"),
}
# For each action of a decision: action_id, action, disposition_id, disposition, severity_id, severity.
_ACTION = {
    "allow": (1, "Allowed", 1, "Allowed", 1, "Informational"),
    "annotate": (3, "Observed", 15, "Detected", 2, "Low"),
    "transform": (4, "Modified", 11, "Corrected", 3, "Medium"),
    "hold": (2, "Denied", 14, "Delayed", 3, "Medium"),
    "block": (2, "Denied", 2, "Blocked", 4, "High"),
}
_UNKNOWN = (0, "Unknown", 0, "Unknown", 0, "Unknown")


def to_ocsf(record: Record, product_version: str = "") -> dict[str, Any] | None:
    """The OCSF event of a decision; None for a record of another type."""
    event = record.event
    if event.get("type") != "decision":
        return None
    kind = _text(event, "kind")
    datastore = kind in _DATASTORE
    activity, name = _DATASTORE[kind] if datastore else _API.get(kind, (99, "Other"))
    class_uid = 6005 if datastore else 6003
    found = {
        **_classification(class_uid, activity, name),
        **_outcome(event),
        **_who(event),
        "time": _milliseconds(event),
        "metadata": _metadata(record, product_version),
        "message_context": _message_context(event, kind),
        "unmapped": {
            "boundary": _text(event, "boundary"),
            "kind": kind,
            "mode": _text(event, "mode"),
            "would": _text(event, "would"),
            "controls": [_control(line) for line in _lines(event)],
            "ledger_index": record.index,
            "leaf_hash": record.leaf_hash.hex(),
        },
    }
    if datastore:
        found |= {"type_id": 2, "type": "Databucket"}
        found["databucket"] = {
            "name": _text(event, "collection") or "collection",
            "type_id": 99,
            "type": "Collection",
        }
    else:
        found["api"] = {"operation": _text(event, "endpoint") or kind, "service": {"name": "ringwall"}}
        if _text(event, "turn"):
            found["api"]["request"] = {"uid": _text(event, "turn")}
    return found


def _classification(class_uid: int, activity: int, name: str) -> dict[str, Any]:
    class_name = "Datastore Activity" if class_uid == 6005 else "API Activity"
    return {
        "category_uid": 6,
        "category_name": "Application Activity",
        "class_uid": class_uid,
        "class_name": class_name,
        "activity_id": activity,
        "activity_name": name,
        "type_uid": class_uid * 100 + activity,
        "type_name": f"{class_name}: {name}",
    }


def _outcome(event: Mapping[str, Any]) -> dict[str, Any]:
    taken = _text(event, "action")
    action_id, action, disposition_id, disposition, severity_id, severity = _ACTION.get(taken, _UNKNOWN)
    denied = action_id == 2
    reasons = sorted(
        {rule for line in _lines(event) for rule in line.get("rules") or () if isinstance(rule, str)}
    )
    found: dict[str, Any] = {
        "action_id": action_id,
        "action": action,
        "disposition_id": disposition_id,
        "disposition": disposition,
        "severity_id": severity_id,
        "severity": severity,
        "status_id": 2 if denied else 1,
        "status": "Failure" if denied else "Success",
        "status_code": taken,
        "is_alert": taken == "block",
    }
    if reasons:
        found["status_detail"] = ", ".join(reasons)
    if _text(event, "policy"):
        found["policy"] = {"uid": _text(event, "policy"), "name": "workload", "is_applied": taken != "allow"}
    return found


def _who(event: Mapping[str, Any]) -> dict[str, Any]:
    actor: dict[str, Any] = {
        "user": {"uid": _text(event, "subject") or "anonymous", "type_id": 1, "type": "User"}
    }
    if _text(event, "session"):
        actor["session"] = {"uid": _text(event, "session")}
    if _text(event, "actor"):
        actor["app_name"] = _text(event, "actor")  # the service that acted on behalf of the user
    # The ledger keeps no network addresses; the endpoint is the application that the call came through.
    return {"actor": actor, "src_endpoint": {"name": _text(event, "application") or "unknown"}}


def _metadata(record: Record, product_version: str) -> dict[str, Any]:
    event = record.event
    product = {"name": "Ringwall", "vendor_name": "Ringwall"}
    found: dict[str, Any] = {
        "version": VERSION,
        "profiles": ["ai_operation", "security_control"],
        "product": {**product, "version": product_version} if product_version else product,
        "uid": _text(event, "id"),
        "sequence": record.index,
        "log_name": "ledger",
    }
    optional = {"tenant_uid": _text(event, "tenant"), "correlation_uid": _text(event, "turn")}
    return found | {name: value for name, value in optional.items() if value}


def _message_context(event: Mapping[str, Any], kind: str) -> dict[str, Any]:
    role_id, role = _ROLE.get(kind, (99, "Other"))
    name = _text(event, "application") or "unknown"
    return {"application": {"name": name}, "ai_role_id": role_id, "ai_role": role}


def _control(line: Mapping[str, Any]) -> dict[str, Any]:
    fields = ("control", "status", "mode", "action", "counted", "treatment")
    return {field: line[field] for field in fields if isinstance(line.get(field), str) and line[field]}


def _lines(event: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    lines = event.get("lines")
    return [line for line in lines if isinstance(line, Mapping)] if isinstance(lines, list) else []


def _text(event: Mapping[str, Any], field: str) -> str:
    value = event.get(field)
    return value if isinstance(value, str) else ""


def _milliseconds(event: Mapping[str, Any]) -> int:
    at = event.get("at")
    return at // 1000 if isinstance(at, int) else 0
