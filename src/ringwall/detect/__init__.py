"""Content analysis: text in, spans out. No policy, no I/O."""

from .assess import Assessment, assess
from .engine import MAX_HITS, Engine, Hit
from .judge import Judgement, judge
from .learned import Tier, best_tier
from .normalise import canonical, views
from .rules import Rule, RuleError, builtin, parse
from .scanner import Scanner, Sighting, scanner
from .views import View
from .window import RuleWindow, window

__all__ = [
    "MAX_HITS",
    "Assessment",
    "Engine",
    "Hit",
    "Judgement",
    "Rule",
    "RuleError",
    "RuleWindow",
    "Scanner",
    "Sighting",
    "Tier",
    "View",
    "assess",
    "best_tier",
    "builtin",
    "canonical",
    "judge",
    "parse",
    "scanner",
    "views",
    "window",
]
