"""Ringwall in an application's own process: for programs that execute tools themselves."""

from ringwall.boundaries.application.execute import ToolFault

from .refusal import HeldError, NoSessionError, Refusal
from .session import Session, current
from .wall import Ringwall

__all__ = ["HeldError", "NoSessionError", "Refusal", "Ringwall", "Session", "ToolFault", "current"]
