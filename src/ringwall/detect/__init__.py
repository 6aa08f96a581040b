"""Content analysis: text in, spans out. No policy, no I/O."""

from .assess import Assessment, assess
from .engine import Engine, Hit
from .normalise import canonical, views
from .rules import Rule, RuleError, builtin, parse
from .scanner import Scanner, Sighting, scanner
from .views import View

__all__ = [
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
