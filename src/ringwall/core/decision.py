"""The gate's answer to a crossing, with one line for every applicable control."""

from dataclasses import dataclass
from enum import StrEnum

from .boundary import Boundary
from .crossing import CrossingKind
from .verdict import Action, Verdict


class Mode(StrEnum):
    ENFORCE = "enforce"
    MONITOR = "monitor"
    """Everything is looked at and recorded, nothing is changed, held or blocked."""


class Status(StrEnum):
    EVALUATED = "evaluated"
    NOT_EVALUATED = "not_evaluated"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Line:
    """What became of one control. A control that did not run never reads as passed."""

    control: str
    boundary: Boundary
    status: Status
    mode: Mode
    verdict: Verdict | None = None
    """The control's own verdict, before its mode was applied; None when it gave none. Findings that an
    allow-rule names have lost their force already."""
    counted: Action = Action.ALLOW
    """What entered the decision: the verdict under the control's mode, or the treatment of its failure."""
    reason: str = ""
    """Why it was not evaluated, how it failed, or which allow-rules took the force of findings."""
    treatment: str = ""
    """How a failure was treated: ``blocked``, ``allowed``, ``degraded to <control>``."""
    elapsed_us: int = 0


@dataclass(frozen=True, slots=True)
class Decision:
    id: str
    """``dec_`` and 26 characters that sort by time."""
    at: int
    """Microseconds since the epoch, UTC."""
    kind: CrossingKind
    application: str
    subject: str
    tenant: str
    session: str
    endpoint: str
    policy: str
    """Version of the configuration that decided: a hash."""
    mode: Mode
    action: Action
    """What the gateway does."""
    would: Action
    """What it would do if every control and the application were in ``enforce``."""
    lines: tuple[Line, ...]
    joined: Verdict
    """Findings and edits of all lines that count, joined."""
    elapsed_us: int = 0
    actor: str = ""
    """``tenant/subject`` of the service that acted on the subject's behalf; empty when there was none."""

    @property
    def boundary(self) -> Boundary:
        return self.kind.boundary

    @property
    def blocked(self) -> bool:
        return self.action is Action.BLOCK

    @property
    def held(self) -> bool:
        return self.action is Action.HOLD

    @property
    def reasons(self) -> tuple[str, ...]:
        return self.joined.reasons
