"""What the writing role does: documents in and out, access tables, in transactions of the caller."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import orjson
from numpy import float32
from numpy.typing import NDArray

from ...document import Access
from ...settings import CollectionSettings
from ..chunk import Prepared
from ..embedding import DIMENSIONS
from .words import vector_of


async def write_collections(owner: Any, collections: Mapping[str, CollectionSettings]) -> None:
    """Make the access tables say what the workload file says, where they don't."""
    want = {
        (name, settings.isolate_tenants, role)
        for name, settings in collections.items()
        for role in settings.readers or ("",)
    }
    rows = await owner.fetch(
        "SELECT c.name, c.isolated, coalesce(r.role, '') AS role FROM ringwall.collection c "
        "LEFT JOIN ringwall.collection_reader r ON r.collection = c.name"
    )
    if want == {(row["name"], row["isolated"], row["role"]) for row in rows}:
        return
    async with owner.transaction():
        await owner.execute("LOCK TABLE ringwall.collection IN SHARE ROW EXCLUSIVE MODE")
        await owner.execute("DELETE FROM ringwall.collection")
        for name, settings in collections.items():
            isolated = settings.isolate_tenants
            await owner.execute("INSERT INTO ringwall.collection VALUES ($1, $2)", name, isolated)
            for role in set(settings.readers):
                insert = "INSERT INTO ringwall.collection_reader VALUES ($1, $2)"
                await owner.execute(insert, name, role)


async def replace(owner: Any, collection: str, put: Iterable[Prepared], removed: Iterable[str]) -> list[int]:
    """The keys of what was put. Call inside a transaction."""
    prepared = list(put)
    gone = [*removed, *(one.document.id for one in prepared)]
    await owner.execute(
        "DELETE FROM ringwall.document WHERE collection = $1 AND document = ANY ($2::text[])",
        collection,
        gone,
    )
    return [await _put(owner, one) for one in prepared]


async def _put(owner: Any, prepared: Prepared) -> int:
    document = prepared.document
    access = await _class(owner, document.collection, document.access)
    key = await owner.fetchval(
        "INSERT INTO ringwall.document (class, collection, document, revision, owner) "
        "VALUES ($1, $2, $3, $4, $5) RETURNING id",
        *(access, document.collection, document.id, document.revision, prepared.owner),
    )
    passages = prepared.passages
    rows = await owner.fetch(
        "INSERT INTO ringwall.passage (document, class, ordinal, sealed) "
        "SELECT $1, $2, ordinal - 1, sealed FROM unnest($3::bytea[]) WITH ORDINALITY AS t (sealed, ordinal) "
        "RETURNING id, ordinal",
        *(key, access, [passage.sealed for passage in passages]),
    )
    ids = [row["id"] for row in sorted(rows, key=lambda row: row["ordinal"])]
    await owner.execute(
        "INSERT INTO ringwall.words SELECT passage, $1, words::tsvector "
        "FROM unnest($2::bigint[], $3::text[]) AS t (passage, words)",
        *(access, ids, [vector_of(passage, access) for passage in passages]),
    )
    if prepared.vectors is not None:
        await owner.execute(
            f"INSERT INTO ringwall.code SELECT passage, $1, code::bit({DIMENSIONS}) "  # noqa: S608 -- a number
            "FROM unnest($2::bigint[], $3::text[]) AS t (passage, code)",
            *(access, ids, [signs_text(row) for row in prepared.vectors]),
        )
        await owner.execute(
            "INSERT INTO ringwall.vector SELECT passage, $1, vector::halfvec "
            "FROM unnest($2::bigint[], $3::text[]) AS t (passage, vector)",
            *(access, ids, [vector_text(row) for row in prepared.vectors]),
        )
    return int(key)


async def _class(owner: Any, collection: str, access: Access) -> int:
    """The access class of a list, made when it is the first of its kind. It stays when its last document
    goes: another transaction may be about to use it."""
    readers = readers_of(access)
    place = (collection, access.tenant, list_of(access))
    find = "SELECT id FROM ringwall.access_class WHERE collection = $1 AND tenant = $2 AND list = $3"
    known = await owner.fetchval(find, *place)
    if known is not None:
        return int(known)
    made = await owner.fetchval(
        "INSERT INTO ringwall.access_class (collection, tenant, list, listed) VALUES ($1, $2, $3, $4) "
        "ON CONFLICT DO NOTHING RETURNING id",
        *(*place, not access.open),
    )
    if made is None:  # another one made it in the meantime
        return int(await owner.fetchval(find, *place))
    if readers:
        await owner.executemany(
            "INSERT INTO ringwall.class_reader VALUES ($1, $2, $3)",
            [(kind, name, made) for kind, name in readers],
        )
    return int(made)


def readers_of(access: Access) -> list[tuple[str, str]]:
    """Kind and name of each one on a list, in order."""
    return sorted([("role", name) for name in access.roles] + [("subject", name) for name in access.subjects])


def list_of(access: Access) -> str:
    """A hash of the whole list."""
    return hashlib.sha256(orjson.dumps(readers_of(access))).hexdigest()


def signs_text(vector: NDArray[float32]) -> str:
    """Whether each component is positive, as text of a ``bit`` value."""
    return ((vector > 0).astype(np.uint8) + ord("0")).tobytes().decode()


def vector_text(vector: NDArray[float32]) -> str:
    """Text of a ``halfvec`` value."""
    return "[" + ",".join(f"{one:.5g}" for one in np.asarray(vector).tolist()) + "]"
