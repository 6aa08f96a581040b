"""Content analysis: text in, spans out. No policy, no I/O."""

from .assess import Assessment, assess
from .engine import Engine, Hit
from .normalise import views
from .rules import Rule, RuleError, builtin, parse
from .scanner import Scanner, Sighting, scanner
from .views import View
from .window import RuleWindow, window

__all__ = [
    "Assessment",
    "Engine",
    "Hit",
    "Rule",
    "RuleError",
    "RuleWindow",
    "Scanner",
    "Sighting",
    "View",
    "assess",
    "builtin",
    "parse",
    "scanner",
    "views",
    "window",
]
