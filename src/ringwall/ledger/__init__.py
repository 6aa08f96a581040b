"""The tamper-evident record: Merkle log, signed checkpoints, envelope encryption, proofs, export."""

from .ledger import Ledger
from .proof import verify_proof
from .record import INDEXED, Entry, Record
from .verify import Damage, Report, verify

__all__ = ["INDEXED", "Damage", "Entry", "Ledger", "Record", "Report", "verify", "verify_proof"]
