"""The five trust boundaries of an LLM application."""

from enum import StrEnum


class Boundary(StrEnum):
    """Where trust changes hands. Every control stands at exactly one."""

    INTERFACE = "interface"
    """What users send and receive."""
    APPLICATION = "application"
    """Tools, plugins, agents and the systems behind them."""
    MODEL = "model"
    """Which models, from where, used how."""
    DATA = "data"
    """What the model learns from and retrieves."""
    ORGANIZATION = "organization"
    """People, risk, containment and proof."""
