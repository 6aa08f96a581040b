"""The vocabulary as types, and the gate. No I/O; imports nothing else of ours."""

from .allowance import ALLOWED_BY, Allowances
from .application import Application
from .boundary import Boundary
from .control import (
    Control,
    Cost,
    Declaration,
    FailMode,
    Rewrites,
    Rewriting,
    StreamAware,
    StreamNeeds,
    applies,
)
from .crossing import CLIENT_INSTRUCTIONS, RESPONSE_FORMAT, Crossing, CrossingKind, Part, PartKind
from .decision import Decision, Line, Mode, Status
from .errors import (
    ConfigError,
    DataError,
    DeniedError,
    IdentityError,
    Problem,
    RingwallError,
    UpstreamError,
)
from .gate import Gate, Post
from .ids import new_id
from .label import MODEL, SYSTEM, USER, Integrity, Label, untrusted
from .part_control import PartControl
from .principal import ANONYMOUS, Grant, Principal
from .rate import Rate, RateField, parse_rate
from .record import decision_body, decision_event, event_record, numbered_findings
from .settings import ControlFactory, NoSettings, Services, Settings, WorkloadFolder
from .streaming import END_OF_STREAM, Buffer, EndOfStream, StreamNeed, Window, fold, stricter
from .verdict import ALLOW, Action, Edit, Finding, Verdict, apply_edits, verdict

__all__ = [
    "ALLOW",
    "ALLOWED_BY",
    "ANONYMOUS",
    "CLIENT_INSTRUCTIONS",
    "END_OF_STREAM",
    "MODEL",
    "RESPONSE_FORMAT",
    "SYSTEM",
    "USER",
    "Action",
    "Allowances",
    "Application",
    "Boundary",
    "Buffer",
    "ConfigError",
    "Control",
    "ControlFactory",
    "Cost",
    "Crossing",
    "CrossingKind",
    "DataError",
    "Decision",
    "Declaration",
    "DeniedError",
    "Edit",
    "EndOfStream",
    "FailMode",
    "Finding",
    "Gate",
    "Grant",
    "IdentityError",
    "Integrity",
    "Label",
    "Line",
    "Mode",
    "NoSettings",
    "Part",
    "PartControl",
    "PartKind",
    "Post",
    "Principal",
    "Problem",
    "Rate",
    "RateField",
    "Rewrites",
    "Rewriting",
    "RingwallError",
    "Services",
    "Settings",
    "Status",
    "StreamAware",
    "StreamNeed",
    "StreamNeeds",
    "UpstreamError",
    "Verdict",
    "Window",
    "WorkloadFolder",
    "applies",
    "apply_edits",
    "decision_body",
    "decision_event",
    "event_record",
    "fold",
    "new_id",
    "numbered_findings",
    "parse_rate",
    "stricter",
    "untrusted",
    "verdict",
]
