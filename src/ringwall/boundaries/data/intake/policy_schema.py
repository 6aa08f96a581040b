"""The Cedar schema of contributions and releases, and a collection's settings as facts."""

import json
from typing import Any

import cedarpy

from ringwall.cedar import plain

from ..settings import CollectionSettings

_STRING = {"type": "String"}
_STRINGS = {"type": "Set", "element": _STRING}
_BOOLEAN = {"type": "Boolean"}
_LONG = {"type": "Long"}
_ROLES = {"type": "Set", "element": {"type": "Entity", "name": "Role"}}


def _record(**attributes: Any) -> dict[str, Any]:
    return {"type": "Record", "attributes": attributes}


_WHAT = {
    "classes": _STRINGS,
    "consented": _BOOLEAN,
    "licence": _STRING,
    "licensed": _BOOLEAN,
    "origin": _STRING,
    "process": _STRING,
}
_VERSION = _record(line=_STRING, contributors=_STRINGS, own=_BOOLEAN, tenants=_STRINGS)
"""Whose records a version would touch: names and tenants of their contributors."""
_CONTEXTS = {
    "contribute": _record(
        **_WHAT,
        chars=_LONG,
        form=_STRING,
        hidden=_BOOLEAN,
        hour=_LONG,
        marks=_STRINGS,
        seed=_BOOLEAN,
        signed=_BOOLEAN,
        weekday=_LONG,
    ),
    "approve": _record(
        **_WHAT,
        contributor=_STRING,
        rows=_LONG,
        same_credential=_BOOLEAN,
        same_person=_BOOLEAN,
    ),
    "approve_version": _VERSION,
    "merge": _VERSION,
    "roll_back": _VERSION,
}
_SCHEMA = {
    "": {
        "entityTypes": {
            "Role": {},
            "User": {
                "memberOfTypes": ["Role"],
                "shape": _record(subject=_STRING, tenant=_STRING),
                "tags": _STRING,
            },
            "Collection": {
                "shape": _record(
                    name=_STRING,
                    kind=_STRING,
                    contributors=_ROLES,
                    approvers=_ROLES,
                    readers=_ROLES,
                    licences=_STRINGS,
                    any_licence=_BOOLEAN,
                    processes=_STRINGS,
                    any_process=_BOOLEAN,
                    consent_required=_BOOLEAN,
                    signature_required=_BOOLEAN,
                    two_person=_BOOLEAN,
                    sensitivity=_STRINGS,
                )
            },
        },
        "actions": {
            name: {
                "appliesTo": {
                    "principalTypes": ["User"],
                    "resourceTypes": ["Collection"],
                    "context": context,
                }
            }
            for name, context in _CONTEXTS.items()
        },
    }
}


def parsed_schema() -> cedarpy.Schema:
    return cedarpy.Schema.from_json_str(json.dumps(_SCHEMA))


def collection_entity(name: str, settings: CollectionSettings) -> dict[str, Any]:
    return {
        "uid": {"type": "Collection", "id": name},
        "attrs": {
            "name": name,
            "kind": settings.kind,
            "contributors": _roles(settings.contributors),
            "approvers": _roles(settings.approvers or settings.contributors),
            "readers": _roles(settings.readers),
            "licences": sorted(settings.licences),
            "any_licence": not settings.licences,
            "processes": sorted(settings.processes),
            "any_process": not settings.processes,
            "consent_required": settings.consent == "required",
            "signature_required": settings.signed == "required",
            "two_person": settings.two_person,
            "sensitivity": [plain(cls) for cls in sorted(settings.sensitivity)],
        },
        "parents": [],
    }


def _roles(names: tuple[str, ...]) -> list[Any]:
    return [{"__entity": {"type": "Role", "id": name}} for name in sorted(set(names))]
