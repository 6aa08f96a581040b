"""Ringwall: defence in depth for applications built on large language models."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .inprocess import Ringwall as Ringwall

__version__ = "0.1.0"
__all__ = ["Ringwall", "__version__"]


def __getattr__(name: str) -> Any:
    """``Ringwall`` brings everything with it, so it is imported by those who ask for it."""
    if name == "Ringwall":
        from .inprocess import Ringwall  # noqa: PLC0415

        return Ringwall
    raise AttributeError(name)
