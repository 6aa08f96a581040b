"""Whether a served model gives away what it was trained on: exposure, extraction, membership."""

from .exposure import Exposure, exposure
from .membership import Signal, membership
from .probe import Probe
from .report import ExtractionReport, Thresholds
from .run import examine
from .suffixes import Suffix

__all__ = [
    "Exposure",
    "ExtractionReport",
    "Probe",
    "Signal",
    "Suffix",
    "Thresholds",
    "examine",
    "exposure",
    "membership",
]
