"""What comes in, and what became of it."""

from dataclasses import dataclass, field

from ..training.sets import RecordsCommit
from ..vault import Commit
from .terms import Terms


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a contribution."""

    status: str
    """``stored``, ``unchanged``, ``quarantined`` or (in a seed) ``refused``. Of rows: ``stored`` when some
    were, though others (``held_rows``) were quarantined."""
    collection: str
    document: str
    """Id of the document; empty for rows."""
    name: str = ""
    """Cited name of the revision that was stored."""
    reasons: tuple[str, ...] = ()
    decision: str = ""
    """Id of the decision; of rows, of the first that was not to let them pass."""
    held: str = ""
    """Id in quarantine."""
    commit: Commit | RecordsCommit | None = None
    contribution: str = ""
    """Id under which the ledger has it."""
    rows: int = 0
    """How many rows were contributed."""
    held_rows: int = 0
    """How many of them are in quarantine, as one group."""
    left_out: int = 0
    """How many were blocked and left out (``blocked_rows: leave_out``)."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A file on its way in."""

    collection: str
    name: str
    """File name; beside the content, its ending says how to read it."""
    raw: bytes
    origin: str = ""
    """Where it came from; default: its name."""
    document: str = ""
    """Id; default: made from the name."""
    terms: Terms = field(default_factory=Terms)
