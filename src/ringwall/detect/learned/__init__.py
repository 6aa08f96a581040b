"""Learned detection of injections and jailbreaks: hashed n-grams, and a small transformer as an extra."""

from .opinion import Opinion, Tier, best_tier, joined, opinion, sigmoid

__all__ = ["Opinion", "Tier", "best_tier", "joined", "opinion", "sigmoid"]
