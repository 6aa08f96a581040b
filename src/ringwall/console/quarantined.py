"""What the pages of the quarantine show: contributions that wait for a person."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol

from ringwall.core import Principal


@dataclass(frozen=True, slots=True)
class HeldData:
    """A document, or the rows of one contribution, in quarantine."""

    id: str
    collection: str
    document: str
    """Id of the document; of the contribution, for rows."""
    contributor: str
    tenant: str
    """Empty: for all tenants."""
    at: int
    """Microseconds since the epoch."""
    rows: int = 0
    """0 for a document."""
    process: str = ""
    licence: str = ""
    consent: str = ""
    origin: str = ""
    decision: str = ""
    barred: str = ""
    """Why the person who looks may not decide on it; empty when they may."""


@dataclass(frozen=True, slots=True)
class HeldFinding:
    """A place that a control pointed at."""

    number: int
    control: str
    rule: str
    cls: str
    message: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class HeldText:
    """One text of it: a document's, what it hides, or a row."""

    name: str
    text: str
    """As it was contributed."""
    findings: tuple[HeldFinding, ...] = ()
    hidden: bool = False
    """Whether a reader of the source would not see it."""
    difference: tuple[str, ...] = ()
    """Lines of a unified diff to what would be stored; empty when nothing is changed."""
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HeldDataPage:
    held: HeldData
    reasons: tuple[str, ...]
    texts: tuple[HeldText, ...]
    title: str = ""
    start: int = 0
    """Number of the first row that is shown, from 0."""
    counts: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    """Of rows: ``rows`` contributed, ``flagged`` by a control, ``left_out``."""


class Quarantines(Protocol):
    """The part of the backend behind these pages. Every method may raise ``RingwallError``."""

    async def quarantine(self, principal: Principal) -> Sequence[HeldData]:
        """What this person may know of, oldest first."""
        ...

    async def held_data(self, held: str, principal: Principal, start: int) -> HeldDataPage:
        """One of them, rows from ``start`` on. Raises for whoever may not decide on it."""
        ...

    async def release_data(self, held: str, principal: Principal, reason: str) -> None: ...

    async def reject_data(self, held: str, principal: Principal, reason: str) -> None: ...
