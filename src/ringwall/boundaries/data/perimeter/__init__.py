"""Whether what AWS itself enforces keeps data in: bucket policies, endpoint policies, locks."""

from .bucket import bucket_checks, policy_checks
from .check import Check, State
from .endpoint import endpoint_checks
from .policy import Policy, Request
from .probes import Probes
from .settings import PerimeterSettings

__all__ = [
    "Check",
    "PerimeterSettings",
    "Policy",
    "Probes",
    "Request",
    "State",
    "bucket_checks",
    "endpoint_checks",
    "policy_checks",
]
