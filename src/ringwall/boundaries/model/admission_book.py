"""Which models may be routed to: a book of admissions, in the workload's database.

A **file** is admitted by the SHA-256 that the workload file declares, and a check of its format. A **remote
route** is admitted by what it declares: provider, address, model, snapshot. The first time that a route is
declared, that declaration admits it; once it has been in the book, a *changed* declaration waits for a
person (``admit``), so that an edited address or snapshot can't slip in with a reload. Going back to a
declaration that was admitted before needs nobody.

Entries are only ever added; the newest of a name counts.
"""

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import re2

from ringwall.core import DataError
from ringwall.storage.database import Database, Row

from .artifact_checks import inspect_artifact
from .settings import ArtifactSettings, LocalSettings, ModelSection, OpenAISettings, RouteSettings
from .verified_file import VerifiedFile, hash_file, open_regular

_TABLES = [
    """
    CREATE TABLE model_admissions (
        id INTEGER PRIMARY KEY,
        kind TEXT NOT NULL,
        name TEXT NOT NULL,
        digest TEXT NOT NULL,
        state TEXT NOT NULL,
        reason TEXT NOT NULL,
        details TEXT NOT NULL,
        by TEXT NOT NULL,
        at INTEGER NOT NULL
    );
    CREATE INDEX model_admissions_newest ON model_admissions (kind, name, id);
    """
]
ADMITTED, REFUSED, REVOKED, CHANGED = "admitted", "refused", "revoked", "changed"
_FLOATING = re2.compile(r"(?i)(^|[-_:@./])(latest|newest|current|default|auto|preview)$")


@dataclass(frozen=True, slots=True)
class Admission:
    """One entry: what was looked at, and what came of it."""

    kind: str
    """``artifact`` or ``route``."""
    name: str
    digest: str
    """SHA-256: of the file, or of the canonical declaration of a route."""
    state: str
    """``admitted``, ``refused``, ``revoked``, or ``changed`` (declared anew, waits for a person)."""
    reason: str
    """Why not; empty when admitted."""
    details: Mapping[str, Any]
    """Of a file: size, format, notes. Of a route: provider, base_url, model, snapshot."""
    by: str
    at: int
    """Microseconds since the epoch, UTC."""

    @property
    def admitted(self) -> bool:
        return self.state == ADMITTED


