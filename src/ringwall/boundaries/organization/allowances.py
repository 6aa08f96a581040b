"""The allow-rules of a workload, kept in the shared database: what the console or the command line adds
counts for the gateway from its next crossing on, and stops counting the moment it expires."""

import hmac
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import orjson

from ringwall.core import ALLOWED_BY, Crossing, CrossingKind, DataError, Finding, Part, Verdict, new_id
from ringwall.ledger.envelope import Envelope
from ringwall.storage.database import Database, Row

from .allow_rule import (
    LONGEST_DAYS,
    AllowRule,
    Case,
    Match,
    canonical,
    check,
    covers,
    in_phrase,
    part_of,
    span_of,
)

_MIGRATIONS = [
    """
    CREATE TABLE allow_rules (
        id TEXT PRIMARY KEY,
        control TEXT NOT NULL,
        rule TEXT NOT NULL,
        cls TEXT NOT NULL,
        application TEXT NOT NULL,
        integrity TEXT NOT NULL,
        match TEXT NOT NULL,
        digest TEXT NOT NULL,
        owner TEXT NOT NULL,
        reason TEXT NOT NULL,
        by TEXT NOT NULL,
        decision TEXT NOT NULL,
        at REAL NOT NULL,
        expires REAL NOT NULL,
        person TEXT NOT NULL,
        removed REAL,
        removed_by TEXT NOT NULL DEFAULT '',
        sealed BLOB NOT NULL
    ) STRICT;
    CREATE INDEX allow_rules_open ON allow_rules (removed) WHERE removed IS NULL;
    """
]
_COLUMNS = (
    "id", "control", "rule", "cls", "application", "integrity", "match", "digest", "owner", "reason", "by",
    "decision", "at", "expires", "person", "removed", "removed_by",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Stored:
    """The test case of a rule as it is kept: without it a hash could not be tested."""

    kind: CrossingKind
    part: Part
    phrase: str


class AllowRules:
    """Thread-safe; an ``Allowances`` for gates."""

    def __init__(
        self, db: Database, envelope: Envelope, key: bytes, *, now: Callable[[], float] = time.time
    ) -> None:
        """``key``: secret bytes under which texts are hashed, so that nobody can try texts on a copy of the
        database."""
        db.migrate("allow-rules", _MIGRATIONS)
        self._db = db
        self._envelope = envelope
        self._key = key
        self._now = now
        self._lock = threading.Lock()
        self._changes = 0
        """Counts our own writes. Changed inside the writer's transaction and never under ``_lock``: whoever
        holds that one waits for the database."""
        self._seen: tuple[int, int] | None = None
        self._open: dict[tuple[str, str, str], list[tuple[AllowRule, bytes]]] = {}

    def add(
        self,
        case: Case,
        *,
        match: Match,
        phrase: str = "",
        owner: str,
        reason: str,
        by: str,
        decision: str,
        expires: float,
    ) -> AllowRule:
        """Take a rule on. Raises DataError for one that is too wide, has no end or no reason."""
        check(case, match, phrase)
        now = self._now()
        if not now < expires <= now + LONGEST_DAYS * 86400:
            raise DataError(f"An allow-rule must expire, at most {LONGEST_DAYS} days from now.")
        for what, text, most in (("reason", reason, 1000), ("owner", owner, 200), ("author", by, 200)):
            if not 0 < len(text.strip()) <= most or "\0" in text:
                raise DataError(f"An allow-rule needs a {what} of 1 to {most} characters.")
        found = case.finding
        rule = AllowRule(
            new_id("alw"), found.control, found.rule, found.cls, case.application,
            str(case.part.label.integrity), match, self._digest(_matched(case.part, found, match, phrase)),
            _storable(owner.strip()), _storable(reason.strip()), _storable(by), decision, now, expires,
            case.person,
        )  # fmt: skip
        sealed = self._envelope.seal(case.person, _case_bytes(case, phrase), rule.id.encode())
        places = ", ".join("?" * (len(_COLUMNS) + 1))
        values = [getattr(rule, name) for name in _COLUMNS]
        values[_COLUMNS.index("match")] = str(match)
        with self._db.transaction():
            self._db.write(f"INSERT INTO allow_rules VALUES ({places})", *values, sealed)  # noqa: S608
            self._changes += 1
        return rule

    def remove(self, rule_id: str, *, by: str) -> AllowRule:
        """End a rule before its time. Raises DataError when there is no such rule in force."""
        with self._db.transaction():
            changed = self._db.write(
                "UPDATE allow_rules SET removed = ?, removed_by = ? WHERE id = ? AND removed IS NULL",
                self._now(),
                _storable(by),
                _storable(rule_id),
            )
            self._changes += 1
        row = self._db.one("SELECT * FROM allow_rules WHERE id = ?", _storable(rule_id))
        if not changed or row is None:
            raise DataError("There is no allow-rule of this id that was not removed.")
        return _rule(row)

    def kept(self) -> list[AllowRule]:
        """All that were not removed, expired ones too, newest first."""
        rows = self._db.all("SELECT * FROM allow_rules WHERE removed IS NULL ORDER BY at DESC, id DESC")
        return [_rule(row) for row in rows]

    def in_force(self, rule: AllowRule) -> bool:
        return rule.in_force(self._now())

    def case(self, rule: AllowRule) -> Stored:
        """Its test case. Raises DataError when the key of the person who wrote the text was erased."""
        row = self._db.one("SELECT sealed FROM allow_rules WHERE id = ?", rule.id)
        if row is None:
            raise DataError("There is no such allow-rule.")
        return self._opened(rule, row["sealed"])

    def covering(self, application: str, crossing: Crossing, given: Verdict) -> Mapping[Finding, str]:
        """See ``Allowances``."""
        known = self._current()
        if not known:
            return {}
        now = self._now()
        out: dict[Finding, str] = {}
        for found in given.findings:
            for rule, sealed in known.get((application, found.control, found.rule), ()):
                if rule.in_force(now) and self._applies(rule, sealed, crossing, found):
                    out[found] = rule.id
                    break
        return out

    def _applies(self, rule: AllowRule, sealed: bytes, crossing: Crossing, found: Finding) -> bool:
        if found.part >= len(crossing.parts):
            return False
        part = crossing.parts[found.part]
        if not covers(found, part, rule):
            return False
        if rule.match is Match.PHRASE:
            try:
                return in_phrase(part.text, found, self._opened(rule, sealed).phrase)
            except DataError:  # its author's key was erased: nobody can say what was allowed
                return False
        text = _matched(part, found, rule.match, "")
        return bool(canonical(text)) and hmac.compare_digest(self._digest(text), rule.digest)

    def _opened(self, rule: AllowRule, sealed: bytes) -> Stored:
        held: dict[str, Any] = orjson.loads(self._envelope.open(rule.person, sealed, rule.id.encode()))
        return Stored(CrossingKind(held["crossing"]), part_of(held["part"]), str(held["phrase"]))

    def _digest(self, text: str) -> str:
        data = canonical(text).encode("utf-8", "surrogatepass")
        return hmac.new(self._key, data, sha256).hexdigest()

    def _current(self) -> dict[tuple[str, str, str], list[tuple[AllowRule, bytes]]]:
        with self._lock:
            seen = (self._db.version(), self._changes)
            if seen != self._seen:
                found: dict[tuple[str, str, str], list[tuple[AllowRule, bytes]]] = {}
                for row in self._db.all("SELECT * FROM allow_rules WHERE removed IS NULL"):
                    rule = _rule(row)
                    key = (rule.application, rule.control, rule.rule)
                    found.setdefault(key, []).append((rule, row["sealed"]))
                self._open, self._seen = found, seen
            return self._open


def allowing(rules: list[str]) -> list[str]:
    """Ids of the allow-rules that a decision's line names among its rules."""
    return [rule.removeprefix(ALLOWED_BY) for rule in rules if rule.startswith(ALLOWED_BY)]


def _matched(part: Part, found: Finding, match: Match, phrase: str) -> str:
    match match:
        case Match.TEXT:
            return part.text
        case Match.SPAN:
            return span_of(part, found)
        case Match.PHRASE:
            return phrase


def _case_bytes(case: Case, phrase: str) -> bytes:
    part = case.part
    stored = {
        "kind": str(part.kind),
        "role": part.role,
        "name": part.name,
        "text": part.text,
        "integrity": str(part.label.integrity),
        "sensitivity": sorted(part.label.sensitivity),
        "origin": sorted(part.label.origin),
    }
    return orjson.dumps({"crossing": str(case.kind), "part": stored, "phrase": phrase})


def _rule(row: Row) -> AllowRule:
    values = {name: row[name] for name in _COLUMNS}
    return AllowRule(**{**values, "match": Match(values["match"])})


def _storable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
