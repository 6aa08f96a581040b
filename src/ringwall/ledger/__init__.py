"""The tamper-evident record: Merkle log, signed checkpoints, envelope encryption, proofs, export."""

from .ledger import Ledger
from .proof import verify_proof
from .record import INDEXED, Entry, Record

__all__ = ["INDEXED", "Entry", "Ledger", "Record", "verify_proof"]
