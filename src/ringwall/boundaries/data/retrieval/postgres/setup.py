"""Make the tables and policies, and refuse roles that could get around them."""

import hashlib
from collections.abc import Mapping
from typing import Any

from ringwall.core import ConfigError, Problem

from ..embedding import DIMENSIONS
from .claims import Claims
from .schema import READ, functions, schema

_LOCK = 0x52494E47
_POWERS = """
SELECT current_user = session_user AS itself, r.rolsuper OR r.rolbypassrls AS unbound, r.rolcreaterole AS
makes,
       (SELECT count(*) FROM pg_auth_members m WHERE m.member = r.oid) AS member_of,
       r.rolname AS name, quote_ident(r.rolname) AS quoted
FROM pg_roles r WHERE r.rolname = current_user
"""
_OPEN = """
SELECT c.relname FROM pg_class c
WHERE c.relnamespace = 'ringwall'::regnamespace AND c.relkind IN ('r', 'v', 'm', 'p', 'f')
  AND ((has_table_privilege($1, c.oid, 'SELECT') OR has_any_column_privilege($1, c.oid, 'SELECT'))
        AND NOT (c.relrowsecurity AND c.relforcerowsecurity)
    OR has_table_privilege($1, c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
    OR pg_has_role($1, c.relowner, 'USAGE'))
"""
_POLICIES = """
SELECT count(*) FILTER (WHERE polname NOT IN ('reads', 'writes')) = 0
   AND count(*) FILTER (WHERE polname = 'reads' AND pg_get_expr(polqual, polrelid)
                        LIKE '(get_bit(( SELECT ringwall.admitted() AS admitted), (class)::bigint) = 1)') = $2
FROM pg_policy WHERE polrelid = ANY ($1::text[]::regclass[])
"""
_FUNCTIONS = """
SELECT p.proname AS name, p.prosrc AS body FROM pg_proc p
WHERE p.pronamespace = 'ringwall'::regnamespace
   OR p.prosecdef AND p.proowner = current_user::regrole AND has_function_privilege($1, p.oid, 'EXECUTE')
"""
"""What the reader may run with the writer's rights, and whatever else is in the schema."""


async def set_up(owner: Any, reader: Any, claims: Claims) -> None:
    """``owner``, ``reader``: connections. ConfigError that says which role has too much, or what is
    missing."""
    writes, reads = await _powers(owner), await _powers(reader)
    if reads["name"] == writes["name"]:
        raise _wrong("url_env and reader_url_env lead to the same role: the reader must not own the tables")
    if reads["unbound"] or reads["makes"] or reads["member_of"] or not reads["itself"]:
        raise _wrong(
            f"the role {reads['name']} may bypass row security, make roles or act as another one: "
            "give the reader a role with none of these"
        )
    if writes["unbound"]:
        raise _wrong(f"the role {writes['name']} is a superuser or bypasses row security: use a plain one")
    if not await owner.fetchval("SELECT count(*) FROM pg_extension WHERE extname = 'vector'"):
        raise _wrong("the database lacks pgvector: have an administrator run CREATE EXTENSION vector")
    inner, outer = claims.pads()
    async with owner.transaction():
        await owner.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
        statements = schema(writes["quoted"], reads["quoted"], DIMENSIONS)
        await _made(owner, statements)
        await owner.execute(
            "INSERT INTO ringwall.claim_key (inner_pad, outer_pad) VALUES ($1, $2) "
            "ON CONFLICT (singleton) DO UPDATE SET inner_pad = $1, outer_pad = $2",
            *(inner, outer),
        )
        await _check_bound(owner, reads["name"], functions(statements))


async def _made(owner: Any, statements: str) -> None:
    """Run them where the schema doesn't say that they were: policies are not dropped under running
    searches."""
    mark = hashlib.sha256(statements.encode()).hexdigest()
    held = await owner.fetchval(
        "SELECT obj_description(oid, 'pg_namespace') FROM pg_namespace WHERE nspname = 'ringwall'"
    )
    if held != mark:
        await owner.execute(statements)
        await owner.execute(f"COMMENT ON SCHEMA ringwall IS '{mark}'")


async def _powers(connection: Any) -> Any:
    return await connection.fetchrow(_POWERS)


async def _check_bound(owner: Any, reader: str, bodies: Mapping[str, str]) -> None:
    """Nothing that somebody granted or replaced by hand opens a way around the policies."""
    held = await owner.fetch(_OPEN, reader)
    if held:
        names = ", ".join(sorted(row["relname"] for row in held))
        raise _wrong(f"the role {reader} has more than it needs on the tables {names}: revoke it")
    tables = [f"ringwall.{table}" for table in (*READ, "words")]  # which the reader has no policy for
    if not await owner.fetchval(_POLICIES, tables, len(READ)):
        raise _wrong("the policies on the tables are not those that Ringwall made: drop the schema ringwall")
    found = await owner.fetch(_FUNCTIONS, reader)
    if sorted((row["name"], row["body"]) for row in found) != sorted(bodies.items()):
        raise _wrong(
            f"functions in the schema ringwall, or others that {reader} may run with the rights of their "
            "owner, are not those that Ringwall made: drop them, and the schema ringwall"
        )
    if await owner.fetchval("SELECT has_schema_privilege($1, 'ringwall', 'CREATE')", reader):
        raise _wrong(f"the role {reader} may create in the schema ringwall: revoke it")


def _wrong(message: str) -> ConfigError:
    return ConfigError(Problem(f"data.retrieval: {message}"))
