"""Running the ASGI application under uvicorn on a socket that is already bound."""

import asyncio
import signal
import socket
from collections.abc import Callable
from types import FrameType

import uvicorn
from starlette.applications import Starlette

from .http_protocol import bounded
from .tls import ListenerTls

_TICKS = 100
"""uvicorn ticks ten times a second: look for a renewed certificate every ten seconds."""


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, started: Callable[[], None], tls: ListenerTls | None) -> None:
        super().__init__(config)
        self._tell = started
        self._tls = tls

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._tell()

    async def on_tick(self, counter: int) -> bool:
        if self._tls is not None and counter % _TICKS == 0:
            self._tls.refresh()
        return await super().on_tick(counter)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Unlike uvicorn's, does not raise the signal again at the end: a stop asked for is no failure."""
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True


def server(app: Starlette, started: Callable[[], None] = lambda: None) -> uvicorn.Server:
    """A server that calls ``started`` once it accepts connections."""
    gateway = app.state.gateway
    tls = gateway.site.workload.interface.tls
    listener = ListenerTls(tls, gateway.live.path.parent) if tls else None
    config = uvicorn.Config(
        app,
        http=bounded(gateway.site.workload.interface.limits.header_bytes),
        ssl_context_factory=(lambda *_: listener.context) if listener else None,
        ws="none",
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=10,
        limit_concurrency=2048,
    )
    return _Server(config, started, listener)


def run(app: Starlette, listener: socket.socket, started: Callable[[], None]) -> None:
    """Serve until interrupted, on the fastest event loop there is."""
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(serve(app, listener, started))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop  # noqa: PLC0415 - not there on every platform
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


async def serve(app: Starlette, listener: socket.socket, started: Callable[[], None]) -> None:
    """Serve until interrupted."""
    await server(app, started).serve(sockets=[listener])
