"""What the pages show: plain values, which the backend makes of what runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, Protocol, TypeAlias

from ringwall.boundaries.data.review import Review
from ringwall.core import Boundary


class Record(Protocol):
    """A decision as the ledger keeps it (``ringwall.ledger.Record`` is one)."""

    @property
    def index(self) -> int:
        """Place in the log; grows with time."""
        ...

    @property
    def event(self) -> Mapping[str, Any]:
        """``ringwall.core.record.decision_event``."""
        ...

    @property
    def body(self) -> Mapping[str, Any] | None:
        """``ringwall.core.record.decision_body``; None when it was erased or can't be opened."""
        ...


@dataclass(frozen=True, slots=True)
class ApplicationInfo:
    """One application that a principal may talk to."""

    name: str
    model_note: str = ""
    """What answers, said plainly: ``gpt-x through remote``, or that no language model is attached."""
    model_attached: bool = True
    """False when answers are extracted from documents and no language model takes part."""
    greeting: str = ""
    suggestions: tuple[str, ...] = ()
    """Questions to start with, offered as buttons."""
    mode: str = "enforce"
    """``enforce`` or ``monitor``."""


@dataclass(frozen=True, slots=True)
class ControlInfo:
    """A control as it stands now, with what it did since the counts began."""

    id: str
    summary: str
    mode: str
    """``enforce`` or ``monitor``."""
    fail: str
    """``closed``, ``open`` or ``degrade``."""
    crossings: tuple[str, ...] = ()
    threats: tuple[str, ...] = ()
    evaluated: int = 0
    blocked: int = 0
    """Crossings that its verdict blocked or held."""
    failed: int = 0


@dataclass(frozen=True, slots=True)
class BoundaryInfo:
    boundary: Boundary
    controls: tuple[ControlInfo, ...] = ()


@dataclass(frozen=True, slots=True)
class DecisionFilter:
    """Empty fields match everything."""

    application: str = ""
    action: str = ""
    kind: str = ""
    boundary: str = ""
    subject: str = ""
    session: str = ""

    def match(self) -> dict[str, str]:
        """The fields that are set, in the form that ``Ledger.latest(match=...)`` takes."""
        pairs = {
            "application": self.application,
            "action": self.action,
            "kind": self.kind,
            "boundary": self.boundary,
            "subject": self.subject,
            "session": self.session,
        }
        return {key: value for key, value in pairs.items() if value}


@dataclass(frozen=True, slots=True)
class Proof:
    """That a record is in the log: RFC 9162 inclusion path up to a signed checkpoint."""

    index: int
    size: int
    """Number of records under the checkpoint."""
    leaf_hash: str
    """Hexadecimal."""
    path: tuple[str, ...]
    """Sibling hashes from the leaf upward, hexadecimal."""
    root: str
    """Hexadecimal."""
    checkpoint: str
    """C2SP signed note."""
    verified: bool
    """Whether path and signature were recomputed and agree."""
    note: str = ""
    """Why it is not verified, or what was checked."""


