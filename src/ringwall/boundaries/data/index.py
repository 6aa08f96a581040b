"""The embedded search index and what it returns, under the names by which the rest knows them."""

from .retrieval.chunk import Chunk, Prepared
from .retrieval.embedded import Index
from .retrieval.store import RetrievalStore

__all__ = ["Chunk", "Index", "Prepared", "RetrievalStore"]
