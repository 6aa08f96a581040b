"""Everything that this boundary keeps in a data directory, wired together."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from ringwall.storage.blobs import BlobStore, LocalBlobs
from ringwall.storage.database import Database

from .contribute import Contributions, Decide, Record
from .damage import Damage
from .index import Index
from .intake.means import Means
from .keys import CollectionKeys, Sealer
from .quarantine import Quarantine
from .retrieve import Retriever
from .settings import DataSection
from .training import TrainingSets
from .vault import Vault
from .verify import Anchors, verify


class DataStores:
    """One for each version of the configuration; they share the database, the blobs and the envelope."""

    def __init__(self, section: DataSection, db: Database, blobs: BlobStore, envelope: Sealer) -> None:
        """Makes the access tables say what ``section`` says."""
        keys = CollectionKeys(db, envelope)
        self.section = section
        self.index = Index(db, envelope, keys)
        self.vault = Vault(db, blobs, envelope, keys, self.index)
        self.training = TrainingSets(db, blobs, envelope, keys)
        self.quarantine = Quarantine(db, blobs, envelope)
        self.retriever = Retriever(self.index, section, self.vault)
        self._db = db
        self.index.configure(section.collections, section.retrieval)

    @classmethod
    def open(cls, section: DataSection, db: Database, data_dir: Path, envelope: Sealer) -> "DataStores":
        """With local blobs in ``data_dir/blobs``."""
        return cls(section, db, LocalBlobs(data_dir / "blobs"), envelope)

    def contributions(
        self, decide: Decide, record: Record | None = None, means: Means | None = None
    ) -> Contributions:
        """The way in, behind a gate."""
        means = replace(
            means or Means(), training=means.training if means and means.training else self.training
        )
        return Contributions(self.section, self._db, self.vault, self.quarantine, decide, record, means)

    def close(self) -> None:
        """Close the files that only training sets use. The database is the caller's."""
        self.training.close()

    def verify(self, anchors: Mapping[str, tuple[int, str]] | Anchors | None = None) -> list[Damage]:
        """See ``verify``."""
        return verify(self.vault, self.index, anchors, self.training)
