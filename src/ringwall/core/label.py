"""What is known of a piece of content: how far it is trusted, how sensitive it is, where it came from."""

from dataclasses import dataclass
from enum import IntEnum


class Integrity(IntEnum):
    """How far content may be trusted to give instructions. Higher is more trusted."""

    UNTRUSTED = 0
    USER = 1
    SYSTEM = 2

    def __str__(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Label:
    """Held by the server, keyed by content, so that no client can launder it.

    Labels form a lattice: ``join`` is associative, commutative and idempotent; it keeps the lower integrity,
    all data classes and all origins.
    """

    integrity: Integrity
    sensitivity: frozenset[str] = frozenset()
    """Data classes of the workload, such as ``customer-pii``."""
    origin: frozenset[str] = frozenset()
    """Where it came from: ``user``, ``system``, ``model``, ``tool:NAME``, ``document:COLLECTION/ID``."""

    def join(self, other: "Label") -> "Label":
        """The label of content derived from both."""
        return Label(
            min(self.integrity, other.integrity),
            self.sensitivity | other.sensitivity,
            self.origin | other.origin,
        )


SYSTEM = Label(Integrity.SYSTEM, origin=frozenset({"system"}))
USER = Label(Integrity.USER, origin=frozenset({"user"}))
MODEL = Label(Integrity.UNTRUSTED, origin=frozenset({"model"}))


def untrusted(origin: str) -> Label:
    """Label of content from outside, such as a tool result or a document."""
    return Label(Integrity.UNTRUSTED, origin=frozenset({origin}))
