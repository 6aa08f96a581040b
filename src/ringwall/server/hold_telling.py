"""Beside the requests: holds whose time is over are closed, and webhooks are told."""

import asyncio

from ringwall.boundaries.application.hold_outbox import Message, Outbox
from ringwall.boundaries.application.hold_webhooks import Webhooks
from ringwall.core import RingwallError
from ringwall.workload.site import Site

from .gateway import Gateway

LOOK_S = 1.0


class HoldTelling:
    """One per process. Follows the site in force."""

    def __init__(self, gateway: Gateway) -> None:
        """Raises ConfigError for a webhook whose secret is missing or weak."""
        self._gateway = gateway
        self._site: Site = gateway.site
        self._webhooks: Webhooks | None = self._made(self._site)

    async def run(self) -> None:
        """Until it is cancelled. A failure is logged, and does not end it."""
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                await self._follow()
                await asyncio.to_thread(self._site.application().holds.expire)
                if self._webhooks is not None:
                    await self._webhooks.send_due()
            except Exception as fault:  # noqa: BLE001 - the next look may go well
                if self._gateway.site is self._site:  # else what it stood on was taken away meanwhile
                    self._gateway.log_fault(fault)

    async def close(self) -> None:
        if self._webhooks is not None:
            await self._webhooks.close()

    async def _follow(self) -> None:
        """After a reload of the workload file, or after a drill's reset. While a secret is missing, messages
        wait."""
        site = self._gateway.site
        if site is self._site:
            return
        await self.close()
        self._site, self._webhooks = site, None
        try:
            self._webhooks = self._made(site)
        except RingwallError as error:
            self._gateway.log_problem(str(error))

    def _made(self, site: Site) -> Webhooks:
        settings = site.workload.application.holds
        outbox = Outbox(self._gateway.live.plant.database)
        return Webhooks(settings, outbox, site.application().holds, self._told)

    async def _told(self, message: Message, host: str, outcome: str) -> None:
        await self._gateway.recorder.event(
            "hold.told",
            "system",
            "default",
            hold=message.hold,
            message=message.id,
            change=str(message.event),
            host=host,
            outcome=outcome,
        )
