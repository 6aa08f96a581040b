"""API keys: made here, shown once, kept as a keyed hash, rotated with an overlap.

A key reads ``rw_<id>_<secret>``. The secret holds 256 random bits, so there is nothing to guess and a slow
password hash (scrypt, Argon2) would buy nothing and cost every request its time. What is stored is
HMAC-SHA-256 *keyed with the secret* over the key's id: it can't be turned back, and a hash that is copied
to another key's row fits nothing there.
"""

import base64
import contextlib
import hmac
import re
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import orjson

from ringwall.core import DataError, Grant, Principal
from ringwall.storage.database import Database, Row

from .guessing import Guessing
from .key_policy import DAY_S, ApiKeySettings
from .principals import Roles, StarterKey
from .scopes import check_scopes

__all__ = ["Guessing", "KeyInfo", "KeyStore", "NewKey", "bearer", "key_id"]

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
    """,
    """
    ALTER TABLE keys ADD COLUMN applications TEXT NOT NULL DEFAULT '[]';
    UPDATE keys SET applications = json_array(application) WHERE application <> '';
    ALTER TABLE keys DROP COLUMN application;
    ALTER TABLE keys ADD COLUMN scopes TEXT;
    ALTER TABLE keys ADD COLUMN old_hash BLOB;
    ALTER TABLE keys ADD COLUMN old_until REAL;
    ALTER TABLE keys ADD COLUMN rotated REAL;
    ALTER TABLE keys ADD COLUMN used REAL;
    """,
]
_FORM = re.compile(r"rw_([0-9a-f]{16})_([A-Za-z0-9_-]{43})", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@:/+\-]{0,199}", re.ASCII)
_LONGEST = 128
_DUMMY = bytes(32)
_CACHE = 10_000
_USED_EVERY_S = 60.0


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
    applications: tuple[str, ...]
    """The only applications it is good for; empty: all."""
    scopes: tuple[str, ...] | None
    """The only operations it is good for; None: all."""
    created: float
    expires: float | None
    revoked: float | None
    rotated: float | None
    """When it got the secret that it has now; None: when it was made."""
    overlap_until: float | None
    """Until when the secret before that is good as well."""
    used: float | None
    """When it was last used, give or take a minute."""

    def near_expiry(self, now: float, seconds: float) -> bool:
        """Whether it ends within that time, and has not ended yet."""
        return self.revoked is None and self.expires is not None and now < self.expires <= now + seconds


@dataclass(frozen=True, slots=True)
class _Known:
    hash: bytes = field(repr=False)
    old_hash: bytes = field(repr=False)
    old_until: float
    principal: Principal
    expires: float | None


class KeyStore:
    """Thread-safe. Keys that another process makes or revokes count from the next request on."""

    def __init__(
        self, db: Database, roles: Roles | None = None, *, now: Callable[[], float] = time.time
    ) -> None:
        db.migrate("keys", _MIGRATIONS)
        self._db = db
        self._roles = roles or Roles()
        self._policy = ApiKeySettings()
        self._now = now
        self._lock = threading.RLock()  # taken before the database's own, always in that order
        self._version = db.version()
        self._known: dict[str, _Known] = {}
        self._used: dict[str, float] = {}

    def use_roles(self, roles: Roles, policy: ApiKeySettings | None = None) -> None:
        """Take over the roles, and what is said of keys, of a reloaded workload file."""
        with self._lock:
            self._roles = roles
            self._policy = policy or self._policy
            self._known.clear()

    def create(
        self,
        subject: str,
        roles: Iterable[str] = (),
        tenant: str = "default",
        attributes: Mapping[str, str] | None = None,
        *,
        applications: Iterable[str] = (),
        scopes: Iterable[str] | None = None,
        expires: float | None = None,
    ) -> NewKey:
        """Make a key. ``expires`` is in seconds since the epoch; left out, the workload's default counts.

        Raises ConfigError for a role or scope that there is none, DataError for a name that can't be one or
        a life longer than the workload allows.
        """
        held = tuple(dict.fromkeys(roles))
        self._roles.check(held)
        facts = _checked(subject, tenant, attributes or {})
        limited = None if scopes is None else check_scopes(scopes)
        key_id = secrets.token_hex(8)
        secret = _secret()
        with self._lock:
            self._db.write(
                "INSERT INTO keys (id, hash, subject, tenant, roles, attributes, created, expires,"
                " applications, scopes) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                key_id, _hash(key_id, secret), subject, tenant, _listed(held), facts, self._now(),
                self._ends(expires), _listed(dict.fromkeys(applications)),
                None if limited is None else _listed(limited),
            )  # fmt: skip
        return NewKey(key_id, f"rw_{key_id}_{secret}")

    def rotate(
        self, key_id: str, *, overlap_s: float | None = None, expires: float | None = None
    ) -> tuple[NewKey, KeyInfo]:
        """Give a key a new secret. The one that it has now stays good for ``overlap_s`` seconds more (left
        out: the workload's default), at most to its own end; the one before that ends now.

        Its life begins anew: by ``expires``, or the workload's default, or as long as it was given before.
        Raises DataError for a key that is unknown, revoked or expired.
        """
        key_id, now = _storable(key_id), self._now()
        overlap = self._policy.overlap_hours * 3600.0 if overlap_s is None else overlap_s
        if not 0 <= overlap <= 30 * DAY_S:
            raise DataError("The overlap of a rotation is between nothing and 30 days.")
        secret = _secret()
        with self._lock, self._db.transaction():
            info = self._info_of(key_id)
            if info.revoked is not None or (info.expires is not None and now >= info.expires):
                raise DataError("This key is revoked or expired: make a new one.")
            ends = self._renewed(info, now) if expires is None else self._ends(expires)
            until = now + overlap if info.expires is None else min(now + overlap, info.expires)
            self._db.write(
                "UPDATE keys SET old_hash = hash, old_until = ?, hash = ?, rotated = ?, expires = ?"
                " WHERE id = ?",
                until, _hash(key_id, secret), now, ends, key_id,
            )  # fmt: skip
            self._known.clear()
            return NewKey(key_id, f"rw_{key_id}_{secret}"), self._info_of(key_id)

    def _ends(self, expires: float | None) -> float | None:
        now = self._now()
        if expires is None:
            return self._policy.default_end(now)
        if not now < expires < 1e11:
            raise DataError("The expiry of a key must be a time in the future.")
        if expires > self._policy.latest_end(now):
            raise DataError(f"Keys of this workload live for at most {self._policy.longest_days} days.")
        return expires

    def _renewed(self, info: KeyInfo, now: float) -> float | None:
        default = self._policy.default_end(now)
        if default is not None or info.expires is None:
            return default
        return min(now + info.expires - (info.rotated or info.created), self._policy.latest_end(now))

    def ensure(self, starters: Iterable[StarterKey]) -> list[tuple[StarterKey, NewKey]]:
        """Make those starter keys whose subject has never had a key (a revoked one doesn't come back)."""
        made = []
        with self._lock, self._db.transaction():
            for key in starters:
                if self._db.one(
                    "SELECT 1 FROM keys WHERE subject = ? AND tenant = ?", key.subject, key.tenant
                ):
                    continue
                new = self.create(
                    key.subject,
                    key.roles,
                    key.tenant,
                    key.attributes,
                    applications=key.applications,
                    scopes=key.scopes,
                )
                made.append((key, new))
        return made

    def verify(self, secret: str) -> Principal | None:
        """The principal that the key proves; None when it is no key of ours, expired or revoked. What it is
        good for is in the principal's grant. Never raises for what a caller sent."""
        match = _FORM.fullmatch(secret) if isinstance(secret, str) and len(secret) <= _LONGEST else None
        if match is None or not self._policy.enabled:
            return None
        key_id, token = match.groups()
        known = self._find(key_id)
        given = _hash(key_id, token)
        # An unknown id takes the same way, so that the time says nothing about which ids exist.
        fits = hmac.compare_digest(given, known.hash if known else _DUMMY)
        fits_old = hmac.compare_digest(given, known.old_hash if known else _DUMMY)
        now = self._now()
        if known is None or not (fits or (fits_old and now < known.old_until)):
            return None
        if known.expires is not None and now >= known.expires:
            return None
        self._note_use(key_id, now)
        return known.principal

    def _note_use(self, key_id: str, now: float) -> None:
        """At most once a minute for a key. A database that is busy doesn't keep anybody out."""
        if now - self._used.get(key_id, 0.0) < _USED_EVERY_S:
            return
        if len(self._used) >= _CACHE:
            self._used.clear()
        self._used[key_id] = now
        with contextlib.suppress(sqlite3.OperationalError):
            self._db.write("UPDATE keys SET used = ? WHERE id = ?", now, key_id)

    def principal(self, key_id: str) -> Principal | None:
        """The principal of a key as it stands now: for sessions that began with it. None when it is gone."""
        known = self._find(_storable(key_id))
        if known is None or not self._policy.enabled:
            return None
        if known.expires is not None and self._now() >= known.expires:
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
        return self._info_of(_storable(key_id))

    def _info_of(self, key_id: str) -> KeyInfo:
        row = self._db.one("SELECT * FROM keys WHERE id = ?", key_id)
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


def key_id(secret: str) -> str:
    """The id that something shaped like a key names; empty for anything else. It proves nothing."""
    match = _FORM.fullmatch(secret) if len(secret) <= _LONGEST else None
    return match[1] if match else ""


def _secret() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).rstrip(b"=").decode()


def _listed(names: Iterable[str]) -> str:
    return orjson.dumps(list(names)).decode()


def _remembered(row: Row, roles: Roles) -> _Known:
    info = _info(row)
    grant = Grant(None if info.scopes is None else frozenset(info.scopes), frozenset(info.applications))
    principal = Principal(
        info.subject, info.tenant, roles.expand(info.roles), info.attributes, credential=info.id, grant=grant
    )
    return _Known(row["hash"], row["old_hash"] or _DUMMY, info.overlap_until or 0.0, principal, info.expires)


def _info(row: Row) -> KeyInfo:
    return KeyInfo(
        id=row["id"],
        subject=row["subject"],
        tenant=row["tenant"],
        roles=tuple(orjson.loads(row["roles"])),
        attributes=MappingProxyType(orjson.loads(row["attributes"])),
        applications=tuple(orjson.loads(row["applications"])),
        scopes=None if row["scopes"] is None else tuple(orjson.loads(row["scopes"])),
        created=row["created"],
        expires=row["expires"],
        revoked=row["revoked"],
        rotated=row["rotated"],
        overlap_until=row["old_until"],
        used=row["used"],
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
