"""Names become addresses here, once for each connection; what comes back is checked and used as it is."""

import asyncio
import ipaddress
import socket

from aiohttp import ThreadedResolver
from aiohttp.abc import AbstractResolver, ResolveResult

from .addresses import is_metadata, refused
from .egress_outbound import EgressRefused, Outbound
from .egress_settings import EgressRule

_TRIES = 4


class NotThere(OSError):
    """An answer of the name service that must not be connected to."""


class GuardedResolver(AbstractResolver):
    """For one rule of the list. One bad address among the answers spoils them all."""

    def __init__(self, rule: EgressRule, inner: AbstractResolver | None = None) -> None:
        """``inner`` replaces the system's resolver; it is not closed."""
        self._rule = rule
        self._inner = inner

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Raises NotThere for an address that tools may not reach, OSError when there is none."""
        if self._inner is None:
            self._inner = ThreadedResolver()
        answers = await self._inner.resolve(host, port, family)
        for answer in answers:
            address = ipaddress.ip_address(answer["host"].partition("%")[0])
            why = refused(address)
            if why and (not self._rule.private or is_metadata(address)):
                raise NotThere(f"The name stands for {why}.")
        if not answers:
            raise OSError("The name stands for no address.")
        return answers

    async def close(self) -> None:
        return None


async def dial(
    outbound: Outbound, inner: AbstractResolver | None
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection to what was permitted. Raises EgressRefused for a forbidden address, OSError when nobody
    answers."""
    if outbound.host.address is not None:
        addresses = [str(outbound.host.address)]
    else:
        guard = GuardedResolver(outbound.permitted(), inner)
        try:
            answers = await guard.resolve(outbound.name, outbound.port)
        except NotThere as error:
            raise EgressRefused(str(error)) from None
        addresses = [answer["host"] for answer in answers]
    failure = OSError("The name stands for no address.")
    for address in addresses[:_TRIES]:
        try:
            return await asyncio.open_connection(address, outbound.port)
        except OSError as error:
            failure = error
    raise failure
