"""Bytes to and fro between two connections, under bounds."""

import asyncio
from collections.abc import Coroutine
from typing import Any

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]

_CHUNK = 65_536


async def splice(near: Streams, far: Streams, idle_seconds: float, most_out: int, most_in: int) -> None:
    """Until both sides have ended, one is broken, nothing moved for ``idle_seconds``, or more than
    ``most_out`` bytes went from near to far, or ``most_in`` back. Raises OSError and TimeoutError."""
    async with asyncio.timeout(idle_seconds) as timer:
        await _both(
            _pump(near[0], far[1], most_out, timer, idle_seconds),
            _pump(far[0], near[1], most_in, timer, idle_seconds),
        )


async def _both(*pumps: Coroutine[Any, Any, None]) -> None:
    """The first that fails ends the other."""
    tasks = [asyncio.ensure_future(pump) for pump in pumps]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _pump(
    source: asyncio.StreamReader,
    sink: asyncio.StreamWriter,
    most: int,
    timer: asyncio.Timeout,
    idle_seconds: float,
) -> None:
    loop = asyncio.get_running_loop()
    while data := await source.read(_CHUNK):
        most -= len(data)
        if most < 0:
            raise ConnectionAbortedError("more bytes than the tunnel may carry")
        timer.reschedule(loop.time() + idle_seconds)
        sink.write(data)
        await sink.drain()
    if sink.can_write_eof():
        sink.write_eof()
