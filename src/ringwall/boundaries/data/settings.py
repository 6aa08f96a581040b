"""The ``data`` section of the workload file."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from ringwall.core import Settings

from .drift_settings import DriftSettings
from .export_settings import ExportTarget
from .extraction_settings import ExtractionSettings
from .flood_settings import FloodSettings
from .intake.statement import public_key
from .intake_settings import IntakeSettings, Process
from .names import Name, Role, base
from .perimeter.settings import PerimeterSettings
from .poison.settings import PoisonSettings
from .retrieval.settings import RetrievalSettings, SearchMode
from .sensitive_settings import SensitiveSettings
from .store_settings import S3Settings, StoreSettings
from .uploads.settings import FilesSettings

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
    exporters: tuple[Role, ...] = ()
    """Roles that may take data out to the targets of ``data.exports``. Empty: nobody."""
    isolate_tenants: bool = True
    """Whether a document is for its contributor's tenant only. Those of the seed folder are for all."""
    search: SearchMode = "words"
    """``words``: full text (BM25) only. ``hybrid``: joined with a search by meaning (extra
    ``embeddings``)."""
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
    poison: PoisonSettings = Field(default_factory=PoisonSettings)
    """How a review looks for poison (training sets)."""
    flood: FloodSettings = Field(default_factory=FloodSettings)
    """When new passages of an index are shown to a reviewer as a flood."""
    drift: DriftSettings = Field(default_factory=DriftSettings)
    """How much bias and drift between versions of a training set raises a finding."""
    lock_days: int = Field(default=0, ge=0, le=36500)
    """Days after its last revision during which a document can be superseded or removed but not erased."""
    sensitive: SensitiveSettings = Field(default_factory=SensitiveSettings)
    """What is done about sensitive data that comes in, and who may open tokens."""
    extraction: ExtractionSettings = Field(default_factory=ExtractionSettings)
    """What a model that was trained on it must not give away."""


class DataSection(Settings):
    """What the model retrieves, who may put it there and who may see it."""

    collections: dict[Name, CollectionSettings] = Field(default_factory=dict)
    """The collections by name."""
    files: FilesSettings = FilesSettings()
    """Bounds of what clients upload before they attach it."""
    store: StoreSettings = StoreSettings()
    """Where their blobs lie. A change of it counts from the next start on."""
    perimeter: PerimeterSettings = PerimeterSettings()
    """Who and what belongs to the perimeter around the object store."""
    sources: tuple[S3Settings, ...] = ()
    """Places in S3 that contributions and scans may read from. Empty: none."""
    exports: dict[Name, ExportTarget] = Field(default_factory=dict)
    """Where data may be taken to, by name. Empty: nowhere."""
    signers: dict[str, Annotated[str, AfterValidator(public_key)]] = Field(default_factory=dict)
    """Public keys (Ed25519, Base64) that contributors sign with, by subject or ``tenant/subject``."""
    jobs: dict[Name, tuple[Process, ...]] = Field(default_factory=dict)
    """Programs that contribute, by name: the credentials that each comes with (ids of API keys)."""
    policies: Path | None = None
    """Cedar policies on contributions and releases, relative to the workload file, beside those that ship."""
    retrieval: RetrievalSettings = Field(default_factory=RetrievalSettings)
    """Where the passages of all collections are kept for searching."""
    controls: dict[str, Any] = Field(default_factory=dict)
    """Settings and mode of the controls of this boundary, by id."""

    def of(self, line: str) -> CollectionSettings | None:
        """The settings of a collection, or of the one that a branch (``COLLECTION~NAME``) belongs to."""
        return self.collections.get(base(line))
