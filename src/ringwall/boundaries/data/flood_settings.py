"""When new passages of an index are shown to a reviewer as a flood."""

from pydantic import Field

from ringwall.core import Settings


class FloodSettings(Settings):
    """Thresholds of the comparison of an index with its last approved version."""

    raise_at: float = Field(default=0.5, ge=0.0, le=1.0)
    """Score from which a group of passages is raised."""
    stop_at: float = Field(default=0.8, ge=0.0, le=1.0)
    """Score from which a version should not be approved as it is."""
    passages: int = Field(default=3, ge=3, le=40)
    """Fewest passages that are a flood."""
    queries: int = Field(default=20_000, ge=0, le=200_000)
    """Questions made from the approved version at most, by which passages that rank for too much are found; 0
    leaves that out."""
    contributor_share: float = Field(default=0.5, gt=0.0, le=1.0)
    """Share of the new passages from which a single contributor, who had less than half of that share of the
    approved version, is noted."""
