"""A document of a collection, who may read it, and the names by which it is cited."""

import re
from dataclasses import dataclass, replace
from typing import Any

import orjson

from ringwall.core import DataError, Integrity, Label, Principal

from .canonical import canonical
from .settings import CollectionSettings

__all__ = [
    "COMMON",
    "Access",
    "Document",
    "canonical",
    "check_id",
    "cite",
    "id_from",
    "split_readers",
]
_ID = re.compile(r"[a-z0-9][a-z0-9_.\-]{0,127}\Z")
_CITED = re.compile(r"document:([a-z0-9][a-z0-9_\-]{0,63})/([a-z0-9][a-z0-9_.\-]{0,127})@([0-9]{1,9})\Z")
_SUBJECT = "subject:"
_LATER = ("licence", "consent", "process", "contribution", "sha256", "signer", "form")
COMMON = ""
"""Tenant of a document that belongs to the workload and is for every tenant."""


@dataclass(frozen=True, slots=True)
class Access:
    """Who may read one document, on top of what its collection demands."""

    tenant: str = COMMON
    roles: frozenset[str] = frozenset()
    subjects: frozenset[str] = frozenset()
    """Subject ids, as known in the document's tenant."""

    @property
    def open(self) -> bool:
        """No list of its own: whoever may read the collection may read it."""
        return not self.roles and not self.subjects

    def admits(self, principal: Principal, collection: CollectionSettings) -> bool:
        """Whether the principal may read it. ``retrieval/schema.py`` says the same in SQL; a property test
        holds them together. Everything not said here is denied."""
        if not principal.roles & set(collection.readers):
            return False
        at_home = self.tenant in (COMMON, principal.tenant)
        if collection.isolate_tenants and not at_home:
            return False
        if self.open:
            return True
        named = principal.authenticated and at_home and principal.subject in self.subjects
        return named or bool(principal.roles & self.roles)


@dataclass(frozen=True, slots=True)
class Document:
    """One revision of a document. Immutable."""

    collection: str
    id: str
    title: str
    text: str
    """What is indexed and retrieved."""
    origin: str
    """Where it came from: a path or URL."""
    contributor: str
    """Subject of the principal who put it there."""
    at: int
    """When, in microseconds since the epoch, UTC."""
    access: Access = Access()
    sensitivity: frozenset[str] = frozenset()
    hidden: str = ""
    """Text that the source hides from people (comments, invisible elements). Kept, never indexed."""
    revision: int = 0
    """1, 2, 3… for each change of this document; 0 before it is stored."""
    licence: str = ""
    """SPDX expression; empty: not stated."""
    consent: str = ""
    """On what ground the persons in it agreed, or why none is needed; empty: not stated."""
    process: str = ""
    """Program that it came through: a job, or a credential."""
    contribution: str = ""
    """Id of the contribution, as the ledger has it."""
    sha256: str = ""
    """Of the bytes as they were contributed."""
    signer: str = ""
    """Public key (Base64) of the contributor's signature; empty: not signed."""
    form: str = ""
    """What was read, when it was no text file: ``pdf``, ``docx``, ``png``…"""

    @property
    def name(self) -> str:
        """As it is cited on the ledger, stable for ever: ``document:COLLECTION/ID@REVISION``."""
        return cite(self.collection, self.id, self.revision)

    @property
    def label(self) -> Label:
        return Label(Integrity.UNTRUSTED, self.sensitivity, frozenset({self.name}))

    def to_bytes(self) -> bytes:
        """Fields that came later are only there when they say something, so that bytes (and fingerprints) of
        documents from before them stay what they are."""
        later = {name: getattr(self, name) for name in _LATER if getattr(self, name)}
        return canonical(
            {
                **later,
                "collection": self.collection,
                "id": self.id,
                "title": self.title,
                "text": self.text,
                "origin": self.origin,
                "contributor": self.contributor,
                "at": self.at,
                "tenant": self.access.tenant,
                "roles": sorted(self.access.roles),
                "subjects": sorted(self.access.subjects),
                "sensitivity": sorted(self.sensitivity),
                "hidden": self.hidden,
                "revision": self.revision,
            }
        )

    @classmethod
    def from_bytes(cls, raw: bytes) -> "Document":
        given: dict[str, Any] = orjson.loads(raw)
        access = Access(given.pop("tenant"), frozenset(given.pop("roles")), frozenset(given.pop("subjects")))
        return cls(**{**given, "access": access, "sensitivity": frozenset(given["sensitivity"])})

    def content(self) -> bytes:
        """What makes two revisions the same: everything but who, when and which revision."""
        same = replace(self, contributor="", at=0, revision=0)
        return replace(same, process="", contribution="", sha256="", signer="").to_bytes()


def cite(collection: str, document: str, revision: int) -> str:
    return f"document:{collection}/{document}@{revision}"


def cited(name: str) -> tuple[str, str, int] | None:
    """Collection, id and revision of a cited name; None for any other text."""
    found = _CITED.match(name)
    return (found[1], found[2], int(found[3])) if found else None


def check_id(document: str) -> str:
    """The id itself. DataError when it can't name a document."""
    if not _ID.match(document):
        raise DataError(
            "A document's id starts with a letter or digit and has at most 128 of a-z, 0-9, '.', '_', '-'."
        )
    return document


def id_from(name: str) -> str:
    """An id made of a file name or title: ``Returns Policy.md`` gives ``returns-policy``."""
    stem = re.sub(r"\.(md|markdown|txt|html?|text)\Z", "", name.strip().lower())
    slug = re.sub(r"[^a-z0-9_.]+", "-", stem).strip("-._")[:128]
    return check_id(slug or "document")


def split_readers(entries: list[str]) -> tuple[frozenset[str], frozenset[str]]:
    """Roles and subjects of a list such as ``[manager, "role:agent", "subject:casey"]``."""
    subjects = {entry.removeprefix(_SUBJECT) for entry in entries if entry.startswith(_SUBJECT)}
    roles = {entry.removeprefix("role:") for entry in entries if not entry.startswith(_SUBJECT)}
    return frozenset(roles), frozenset(subjects)
