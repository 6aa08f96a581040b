"""The drill: attacks and innocent use through the real listener, with controls knocked out and broken.

DESIGN 4.7: derived depth, then what really happened, then where the two disagree. ``load`` reads scenarios,
``drill`` runs them against gateways that a ``Start`` gives; ``summary``, ``to_json`` and ``to_html`` show
what was found, and ``facts`` turns it into evidence.
"""

from .actor import Reply, play
from .facts import facts
from .fault import BrokenControl
from .observation import Call, Observation, Recorded
from .report import summary, to_html, to_json
from .result import DrillResult
from .runner import Progress, drill
from .scenario import Rule, Scenario, load
from .target import Fault, Setup, Start, Target

__all__ = [
    "BrokenControl",
    "Call",
    "DrillResult",
    "Fault",
    "Observation",
    "Progress",
    "Recorded",
    "Reply",
    "Rule",
    "Scenario",
    "Setup",
    "Start",
    "Target",
    "drill",
    "facts",
    "load",
    "play",
    "summary",
    "to_html",
    "to_json",
]
