"""The model boundary: which models, from where, used how."""

from .admission_book import Admission, Admissions
from .breaker import Circuit
from .provider import (
    ChatReply,
    ChatRequest,
    Delta,
    Provider,
    ProviderError,
    ToolCallFragment,
    Usage,
)
from .provider_factory import build_providers
from .routing import RoutedReply, RoutedStream, Router, Served
from .settings import ModelSection

__all__ = [
    "Admission",
    "Admissions",
    "ChatReply",
    "ChatRequest",
    "Circuit",
    "Delta",
    "ModelSection",
    "Provider",
    "ProviderError",
    "RoutedReply",
    "RoutedStream",
    "Router",
    "Served",
    "ToolCallFragment",
    "Usage",
    "build_providers",
]
