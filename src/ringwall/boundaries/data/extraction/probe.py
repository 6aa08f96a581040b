"""What a test asks of a model. Who serves it is not this boundary's matter."""

from collections.abc import Sequence
from typing import Protocol


class Probe(Protocol):
    """One model behind one route."""

    async def continued(
        self, question: str, prefix: str, *, max_tokens: int, temperature: float, seed: int
    ) -> str:
        """What it says next: to the question (which is empty for plain text) and after the prefix."""
        ...

    async def losses(self, question: str, prefix: str, suffix: str) -> Sequence[float] | None:
        """Negative log-probability, in nats, of each token of the suffix behind question and prefix; None
        when the route does not tell."""
        ...
