"""What the model retrieves: who may put it there, how it is kept, who may see it."""

from .contribute import Contributions, Decide, Offer, Receipt, Record
from .damage import Damage
from .document import COMMON, Access, Document
from .index import Chunk, Index
from .intake.means import Means
from .intake.statement import RowsDigest, Signature, Statement, sign
from .intake.terms import Terms, checked
from .manifest import Entry, Manifest
from .quarantine import Content, Held, Quarantine
from .retrieve import Retriever, chunk_part, retrieval
from .settings import CollectionSettings, DataSection
from .stores import DataStores
from .vault import Commit, Trace, Vault
from .verify import Anchors, verify
from .versions import Version

__all__ = [
    "COMMON",
    "Access",
    "Anchors",
    "Chunk",
    "CollectionSettings",
    "Commit",
    "Content",
    "Contributions",
    "Damage",
    "DataSection",
    "DataStores",
    "Decide",
    "Document",
    "Entry",
    "Held",
    "Index",
    "Manifest",
    "Means",
    "Offer",
    "Quarantine",
    "Receipt",
    "Record",
    "Retriever",
    "RowsDigest",
    "Signature",
    "Statement",
    "Terms",
    "Trace",
    "Vault",
    "Version",
    "checked",
    "chunk_part",
    "retrieval",
    "sign",
    "verify",
]
