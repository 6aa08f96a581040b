"""The proof that one record is in the signed ledger, checked with nothing but a verifier key."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ringwall.core import DataError

from .canonical import canonical
from .checkpoint import Verifier
from .merkle import leaf_hash, verify_inclusion


@dataclass(frozen=True, slots=True)
class Proof:
    """One record, its path to the root, and the signed root."""

    index: int
    event: Mapping[str, Any]
    body_sha256: str | None
    """Hexadecimal SHA-256 of the body's ciphertext; None when there is no body."""
    path: tuple[bytes, ...]
    """RFC 9162 inclusion path, from the leaf up."""
    checkpoint: str
    vkey: str
    """The ledger's own word for its key: check with one that you have from elsewhere."""

    @property
    def leaf_hash(self) -> bytes:
        digest = b"null" if self.body_sha256 is None else b'"' + self.body_sha256.encode() + b'"'
        return leaf_hash(b'{"body":' + digest + b',"event":' + canonical(self.event) + b"}")

    def to_json(self) -> dict[str, Any]:
        return {
            "index": self.index,
            "event": dict(self.event),
            "body_sha256": self.body_sha256,
            "leaf_hash": self.leaf_hash.hex(),
            "path": [step.hex() for step in self.path],
            "checkpoint": self.checkpoint,
            "vkey": self.vkey,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Proof":
        """Raises DataError when it has not the form of a proof."""
        try:
            index, body, event = data["index"], data["body_sha256"], data["event"]
            path = tuple(bytes.fromhex(step) for step in data["path"])
            checkpoint, vkey = data["checkpoint"], data["vkey"]
            form = (
                (type(index), int),
                (type(event), dict),
                (type(checkpoint), str),
                (type(vkey), str),
                (type(body), str if body is not None else type(None)),
            )
            if any(found is not wanted for found, wanted in form) or len(path) > 64:
                raise ValueError
            if body is not None and bytes.fromhex(body).hex() != body:
                raise ValueError
            return cls(index, event, body, path, checkpoint, vkey)
        except (KeyError, TypeError, ValueError):
            raise DataError("This is not a proof of a ledger record.") from None


def verify_proof(data: Mapping[str, Any], vkey: str | None = None) -> None:
    """Check a proof as ``Ledger.prove`` gives it, under a verifier key from outside (or, if there is none,
    the proof's own, which proves no more than that the proof is sound in itself).

    Raises DataError saying what does not fit.
    """
    proof = Proof.from_json(data)
    checkpoint = Verifier.parse(vkey or proof.vkey).check(proof.checkpoint)
    if data.get("leaf_hash") != proof.leaf_hash.hex():
        raise DataError("The record does not give the leaf hash of the proof: the record was changed.")
    if not verify_inclusion(proof.leaf_hash, proof.index, checkpoint.size, proof.path, checkpoint.root):
        raise DataError(f"The path does not lead from record {proof.index} to the signed root.")
