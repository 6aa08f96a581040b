"""Is this file a model that may be loaded? Content decides, never the name.

An allow-list: GGUF and safetensors, which hold data only, each walked from end to end within bounds. All
else is refused outright, pickle-based formats above all, since loading them runs code.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import BinaryIO

from .gguf import check_gguf
from .reading import Malformed
from .safetensors import check_safetensors


class Format(StrEnum):
    GGUF = "gguf"
    SAFETENSORS = "safetensors"
    PICKLE = "pickle"
    ZIP = "zip"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Report:
    """What the format check found."""

    format: Format
    refusals: tuple[str, ...]
    """Why it must not be loaded; empty when nothing speaks against it."""
    notes: tuple[str, ...] = ()
    """What a reviewer should know."""


def inspect_artifact(file: BinaryIO, size: int) -> Report:
    """Check an open file of ``size`` bytes. Reads from its beginning; never raises for its content."""
    file.seek(0)
    head = file.read(512)
    kind = detect(head)
    file.seek(0)
    try:
        if kind is Format.GGUF:
            refusals, notes = check_gguf(file, size)
            return Report(kind, tuple(refusals), tuple(notes))
        if kind is Format.SAFETENSORS:
            return Report(kind, (), tuple(check_safetensors(file, size)))
    except Malformed as error:
        return Report(kind, (f"The file is no valid {kind} file: {error}.",))
    return Report(kind, (_REFUSED[kind],))


_REFUSED = {
    Format.PICKLE: "The file is a pickle: loading it would run code. Convert it to GGUF or safetensors.",
    Format.ZIP: "The file is a zip archive, as pickled checkpoints are. Convert it to GGUF or safetensors.",
    Format.UNKNOWN: "The file is neither GGUF nor safetensors; no other format is loaded.",
}


def detect(head: bytes) -> Format:
    """The format by the first bytes."""
    if head.startswith(b"GGUF"):
        return Format.GGUF
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return Format.ZIP
    if len(head) > 9 and head[8:9] == b"{" and int.from_bytes(head[:8], "little") < 2**32:
        return Format.SAFETENSORS
    if _pickled(head):
        return Format.PICKLE
    return Format.UNKNOWN


def _pickled(head: bytes) -> bool:
    """Protocol 2 and later begin with PROTO; older ones with a container, a global or a string opcode."""
    if len(head) > 1 and head[0] == 0x80 and head[1] <= 5:
        return True
    return head[:1] in (b"c", b"(", b"]", b"}") and b"\n" in head
