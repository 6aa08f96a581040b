"""Training sets in the vault: records in sealed packs, under versions."""

from .sets import RecordsCommit, TrainingSets

__all__ = ["RecordsCommit", "TrainingSets"]
