"""How a collection is searched, and where its index lives."""

from typing import Literal

from pydantic import Field

from ringwall.core import Settings

SearchMode = Literal["words", "hybrid"]
StoreKind = Literal["sqlite", "postgres"]


class RetrievalSettings(Settings):
    """The store that passages are searched in: one for all collections."""

    kind: StoreKind = "sqlite"
    """``sqlite``: in the data directory, nothing to install. ``postgres``: a server with pgvector, whose
    row-level security holds the access lists (extra ``postgres``)."""
    url_env: str = ""
    """Environment variable with the URL of the role that owns the tables and writes them."""
    reader_url_env: str = ""
    """Environment variable with the URL of the role that searches. It must own nothing and bypass nothing."""
    memory_mb: int = Field(default=2048, ge=16, le=1_048_576)
    """Most memory that the vectors of the embedded store may take, over all collections. 1 million passages
    take about 460 MB. A contribution that would pass it is refused."""
    similarity: float = Field(default=0.2, ge=0.0, le=1.0)
    """Cosine below which a passage is not found by its vector alone."""
    timeout_s: float = Field(default=10.0, gt=0, le=600)
    """Longest time that a statement of the PostgreSQL store may take, in seconds."""
