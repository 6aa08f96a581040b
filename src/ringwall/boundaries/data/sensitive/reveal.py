"""What a token stands for, for whoever holds a role for it; each time on the ledger."""

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from ringwall.core import DataError, DeniedError, Principal

from ..events import event
from ..settings import CollectionSettings, DataSection
from .spans import CLASSES
from .tokens import TokenKeys, names, read_opaque

Record = Callable[[Mapping[str, Any]], Awaitable[None]]
"""Puts an event on the ledger; returns when it is there."""


class Revealer:
    """Opens tokens. What is asked for is on the ledger before anybody sees it."""

    def __init__(self, section: DataSection, keys: TokenKeys, record: Record) -> None:
        self._section = section
        self._keys = keys
        self._record = record

    async def reveal(
        self, collection: str, token: str, by: Principal, *, cls: str = "", generation: int = 0
    ) -> str:
        """The value. ``cls`` and ``generation`` are for tokens in the format of their values, which say
        neither; default for the latter: the newest.

        Raises DeniedError for who holds no role of ``revealers``, DataError when it is no token of the
        collection or its key was erased.
        """
        settings = self._section.collections.get(collection)
        if settings is None:
            raise DataError(f"There is no collection {collection!r}.")
        if not by.authenticated or not by.roles & set(settings.sensitive.revealers):
            await self._note("data.reveal-denied", collection, token, by, cls, generation)
            raise DeniedError(
                f"{by.subject} may not open tokens of {collection}: it takes a role of revealers.", ""
            )
        read = read_opaque(token, names(CLASSES))
        if read is not None:
            value = self._keys.tokens(collection, read.generation).open(token, read.cls)
            cls, generation = read.cls, read.generation
        else:
            generation = generation or max(self._keys.generations(collection), default=0)
            value = self._unlike(collection, settings, token, cls, generation)
        await self._note("data.revealed", collection, token, by, cls, generation)
        return value

    def _unlike(
        self, collection: str, settings: CollectionSettings, token: str, cls: str, generation: int
    ) -> str:
        handling = settings.sensitive.handling(cls)
        if cls not in CLASSES or handling.format != "same":
            raise DataError(
                "This is no opaque token. For one in the format of its value name its class, which has to be "
                "tokenised with format: same."
            )
        tokens = self._keys.tokens(collection, generation)
        return tokens.unlike(token, cls, keep_last=handling.keep_last, luhn=handling.luhn)

    async def _note(
        self, kind: str, collection: str, token: str, by: Principal, cls: str, generation: int
    ) -> None:
        digest = hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()[:32]
        facts = {"collection": collection, "class": cls, "generation": generation, "token": digest}
        await self._record(event(kind, by, **facts))
