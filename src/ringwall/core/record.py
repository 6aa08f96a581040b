"""A decision as it goes on the ledger: a public event, and a body that is encrypted under the subject's key.

The event holds nothing that a person wrote. Its values are strings, integers, booleans, lists and objects
(no floats), so that its canonical form (RFC 8785) is unambiguous.
"""

import time
from collections.abc import Mapping
from typing import Any

from .crossing import Crossing, CrossingKind, Part
from .decision import Decision, Line
from .ids import new_id
from .label import Label
from .verdict import Edit, Finding


def decision_event(decision: Decision, turn: str = "", crossing: Crossing | None = None) -> dict[str, Any]:
    """The public part. ``turn`` joins the decisions of one request to the gateway. Given the ``crossing`` of
    a retrieval, it names the passages that went on: an answer can be traced to what it rests on."""
    return {
        "id": decision.id,
        "type": "decision",
        "at": decision.at,
        "boundary": str(decision.boundary),
        "kind": str(decision.kind),
        "application": decision.application,
        "subject": decision.subject,
        "tenant": decision.tenant,
        "actor": decision.actor,
        "session": decision.session,
        "endpoint": decision.endpoint,
        "turn": turn,
        "policy": decision.policy,
        "mode": str(decision.mode),
        "action": str(decision.action),
        "would": str(decision.would),
        "elapsed_us": decision.elapsed_us,
        "lines": [_line(line) for line in decision.lines],
        **(_passages(decision, crossing) if crossing and crossing.kind is CrossingKind.RETRIEVAL else {}),
    }


def decision_body(decision: Decision, crossing: Crossing) -> dict[str, Any]:
    """The private part: what crossed, and where each control saw what. Of a tool call also what policies went
    by, so that the decision can be explained later: ``facts``."""
    return {
        "parts": [_part(part) for part in crossing.parts],
        "reasons": list(decision.reasons),
        **({"facts": _facts(crossing)} if crossing.kind is CrossingKind.TOOL_CALL else {}),
        "verdicts": {
            line.control: {
                "findings": [_finding(finding) for finding in line.verdict.findings],
                "edits": [_edit(edit) for edit in line.verdict.edits],
                "reasons": list(line.verdict.reasons),
            }
            for line in decision.lines
            if line.verdict and (line.verdict.findings or line.verdict.edits or line.verdict.reasons)
        },
    }


def numbered_findings(body: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """(control, finding) of a decision's body in the order in which they are met when reading: the first is
    number 1 wherever a finding is named by number."""
    found = [
        (int(finding.get("part") or 0), int(finding.get("start") or 0), control, finding)
        for control, verdict in sorted(body.get("verdicts", {}).items())
        for finding in verdict.get("findings", ())
    ]
    found.sort(key=lambda entry: entry[:3])
    return [(control, finding) for _, _, control, finding in found]


def event_record(kind: str, subject: str, tenant: str, detail: Mapping[str, Any]) -> dict[str, Any]:
    """An event that is no decision, such as ``key.created`` or ``upstream.failed``. ``detail`` holds strings
    and integers, and nothing that a person wrote."""
    return {
        "id": new_id("evt"),
        "type": kind,
        "at": time.time_ns() // 1000,
        "subject": subject,
        "tenant": tenant,
        **detail,
    }


def _passages(decision: Decision, crossing: Crossing) -> dict[str, list[str]]:
    if decision.blocked or decision.held:
        return {"passages": []}
    dropped = {edit.part for edit in decision.joined.edits if edit.drop}
    named = [part.ref for index, part in enumerate(crossing.parts) if part.ref and index not in dropped]
    return {"passages": named}


def _line(line: Line) -> dict[str, Any]:
    return {
        "control": line.control,
        "boundary": str(line.boundary),
        "status": str(line.status),
        "mode": str(line.mode),
        "action": str(line.verdict.action) if line.verdict else "",
        "counted": str(line.counted),
        "reason": line.reason,
        "treatment": line.treatment,
        "elapsed_us": line.elapsed_us,
        "rules": sorted({finding.rule for finding in line.verdict.findings}) if line.verdict else [],
    }


def _part(part: Part) -> dict[str, Any]:
    return {
        "kind": str(part.kind),
        "role": part.role,
        "name": part.name,
        "ref": part.ref,
        "text": part.text,
        **_label(part.label),
        "fresh": part.fresh,
    }


def _facts(crossing: Crossing) -> dict[str, Any]:
    """Whom the call was judged for, and what the gateway knew of it: the context of the crossing, less the
    values of arguments. Of what directories name as known, only what stands in the call."""
    context, texts = crossing.context, [part.text.casefold() for part in crossing.parts]
    session = context.get("session_labels")
    listed = _names(context.get("listed"))
    return {
        "roles": sorted(crossing.principal.roles),
        "attributes": dict(crossing.principal.attributes),
        "labels": {
            call: {str(path): _label(label) for path, label in labels.items()}
            for call, labels in _by_call(context, "provenance")
            if isinstance(labels, Mapping)
        },
        "session": _label(session) if isinstance(session, Label) else None,
        "approved": _names(context.get("approved")),
        "asked": _names(context.get("asked")),
        "listed": [name for name in listed if any(name in text for text in texts)],
        "verbatim": {call: _names(names) for call, names in _by_call(context, "verbatim")},
        "linking": {call: _names(names) for call, names in _by_call(context, "linking")},
    }


def _by_call(context: Mapping[str, Any], key: str) -> list[tuple[str, Any]]:
    found = context.get(key)
    return [(str(call), inner) for call, inner in found.items()] if isinstance(found, Mapping) else []


def _names(found: object) -> list[str]:
    return sorted(map(str, found)) if isinstance(found, (set, frozenset)) else []


def _label(label: Label) -> dict[str, Any]:
    return {
        "integrity": str(label.integrity),
        "sensitivity": sorted(label.sensitivity),
        "origin": sorted(label.origin),
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "message": finding.message,
        "part": finding.part,
        "start": finding.start,
        "end": finding.end,
        "class": finding.cls,
        "score": finding.score,
        "view": finding.view,
    }


def _edit(edit: Edit) -> dict[str, Any]:
    return {
        "part": edit.part,
        "start": edit.start,
        "end": edit.end,
        "replacement": edit.replacement,
        "drop": edit.drop,
        "yields": edit.yields,
    }
