"""One session with an MCP server, owned by one task: the SDK's scopes must be left by the task that entered
them. Both eras of the protocol; the newer is tried first."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ringwall.core import ConfigError, Problem, RingwallError

from ..egress_crossing import Decide
from ..egress_outbound import Outbound
from .answer import Answer, read_answer
from .credentials import Secrets
from .offered import MAX_BYTES, Offered
from .settings import McpServer

if TYPE_CHECKING:
    from mcp.client._transport import TransportStreams

    from mcp import Client

_PAGES = 20
_TOOLS = 256
_FAREWELL_S = 10.0
_ROUNDS = 4
"""How often a server of the newer era may ask back within one call."""
EXTRA = "MCP servers need the extra `mcp`: install ringwall[mcp]."


class McpFault(RingwallError):
    """The server failed; the sentence is for model and user, and holds nothing that the server said."""


class Asker(Protocol):
    """The client behind a call, for what the server asks back. Both give a dictionary in the protocol's
    shape, or None to refuse."""

    async def sample(self, params: Mapping[str, Any]) -> Mapping[str, Any] | None: ...

    async def elicit(self, params: Mapping[str, Any]) -> Mapping[str, Any] | None: ...


Progress = Callable[[float, float | None], Awaitable[None]]


def require_sdk() -> None:
    """Raises ConfigError when the SDK is not installed. Its loggers print what servers send, so they are
    silenced: the ledger has what matters."""
    try:
        import mcp  # noqa: F401, PLC0415
    except ImportError:
        raise ConfigError(Problem(EXTRA)) from None
    logging.getLogger("mcp").setLevel(logging.CRITICAL + 1)
    logging.getLogger("client").setLevel(logging.CRITICAL + 1)
    logging.getLogger("httpx2").setLevel(logging.CRITICAL + 1)


class Upstream:
    """``start`` before anything else. Ends by itself after the idle time, or when the server does."""

    def __init__(
        self,
        name: str,
        server: McpServer,
        folder: Path,
        seen: Callable[[list[Offered]], Awaitable[None]],
    ) -> None:
        """``folder`` is that of the workload file; ``seen`` is told what the server offers, at each look."""
        self.name = name
        self.server = server
        self._folder = folder
        self._seen = seen
        self._secrets = Secrets.of(name, server, folder)
        self._client: Client | None = None
        self._offered: dict[str, Offered] = {}
        self._twice: frozenset[str] = frozenset()
        self._looked_at = 0.0
        self._stale = True
        self._looking = asyncio.Lock()
        self._closing = asyncio.Event()
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._task: asyncio.Task[None] | None = None
        self._askers: list[Asker] = []
        self._deciding: list[Decide] = []
        self._latest: Decide | None = None
        self._busy = 0
        self.used = time.monotonic()

    @property
    def alive(self) -> bool:
        return self._task is not None and not self._task.done() and not self._closing.is_set()

    @property
    def over(self) -> bool:
        """Whether nothing of it is left."""
        return self._task is not None and self._task.done()

    @property
    def idle(self) -> bool:
        return not self._busy

    async def start(self) -> None:
        """Connect and look at what is offered. Raises McpFault."""
        self._task = asyncio.create_task(self._live())
        try:
            async with asyncio.timeout(self.server.limits.start_s):
                await asyncio.shield(self._ready)
        except TimeoutError:
            await self.close()
            raise McpFault(f"The server {self.name} did not start in time.") from None

    async def close(self) -> None:
        """End the session and what was started for it. The task leaves by itself, so that its own cleaning up
        is never cut short; only one that still connects is cancelled."""
        self._closing.set()
        task = self._task
        if task is None:
            return
        if not self._ready.done():
            task.cancel()
        await asyncio.wait([task], timeout=_FAREWELL_S)
        if not task.done():
            task.cancel()
            await asyncio.wait([task], timeout=_FAREWELL_S)

    async def offered(self, *, fresh: bool = False) -> dict[str, Offered]:
        """What the server offers, by name; a name that it uses twice is no tool. Raises McpFault."""
        age = time.monotonic() - self._looked_at
        if fresh or self._stale or age > self.server.limits.recheck_s:
            async with self._looking:
                if fresh or self._stale or time.monotonic() - self._looked_at > self.server.limits.recheck_s:
                    async with self._used(self.server.limits.start_s):
                        await self._look()
        return self._offered

    async def call(
        self,
        tool: str,
        arguments: Mapping[str, Any],
        *,
        report: Progress | None = None,
        asker: Asker | None = None,
        decide: Decide | None = None,
    ) -> Answer:
        """``decide`` is asked for requests out of a started server while it works on this, and after it until
        the next call. Raises McpFault. Cancelling this cancels the call at the server."""

        async def told(progress: float, total: float | None, message: str | None) -> None:
            if report is not None:
                await report(progress, total)  # what a server says beside the numbers is not passed on

        if asker is not None:
            self._askers.append(asker)
        if decide is not None:
            self._deciding.append(decide)
            self._latest = decide
        try:
            async with self._used(self.server.limits.timeout_s) as client:
                result = await client.call_tool(tool, dict(arguments), progress_callback=told)
            return read_answer(result, self.server, self._secrets)
        finally:
            if asker is not None:
                self._askers.remove(asker)
            if decide is not None:
                self._deciding.remove(decide)

    @asynccontextmanager
    async def _used(self, seconds: float) -> AsyncIterator["Client"]:
        """The client, under a time-out, with every failure turned into a sentence."""
        from mcp.types import CONNECTION_CLOSED  # noqa: PLC0415

        from mcp import MCPError  # noqa: PLC0415

        if self._client is None or not self.alive:
            raise McpFault(f"The session with the server {self.name} has ended.")
        self._busy += 1
        try:
            async with asyncio.timeout(seconds):
                yield self._client
        except TimeoutError:
            if self.server.command:
                self._closing.set()  # it may be stuck, and would be with the next call
            raise McpFault(f"The server {self.name} did not answer in time.") from None
        except MCPError as error:
            if error.code == CONNECTION_CLOSED:
                self._closing.set()
                raise McpFault(f"The session with the server {self.name} has ended.") from None
            raise McpFault(f"The server {self.name} refused the request.") from None
        except (ValueError, RuntimeError, RecursionError):
            raise McpFault(f"The server {self.name} does not answer as the protocol says.") from None
        except McpFault:
            raise
        except Exception:  # noqa: BLE001 - whatever a transport raises, what it says may be internal
            self._closing.set()
            raise McpFault(f"The session with the server {self.name} broke off.") from None
        finally:
            self._busy -= 1
            self.used = time.monotonic()

    async def _live(self) -> None:
        from mcp.types import Implementation  # noqa: PLC0415

        from mcp import Client  # noqa: PLC0415

        limits = self.server.limits
        try:
            async with Client(
                self._transport(),
                mode="auto" if self.server.protocol == "auto" else "legacy",
                cache=None,
                client_info=Implementation(name="ringwall", version=version("ringwall")),
                read_timeout_seconds=max(limits.timeout_s, limits.start_s),
                sampling_callback=self._sample if self.server.sampling else None,
                elicitation_callback=self._elicit if self.server.elicitation else None,
                message_handler=self._heard,
                input_required_max_rounds=_ROUNDS,
            ) as client:
                self._client = client
                await self._look()
                self._ready.set_result(None)
                await self._until_over()
        except Exception:  # noqa: BLE001, S110 - whatever ends it, callers learn that it has ended
            pass
        finally:
            self._client = None
            if not self._ready.done():
                self._ready.set_exception(McpFault(f"The server {self.name} could not be reached."))
                self._ready.exception()  # it may be that nobody waits any more

    async def _until_over(self) -> None:
        while not self._closing.is_set():
            left = self.used + self.server.limits.idle_s - time.monotonic() if self.idle else 1.0
            if left <= 0:
                self._closing.set()
                return
            with suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), left)

    def _transport(self) -> "AbstractAsyncContextManager[TransportStreams]":
        if self.server.url:
            from .http import http_transport  # noqa: PLC0415

            return http_transport(self.name, self.server, self._secrets)
        from .stdio import Command, stdio_transport  # noqa: PLC0415

        return stdio_transport(
            Command(
                self.name,
                self.server.command,
                self.server.args,
                self._secrets.env,
                self._folder / self.server.cwd if self.server.cwd else None,
                self.server.limits.memory_mb,
                self.server.limits.result_bytes,
                self.server.egress,
            ),
            self._let_out,
        )

    async def _let_out(self, outbound: Outbound) -> None:
        """Requests of a started server. Which call one belongs to can't be told, so each under way must let
        it out; between calls the latest, since the server may still hold what it was given. Before the first
        it was given nothing: the list alone decides."""
        latest = [self._latest] if self._latest is not None else []
        for decide in list(self._deciding) or latest:
            await decide(outbound)
        outbound.permitted()

    async def _look(self) -> None:
        """Every page of the server's tools, bounded."""
        assert self._client is not None  # noqa: S101 - the callers looked
        self._stale = False
        found: dict[str, Offered] = {}
        twice: set[str] = set()
        cursor: str | None = None
        for _ in range(_PAGES):
            page = await self._client.list_tools(cursor=cursor)
            for tool in page.tools:
                offered = self._offer(tool)
                if offered.name in found:
                    twice.add(offered.name)
                found[offered.name] = offered
            cursor = page.next_cursor
            if cursor is None or len(found) > _TOOLS:
                break
        kept = [offered for name, offered in found.items() if name not in twice][:_TOOLS]
        self._offered = {offered.name: offered for offered in kept if len(offered.text) <= MAX_BYTES}
        self._looked_at = time.monotonic()
        await self._seen(list(self._offered.values()))

    def _offer(self, tool: Any) -> Offered:
        """A server that echoes its credentials does not get them into a manifest."""
        hints = (
            tool.annotations.model_dump(mode="json", by_alias=True, exclude_none=True)
            if tool.annotations
            else {}
        )
        clean = self._secrets.redacted
        return Offered(
            clean(tool.name),
            clean(tool.description or ""),
            clean(tool.input_schema),
            clean(hints),
            clean(tool.output_schema),
        )

    async def _heard(self, message: Any) -> None:
        """Of notifications only this one matters; what a server logs is dropped."""
        if getattr(message, "method", "") == "notifications/tools/list_changed":
            self._stale = True

    async def _sample(self, context: Any, params: Any) -> Any:
        from mcp.types import CreateMessageResult  # noqa: PLC0415

        return await self._asked("sample", params, CreateMessageResult)

    async def _elicit(self, context: Any, params: Any) -> Any:
        from mcp.types import ElicitResult  # noqa: PLC0415

        return await self._asked("elicit", params, ElicitResult)

    async def _asked(self, what: str, params: Any, result: Any) -> Any:
        """Pass on to the client of a call under way in this session: they are all the same client."""
        from mcp.types import INVALID_REQUEST, ErrorData  # noqa: PLC0415

        if self._askers and not self.server.shared:
            given = self._secrets.redacted(params.model_dump(mode="json", by_alias=True, exclude_none=True))
            answered = await getattr(self._askers[-1], what)(given)
            if answered is not None:
                return result.model_validate(answered)
        return ErrorData(code=INVALID_REQUEST, message="This is not answered here.")
