"""``purpose`` of an application in the workload file: what it is for, and what it is not for."""

from typing import Literal

from pydantic import Field

from ringwall.core import Settings


class PurposeSettings(Settings):
    """Without ``allowed`` and ``denied``, every subject is welcome."""

    allowed: tuple[str, ...] = Field(default=(), max_length=100)
    """What it is for, in a few words each: ``questions on lamps, orders, returns``."""
    denied: tuple[str, ...] = Field(default=(), max_length=100)
    """What it is not for, whatever else is allowed: ``medical advice``."""
    examples: tuple[str, ...] = Field(default=(), max_length=500)
    """Questions that it should answer. The threshold is set on them; twenty make a good one."""
    off_topic: Literal["annotate", "block"] = "annotate"
    """What a request outside ``allowed`` means. Without embeddings it is put on record at most."""
    on_denied: Literal["annotate", "block"] = "block"
    """What a request for something denied means."""
    threshold: float | None = Field(default=None, gt=0, lt=1)
    """Similarity under which a request may be off topic; left out: set on the examples."""
    engine: Literal["auto", "embeddings", "words"] = "auto"
    """``embeddings`` refuses to start without the extra of that name; ``auto`` takes words in their place,
    and `ringwall check` tells which."""
