"""An event loop in a thread of its own: the one place where a gate runs, whoever asks."""

import asyncio
import os
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")


class Portal:
    """Thread-safe. It does not live on in a forked process, and says so there."""

    def __init__(self, what: str) -> None:
        """``what``: the noun by which errors name its owner."""
        self._what = what
        self._process = os.getpid()
        self._closing = threading.Lock()
        self._closed = False
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"ringwall-{what}", daemon=True)
        self._thread.start()

    def submit(self, work: Coroutine[Any, Any, T]) -> "Future[T]":
        """Begin the work aside. Raises RuntimeError after ``close`` and in a forked process."""
        with self._closing:
            fault = self._fault()
            if not fault:
                return asyncio.run_coroutine_threadsafe(work, self._loop)
        work.close()
        raise RuntimeError(fault)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Wait for the work, on any thread but the portal's own."""
        return self.submit(work).result()

    async def arun(self, work: Coroutine[Any, Any, T]) -> T:
        """Wait for the work without holding up the caller's own event loop."""
        return await asyncio.wrap_future(self.submit(work))

    @property
    def own(self) -> bool:
        """Whether this is the process that it was made in."""
        return self._process == os.getpid()

    def _fault(self) -> str:
        if not self.own:
            return f"This {self._what} was made before the process was forked: make one in each process."
        return f"This {self._what} is closed." if self._closed else ""

    def close(self) -> None:
        """Let what was submitted come to its end."""
        with self._closing:
            self._closed = True
        asyncio.run_coroutine_threadsafe(_rest(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


async def _rest() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    await asyncio.gather(*others, return_exceptions=True)
