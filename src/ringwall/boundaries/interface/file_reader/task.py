"""What the gateway hands to the process that reads a file."""

from dataclasses import dataclass

from ringwall.detect.files import Limits


@dataclass(frozen=True, slots=True)
class Task:
    """Travels as MessagePack; the answer is a ``Reading``."""

    data: bytes
    declared: str
    """Media type that the sender gives it."""
    accept: tuple[str, ...]
    limits: Limits
    memory: int
    """Bytes."""
    seconds: int
    """Of processor time."""
    engine: str = ""
    """Path of tesseract; empty when pictures are not read."""
    languages: str = "eng"
