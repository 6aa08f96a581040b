"""Who begins a new generation of token keys, and who destroys one; each time on the ledger."""

from ringwall.core import DeniedError, Principal

from ..events import event
from ..settings import CollectionSettings, DataSection
from .consent import Consents, matter
from .doors import Record, refusal, settings_of
from .tokens import TokenKeys

SCOPE = "token-keys"
"""What a credential has to be good for."""


class Keepers:
    """The door to the keys of tokens."""

    def __init__(self, section: DataSection, keys: TokenKeys, consents: Consents, record: Record) -> None:
        self._section = section
        self._keys = keys
        self._consents = consents
        self._record = record

    async def rotate(self, collection: str, by: Principal) -> int:
        """The number of the new generation. Raises as ``erase``."""
        await self._checked(collection, by, "rotate")
        generation = self._keys.rotate(collection)
        await self._note("data.token-key-rotated", collection, by, generation)
        return generation

    async def erase(self, collection: str, generation: int, by: Principal) -> bool:
        """Whether it is done. With two persons asked for, the first one only asks, and the second one, who
        asks for the same within a day, does it. It is on the ledger before the key is gone.

        Raises DeniedError for who holds no role of ``token_keepers`` or a credential for something else,
        DataError when there is no such generation, or it was erased.
        """
        settings = await self._checked(collection, by, "erase")
        self._keys.tokens(collection, generation)
        first = ""
        if settings.two_person or settings.sensitive.two_person:
            wanted = matter("erase", collection, generation)
            first = self._consents.waiting(wanted, by)
            if not first:
                self._consents.ask(wanted, by)
                await self._note("data.token-key-erasure-asked", collection, by, generation)
                return False
            self._consents.allow(wanted, by)
        await self._note("data.token-key-erased", collection, by, generation, asked=first)
        self._keys.erase(collection, generation)
        return True

    async def _checked(self, collection: str, by: Principal, deed: str) -> CollectionSettings:
        settings = settings_of(self._section, collection)
        why = refusal(by, settings.sensitive.token_keepers, "token_keepers", SCOPE)
        if not why:
            return settings
        await self._note("data.token-key-denied", collection, by, 0, deed=deed)
        raise DeniedError(f"{by.subject} may not {deed} keys of tokens of {collection}: {why}.", "")

    async def _note(self, kind: str, collection: str, by: Principal, generation: int, **facts: str) -> None:
        await self._record(event(kind, by, collection=collection, generation=generation, **facts))
