"""What contributions need that other parts of the product have."""

from dataclasses import dataclass
from typing import Protocol

from ringwall.core import Principal

from ..quarantine import Held
from ..settings import CollectionSettings
from .files import ReadFile
from .rows import TrainingStore


class ReleasePolicy(Protocol):
    """What is needed of ``policies.DataPolicies``."""

    def refuses_release(self, held: Held, settings: CollectionSettings, by: Principal) -> str:
        """Why this person may not decide on it; empty when they may."""
        ...


@dataclass(frozen=True, slots=True)
class Means:
    """Handed in where the product is put together."""

    training: TrainingStore | None = None
    """Keeps rows; without it there are no training sets."""
    reader: ReadFile | None = None
    """Reads what is no text file; without it none is taken."""
    policy: ReleasePolicy | None = None
    """Has a say in releases; in contributions the controls have."""
