"""API keys: made here, shown once, kept as a keyed hash.

A key reads ``rw_<id>_<secret>``. The secret holds 256 random bits, so there is nothing to guess and a slow
password hash (scrypt, Argon2) would buy nothing and cost every request its time. What is stored is
HMAC-SHA-256 *keyed with the secret* over the key's id: it can't be turned back, and a hash that is copied
to another key's row fits nothing there.
"""

import base64
import hmac
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import orjson

from ringwall.core import DataError, Principal
from ringwall.storage.database import Database, Row

from .guessing import Guessing
from .principals import Roles, StarterKey

__all__ = ["Guessing", "KeyInfo", "KeyStore", "NewKey", "bearer"]

_MIGRATIONS = [
    """
    CREATE TABLE keys (
        id TEXT PRIMARY KEY,
        hash BLOB NOT NULL,
        subject TEXT NOT NULL,
        tenant TEXT NOT NULL,
        roles TEXT NOT NULL,
        attributes TEXT NOT NULL,
        application TEXT NOT NULL,
        created REAL NOT NULL,
        expires REAL,
        revoked REAL
    ) STRICT;
    CREATE INDEX keys_subject ON keys (subject);
    """
]
_FORM = re.compile(r"rw_([0-9a-f]{16})_([A-Za-z0-9_-]{43})", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@:/+\-]{0,199}", re.ASCII)
_LONGEST = 128
_DUMMY = bytes(32)
_CACHE = 10_000


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that was made just now: the only moment at which its secret exists in the clear."""

    id: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """What may be shown of a key. Times are seconds since the epoch, UTC."""

    id: str
    subject: str
    tenant: str
    roles: tuple[str, ...]
    """As given, without those inherited."""
    attributes: Mapping[str, str]
    application: str
    """The only application it is good for; empty: all."""
    created: float
    expires: float | None
    revoked: float | None


@dataclass(frozen=True, slots=True)
class _Known:
    hash: bytes = field(repr=False)
    principal: Principal
    application: str
    expires: float | None


class KeyStore:
    """Thread-safe. Keys that another process makes or revokes count from the next request on."""

    def __init__(
        self, db: Database, roles: Roles | None = None, *, now: Callable[[], float] = time.time
    ) -> None:
        db.migrate("keys", _MIGRATIONS)
        self._db = db
        self._roles = roles or Roles()
        self._now = now
        self._lock = threading.RLock()  # taken before the database's own, always in that order
        self._version = db.version()
        self._known: dict[str, _Known] = {}

    def use_roles(self, roles: Roles) -> None:
        """Take over the roles of a reloaded workload file."""
        with self._lock:
            self._roles = roles
            self._known.clear()

    def create(
        self,
        subject: str,
        roles: Iterable[str] = (),
        tenant: str = "default",
        attributes: Mapping[str, str] | None = None,
        *,
        application: str = "",
        expires: float | None = None,
    ) -> NewKey:
        """Make a key. ``expires`` is in seconds since the epoch.

        Raises ConfigError for a role that the workload doesn't have, DataError for a name that can't be one.
        """
        held = tuple(dict.fromkeys(roles))
        self._roles.check(held)
        facts = _checked(subject, tenant, attributes or {})
        if expires is not None and not self._now() < expires < 1e11:
            raise DataError("The expiry of a key must be a time in the future.")
        key_id = secrets.token_hex(8)
        secret = base64.urlsafe_b64encode(secrets.token_bytes(32)).rstrip(b"=").decode()
        with self._lock:
            self._db.write(
                "INSERT INTO keys VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)",
                key_id, _hash(key_id, secret), subject, tenant, orjson.dumps(held).decode(),
                facts, application, self._now(), expires,
            )  # fmt: skip
        return NewKey(key_id, f"rw_{key_id}_{secret}")

    def ensure(self, starters: Iterable[StarterKey]) -> list[tuple[StarterKey, NewKey]]:
        """Make those starter keys whose subject has never had a key (a revoked one doesn't come back)."""
        made = []
        with self._lock, self._db.transaction():
            for key in starters:
                if self._db.one(
                    "SELECT 1 FROM keys WHERE subject = ? AND tenant = ?", key.subject, key.tenant
                ):
                    continue
                made.append((key, self.create(key.subject, key.roles, key.tenant, key.attributes)))
        return made

    def verify(self, secret: str, *, application: str = "") -> Principal | None:
        """The principal that the key proves; None when it is no key of ours, expired, revoked, or bound to
        another application. Never raises for what a caller sent."""
        match = _FORM.fullmatch(secret) if isinstance(secret, str) and len(secret) <= _LONGEST else None
        if match is None:
            return None
        key_id, token = match.groups()
        known = self._find(key_id)
        given = _hash(key_id, token)
        # An unknown id takes the same way, so that the time says nothing about which ids exist.
        fits = hmac.compare_digest(given, known.hash if known else _DUMMY)
        if known is None or not fits:
            return None
        if known.expires is not None and self._now() >= known.expires:
            return None
        if known.application and known.application != application:
            return None
        return known.principal

    def principal(self, key_id: str) -> Principal | None:
        """The principal of a key as it stands now: for sessions that began with it. None when it is gone."""
        known = self._find(_storable(key_id))
        if known is None or (known.expires is not None and self._now() >= known.expires):
            return None
        return known.principal

    def list(self) -> list[KeyInfo]:
        """All keys ever made, newest first."""
        return [_info(row) for row in self._db.all("SELECT * FROM keys ORDER BY created DESC, id")]

    def revoke(self, key_id: str) -> KeyInfo:
        """End a key, for ever; one that is revoked already stays as it is. Raises DataError if unknown."""
        with self._lock:
            self._db.write(
                "UPDATE keys SET revoked = ? WHERE id = ? AND revoked IS NULL", self._now(), _storable(key_id)
            )
            self._known.clear()
        row = self._db.one("SELECT * FROM keys WHERE id = ?", _storable(key_id))
        if row is None:
            raise DataError("There is no key of this id: `ringwall key list` shows those that exist.")
        return _info(row)

    def _find(self, key_id: str) -> _Known | None:
        """The lock spans check, read and store: a key that is revoked meanwhile can't slip into the cache."""
        with self._lock:
            version = self._db.version()
            if version != self._version or len(self._known) >= _CACHE:
                self._known.clear()
                self._version = version
            known = self._known.get(key_id)
            if known is None:
                row = self._db.one("SELECT * FROM keys WHERE id = ? AND revoked IS NULL", key_id)
                if row is None:
                    return None
                known = self._known[key_id] = _remembered(row, self._roles)
            return known


def _hash(key_id: str, secret: str) -> bytes:
    return hmac.digest(secret.encode(), b"ringwall api key " + key_id.encode(), "sha256")


def _remembered(row: Row, roles: Roles) -> _Known:
    info = _info(row)
    principal = Principal(
        info.subject, info.tenant, roles.expand(info.roles), info.attributes, credential=info.id
    )
    return _Known(row["hash"], principal, info.application, info.expires)


def _info(row: Row) -> KeyInfo:
    return KeyInfo(
        row["id"],
        row["subject"],
        row["tenant"],
        tuple(orjson.loads(row["roles"])),
        MappingProxyType(orjson.loads(row["attributes"])),
        row["application"],
        row["created"],
        row["expires"],
        row["revoked"],
    )


def _checked(subject: str, tenant: str, attributes: Mapping[str, str]) -> str:
    for what, name in (("subject", subject), ("tenant", tenant)):
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise DataError(
                f"A {what} is 1 to 200 letters, digits and any of _ . @ : / + - ; this one is not."
            )
    if subject == "anonymous":
        raise DataError("The subject `anonymous` means a caller without a key: give the key another subject.")
    try:
        written = orjson.dumps(dict(attributes), option=orjson.OPT_SORT_KEYS)
    except (TypeError, ValueError):
        written = b""
    text = all(isinstance(value, str) for value in attributes.values())
    if not text or not written or len(written) > 8192:
        raise DataError("The attributes of a key are names with text values, together at most 8 KiB.")
    return written.decode()


def _storable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def bearer(header: str) -> str:
    """The credential of an ``Authorization: Bearer …`` header; empty when there is none."""
    scheme, _, credential = header.partition(" ")
    return credential.strip() if scheme.lower() == "bearer" else ""
