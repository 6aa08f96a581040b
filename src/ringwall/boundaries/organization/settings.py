"""The ``organization`` section of the workload file."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from ringwall.core import Settings

ThreatId = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9.]{1,15}@\d{4}$")]
Risk = Literal["none", "low", "medium", "high"]


class Continuity(Settings):
    """How soon the workload must be back, and how it goes on meanwhile. A drill times these."""

    rto_s: int = Field(default=300, ge=0)
    """Longest time to be serving again after a failure, in seconds."""
    rpo_s: int = Field(default=0, ge=0)
    """Longest span of decisions that may be lost, in seconds."""
    degraded: str = ""
    """Name of the model route that serves meanwhile; empty: nothing is served."""


class OrganizationSection(Settings):
    """People, risk and proof."""

    owner: str = ""
    """Team that answers for the workload."""
    threats: Path | None = None
    """The threat model, relative to the workload file."""
    appetite: dict[ThreatId, Risk] = Field(default_factory=dict)
    """Residual risk that the owner accepts, by threat such as ``LLM01@2025``."""
    continuity: Continuity = Continuity()
    """Targets for coming back after a failure."""
    evidence_days: int = Field(default=30, ge=1, le=3660)
    """Days after which evidence is stale."""
    controls: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """Settings and mode of the controls of this boundary, by id."""
