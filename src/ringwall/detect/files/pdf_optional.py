"""Layers of a PDF that are switched off: optional content (ISO 32000-2, 8.11)."""

from collections.abc import Mapping, Set
from typing import Any

from .pdf_colours import mapping

_DEPTH = 8


def layers_off(root: Any) -> frozenset[int]:
    """Object numbers of the groups that a viewer does not show at first."""
    content = mapping(root.get("/OCProperties"))
    settings = mapping(content.get("/D"))
    groups = _references(content.get("/OCGs"))
    off = {one.idnum for one in _references(settings.get("/OFF"))}
    if str(settings.get("/BaseState")) == "/OFF":
        off |= {one.idnum for one in groups} - {one.idnum for one in _references(settings.get("/ON"))}
    for usage in _list(settings.get("/AS")):
        if str(mapping(usage).get("/Event")) == "/View":
            off |= {
                one.idnum for one in _references(mapping(usage).get("/OCGs")) if not _viewed(mapping(one))
            }
    return frozenset(off)


def _viewed(group: Any) -> bool:
    return str(mapping(mapping(group.get("/Usage")).get("/View")).get("/ViewState")) != "/OFF"


def hidden_layer(properties: Mapping[str, Any], number: int, off: Set[int]) -> bool:
    """Whether an optional content group, or a membership dictionary over several, is switched off."""
    if properties.get("/Type") != "/OCMD":
        return number in off
    expression = properties.get("/VE")
    if isinstance(expression, list):
        return not _visible(expression, off, 0)
    groups = properties.get("/OCGs")
    many = groups if isinstance(groups, list) else [groups] if groups is not None else []
    numbers = [getattr(one, "idnum", 0) for one in many] or [number_of(properties, "/OCGs")]
    states = [one not in off for one in numbers if one]
    if not states:
        return False
    policies = {"/AllOn": all(states), "/AnyOff": not all(states), "/AllOff": not any(states)}
    return not policies.get(str(properties.get("/P")), any(states))


def _visible(expression: Any, off: Set[int], depth: int) -> bool:
    """A visibility expression (8.11.2.2)."""
    number = getattr(expression, "idnum", 0)
    if number and not isinstance(expression.get_object(), list):
        return number not in off
    parts = list(list.__iter__(_list(expression)))
    if not parts or depth > _DEPTH:
        return True
    states = [_visible(one, off, depth + 1) for one in parts[1:]]
    return {"/And": all(states), "/Or": any(states), "/Not": not any(states)}.get(str(parts[0]), True)


def number_of(container: Any, key: Any) -> int:
    """Object number of what ``container`` refers to under ``key``; 0 for what is written in place."""
    raw = container.raw_get(key) if hasattr(container, "raw_get") and key in container else None
    return int(getattr(raw, "idnum", 0))


def _list(given: Any) -> list[Any]:
    found = given.get_object() if hasattr(given, "get_object") else given
    return found if isinstance(found, list) else []


def _references(given: Any) -> list[Any]:
    return [one for one in list.__iter__(_list(given)) if getattr(one, "idnum", 0)]
