"""The drill: attacks and innocent use through the real listener, with controls knocked out and broken.

DESIGN 4.7: derived depth, then what really happened, then where the two disagree. ``load`` reads scenarios,
``drill`` runs them against gateways that a ``Start`` gives, ``report`` shows what was found.
"""

from .actor import Reply, play
from .fault import BrokenControl
from .observation import Call, Observation, Recorded
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
    "load",
    "play",
]
