"""Settings of the poison detection."""

from typing import Literal, Self

from pydantic import Field, model_validator

from ringwall.core import Settings
from ringwall.detect.embed import available


class PoisonSettings(Settings):
    """How the difference against the approved version is searched."""

    support: int = Field(default=8, ge=4, le=1000)
    """Fewest records that make a group."""
    ratio: float = Field(default=20.0, ge=2.0)
    """How many times as frequent something must be among the new records as among the approved."""
    least: float = Field(default=0.2, ge=0.0, le=3.0)
    """Raw score from which a group is raised."""
    strange: float = Field(default=0.6, gt=0.0, le=1.0)
    """Share of an answer's pairs of neighbouring words that no other text has, from which it is noise."""
    longest_trigger: int = Field(default=5, ge=1, le=12)
    """Longest n-gram of prompts, in words."""
    longest_payload: int = Field(default=8, ge=1, le=16)
    """Longest n-gram of answers, in words."""
    sample_beyond: int = Field(default=200_000, ge=100)
    """Approved records from which on only a share of their texts is compared with."""
    embedding: Literal["words", "model"] = "words"
    """What the clusters by contributor are found with: words that answers share, or their meaning, which
    takes the extra ``embeddings`` and some 2 ms a sentence."""

    @model_validator(mode="after")
    def _installed(self) -> Self:
        if self.embedding == "model" and not available():
            raise ValueError("embedding: model needs embeddings: pip install 'ringwall[embeddings]'")
        return self
