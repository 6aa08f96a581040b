"""One row of a training set, whatever its shape, and where it came from."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from ringwall.core import Integrity, Label

from ..document import canonical


class Form(StrEnum):
    """What a row trains a model on."""

    TEXT = "text"
    """Plain text, to be continued."""
    INSTRUCTION = "instruction"
    """A prompt and the answer to it."""
    CHAT = "chat"
    """Turns of a conversation; what the assistant says in them is learnt."""
    PREFERENCE = "preference"
    """A prompt, the answer that is preferred, and the one that is not."""
    TABLE = "table"
    """Columns with no reading as one of the others."""


@dataclass(frozen=True, slots=True)
class Source:
    """Who gave a record, from where, under what terms: one for all of a contribution, but ``place``."""

    origin: str = ""
    """File, URL or upload that it came from."""
    place: str = ""
    """Where in it: ``17`` for the seventeenth row, counted from 1."""
    contributor: str = ""
    """Subject of the principal who contributed it."""
    process: str = ""
    """Identity of the program through which it came: the name of an API key, a job."""
    contribution: str = ""
    """Id of the contribution, as the ledger has it."""
    at: int = 0
    """When, in microseconds since the epoch, UTC; 0 when unknown."""
    licence: str = ""
    """SPDX identifier, or the words of the contributor."""
    consent: str = ""
    """On what ground the persons in it agreed, or why none is needed."""
    tenant: str = ""
    """Of the contributor; empty: common to all."""
    signer: str = ""
    """Public key (Base64) whose signature over the contribution was checked; empty: it was not signed."""


@dataclass(frozen=True, slots=True)
class Record:
    """Immutable. ``prompt``, ``response`` and ``rejected`` are readings of ``fields``."""

    id: str
    """Stable within its training set: given by the row, or made from its content."""
    fields: Mapping[str, Any]
    """The row as it came: JSON values only."""
    form: Form = Form.TABLE
    prompt: str = ""
    """What the model is given; the turns before the last answer, one to a line, for a chat."""
    response: str = ""
    """What it learns to answer (``chosen`` of a preference, the last answer of a chat); the text itself."""
    rejected: str = ""
    """The answer that it learns not to give."""
    source: Source = field(default_factory=Source)
    sensitivity: frozenset[str] = frozenset()
    """Data classes."""

    @property
    def label(self) -> Label:
        """Never trusted, however it was contributed."""
        return Label(Integrity.UNTRUSTED, self.sensitivity, frozenset({f"record:{self.id}"}))

    def texts(self) -> Iterator[tuple[str, str]]:
        """Every string in it with its place, such as ``messages[2].content``; depth first, in order."""
        yield from _texts(self.fields, "")


def content_id(fields: Mapping[str, Any]) -> str:
    """``r`` and 24 hexadecimal digits of the SHA-256 of the canonical row: equal rows, equal id. DataError
    for text that is no Unicode."""
    return "r" + hashlib.sha256(canonical(fields)).hexdigest()[:24]


def _texts(value: Any, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _texts(inner, f"{place}.{name}" if place else str(name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _texts(inner, f"{place}[{index}]")
