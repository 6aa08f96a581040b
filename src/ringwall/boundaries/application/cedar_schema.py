"""The Cedar schema of a workload, generated from its tool manifests."""

import json
from typing import Any

import cedarpy

from .cedar_types import arguments_type
from .registry import Manifest, ToolRegistry
from .settings import Effect

_STRING = {"type": "String"}
_STRINGS = {"type": "Set", "element": _STRING}
_BOOLEAN = {"type": "Boolean"}


def cedar_schema(registry: ToolRegistry) -> dict[str, Any]:
    """In Cedar's JSON form. One action per tool, in the group ``effect/<effect>``."""
    groups: dict[str, Any] = {f"effect/{effect}": {} for effect in Effect}
    return {
        "": {
            "entityTypes": _ENTITY_TYPES,
            "actions": {**groups, **{tool.name: _action(tool) for tool in registry}},
        }
    }


def parsed_schema(registry: ToolRegistry) -> cedarpy.Schema:
    return cedarpy.Schema.from_json_str(json.dumps(cedar_schema(registry)))


def _record(**attributes: Any) -> dict[str, Any]:
    return {"type": "Record", "attributes": attributes}


_ENTITY_TYPES: dict[str, Any] = {
    "Role": {},
    "User": {
        "memberOfTypes": ["Role"],
        "shape": _record(subject=_STRING, tenant=_STRING, may_approve=_STRINGS),
        "tags": _STRING,
    },
    "Tool": {
        "shape": _record(
            name=_STRING,
            effect=_STRING,
            reversible=_BOOLEAN,
            open=_BOOLEAN,
            roles={"type": "Set", "element": {"type": "Entity", "name": "Role"}},
        )
    },
}


def _action(tool: Manifest) -> dict[str, Any]:
    declared = arguments_type(tool.parameters)
    arguments = {
        name: {
            **_record(
                value=kind.schema(), integrity=_STRING, origin=_STRINGS, sensitivity=_STRINGS, known=_BOOLEAN
            ),
            "required": name in declared.required,
        }
        for name, kind in declared.fields.items()
    }
    context = _record(
        args={"type": "Record", "attributes": arguments},
        approved=_BOOLEAN,
        asked=_BOOLEAN,
        links=_record(untrusted=_BOOLEAN),
        restricted=_BOOLEAN,
        sensitivity=_STRINGS,
        session=_record(untrusted=_BOOLEAN, private=_BOOLEAN),
        target=_record(
            present=_BOOLEAN,
            known=_BOOLEAN,
            named=_BOOLEAN,
            sure=_BOOLEAN,
            untrusted=_BOOLEAN,
            verbatim=_BOOLEAN,
        ),
    )
    return {
        "memberOf": [{"id": f"effect/{tool.effect}"}],
        "appliesTo": {"principalTypes": ["User"], "resourceTypes": ["Tool"], "context": context},
    }
