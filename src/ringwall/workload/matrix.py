"""The coverage matrix: endpoint x direction x streaming x part x control, from what is registered.

A cell is *guarded* when an enforcing control inspects that kind of part there, *refused* when the gateway
does not take such parts, and *unguarded* otherwise: in enforce mode an unguarded cell stops the start.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from ringwall.core import CrossingKind, Gate, Mode, PartKind

_NOTHING: tuple[str, ...] = ()


class Cover(StrEnum):
    GUARDED = "guarded"
    WATCHED = "watched"
    """Only recorded: the application, or every control that sees it, is in monitor mode."""
    REFUSED = "refused"
    UNGUARDED = "unguarded"


@dataclass(frozen=True, slots=True)
class Shape:
    """One shape of traffic that an adapter can carry."""

    endpoint: str
    kind: CrossingKind
    part: PartKind
    streaming: tuple[bool, ...] = (False, True)
    optional: bool = False
    """Requests may carry it only where the application accepts it."""
    carriers: tuple[PartKind, ...] = ()
    """What brings it along, where it does not come by itself: the texts of files."""


@dataclass(frozen=True, slots=True)
class Cell:
    application: str
    endpoint: str
    direction: str
    """The kind of crossing."""
    streaming: bool
    part: str
    cover: Cover
    controls: tuple[str, ...]
    """Enforcing controls that see it."""
    monitoring: tuple[str, ...] = ()
    """Controls that see it and only record."""
    missing: tuple[str, ...] = ()
    """Controls that the workload requires and that can't see it."""

    @property
    def open(self) -> bool:
        return self.cover in (Cover.UNGUARDED, Cover.WATCHED) or bool(self.missing)


_CHAT = "chat.completions"
_MCP = "mcp"
_STORES = "vector_stores"
SHAPES: tuple[Shape, ...] = (
    *(
        Shape(_CHAT, CrossingKind.REQUEST, part, optional=True)
        for part in (
            PartKind.TEXT,
            PartKind.TOOL_CALL,
            PartKind.TOOL_RESULT,
            PartKind.IMAGE,
            PartKind.FILE,
            PartKind.AUDIO,
        )
    ),
    Shape(
        _CHAT,
        CrossingKind.REQUEST,
        PartKind.DOCUMENT,
        optional=True,
        carriers=(PartKind.IMAGE, PartKind.FILE),
    ),
    Shape(_CHAT, CrossingKind.TOOL_OFFER, PartKind.TOOL_OFFER),
    Shape(_CHAT, CrossingKind.RESPONSE, PartKind.TEXT),
    Shape(_CHAT, CrossingKind.TOOL_CALL, PartKind.TOOL_CALL),
    Shape(_CHAT, CrossingKind.TOOL_RESULT, PartKind.TOOL_RESULT),
    Shape(_CHAT, CrossingKind.EGRESS, PartKind.TEXT),
    Shape(_CHAT, CrossingKind.RETRIEVAL, PartKind.DOCUMENT),
    Shape(_MCP, CrossingKind.TOOL_OFFER, PartKind.TOOL_OFFER, streaming=(False,)),
    Shape(_MCP, CrossingKind.TOOL_CALL, PartKind.TOOL_CALL, streaming=(False,)),
    Shape(_MCP, CrossingKind.TOOL_RESULT, PartKind.TOOL_RESULT, streaming=(False,)),
    Shape(_MCP, CrossingKind.REQUEST, PartKind.TEXT, streaming=(False,)),
    Shape(_MCP, CrossingKind.RETRIEVAL, PartKind.DOCUMENT, streaming=(False,)),
    Shape(_MCP, CrossingKind.RETRIEVAL, PartKind.TEXT, streaming=(False,)),
    Shape(_STORES, CrossingKind.REQUEST, PartKind.TEXT, streaming=(False,)),
    Shape(_STORES, CrossingKind.RETRIEVAL, PartKind.DOCUMENT, streaming=(False,)),
    Shape(_STORES, CrossingKind.RETRIEVAL, PartKind.TEXT, streaming=(False,)),
    Shape(_STORES, CrossingKind.CONTRIBUTION, PartKind.DOCUMENT, streaming=(False,)),
    Shape("collections.documents", CrossingKind.CONTRIBUTION, PartKind.DOCUMENT, streaming=(False,)),
    Shape("collections.files", CrossingKind.CONTRIBUTION, PartKind.DOCUMENT, streaming=(False,)),
    Shape("data.export", CrossingKind.EXPORT, PartKind.DOCUMENT, streaming=(False,)),
)


def matrix(
    gates: Mapping[str, Gate], accept: Mapping[str, Iterable[str]], required: Mapping[str, frozenset[str]]
) -> list[Cell]:
    """All cells. ``accept`` (kinds of request parts) and ``required`` (control ids) are by application."""
    return [
        _cell(application, gate, shape, streaming, set(accept[application]), required[application])
        for application, gate in gates.items()
        for shape in SHAPES
        for streaming in shape.streaming
    ]


def _cell(
    application: str, gate: Gate, shape: Shape, streaming: bool, accept: set[str], required: frozenset[str]
) -> Cell:
    seeing = [
        post
        for post in gate.posts
        if shape.kind in post.control.declaration.crossings and shape.part in post.control.declaration.parts
    ]
    monitored = gate.mode is Mode.MONITOR
    ids = {post.control.declaration.id: post.mode is Mode.ENFORCE and not monitored for post in seeing}
    enforcing = tuple(sorted(name for name, enforced in ids.items() if enforced))
    if shape.optional and not accept & {str(part) for part in shape.carriers or (shape.part,)}:
        cover, missing = Cover.REFUSED, _NOTHING
    else:
        cover = Cover.GUARDED if enforcing else Cover.WATCHED if ids else Cover.UNGUARDED
        missing = tuple(sorted(_due(gate, required, shape) - set(ids if monitored else enforcing)))
    return Cell(
        application,
        shape.endpoint,
        str(shape.kind),
        streaming,
        str(shape.part),
        cover,
        enforcing,
        tuple(sorted(name for name, enforced in ids.items() if not enforced)),
        missing,
    )


def _due(gate: Gate, required: frozenset[str], shape: Shape) -> set[str]:
    """Required controls that claim this kind of crossing and look at parts."""
    return {
        post.control.declaration.id
        for post in gate.posts
        if post.control.declaration.id in required
        and shape.kind in post.control.declaration.crossings
        and post.control.declaration.parts
    }
