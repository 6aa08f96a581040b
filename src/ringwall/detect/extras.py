"""Optional parts: what to install when one is missing."""

from importlib import import_module
from typing import Any


class MissingExtra(RuntimeError):
    """An optional part is not installed. The message says which one to install."""


def imported(module: str, extra: str, purpose: str) -> Any:
    """The module, or MissingExtra with one sentence."""
    try:
        return import_module(module)
    except ImportError:
        raise MissingExtra(
            f"{purpose} needs the package '{module}': install ringwall[{extra}], or switch it off."
        ) from None
