"""Content analysis: text in, spans out. No policy, no I/O."""

from .assess import Assessment, assess
from .engine import Engine, Hit
from .judge import Judgement, judge
from .learned import Tier, best_tier
from .normalise import canonical, views
from .rules import Rule, RuleError, builtin, parse
from .scanner import Scanner, Sighting, scanner
from .views import View

__all__ = [
    "Assessment",
    "Engine",
    "Hit",
    "Judgement",
    "Rule",
    "RuleError",
    "Scanner",
    "Sighting",
    "Tier",
    "View",
    "assess",
    "best_tier",
    "builtin",
    "judge",
    "canonical",
    "parse",
    "scanner",
    "views",
]
