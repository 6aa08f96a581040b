"""The transport to a started server: no shell, a minimal environment with a proxy of its own, bounded lines,
the whole tree ended.

Own code in the place of the SDK's, whose reader keeps an endless line in memory and whose child inherits the
gateway's home.
"""

import asyncio
import os
import secrets
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..egress_client import Egress
from ..egress_crossing import Decide
from ..egress_proxy import EgressProxy
from ..egress_settings import EgressRule

if TYPE_CHECKING:
    from mcp.client._transport import TransportStreams

_GRACE_S = 1.0
_POLL_S = 0.02
_MALFORMED = 100
"""Lines that are no message, after which the session ends."""
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
CONFINED = Path(__file__).with_name("confined.py")
"""What is run in the new process first."""


@dataclass(frozen=True, slots=True)
class Command:
    """What is started, and how."""

    name: str
    """Of the server, as the proxy knows it."""
    command: str
    args: tuple[str, ...]
    env: Mapping[str, str]
    """Beside ``PATH``, home and language."""
    cwd: Path | None
    """None: an empty directory of its own, thrown away at the end."""
    memory_mb: int
    line_bytes: int
    """Longest message."""
    egress: tuple[EgressRule, ...] = ()
    """Where it may go by the proxy."""


@asynccontextmanager
async def stdio_transport(command: Command, decide: Decide) -> AsyncIterator["TransportStreams"]:
    """Start the server; a ``Transport`` of the SDK. ``decide`` is asked for each of its requests out. Raises
    OSError when it can't be started."""
    import anyio  # noqa: PLC0415
    from mcp.shared.message import SessionMessage  # noqa: PLC0415

    with tempfile.TemporaryDirectory(prefix="ringwall-mcp-", ignore_cleanup_errors=True) as home:
        egress = Egress(command.egress)
        proxy = EgressProxy(egress, {command.name: secrets.token_urlsafe(24)}, decide=decide)
        await proxy.start()
        try:
            process = await _start(command, Path(home), proxy.url(command.name))
        except BaseException:
            await proxy.close(0)
            raise
        incoming, read = anyio.create_memory_object_stream[SessionMessage | Exception](0)
        write, outgoing = anyio.create_memory_object_stream[SessionMessage](0)
        reading = asyncio.create_task(_read(process, incoming))
        writing = asyncio.create_task(_write(process, outgoing, incoming))
        try:
            yield read, write
        finally:
            await asyncio.shield(_end(process))
            for task in (reading, writing):
                task.cancel()
            await asyncio.gather(reading, writing, return_exceptions=True)
            for stream in (incoming, read, write, outgoing):
                stream.close()
            await proxy.close(0.1)
            await egress.close()


async def _start(command: Command, home: Path, proxy: str) -> asyncio.subprocess.Process:
    environment = {
        **dict.fromkeys(_PROXIES, proxy),
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(home),
        "TMPDIR": str(home),
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        **command.env,
    }
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-S", str(CONFINED), str(command.memory_mb), command.command, *command.args),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,  # what a server logs may hold what it was given
        env=environment,
        cwd=command.cwd or home,
        limit=command.line_bytes,
        start_new_session=True,
    )


async def _read(process: asyncio.subprocess.Process, incoming: Any) -> None:
    """A line that is too long, or too many that are no message, end the session."""
    from mcp.shared.message import SessionMessage  # noqa: PLC0415
    from mcp.types import jsonrpc_message_adapter  # noqa: PLC0415

    malformed = 0
    assert process.stdout is not None  # noqa: S101 - it was asked for
    async with incoming:
        while malformed < _MALFORMED:
            try:
                line = await process.stdout.readline()
            except ValueError:
                return
            if not line:
                return
            try:
                message = jsonrpc_message_adapter.validate_json(line, by_name=False)
            except (ValueError, RecursionError):
                malformed += 1
                continue
            if not await _delivered(incoming, SessionMessage(message)):
                return


async def _delivered(incoming: Any, message: Any) -> bool:
    import anyio  # noqa: PLC0415

    try:
        await incoming.send(message)
    except (anyio.ClosedResourceError, anyio.BrokenResourceError):
        return False
    return True


async def _write(process: asyncio.subprocess.Process, outgoing: Any, incoming: Any) -> None:
    assert process.stdin is not None  # noqa: S101 - it was asked for
    try:
        async for sent in outgoing:
            text = sent.message.model_dump_json(by_alias=True, exclude_unset=True)
            process.stdin.write(text.encode() + b"\n")
            await process.stdin.drain()
    except (ConnectionError, OSError):
        await incoming.aclose()  # waiting calls see that the session is over


async def _end(process: asyncio.subprocess.Process) -> None:
    """Close its input, wait, then end the whole group: politely, then for good."""
    if process.stdin is not None:
        process.stdin.close()
    for ending in (signal.SIGTERM, signal.SIGKILL, None):
        if await _gone(process) or ending is None:
            break
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, ending)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)  # what it started and left behind
    transport = getattr(process, "_transport", None)
    if transport is not None:
        transport.close()


async def _gone(process: asyncio.subprocess.Process) -> bool:
    """Asked, not awaited: ``wait`` would also wait for a grandchild that holds the pipe."""
    loop = asyncio.get_running_loop()
    end = loop.time() + _GRACE_S
    while process.returncode is None and loop.time() < end:  # noqa: ASYNC110 - a process has no event
        await asyncio.sleep(_POLL_S)
    return process.returncode is not None
