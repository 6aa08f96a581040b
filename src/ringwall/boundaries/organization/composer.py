"""Threat Composer's exchange format (``.tc.json``, schema 1): out and in.

Its limits hold here: ids are UUIDs, tags have at most 30 characters, contents at most 1,000. What it has no
field for travels as ``custom:`` metadata, which the tool keeps.
"""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from pydantic import ValidationError

from ringwall.core import DataError, Declaration

from .catalogue import TAGS
from .status import Status, ThreatStatus
from .threats import Threat, ThreatModel

_SPACE = uuid.UUID("6f3a1b0e-7c55-5d0b-9a54-0d7f6f0f7a11")
"""Names this project's ids; any fixed value would do, this one must not change."""
_MOST_BYTES = 16 * 1_048_576
_SETTLED = (Status.PROVEN,)


def export_composer(
    workload: str,
    model: ThreatModel,
    statuses: Sequence[ThreatStatus],
    declarations: Mapping[str, Declaration],
) -> dict[str, Any]:
    """The model as a Threat Composer workspace. The same model gives the same ids each time."""
    found = {row.threat.id: row for row in statuses}
    controls = list(dict.fromkeys(name for threat in model.threats for name in threat.mitigations))
    return {
        "schema": 1,
        "applicationInfo": {"name": workload[:200], "description": "Exported by Ringwall."},
        "assumptions": [
            {
                "id": _id("assumption", text),
                "numericId": number,
                "displayOrder": number,
                "content": text,
                "tags": [],
            }
            for number, text in enumerate(model.assumptions, 1)
        ],
        "mitigations": [
            _mitigation(number, name, declarations.get(name), statuses)
            for number, name in enumerate(controls, 1)
        ],
        "assumptionLinks": [],
        "mitigationLinks": [
            {"mitigationId": _id("control", name), "linkedId": _id("threat", threat.id)}
            for threat in model.threats
            for name in threat.mitigations
        ],
        "threats": [
            _threat(number, threat, found.get(threat.id)) for number, threat in enumerate(model.threats, 1)
        ],
    }


def import_composer(raw: bytes) -> ThreatModel:
    """The threats of a ``.tc.json``, as far as they use the grammar; mitigations that name a control of
    ours come along. Tags of other lists are left out. Raises DataError."""
    if len(raw) > _MOST_BYTES:
        raise DataError("The Threat Composer file is larger than 16 MiB.")
    try:
        data = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise DataError("The Threat Composer file is not valid JSON.") from None
    if not isinstance(data, dict) or data.get("schema") != 1:
        raise DataError("This is no Threat Composer file of schema 1.")
    controls = {_text(item, "id"): _custom(item, "control") for item in _items(data, "mitigations")}
    links: dict[str, list[str]] = {}
    for link in _items(data, "mitigationLinks"):
        control = controls.get(_text(link, "mitigationId"), "")
        if control:
            links.setdefault(_text(link, "linkedId"), []).append(control)
    try:
        return ThreatModel(
            threats=tuple(
                _read(number, item, links.get(_text(item, "id"), []))
                for number, item in enumerate(_items(data, "threats"), 1)
                if _text(item, "threatSource") and _text(item, "threatAction")
            ),
            assumptions=tuple(
                text for item in _items(data, "assumptions") if (text := _text(item, "content"))
            ),
        )
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(step) for step in first["loc"])
        raise DataError(f"The Threat Composer file can't be taken over: {place}: {first['msg']}") from None


def _threat(number: int, threat: Threat, row: ThreatStatus | None) -> dict[str, Any]:
    status = row.status if row else Status.NONE
    return {
        "id": _id("threat", threat.id),
        "numericId": number,
        "displayOrder": number,
        "threatSource": threat.source,
        "prerequisites": threat.prerequisite,
        "threatAction": threat.action,
        "threatImpact": threat.impact,
        "impactedGoal": list(threat.goals),
        "impactedAssets": list(threat.assets),
        "statement": threat.statement[:1400],
        "tags": [tag[:30] for tag in threat.tags],
        "status": "threatResolved" if status in _SETTLED else "threatIdentified",
        "metadata": [
            {"key": "custom:id", "value": threat.id},
            {"key": "custom:stride", "value": list(threat.stride)},
            {"key": "custom:status", "value": str(status)},
            {"key": "Comments", "value": (row.why if row else "No evidence.")[:1000]},
        ],
    }


def _mitigation(
    number: int, name: str, declared: Declaration | None, statuses: Sequence[ThreatStatus]
) -> dict[str, Any]:
    seen = [row.status for status in statuses for row in status.controls if row.control == name]
    proven = bool(seen) and all(status is Status.PROVEN for status in seen)
    return {
        "id": _id("control", name),
        "numericId": number,
        "displayOrder": number,
        "content": f"{name}: {declared.summary}"[:1000] if declared else name,
        "tags": [str(declared.boundary)] if declared else [],
        "status": "mitigationResolved" if proven else "mitigationInProgress",
        "metadata": [{"key": "custom:control", "value": name}],
    }


def _read(number: int, item: Mapping[str, Any], mitigations: list[str]) -> Threat:
    return Threat(
        id=_custom(item, "id") or f"TC{_text(item, 'numericId') or number}",
        source=_text(item, "threatSource"),
        prerequisite=_text(item, "prerequisites"),
        action=_text(item, "threatAction"),
        impact=_text(item, "threatImpact") or "harm that is not spelled out",
        goals=tuple(_strings(item.get("impactedGoal"))),
        assets=tuple(_strings(item.get("impactedAssets"))),
        stride=tuple(_stride(item)),
        tags=tuple(tag for tag in _strings(item.get("tags")) if tag in TAGS),
        mitigations=tuple(dict.fromkeys(mitigations)),
    )


def _stride(item: Mapping[str, Any]) -> list[str]:
    """Ours under ``custom:stride``, the tool's own under ``STRIDE``."""
    for entry in _items(item, "metadata"):
        if entry.get("key") in ("custom:stride", "STRIDE"):
            return [letter for letter in _strings(entry.get("value")) if letter in "STRIDE"]
    return []


def _custom(item: Mapping[str, Any], name: str) -> str:
    for entry in _items(item, "metadata"):
        if entry.get("key") == f"custom:{name}":
            return _text(entry, "value")
    return ""


def _items(data: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    given = data.get(key)
    return [item for item in given if isinstance(item, dict)] if isinstance(given, list) else []


def _text(item: Mapping[str, Any], key: str) -> str:
    value = item.get(key)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else ""


def _strings(given: Any) -> list[str]:
    return [text for text in given if isinstance(text, str) and text] if isinstance(given, list) else []


def _id(kind: str, name: str) -> str:
    return str(uuid.uuid5(_SPACE, f"{kind} {name}"))
