"""The ``data`` section of the workload file."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from ringwall.core import Settings

from .uploads.settings import FilesSettings


def _plain_role(name: Any) -> Any:
    """``role:editor`` and ``editor`` are the same."""
    return name.removeprefix("role:") if isinstance(name, str) else name


Role = Annotated[str, BeforeValidator(_plain_role), Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.\-]{0,63}$")]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_\-]{0,63}$")]


class CollectionSettings(Settings):
    """One collection of documents."""

    kind: Literal["index"] = "index"
    """What it is for: ``index``, documents that the gateway retrieves passages from."""
    contributors: tuple[Role, ...] = ()
    """Roles that may contribute documents. Empty: nobody."""
    readers: tuple[Role, ...] = ()
    """Roles that may read. A document's own list narrows this and never widens it. Empty: nobody."""
    isolate_tenants: bool = True
    """Whether a document is for its contributor's tenant only. Those of the seed folder are for all."""
    top_k: int = Field(default=4, ge=1, le=50)
    """How many passages a retrieval returns."""
    documents: Path | None = None
    """Folder of documents to start with, relative to the workload file."""
    sensitivity: tuple[str, ...] = ()
    """Data classes of everything in it, added to those that a document names."""
    chunk_chars: int = Field(default=900, ge=100, le=8000)
    """Longest passage, in characters."""
    max_bytes: int = Field(default=1_048_576, ge=1, le=16_777_216)
    """Largest document, in bytes."""
    lock_days: int = Field(default=0, ge=0, le=36500)
    """Days after its last revision during which a document can be superseded or removed but not erased."""


class DataSection(Settings):
    """What the model retrieves, who may put it there and who may see it."""

    collections: dict[Name, CollectionSettings] = Field(default_factory=dict)
    """The collections by name."""
    files: FilesSettings = FilesSettings()
    """Bounds of what clients upload before they attach it."""
    controls: dict[str, Any] = Field(default_factory=dict)
    """Settings and mode of the controls of this boundary, by id."""
