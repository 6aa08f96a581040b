"""What a token stands for, for whoever holds a role for it; each time on the ledger."""

import contextlib
import hashlib

from ringwall.core import DataError, DeniedError, Principal

from ..document import COMMON
from ..events import event
from ..settings import CollectionSettings, DataSection
from .consent import Consents, matter
from .doors import Record, refusal, settings_of
from .spans import CLASSES
from .tokens import Opaque, TokenKeys, Tokens, names, read_opaque

SCOPE = "reveal"
"""What a credential has to be good for."""


class Revealer:
    """Opens tokens. What is asked for is on the ledger before anybody sees it."""

    def __init__(self, section: DataSection, keys: TokenKeys, consents: Consents, record: Record) -> None:
        self._section = section
        self._keys = keys
        self._consents = consents
        self._record = record

    async def reveal(
        self,
        collection: str,
        token: str,
        by: Principal,
        *,
        cls: str = "",
        generation: int = 0,
        common: bool = False,
    ) -> str | None:
        """The value, of one's own tenant or of all where tenants are apart; None when a second person has to
        ``allow`` it first, which is now asked for. ``cls``, ``generation`` and ``common`` (it is of what
        belongs to all tenants) are for tokens in the format of their values, which say none of it; default
        generation: the newest.

        Raises DeniedError for who holds no role of ``revealers`` or a credential for something else,
        DataError when it is no token of the collection or its key was erased.
        """
        settings = await self._checked(collection, token, by, cls, generation)
        read = read_opaque(token, names(CLASSES))
        if read is not None:
            value = self._opened(collection, settings, token, by, read)
            cls, generation = read.cls, read.generation
        else:
            generation = generation or max(self._keys.generations(collection), default=0)
            tenant = by.tenant if settings.isolate_tenants and not common else COMMON
            tokens = self._keys.tokens(collection, generation, tenant)
            value = _unlike(tokens, settings, token, cls)
        second = ""
        if settings.sensitive.two_person:
            asked = _matter(settings, collection, token, by)
            second = self._consents.take(asked, by)
            if not second:
                self._consents.ask(asked, by)
                await self._note("data.reveal-asked", collection, token, by, cls, generation)
                return None
        await self._note("data.revealed", collection, token, by, cls, generation, second=second)
        return value

    async def allow(self, collection: str, token: str, by: Principal) -> str:
        """Lets who asked for this token see what it stands for, once; who that is. Raises as ``reveal``, and
        DataError when nobody else asked within the last day."""
        settings = await self._checked(collection, token, by, "", 0)
        asker = self._consents.allow(_matter(settings, collection, token, by), by)
        await self._note("data.reveal-allowed", collection, token, by, "", 0, asked=asker)
        return asker

    async def _checked(
        self, collection: str, token: str, by: Principal, cls: str, generation: int
    ) -> CollectionSettings:
        settings = settings_of(self._section, collection)
        why = refusal(by, settings.sensitive.revealers, "revealers", SCOPE)
        if not why:
            return settings
        await self._note("data.reveal-denied", collection, token, by, cls, generation)
        raise DeniedError(f"{by.subject} may not open tokens of {collection}: {why}.", "")

    def _opened(
        self, collection: str, settings: CollectionSettings, token: str, by: Principal, read: Opaque
    ) -> str:
        if settings.isolate_tenants:
            with contextlib.suppress(DataError):
                return self._keys.tokens(collection, read.generation, by.tenant).open(token, read.cls)
        return self._keys.tokens(collection, read.generation).open(token, read.cls)

    async def _note(
        self, kind: str, collection: str, token: str, by: Principal, cls: str, generation: int, **more: str
    ) -> None:
        digest = hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()[:32]
        facts = {"collection": collection, "class": cls, "generation": generation, "token": digest, **more}
        await self._record(event(kind, by, **facts))


def _matter(settings: CollectionSettings, collection: str, token: str, by: Principal) -> str:
    """Where tenants are apart, the second person is of the asker's."""
    tenant = by.tenant if settings.isolate_tenants else COMMON
    return matter("reveal", collection, token, tenant)


def _unlike(tokens: Tokens, settings: CollectionSettings, token: str, cls: str) -> str:
    handling = settings.sensitive.handling(cls)
    if cls not in CLASSES or handling.format != "same":
        raise DataError(
            "This is no opaque token. For one in the format of its value name its class, which has to be "
            "tokenised with format: same."
        )
    return tokens.unlike(token, cls, keep_last=handling.keep_last, luhn=handling.luhn)
