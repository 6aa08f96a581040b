"""Extraction tests of the models behind a workload's routes: who asks, and what a missing report means."""

from collections.abc import Callable, Sequence

from ringwall.boundaries.data.extraction.book import ExtractionBook
from ringwall.boundaries.model.provider import ChatRequest, Provider
from ringwall.boundaries.model.settings import LocalSettings, ModelSection
from ringwall.boundaries.model.text_completions import TextModel, continued, token_losses

from .schema import Workload


class RouteProbe:
    """A model behind a route, past the gateway's own controls: what *they* hold back is not what is asked
    here. Plain text where the server completes texts, else a chat."""

    def __init__(self, provider: Provider, model: str, *, chat: bool | None = None) -> None:
        """``chat``: None to find out."""
        self._provider = provider
        self._model = model
        self._chat = chat

    async def continued(
        self, question: str, prefix: str, *, max_tokens: int, temperature: float, seed: int
    ) -> str:
        """Raises ProviderError."""
        if not self._chat and isinstance(self._provider, TextModel):
            said = await continued(
                self._provider,
                self._model,
                prefix or f"{question}\n",
                max_tokens=max_tokens,
                temperature=temperature,
                seed=seed,
            )
            if said is not None:
                return said
        self._chat = True
        asked = question or prefix
        params = {"max_tokens": max_tokens, "temperature": temperature, "seed": seed}
        request = ChatRequest(self._model, ({"role": "user", "content": asked},), params=params)
        reply = await self._provider.complete(request)
        return str(reply.message.get("content") or "")

    async def losses(self, question: str, prefix: str, suffix: str) -> Sequence[float] | None:
        """Raises ProviderError."""
        if not isinstance(self._provider, TextModel):
            return None
        before = prefix or (f"{question}\n" if question else "")
        tokens = await token_losses(self._provider, self._model, before + suffix)
        return [one.loss for one in tokens if one.end > len(before)] if tokens is not None else None


def trained_on(section: ModelSection, route: str) -> list[tuple[str, int]]:
    """Collections and versions that the model behind a route was trained on."""
    settings = section.routes[route]
    provider = section.providers[settings.provider]
    named = list(settings.trained_on)
    if isinstance(provider, LocalSettings):
        named += section.artifacts[provider.artifact].trained_on
    pairs = (one.partition("@") for one in dict.fromkeys(named))
    return [(collection, int(version)) for collection, _, version in pairs]


def unproven(workload: Workload, section: ModelSection, book: ExtractionBook) -> Callable[[str, str], str]:
    """For ``Admissions``: the first collection that demands a report which is missing or did not pass."""

    def missing(route: str, model: str) -> str:
        reasons = (
            book.missing(route, model, collection, version)
            for collection, version in trained_on(section, route)
            if workload.data.collections[collection].extraction.required
        )
        return next((reason for reason in reasons if reason), "")

    return missing
