"""Content analysis: text in, spans out. No policy, no I/O."""

from .assess import Assessment, assess
from .engine import MAX_HITS, Engine, Hit
from .normalise import canonical, views
from .rules import Rule, RuleError, builtin, parse
from .scanner import Scanner, Sighting, scanner
from .views import View

__all__ = [
    "MAX_HITS",
    "Assessment",
    "Engine",
    "Hit",
    "Rule",
    "RuleError",
    "Scanner",
    "Sighting",
    "View",
    "assess",
    "builtin",
    "canonical",
    "parse",
    "scanner",
    "views",
]
