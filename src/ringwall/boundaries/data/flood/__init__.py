"""Poisoning of an index, as a difference against its last approved version."""

from .compare import compare
from .passage import Passage, PassageLike, passages_of

__all__ = ["Passage", "PassageLike", "compare", "passages_of"]
