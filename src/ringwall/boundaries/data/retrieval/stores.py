"""The stores that there are, by kind."""

from collections.abc import Callable

from ringwall.storage.database import Database

from ..keys import CollectionKeys, Sealer
from .chosen import ChosenStore
from .embedded import Index
from .settings import RetrievalSettings
from .store import RetrievalStore

CLAIM_KEY = "retrieval claims"
"""Purpose of the key under which principals are vouched for to PostgreSQL."""


def retrieval_store(
    db: Database, envelope: Sealer, keys: CollectionKeys, derive: Callable[[str], bytes]
) -> ChosenStore:
    """The embedded store until the workload asks for another. ``derive``: a secret for a purpose."""

    def embedded(settings: RetrievalSettings) -> RetrievalStore:
        return Index(db, envelope, keys)

    def postgres(settings: RetrievalSettings) -> RetrievalStore:
        from .postgres.store import PostgresStore  # noqa: PLC0415 -- asyncpg is an extra

        return PostgresStore(settings, envelope, keys, derive(CLAIM_KEY))

    return ChosenStore({"sqlite": embedded, "postgres": postgres})
