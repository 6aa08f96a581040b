"""Connections to PostgreSQL: over TLS unless the server is on this machine, on an event loop of their own."""

import asyncio
import os
import ssl
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

import asyncpg

from ringwall.core import ConfigError, DataError, Problem

T = TypeVar("T")
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_POOL = 8
_SESSION = {
    "application_name": "ringwall",
    "jit": "off",
    "plan_cache_mode": "force_custom_plan",  # how many rows a principal may read decides the plan
}


class Link:
    """Two pools, one for each role. Calls block; thread-safe."""

    def __init__(self, url_env: str, reader_url_env: str, timeout_s: float) -> None:
        self._urls = {name: os.environ.get(name, "") for name in (url_env, reader_url_env)}
        self._names = (url_env, reader_url_env)
        self._timeout = timeout_s
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="retrieval-postgres", daemon=True)
        self._thread.start()
        self._pools: dict[str, Any] = {}
        self._lock = threading.Lock()
        try:
            self._tls = {name: tls_of(name, url) for name, url in self._urls.items()}
        except ConfigError:
            self.close()
            raise

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Wait for what runs on the loop. DataError when the database can't be reached or refuses."""
        try:
            return asyncio.run_coroutine_threadsafe(work, self._loop).result()
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
            raise DataError(f"The PostgreSQL index can't be used: {_told(error)}.") from error

    async def owner(self) -> Any:
        """The pool of the role that writes."""
        return await self._pool(self._names[0])

    async def reader(self) -> Any:
        """The pool of the role that searches."""
        return await self._pool(self._names[1])

    def close(self) -> None:
        with self._lock:
            if not self._loop.is_running():
                return
            for pool in self._pools.values():
                asyncio.run_coroutine_threadsafe(_closed(pool), self._loop).result(10)
            self._pools.clear()
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(10)
            self._loop.close()

    async def _pool(self, name: str) -> Any:
        if name not in self._pools:
            pool = asyncpg.create_pool(
                self._urls[name],
                min_size=0,
                max_size=_POOL,
                ssl=self._tls[name],
                command_timeout=self._timeout,
                server_settings=_SESSION,
            )
            self._pools[name] = pool
            await pool
        return self._pools[name]


def tls_of(name: str, url: str) -> ssl.SSLContext | bool:
    """How to connect: a context that verifies the server, or False for this machine. ConfigError when the URL
    names no host, or asks for less than a verified server on another one."""
    parts = urlsplit(url)
    options = parse_qs(parts.query)
    hosts = [
        host
        for given in (parts.netloc.rpartition("@")[2], *options.get("host", ()))
        for host in given.split(",")
    ]
    hosts = [host for host in hosts if host]
    if parts.scheme not in ("postgresql", "postgres") or not hosts:
        raise _wrong(f"{name} must hold a URL such as postgresql://user:password@host/database")
    if all(_here(host) for host in hosts):
        return False
    if options.get("sslmode", ["verify-full"]) != ["verify-full"]:
        raise _wrong(f"{name} leads to another machine: only sslmode=verify-full is accepted there")
    return ssl.create_default_context(cafile=options.get("sslrootcert", [None])[0])


def _here(host: str) -> bool:
    """A socket, or a loopback address with or without a port."""
    if host.startswith("/"):
        return True
    if host.startswith("["):
        return host[1:].partition("]")[0] in _LOOPBACK
    return (host if host.count(":") > 1 else host.partition(":")[0]).lower() in _LOOPBACK


async def _closed(pool: Any) -> None:
    try:
        await asyncio.wait_for(pool.close(), 5)
    except TimeoutError:
        pool.terminate()


def _told(error: BaseException) -> str:
    """The kind of error and its code: a message of the server may quote values."""
    code = getattr(error, "sqlstate", None)
    return f"{type(error).__name__}{f' {code}' if code else ''}"


def _wrong(message: str) -> ConfigError:
    return ConfigError(Problem(f"data.retrieval: {message}"))
