"""One thing that passes a boundary. Every protocol shape is turned into these."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from .boundary import Boundary
from .label import Label
from .principal import Principal


class CrossingKind(StrEnum):
    REQUEST = "request"
    RESPONSE = "response"
    TOOL_OFFER = "tool_offer"
    TOOL_CALL = "tool_call"
    TOOL_RESULT = "tool_result"
    EGRESS = "egress"
    MODEL_CALL = "model_call"
    MODEL_ADMISSION = "model_admission"
    CONTRIBUTION = "contribution"
    RETRIEVAL = "retrieval"
    EXPORT = "export"

    @property
    def boundary(self) -> Boundary:
        """The boundary that this kind of crossing passes."""
        return _HOME[self]


_HOME: Mapping[CrossingKind, Boundary] = {
    CrossingKind.REQUEST: Boundary.INTERFACE,
    CrossingKind.RESPONSE: Boundary.INTERFACE,
    CrossingKind.TOOL_OFFER: Boundary.APPLICATION,
    CrossingKind.TOOL_CALL: Boundary.APPLICATION,
    CrossingKind.TOOL_RESULT: Boundary.APPLICATION,
    CrossingKind.EGRESS: Boundary.APPLICATION,
    CrossingKind.MODEL_CALL: Boundary.MODEL,
    CrossingKind.MODEL_ADMISSION: Boundary.MODEL,
    CrossingKind.CONTRIBUTION: Boundary.DATA,
    CrossingKind.RETRIEVAL: Boundary.DATA,
    CrossingKind.EXPORT: Boundary.DATA,
}


class PartKind(StrEnum):
    TEXT = "text"
    TOOL_OFFER = "tool_offer"
    TOOL_CALL = "tool_call"
    TOOL_RESULT = "tool_result"
    DOCUMENT = "document"
    IMAGE = "image"
    FILE = "file"
    AUDIO = "audio"


CLIENT_INSTRUCTIONS = "instructions"
"""``Part.ref`` of what a client sent as a system or developer message. It may count as the user's word, and
is still nothing that the user asked for."""
RESPONSE_FORMAT = "response_format"
"""``Part.ref`` of the schema that a client wants the answer to have; the same holds for it."""


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a crossing, with what is known of it.

    ``text`` is what detectors read: the message text, the canonical JSON of a tool call's arguments, the
    text of a tool result or of a document. ``data`` is the parsed form where there is one.
    """

    kind: PartKind
    text: str
    label: Label
    role: str = ""
    """Role of the message that carries it: ``system``, ``user``, ``assistant``, ``tool``; else empty."""
    name: str = ""
    """Name of the tool, document or file."""
    data: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    """A tool call's arguments; a tool offer's manifest; a document's metadata."""
    ref: str = ""
    """Id inside the protocol: tool call id, document id; ``CLIENT_INSTRUCTIONS``."""
    fresh: bool = True
    """False for history that this session has shown before and that was decided then."""

    @property
    def digest(self) -> str:
        """SHA-256 of the text, hexadecimal: the key under which labels and verdicts are kept."""
        return hashlib.sha256(self.text.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class Crossing:
    """One request, response, tool call, retrieval… as it stands before the gate."""

    kind: CrossingKind
    principal: Principal
    parts: tuple[Part, ...] = ()
    application: str = ""
    session: str = ""
    endpoint: str = ""
    """The API operation it belongs to, such as ``chat.completions``."""
    streaming: bool = False
    context: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    """Facts from the gateway (never from the model) that controls may read; the keys are documented with
    the kind in ``docs/reference/crossings.md``."""

    def with_parts(self, parts: tuple[Part, ...]) -> "Crossing":
        return replace(self, parts=parts)
