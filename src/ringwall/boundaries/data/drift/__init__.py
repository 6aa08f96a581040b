"""Bias and drift between two versions of a training set, or against a reference."""

from .compare import Drift, compare, measure, measure_profiles
from .measure import Measure
from .profile import Profile, profile

__all__ = ["Drift", "Measure", "Profile", "compare", "measure", "measure_profiles", "profile"]
