"""Who gets to tokens and to their keys: a role that the collection names, a credential for just that."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any

from ringwall.core import DataError, Principal

from ..settings import CollectionSettings, DataSection

Record = Callable[[Mapping[str, Any]], Awaitable[None]]
"""Puts an event on the ledger; returns when it is there."""


def settings_of(section: DataSection, collection: str) -> CollectionSettings:
    """Raises DataError when there is no such collection."""
    settings = section.collections.get(collection)
    if settings is None:
        raise DataError(f"There is no collection {collection!r}.")
    return settings


def refusal(by: Principal, roles: Collection[str], setting: str, scope: str) -> str:
    """Why somebody may not, as the end of a sentence; empty when they may. ``setting``: where ``roles``
    stand; ``scope``: what the credential has to be good for."""
    if not by.authenticated or not by.roles & set(roles):
        return f"it takes a role of {setting}"
    return "" if by.grant.allows(scope) else f"the credential is not good for {scope}"
