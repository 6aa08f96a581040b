"""``data.files``: what may lie in the gateway before it is contributed."""

from pydantic import Field

from ringwall.core import Settings


class FilesSettings(Settings):
    """Bounds of uploaded files. An uploaded file is nothing yet: it is decided when it is attached."""

    max_bytes: int = Field(default=67_108_864, ge=1, le=1_073_741_824)
    """Largest upload, in bytes. What a collection takes has its own bound, ``max_bytes`` there."""
    each_bytes: int = Field(default=1_073_741_824, ge=1, le=1_099_511_627_776)
    """All uploads of one principal together, in bytes."""
    each_files: int = Field(default=1000, ge=1, le=100_000)
    """How many uploads one principal may hold."""
    keep_days: int = Field(default=30, ge=1, le=3650)
    """Days after which an upload is deleted. What was contributed from it stays."""
