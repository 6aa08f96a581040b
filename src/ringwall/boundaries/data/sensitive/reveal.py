"""What a token stands for, for whoever holds a role for it; each time on the ledger."""

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from ringwall.core import DataError, DeniedError, Principal

from ..events import event
from ..settings import CollectionSettings, DataSection
from .consent import Consents, matter
from .spans import CLASSES
from .tokens import TokenKeys, names, read_opaque

SCOPE = "reveal"
"""What a credential has to be good for."""
Record = Callable[[Mapping[str, Any]], Awaitable[None]]
"""Puts an event on the ledger; returns when it is there."""


class Revealer:
    """Opens tokens. What is asked for is on the ledger before anybody sees it."""

    def __init__(self, section: DataSection, keys: TokenKeys, consents: Consents, record: Record) -> None:
        self._section = section
        self._keys = keys
        self._consents = consents
        self._record = record

    async def reveal(
        self, collection: str, token: str, by: Principal, *, cls: str = "", generation: int = 0
    ) -> str | None:
        """The value; None when a second person has to ``allow`` it first, which is now asked for. ``cls`` and
        ``generation`` are for tokens in the format of their values, which say neither; default for the
        latter: the newest.

        Raises DeniedError for who holds no role of ``revealers`` or a credential for something else,
        DataError when it is no token of the collection or its key was erased.
        """
        settings = await self._checked(collection, token, by, cls, generation)
        read = read_opaque(token, names(CLASSES))
        if read is not None:
            value = self._keys.tokens(collection, read.generation).open(token, read.cls)
            cls, generation = read.cls, read.generation
        else:
            generation = generation or max(self._keys.generations(collection), default=0)
            value = self._unlike(collection, settings, token, cls, generation)
        second = ""
        if settings.sensitive.two_person:
            second = self._consents.take(matter("reveal", collection, token), by)
            if not second:
                self._consents.ask(matter("reveal", collection, token), by)
                await self._note("data.reveal-asked", collection, token, by, cls, generation)
                return None
        await self._note("data.revealed", collection, token, by, cls, generation, second=second)
        return value

    async def allow(self, collection: str, token: str, by: Principal) -> str:
        """Lets who asked for this token see what it stands for, once; who that is. Raises as ``reveal``, and
        DataError when nobody else asked within the last day."""
        await self._checked(collection, token, by, "", 0)
        asker = self._consents.allow(matter("reveal", collection, token), by)
        await self._note("data.reveal-allowed", collection, token, by, "", 0, asked=asker)
        return asker

    async def _checked(
        self, collection: str, token: str, by: Principal, cls: str, generation: int
    ) -> CollectionSettings:
        settings = self._section.collections.get(collection)
        if settings is None:
            raise DataError(f"There is no collection {collection!r}.")
        if not by.authenticated or not by.roles & set(settings.sensitive.revealers):
            why = "it takes a role of revealers"
        elif not by.grant.allows(SCOPE):
            why = f"the credential is not good for {SCOPE}"
        else:
            return settings
        await self._note("data.reveal-denied", collection, token, by, cls, generation)
        raise DeniedError(f"{by.subject} may not open tokens of {collection}: {why}.", "")

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
        self, kind: str, collection: str, token: str, by: Principal, cls: str, generation: int, **more: str
    ) -> None:
        digest = hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()[:32]
        facts = {"collection": collection, "class": cls, "generation": generation, "token": digest, **more}
        await self._record(event(kind, by, **facts))
