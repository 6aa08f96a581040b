"""Poison in training sets: a difference against the approved version, in groups for a person to review.

Design and limits: ``docs/adr/0019-poison.md``. What holds on one's own data: ``ringwall data poison-drill``.
"""

from .compare import compare, compare_each, compare_with
from .difference import Reference
from .settings import PoisonSettings

__all__ = ["PoisonSettings", "Reference", "compare", "compare_each", "compare_with"]
