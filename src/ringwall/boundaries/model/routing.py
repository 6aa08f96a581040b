"""Route names to providers, with a circuit breaker for each provider and one fallback per route."""

import math
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from .breaker import Attempt, Breaker, Circuit
from .provider import ChatReply, ChatRequest, Delta, Provider, ProviderError, text_of
from .settings import ModelSection, OpenAISettings, RouteSettings


@dataclass(frozen=True, slots=True)
class Served:
    """Who answered, for the record and the reply."""

    asked: str
    """The route that was asked for."""
    route: str
    """The route that answered."""
    provider: str
    fell_back: str = ""
    """Why the first route did not answer (a code of ``ProviderError``); empty when it did."""


@dataclass(frozen=True, slots=True)
class RoutedReply:
    reply: ChatReply
    served: Served


class RoutedStream:
    """Deltas of a stream that has begun. ``aclose`` must be called (or the iteration finished)."""

    def __init__(
        self, served: Served, first: Delta | None, rest: AsyncIterator[Delta], attempt: Attempt
    ) -> None:
        self.served = served
        self._deltas = self._run(first, rest)
        self._rest = rest
        self._attempt = attempt

    def __aiter__(self) -> AsyncIterator[Delta]:
        return self._deltas

    async def aclose(self) -> None:
        """End the call at the provider. May be called twice, and after the end."""
        await _close(self._deltas)
        await _close(self._rest)
        self._attempt.abandoned()

    async def _run(self, first: Delta | None, rest: AsyncIterator[Delta]) -> AsyncIterator[Delta]:
        try:
            if first is not None:
                yield first
            async for delta in rest:
                yield delta
        except ProviderError as error:
            _tell(self._attempt, error)
            raise
        else:
            _tell(self._attempt, None)
        finally:
            self._attempt.abandoned()
            await _close(rest)


class Router:
    """All routes of a workload. ``admitted`` says whether a route's model is admitted.

    That the first route is admitted is decided at the gate (``model.admission``); ``strict`` makes sure of
    it here a second time. A fallback, which no gate has seen, is always held to it.
    """

    def __init__(
        self,
        section: ModelSection,
        providers: Mapping[str, Provider],
        admitted: Callable[[str], bool],
        *,
        strict: bool = True,
    ) -> None:
        self._section = section
        self._providers = dict(providers)
        self._admitted = admitted
        self._strict = strict
        self._breakers = {name: Breaker(section.breaker) for name in section.providers}

    @property
    def routes(self) -> tuple[str, ...]:
        return tuple(self._section.routes)

    def facts(self, route: str, request: ChatRequest) -> dict[str, Any]:
        """Context of the MODEL_CALL crossing. Raises LookupError for an unknown route."""
        settings = self._section.routes[route]
        provider = self._section.providers[settings.provider]
        return {
            "route": route,
            "provider": settings.provider,
            "kind": provider.kind,
            "model": settings.model or request.model,
            "snapshot": settings.snapshot,
            "residency": settings.residency,
            "remote": isinstance(provider, OpenAISettings),
            "admitted": self._admitted(route),
            "params": dict(request.params),
            "prompt_chars": sum(len(text_of(message)) for message in request.messages),
            "messages": len(request.messages),
            "tools": len(request.tools),
        }

    def status(self) -> dict[str, dict[str, str]]:
        """Per route: its provider, the state of its circuit, and whether it is admitted."""
        return {
            name: {
                "provider": route.provider,
                "circuit": str(self._breakers[route.provider].state),
                "admitted": "yes" if self._admitted(name) else "no",
                "fallback": route.fallback,
            }
            for name, route in self._section.routes.items()
        }

    def circuit(self, provider: str) -> Circuit:
        return self._breakers[provider].state

    async def complete(self, route: str, request: ChatRequest) -> RoutedReply:
        """The answer of the route or its fallback. Raises ProviderError; LookupError for an unknown route."""
        try:
            return RoutedReply(await self._complete(route, request), self._served(route, route, ""))
        except ProviderError as error:
            other = self._fallback(route, error)
            if other is None:
                raise
            return RoutedReply(await self._complete(other, request), self._served(route, other, error.code))

    async def stream(self, route: str, request: ChatRequest) -> RoutedStream:
        """A stream whose first delta is there: what fails before it goes to the fallback, and no later."""
        try:
            return await self._begin(route, route, "", request)
        except ProviderError as error:
            other = self._fallback(route, error)
            if other is None:
                raise
            return await self._begin(route, other, error.code, request)

    async def close(self) -> None:
        for provider in self._providers.values():
            await provider.close()

    async def _complete(self, route: str, request: ChatRequest) -> ChatReply:
        settings, provider, attempt = self._enter(route)
        try:
            reply = await provider.complete(_fitted(request, settings))
        except ProviderError as error:
            _tell(attempt, error)
            raise
        else:
            _tell(attempt, None)
            return reply
        finally:
            attempt.abandoned()

    async def _begin(self, asked: str, route: str, why: str, request: ChatRequest) -> RoutedStream:
        settings, provider, attempt = self._enter(route)
        deltas = provider.stream(_fitted(request, settings))
        begun = False
        try:
            first = await anext(deltas, None)
            begun = True
        except ProviderError as error:
            _tell(attempt, error)
            raise
        finally:
            if not begun:
                attempt.abandoned()
                await _close(deltas)
        return RoutedStream(self._served(asked, route, why), first, deltas, attempt)

    def _enter(self, route: str) -> tuple[RouteSettings, Provider, Attempt]:
        settings = self._section.routes[route]
        if self._strict and not self._admitted(route):
            raise ProviderError(
                f"The route '{route}' is not served: its model is not admitted.",
                503,
                code="not_admitted",
                counts=False,
            )
        breaker = self._breakers[settings.provider]
        attempt = breaker.enter()
        if attempt is None:
            raise ProviderError(
                f"The provider of the route '{route}' keeps failing and is left alone for a while.",
                503,
                code="circuit_open",
                retry_after=max(1, math.ceil(breaker.wait_s)),
                counts=False,
            )
        return settings, self._providers[settings.provider], attempt

    def _fallback(self, route: str, error: ProviderError) -> str | None:
        """The route to try next: not when the request was at fault, and never one that is not admitted."""
        other = self._section.routes[route].fallback
        if not other or error.code == "bad_request" or not self._admitted(other):
            return None
        return other

    def _served(self, asked: str, route: str, why: str) -> Served:
        return Served(asked, route, self._section.routes[route].provider, why)


def _tell(attempt: Attempt, error: ProviderError | None) -> None:
    if error is None:
        attempt.succeeded()
    elif error.counts:
        attempt.failed()
    else:
        attempt.abandoned()


def _fitted(request: ChatRequest, route: RouteSettings) -> ChatRequest:
    """The request with the route's model and at most the route's number of output tokens."""
    params = dict(request.params)
    key = "max_completion_tokens" if params.get("max_completion_tokens") is not None else "max_tokens"
    asked = params.get(key)
    limit = route.max_output_tokens
    valid = isinstance(asked, int) and not isinstance(asked, bool) and asked > 0
    params[key] = min(asked, limit) if valid and asked is not None else limit
    if key == "max_completion_tokens":
        params.pop("max_tokens", None)
    return replace(request, model=route.model or request.model, params=params)


async def _close(deltas: AsyncIterator[Delta]) -> None:
    """End an async generator; other iterators have nothing to end."""
    close = getattr(deltas, "aclose", None)
    if close is not None:
        await close()
