"""A passage that the model may be shown."""

from collections.abc import Mapping
from dataclasses import dataclass

from ringwall.core import Label
from ringwall.server.retrieval.search import Found


@dataclass(frozen=True, slots=True)
class Retrieved:
    """What was found, as it passed the gate."""

    text: str
    """Marked as data, as the application shows it to its models."""
    title: str
    citation: str
    """``document:COLLECTION/ID@REVISION``, for ever."""
    score: float
    """From 0 to 1, as a share of the best passage of this search."""
    file: str
    """Id under which the gateway's API knows the document."""
    name: str
    """File name."""
    label: Label
    """Integrity, data classes and origin."""
    attributes: Mapping[str, str | float | bool]
    """The same as plain values, with what its contributor said of it."""

    @classmethod
    def of(cls, found: Found) -> "Retrieved":
        chunk = found.passage.chunk
        return cls(
            text=found.text,
            title=chunk.title,
            citation=chunk.name,
            score=found.score,
            file=found.about.file,
            name=found.name,
            label=found.passage.part.label,
            attributes=found.attributes,
        )
