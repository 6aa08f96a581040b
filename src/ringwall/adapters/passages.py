"""Where retrievers of frameworks get their passages: the gateway over HTTP, or a wall in the same process."""

import asyncio
import http.client
import json
import ssl
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote, urlsplit

from ringwall.core import ConfigError, DeniedError, Problem, UpstreamError

if TYPE_CHECKING:
    from ringwall.inprocess import Ringwall

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_MOST_BYTES = 16_777_216


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage as the gate let it through."""

    text: str
    score: float
    metadata: Mapping[str, Any]
    """``citation``, ``title``, ``origin``, ``integrity``, ``sensitivity``, ``passage``, ``file_id``,
    ``filename``, and what its contributor said of it."""

    @property
    def id(self) -> str:
        return f"{self.metadata['citation']}#{self.metadata['passage']}"


class Passages(Protocol):
    def find(self, query: str) -> list[Hit]: ...

    async def afind(self, query: str) -> list[Hit]: ...


@dataclass(frozen=True, slots=True)
class OverHttp:
    """The search of a gateway, as whoever the key belongs to."""

    base_url: str
    """Of the application, with its ``/v1``. Only a loopback address may be without TLS."""
    store: str
    """The collection."""
    api_key: str = field(repr=False)
    top_k: int = 10
    filters: Mapping[str, Any] | None = None
    session: str = ""
    """Joins the searches to a conversation at the gateway."""
    timeout_s: float = 30.0

    def __post_init__(self) -> None:
        """Raises ConfigError for an address that would carry the key in the clear."""
        url = urlsplit(self.base_url)
        if url.scheme != "https" and not (url.scheme == "http" and url.hostname in _LOOPBACK):
            raise ConfigError(Problem("the base_url of a gateway starts with https://"))

    def find(self, query: str) -> list[Hit]:
        """Raises DeniedError where the gateway refuses, UpstreamError where it fails."""
        body: dict[str, Any] = {"query": query, "max_num_results": self.top_k}
        if self.filters:
            body["filters"] = dict(self.filters)
        return list(_hits(self._post(body)))

    async def afind(self, query: str) -> list[Hit]:
        return await asyncio.to_thread(self.find, query)

    def _post(self, body: Mapping[str, Any]) -> Any:
        """No redirect is followed: the key goes to this gateway alone."""
        url = urlsplit(self.base_url)
        path = f"{url.path.rstrip('/')}/vector_stores/{quote(self.store, safe='')}/search"
        headers = {"authorization": f"Bearer {self.api_key}", "content-type": "application/json"}
        if self.session:
            headers["x-ringwall-session"] = self.session
        connection = self._connection(url.hostname or "", url.port, url.scheme == "https")
        try:
            connection.request("POST", path, json.dumps(body), headers)
            answer = connection.getresponse()
            raw = answer.read(_MOST_BYTES + 1)
        except (OSError, http.client.HTTPException) as error:
            raise UpstreamError(f"The gateway does not answer: {type(error).__name__}.") from None
        finally:
            connection.close()
        if len(raw) > _MOST_BYTES:
            raise UpstreamError("The gateway's answer is too large.")
        return _read(answer.status, raw, answer.headers.get("x-ringwall-decision", ""))

    def _connection(self, host: str, port: int | None, tls: bool) -> http.client.HTTPConnection:
        if tls:
            return http.client.HTTPSConnection(
                host, port, timeout=self.timeout_s, context=ssl.create_default_context()
            )
        return http.client.HTTPConnection(host, port, timeout=self.timeout_s)


@dataclass(frozen=True, slots=True)
class InProcess:
    """The collections of a wall, as the principal of the current session."""

    wall: "Ringwall" = field(repr=False)
    collections: Sequence[str] | None = None
    """Those of the application when left out."""
    top_k: int = 10
    filters: Mapping[str, Any] | None = None

    def find(self, query: str) -> list[Hit]:
        """Raises NoSessionError outside of a session, DeniedError."""
        session = self.wall.current("retrieve")
        found = session.retrieve(query, collections=self.collections, top_k=self.top_k, filters=self.filters)
        return [_hit(one) for one in found]

    async def afind(self, query: str) -> list[Hit]:
        session = self.wall.current("retrieve")
        found = await session.aretrieve(
            query, collections=self.collections, top_k=self.top_k, filters=self.filters
        )
        return [_hit(one) for one in found]


def _hit(found: Any) -> Hit:
    return Hit(found.text, found.score, {**found.attributes, "file_id": found.file, "filename": found.name})


def _read(status: int, raw: bytes, decision: str) -> Any:
    try:
        body = json.loads(raw)
    except ValueError:
        body = None
    if status != 200 or not isinstance(body, dict):
        error = body.get("error") if isinstance(body, dict) else None
        said = error.get("message") if isinstance(error, dict) else None
        message = str(said or f"The gateway answered with status {status}.")[:500]
        raise DeniedError(message, decision) if status in (401, 403, 404) else UpstreamError(message)
    return body


def _hits(body: Mapping[str, Any]) -> Iterator[Hit]:
    for one in body.get("data", ()):
        text = "\n".join(part["text"] for part in one["content"] if part.get("type") == "text")
        known = {**one["attributes"], "file_id": one["file_id"], "filename": one["filename"]}
        yield Hit(text, float(one["score"]), known)
