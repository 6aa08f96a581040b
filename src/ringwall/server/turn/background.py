"""A turn that runs to its end whatever becomes of the client: it is judged and recorded in either case."""

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, TypeAlias

from ringwall.core import UpstreamError
from ringwall.wire.errors import WireError

from .converse import Said, converse
from .state import Turn

if TYPE_CHECKING:
    from ..gateway import Gateway

PATIENCE_S = 30.0
"""How long a client that does not read may hold up its turn. Then the turn goes on without it."""

Heard: TypeAlias = Said | WireError | UpstreamError


class Reader:
    """The client's end of a turn."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Heard | None] = asyncio.Queue(maxsize=256)
        self._gone = False

    async def put(self, item: Heard | None) -> None:
        if self._gone:
            return
        try:
            self._queue.put_nowait(item)
            await asyncio.sleep(0)  # the client reads meanwhile, also when a model answers in one burst
        except asyncio.QueueFull:
            try:
                await asyncio.wait_for(self._queue.put(item), PATIENCE_S)
            except TimeoutError:
                self.leave()

    async def get(self) -> Heard | None:
        """What is to be sent next; None at the end. An error is the last thing before the end."""
        if self._gone and self._queue.empty():
            return None
        return await self._queue.get()

    def leave(self) -> None:
        """The client is gone: nothing more is kept for it."""
        self._gone = True
        while not self._queue.empty():
            self._queue.get_nowait()
        self._queue.put_nowait(None)

    async def __aiter__(self) -> AsyncIterator[Heard]:
        while (item := await self.get()) is not None:
            yield item


def carry_on(gateway: "Gateway", turn: Turn) -> Reader:
    """Let an admitted turn run; the reader hears what may leave."""
    reader = Reader()
    gateway.keep(asyncio.ensure_future(_produce(gateway, turn, reader)))
    return reader


async def _produce(gateway: "Gateway", turn: Turn, reader: Reader) -> None:
    try:
        async for said in converse(turn):
            await reader.put(said)
    except (WireError, UpstreamError) as error:
        await gateway.note_failure(error, turn)
        await reader.put(error)
    except Exception as error:  # noqa: BLE001 - the last line denies, whatever went wrong
        gateway.log_fault(error)
        await reader.put(WireError(500, "The gateway failed; the turn was stopped.", "internal_error"))
    finally:
        turn.settle()
        await reader.put(None)
