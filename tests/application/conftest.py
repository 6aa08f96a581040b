from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from ringwall.boundaries.application.compose import PolicyServices, policy_services
from ringwall.boundaries.application.rights import ApprovalRights
from ringwall.boundaries.application.settings import ApplicationSection
from ringwall.boundaries.application.strict_json import read_arguments
from ringwall.core import USER, Application, Crossing, CrossingKind, Label, Part, PartKind, Principal
from ringwall.storage.database import Database

TOOLS: dict[str, Any] = {
    "lookup_order": {
        "description": "Look up an order.",
        "parameters": {
            "type": "object",
            "properties": {"order_id": {"type": "string"}, "verbose": {"type": "boolean"}},
            "required": ["order_id"],
        },
        "effect": "read",
        "sensitivity": ["customer-pii"],
    },
    "refund": {
        "description": "Refund an order.",
        "parameters": {
            "type": "object",
            "properties": {
                "to": {"type": "string"},
                "amount": {"type": "number", "exclusiveMinimum": 0},
                "currency": {"enum": ["EUR", "USD"], "type": "string"},
            },
            "required": ["to", "amount"],
            "additionalProperties": False,
        },
        "effect": "pay",
        "roles": ["agent", "manager"],
        "target": ["to"],
    },
    "send_email": {
        "description": "Send an e-mail.",
        "parameters": {
            "type": "object",
            "properties": {
                "to": {"type": "array", "items": {"type": "string"}},
                "subject": {"type": "string"},
                "body": {"type": "string"},
            },
            "required": ["to", "body"],
        },
        "effect": "send",
        "roles": ["agent", "manager"],
        "target": ["to"],
    },
    "fetch_page": {
        "description": "Fetch a page.",
        "parameters": {"type": "object", "properties": {"url": {"type": "string"}}, "required": ["url"]},
        "effect": "fetch",
        "target": ["url"],
    },
    "note": {
        "description": "Write a note.",
        "parameters": {
            "type": "object",
            "properties": {"path": {"type": "string"}, "text": {"type": "string"}},
        },
        "effect": "write",
        "target": ["path"],
    },
}

SECTION: dict[str, Any] = {
    "tools": TOOLS,
    "known_entities": {"email_domains": ["brightlamp.example"], "accounts": ["1001"]},
    "egress": [{"host": "help.brightlamp.example", "methods": ["GET"], "tools": ["fetch_page"]}],
}

RIGHTS = ApprovalRights({"manager": frozenset({"refund"})})


def principal(*roles: str, subject: str = "casey", tenant: str = "brightlamp") -> Principal:
    return Principal(subject, tenant, frozenset(roles), {"customer_id": "1001"}, credential="key_1")


AGENT = principal("customer", "agent")
MANAGER = principal("customer", "agent", "manager", subject="morgan")


@pytest.fixture
def section() -> ApplicationSection:
    return ApplicationSection.model_validate(SECTION)


@pytest.fixture
def services(section: ApplicationSection) -> PolicyServices:
    return policy_services(section, RIGHTS)


@pytest.fixture
def application() -> Application:
    return Application("assistant", tools=tuple(TOOLS))


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(tmp_path / "state.db")


def call_part(tool: str, arguments: Mapping[str, Any], ref: str = "call_1") -> Part:
    import json

    read = read_arguments(json.dumps(arguments))
    return Part(PartKind.TOOL_CALL, read.text, USER, "assistant", tool, read.data, ref)


def raw_part(tool: str, raw: str, ref: str = "call_1") -> Part:
    """As the gateway builds it from what a model wrote."""
    read = read_arguments(raw)
    return Part(PartKind.TOOL_CALL, read.text, USER, "assistant", tool, read.data, ref)


def tool_call(
    tool: str,
    arguments: Mapping[str, Any],
    labels: Mapping[str, Label] | Label = USER,
    *,
    by: Principal = AGENT,
    session: Label | None = USER,
    approved: bool = False,
    ref: str = "call_1",
    **context: Any,
) -> Crossing:
    by_path = dict.fromkeys(arguments, labels) if isinstance(labels, Label) else dict(labels)
    facts: dict[str, Any] = {
        "provenance": {ref: by_path},
        "approved": frozenset({ref}) if approved else frozenset(),
        **({"session_labels": session} if session else {}),
        **context,
    }
    return Crossing(
        CrossingKind.TOOL_CALL,
        by,
        (call_part(tool, arguments, ref),),
        application="assistant",
        session="s1",
        context=facts,
    )


Make = Callable[..., Crossing]


@pytest.fixture(name="tool_call")
def _tool_call() -> Make:
    return tool_call


@pytest.fixture(name="raw_part")
def _raw_part() -> Callable[..., Part]:
    return raw_part
