"""The ``data`` section of the workload file."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from ringwall.core import Settings

from .drift_settings import DriftSettings
from .flood_settings import FloodSettings
from .intake.statement import public_key
from .intake_settings import IntakeSettings, Process
from .names import Name, Role
from .sensitive_settings import SensitiveSettings

__all__ = ["CollectionSettings", "DataSection", "Name", "Role"]


class CollectionSettings(IntakeSettings):
    """One collection: documents to retrieve from, or records to learn from."""

    kind: Literal["index", "training"] = "index"
    """What it is for: ``index``, documents that the gateway retrieves passages from; ``training``, records
    that a model is trained on, which are never retrieved from."""
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
    sensitive: SensitiveSettings = Field(default_factory=SensitiveSettings)
    """What is done about sensitive data that comes in, and who may open tokens."""
    flood: FloodSettings = Field(default_factory=FloodSettings)
    """When new passages of an index are shown to a reviewer as a flood."""
    drift: DriftSettings = Field(default_factory=DriftSettings)
    """How much bias and drift between versions of a training set raises a finding."""


class DataSection(Settings):
    """What the model retrieves, who may put it there and who may see it."""

    collections: dict[Name, CollectionSettings] = Field(default_factory=dict)
    """The collections by name."""
    signers: dict[str, Annotated[str, AfterValidator(public_key)]] = Field(default_factory=dict)
    """Public keys (Ed25519, Base64) that contributors sign with, by subject or ``tenant/subject``."""
    jobs: dict[Name, tuple[Process, ...]] = Field(default_factory=dict)
    """Programs that contribute, by name: the credentials that each comes with (ids of API keys)."""
    policies: Path | None = None
    """Cedar policies on contributions and releases, relative to the workload file, beside those that ship."""
    controls: dict[str, Any] = Field(default_factory=dict)
    """Settings and mode of the controls of this boundary, by id."""
