"""Exported decisions are valid OCSF 1.8, against the published schema."""

from typing import Any

import jsonschema_rs
import pytest

from ringwall.core import Action, CrossingKind
from ringwall.ledger.ocsf import to_ocsf
from ringwall.ledger.record import Record

ocsf = pytest.importorskip(
    "ocsf_json_schema", reason="the extra dev dependency ocsf-json-schema is not installed"
)


@pytest.fixture(scope="module")
def validators() -> dict[int, Any]:
    schemas = ocsf.OcsfJsonSchemaEmbedded(ocsf.get_ocsf_schema("1.8.0"))
    profiles = ["ai_operation", "security_control"]
    return {
        uid: jsonschema_rs.validator_for(schemas.get_class_schema(name, profiles=profiles))
        for uid, name in ((6003, "api_activity"), (6005, "datastore_activity"))
    }


def record(**fields: Any) -> Record:
    event = {
        "id": "dec_1",
        "type": "decision",
        "at": 1_700_000_000_123_456,
        "boundary": "interface",
        "kind": "request",
        "application": "assistant",
        "subject": "casey",
        "tenant": "brightlamp",
        "session": "ses_1",
        "endpoint": "chat.completions",
        "turn": "trn_1",
        "policy": "abc",
        "mode": "enforce",
        "action": "block",
        "would": "block",
        "lines": [{"control": "interface.injection", "status": "evaluated", "rules": ["r2", "r1"]}],
    }
    return Record(7, {**event, **fields}, {"text": "private words"}, b"h" * 32)


@pytest.mark.parametrize("kind", [*map(str, CrossingKind), "of the future"])
@pytest.mark.parametrize("action", [*map(str, Action), ""])
def test_every_kind_and_action_is_valid(validators: dict[int, Any], kind: str, action: str) -> None:
    event = to_ocsf(record(kind=kind, action=action), "0.1.0")
    assert event
    assert event["class_uid"] == (6005 if kind in ("contribution", "retrieval", "export") else 6003)
    errors = [error.message for error in validators[event["class_uid"]].iter_errors(event)]
    assert not errors, errors


def test_sparse_and_hostile_events_are_valid(validators: dict[int, Any]) -> None:
    for odd in (None, 7, [], {"a": 1}):
        fields = dict.fromkeys(
            ("at", "kind", "application", "subject", "session", "turn", "lines", "policy"), odd
        )
        event = to_ocsf(record(**fields))
        assert event and not list(validators[6003].iter_errors(event))
    event = to_ocsf(Record(0, {"type": "decision"}, None, b""))
    assert event and not list(validators[6003].iter_errors(event))


def test_the_validator_can_fail(validators: dict[int, Any]) -> None:
    event = to_ocsf(record())
    assert event
    assert list(validators[6003].iter_errors({**event, "severity_id": 50}))
    assert list(validators[6003].iter_errors({k: v for k, v in event.items() if k != "actor"}))


def test_what_is_said() -> None:
    event = to_ocsf(record())
    assert event and event["time"] == 1_700_000_000_123 and event["metadata"]["sequence"] == 7
    assert (event["action"], event["disposition"], event["status"]) == ("Denied", "Blocked", "Failure")
    assert event["status_detail"] == "r1, r2" and event["actor"]["user"]["uid"] == "casey"
    assert "private words" not in str(event)
    assert to_ocsf(record(type="erasure")) is None
