"""What every model provider speaks: Chat Completions shaped data, in and out.

A provider turns one request into one reply, whole or as deltas. It judges nothing: what may be asked, of
which model, is decided before it is called.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Protocol, runtime_checkable

from ringwall.core import ANONYMOUS, Principal, UpstreamError

Message = Mapping[str, Any]
"""A plain Chat Completions message: ``role``, ``content``, ``tool_calls``, ``tool_call_id``."""

CHARS_PER_TOKEN = 4
"""Rough, for providers that don't count: enough for a quota, not for a bill."""


class ProviderError(UpstreamError):
    """A provider did not answer as its protocol says. The message holds nothing that the provider sent."""

    def __init__(
        self,
        message: str,
        status: int = 502,
        *,
        code: str = "failed",
        retry_after: int | None = None,
        counts: bool = True,
    ) -> None:
        super().__init__(message, status)
        self.code = code
        """``connect``, ``timeout``, ``disconnected``, ``malformed``, ``too_large``, ``refused``, ``busy``,
        ``bad_request``, ``circuit_open``, ``not_admitted``, ``not_loaded``."""
        self.retry_after = retry_after
        """Seconds after which the client may try again, when known."""
        self.counts = counts
        """Whether the circuit breaker counts it. False where the *request* was at fault: no client may open
        the circuit for all the others."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    estimated: bool = False
    """True when the provider did not say and the figures come from the length of the text."""

    @property
    def total_tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One call of a model."""

    model: str
    """Name at the provider. Empty: the route's own."""
    messages: Sequence[Message]
    tools: Sequence[Mapping[str, Any]] = ()
    """As offered: ``{"type": "function", "function": {"name", "description", "parameters"}}``."""
    params: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    """``temperature``, ``max_tokens``, ``stop``, ``tool_choice``, ``response_format``, ``seed``…"""
    principal: Principal = ANONYMOUS
    """For the embedded models only; never sent anywhere."""
    retrieved: Sequence[Mapping[str, str]] = ()
    """Chunks with ``collection``, ``document``, ``title``, ``text``: for the embedded models only. Language
    models find them in the messages, where the gateway has put them."""


@dataclass(frozen=True, slots=True)
class ChatReply:
    """The whole answer. ``message`` is built from known fields only: nothing that the gateway does not
    inspect can ride along."""

    message: dict[str, Any]
    """``role``, ``content`` (a string or None) and, when there are any, ``tool_calls``."""
    finish_reason: str
    """``stop``, ``length``, ``tool_calls`` or ``content_filter``."""
    usage: Usage
    model: str = ""
    """As the provider names it: a change against the declared snapshot is drift."""


@dataclass(frozen=True, slots=True)
class ToolCallFragment:
    """A piece of a tool call in a stream. ``id`` and ``name`` come with the first piece of an index."""

    index: int
    id: str = ""
    name: str = ""
    arguments: str = ""


@dataclass(frozen=True, slots=True)
class Delta:
    """One event of a stream. The last one carries ``usage``; ``finish_reason`` comes with or before it."""

    content: str = ""
    tool_calls: tuple[ToolCallFragment, ...] = ()
    finish_reason: str = ""
    usage: Usage | None = None
    model: str = ""


@runtime_checkable
class Provider(Protocol):
    """Anything that answers a chat request. Both methods raise ``ProviderError`` and nothing else."""

    async def complete(self, request: ChatRequest) -> ChatReply: ...

    def stream(self, request: ChatRequest) -> AsyncIterator[Delta]:
        """An async generator: closing it ends the call at the provider."""
        ...

    async def close(self) -> None:
        """Give back connections, threads and memory. May be called twice."""
        ...


def text_of(message: Message) -> str:
    """The text of a message, whichever of the two forms its content has. Never raises."""
    content = message.get("content")
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    texts = (part.get("text") for part in content if isinstance(part, Mapping))
    return "\n".join(text for text in texts if isinstance(text, str))


def estimate(request: ChatRequest, completion: str) -> Usage:
    """Token counts from lengths, for a provider that does not count."""
    prompt = sum(len(text_of(message)) for message in request.messages)
    return Usage(-(-prompt // CHARS_PER_TOKEN), -(-len(completion) // CHARS_PER_TOKEN), estimated=True)