@dataclass(frozen=True, slots=True)
class HoldInfo:
    """A tool call that waits for a person. Approval is bound to the hash of exactly these arguments."""

    id: str
    tool: str
    arguments: Mapping[str, Any]
    arguments_hash: str
    subject: str
    """Who asked."""
    application: str
    created_at: int
    """Microseconds since the epoch."""
    expires_at: int
    """Microseconds since the epoch."""
    reasons: tuple[str, ...] = ()
    """Why it is held."""
    tenant: str = ""
    decision: str = ""
    """Id of the decision that held it."""
    effect: str = ""
    """``pay``, ``send``, …"""
    state: str = "pending"
    """``pending``, ``approved``, ``refused``, ``used``, ``void`` or ``expired``."""
    approver: str = "other"
    """Who may lift it: ``other``, or ``requester`` too."""
    doubtful: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Paths of arguments that nobody vouches for, each with its origins."""
    amended: Mapping[str, Any] | None = None
    """The arguments that a person put in place of these."""
    decided_by: str = ""
    """``tenant/subject``."""
    decided_at: int = 0
    """Microseconds since the epoch; 0 while nobody decided."""


@dataclass(frozen=True, slots=True)
class AllowInfo:
    """An allow-rule: findings that were reported as a false alarm."""

    id: str
    control: str
    rule: str
    application: str
    match: str
    """``text``, ``span`` or ``phrase``."""
    owner: str
    reason: str
    by: str
    decision: str
    created_at: int
    """Microseconds since the epoch."""
    expires_at: int
    """Microseconds since the epoch."""
    in_force: bool


@dataclass(frozen=True, slots=True)
class FalseAlarm:
    """What an operator reports of a decision."""

    findings: tuple[int, ...]
    """Numbers of findings."""
    expires: str
    """A period such as ``30d``."""
    reason: str
    match: str = ""
    """Empty: the narrowest that is of use."""
    phrase: str = ""


@dataclass(frozen=True, slots=True)
class ToolInfo:
    """A tool of the workload, or of an MCP server."""

    name: str
    effect: str
    description: str = ""
    off_by: str = ""
    """Target of the kill switch that stands against it; empty: it is on."""


@dataclass(frozen=True, slots=True)
class SwitchInfo:
    """A kill switch that was thrown."""

    target: str
    """Name of a tool, ``effect:<effect>``, ``<server>__*`` or ``*`` for every tool."""
    reason: str
    by: str
    at: int
    """Microseconds since the epoch."""


ThreatStatus: TypeAlias = Literal["proven", "degraded", "stale", "asserted", "broken", "none"]


@dataclass(frozen=True, slots=True)
class ThreatRow:
    """A threat of the workload's model with its derived status."""

    id: str
    statement: str
    status: ThreatStatus
    why: str
    """The evidence that the status was derived from, or what is missing."""
    tags: tuple[str, ...] = ()
    """``id@edition`` and STRIDE."""
    controls: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ServerTool:
    """A tool of an MCP server, as approved and as last seen."""

    server: str
    tool: str
    """The server's own name."""
    name: str
    """In this workload."""
    state: str
    """``new``, ``approved``, ``changed``, ``refused`` or ``gone``."""
    digest: str
    """Of the manifest as seen; empty when it is not offered."""
    effect: str
    why: str = ""
    """Why it is taken for that effect."""
    sure: bool = True
    target: tuple[str, ...] = ()
    problem: str = ""
    """Why it can't be approved."""
    findings: tuple[str, ...] = ()
    difference: tuple[str, ...] = ()
    """Lines of a unified diff against what was approved."""
    description: str = ""
    decided_by: str = ""
    decided_at: int = 0


@dataclass(frozen=True, slots=True)
class ServerInfo:
    name: str
    at: str
    """Its address, or the program that is started."""
    tools: tuple[ServerTool, ...] = ()


@dataclass(frozen=True, slots=True)
class CollectionInfo:
    """A collection as a reviewer finds it."""

    name: str
    kind: str
    """``index`` or ``training``."""
    records: int
    version: int
    """The current one; 0 when nothing was ever committed."""
    chain: str
    """Of the current version: it can't be another one later."""
    approved: int
    """The version approved last; 0 when none was."""
    waiting: int
    """Contributions in quarantine."""
    at: int = 0
    author: str = ""
    review: Review | None = None
    """The newest review of the current version."""
    running: bool = False
    """Whether a review is under way."""
    failed: str = ""
    """Why the last review came to nothing."""
    may_approve: bool = False
    may_read: bool = False
    """Whether this person may see records."""


@dataclass(frozen=True, slots=True)
class Message:
    role: Literal["user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Delta:
    """Text that may leave: already guarded."""

    text: str


@dataclass(frozen=True, slots=True)
class Final:
    """The end of an answer."""

    text: str
    """The whole answer; what the page keeps."""
    turn: str
    """Joins the decisions of this turn."""
    finish: str = "stop"
    """``stop``, ``blocked`` (the text is the refusal), ``held`` (a person decides)."""


@dataclass(frozen=True, slots=True)
class Failure:
    """The turn could not be answered."""

    message: str
    """One sentence for the person."""
    turn: str = ""


ChatEvent: TypeAlias = Delta | Final | Failure
