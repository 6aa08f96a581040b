"""Where a record came from, how far it reaches, and what is done when it should never have come."""

from .bom import ModelFacts, SetFacts, ml_bom
from .citations import Answer, Citations
from .marks import Mark, Marks
from .radius import Lineage, Radius, Trained
from .removal import Purge, Removed
from .removal_plan import Removal

__all__ = [
    "Answer",
    "Citations",
    "Lineage",
    "Mark",
    "Marks",
    "ModelFacts",
    "Purge",
    "Radius",
    "Removal",
    "Removed",
    "SetFacts",
    "Trained",
    "ml_bom",
]