class Admissions:
    """The book, for one version of the workload file. Several versions may share a database."""

    _written = 0
    """Entries written by this process, through any book: what the database's version does not tell."""

    def __init__(
        self,
        db: Database,
        section: ModelSection,
        root: Path,
        unproven: Callable[[str, str], str] = lambda _route, _model: "",
    ) -> None:
        """``root`` is the folder that artifact paths are relative to. ``unproven`` says of a route and the
        digest of its model (``identity``) which proof is missing without which it may not be admitted."""
        self._unproven = unproven
        self._db = db
        self._section = section
        self._root = root
        self._cache: dict[str, bool] = {}
        self._seen = (-1, -1)
        db.migrate("model", _TABLES)

    def admit(self, name: str, by: str) -> Admission:
        """Check what is declared under this name now, a file or else a route, and write down the outcome.

        Reads the whole file: call it off the event loop. Raises LookupError for an unknown name.
        """
        if name in self._section.artifacts:
            return self.admit_artifact(name, by)
        return self.admit_route(name, by)

    def admit_artifact(self, name: str, by: str) -> Admission:
        return self._write(self._check_artifact(name, self._section.artifacts[name], by))

    def admit_route(self, name: str, by: str) -> Admission:
        return self._write(self._check_route(name, self._section.routes[name], by))

    def admit_declared(self, by: str = "workload file") -> list[Admission]:
        """What the workload file declares, admitted as far as its word goes. For start and reload."""
        out: list[Admission] = []
        for name, artifact in self._section.artifacts.items():
            known = self._newest("artifact", name)
            same = known is not None and known.digest == artifact.sha256.lower()
            revoked = known is not None and known.state == REVOKED and same
            out.append(known if known is not None and revoked else self.admit_artifact(name, by))
        for name, route in self._section.routes.items():
            out.append(self._declared_route(name, route, by))
        return out

    def revoke(self, name: str, by: str, reason: str) -> Admission:
        """Take an admission back: nothing is routed to it until ``admit``. Raises LookupError."""
        kind = "artifact" if name in self._section.artifacts else "route"
        if kind == "route" and name not in self._section.routes:
            raise LookupError(f"no model or route is called '{name}'")
        digest = self._digest(kind, name)
        return self._write(Admission(kind, name, digest, REVOKED, reason, {}, by, _now()))

    def admitted(self, route: str) -> bool:
        """Whether the model behind the route is admitted as declared now. Some 5 us."""
        now = (self._db.version(), Admissions._written)
        if now != self._seen:
            self._cache.clear()
            self._seen = now
        if route not in self._cache:
            self._cache[route] = self._is_admitted(route)
        return self._cache[route]

    def identity(self, route: str) -> str:
        """Digest of the model behind a route, as it is declared: the route's own, and that of its file.
        Raises LookupError."""
        provider = self._section.providers[self._section.routes[route].provider]
        file = self._digest("artifact", provider.artifact) if isinstance(provider, LocalSettings) else ""
        return hashlib.sha256(f"{self._digest('route', route)} {file}".encode()).hexdigest()

    def list(self) -> list[Admission]:
        """The newest entry of each name."""
        rows = self._db.all(
            "SELECT * FROM model_admissions WHERE id IN"
            " (SELECT MAX(id) FROM model_admissions GROUP BY kind, name) ORDER BY kind, name"
        )
        return [_entry(row) for row in rows]

    def open(self, name: str) -> VerifiedFile:
        """The admitted file for its loader, verified once more: hash, format, admission.

        Raises DataError when it is not what was admitted. Reads the whole file.
        """
        settings = self._section.artifacts[name]
        known = self._newest("artifact", name)
        if known is None or not known.admitted or known.digest != settings.sha256.lower():
            raise DataError(f"The model file '{name}' is not admitted: run 'ringwall model admit {name}'.")
        taken = VerifiedFile.take(self._path(settings))
        try:
            if taken.sha256 != known.digest:
                raise DataError(f"The model file '{name}' has changed since it was admitted.")
            report = inspect_artifact(taken.file, taken.size)
            if report.refusals:
                raise DataError(f"The model file '{name}' is refused. {report.refusals[0]}")
        except DataError:
            taken.close()
            raise
        return taken

    def facts(self, name: str) -> dict[str, Any]:
        """Context of the MODEL_ADMISSION crossing for a name in the book, or not yet in it."""
        kind = "artifact" if name in self._section.artifacts else "route"
        known = self._newest(kind, name)
        current = known is not None and known.admitted and known.digest == self._digest(kind, name)
        return {
            "artifact": name,
            "kind": kind,
            "admitted": current,
            "checks": {
                "state": known.state if known else "unknown",
                "reason": known.reason if known else "it was never checked",
                "digest": known.digest if known else "",
                **(dict(known.details) if known else {}),
            },
        }

    def _is_admitted(self, route: str) -> bool:
        settings = self._section.routes.get(route)
        if settings is None:
            return False
        known = self._newest("route", route)
        if known is None or not known.admitted or known.digest != self._digest("route", route):
            return False
        if self._unproven(route, self.identity(route)):
            return False
        provider = self._section.providers[settings.provider]
        if not isinstance(provider, LocalSettings):
            return True
        artifact = self._newest("artifact", provider.artifact)
        declared = self._section.artifacts[provider.artifact].sha256.lower()
        return artifact is not None and artifact.admitted and artifact.digest == declared

    def _declared_route(self, name: str, route: RouteSettings, by: str) -> Admission:
        known = self._newest("route", name)
        digest = self._digest("route", name)
        if known is None or (known.digest == digest and known.state == REFUSED):
            return self.admit_route(name, by)
        if known.digest == digest:
            return known
        earlier = self._newest_of(name, digest)
        if (earlier is not None and earlier.admitted) or not self._ever_admitted(name):
            return self.admit_route(name, by)
        reason = f"its declaration has changed since it was admitted: run 'ringwall model admit {name}'"
        return self._write(Admission("route", name, digest, CHANGED, reason, self._facts(route), by, _now()))

    def _check_artifact(self, name: str, settings: ArtifactSettings, by: str) -> Admission:
        declared = settings.sha256.lower()
        path = self._path(settings)
        details: dict[str, Any] = {}
        reason = ""
        try:
            found = hash_file(path)
            with open_regular(path) as file:
                size = file.seek(0, 2)
                report = inspect_artifact(file, size)
            details = {
                "sha256": found,
                "bytes": size,
                "format": str(report.format),
                "notes": list(report.notes),
            }
            if found != declared:
                reason = "Its SHA-256 is not the one that the workload file declares."
            elif report.refusals:
                reason = " ".join(report.refusals)
        except DataError as error:
            reason = str(error)
        state = REFUSED if reason else ADMITTED
        return Admission("artifact", name, declared, state, reason, details, by, _now())

    def _check_route(self, name: str, settings: RouteSettings, by: str) -> Admission:
        reason = ""
        remote = isinstance(self._section.providers[settings.provider], OpenAISettings)
        if remote and not settings.snapshot and _FLOATING.search(settings.model):
            reason = (
                f"The model name '{settings.model}' means another model tomorrow: "
                "give the route a snapshot, or name a version."
            )
        reason = reason or self._unproven(name, self.identity(name))
        state = REFUSED if reason else ADMITTED
        digest = self._digest("route", name)
        return Admission("route", name, digest, state, reason, self._facts(settings), by, _now())

    def _facts(self, route: RouteSettings) -> dict[str, Any]:
        provider = self._section.providers[route.provider]
        facts = {
            "provider": route.provider,
            "kind": provider.kind,
            "model": route.model,
            "snapshot": route.snapshot,
        }
        if isinstance(provider, OpenAISettings):
            facts["base_url"] = provider.base_url
        if isinstance(provider, LocalSettings):
            facts["artifact"] = provider.artifact
        return facts

    def _digest(self, kind: str, name: str) -> str:
        if kind == "artifact":
            return self._section.artifacts[name].sha256.lower()
        canonical = orjson.dumps(self._facts(self._section.routes[name]), option=orjson.OPT_SORT_KEYS)
        return hashlib.sha256(canonical).hexdigest()

    def _path(self, settings: ArtifactSettings) -> Path:
        return self._root / settings.path

    def _newest(self, kind: str, name: str) -> Admission | None:
        row = self._db.one(
            "SELECT * FROM model_admissions WHERE kind = ? AND name = ? ORDER BY id DESC LIMIT 1", kind, name
        )
        return _entry(row) if row else None

    def _newest_of(self, route: str, digest: str) -> Admission | None:
        row = self._db.one(
            "SELECT * FROM model_admissions WHERE kind = 'route' AND name = ? AND digest = ?"
            " ORDER BY id DESC LIMIT 1",
            route,
            digest,
        )
        return _entry(row) if row else None

    def _ever_admitted(self, route: str) -> bool:
        found = self._db.one(
            "SELECT 1 FROM model_admissions WHERE kind = 'route' AND name = ? AND state = ?", route, ADMITTED
        )
        return found is not None

    def _write(self, entry: Admission) -> Admission:
        known = self._newest(entry.kind, entry.name)
        if known is not None and (known.digest, known.state, known.reason) == (
            entry.digest,
            entry.state,
            entry.reason,
        ):
            return known
        self._db.write(
            "INSERT INTO model_admissions (kind, name, digest, state, reason, details, by, at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            entry.kind,
            entry.name,
            entry.digest,
            entry.state,
            entry.reason,
            orjson.dumps(dict(entry.details)).decode(),
            entry.by,
            entry.at,
        )
        Admissions._written += 1
        return entry


def _entry(row: Row) -> Admission:
    return Admission(
        row["kind"],
        row["name"],
        row["digest"],
        row["state"],
        row["reason"],
        orjson.loads(row["details"]),
        row["by"],
        row["at"],
    )


def _now() -> int:
    return time.time_ns() // 1000
