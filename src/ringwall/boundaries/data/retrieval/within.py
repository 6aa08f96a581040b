"""Which passages a search is narrowed to, beside who may read them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

LAST = 2**31 - 1
"""As the number of a document's last passage: all that there are."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Passages ``first`` to ``last`` of a document, both counted."""

    document: str
    first: int = 0
    last: int = LAST

    @property
    def whole(self) -> bool:
        return self.first <= 0 and self.last >= LAST


Within: TypeAlias = Mapping[str, Sequence[Piece]]
"""By collection; of one that it does not name, nothing. It narrows what the access list admits and can never
widen it."""
