"""Beside the calls: sources of known entities are fetched when due, and what became of it is told."""

import asyncio
import hashlib
import hmac
import logging
from collections.abc import Callable
from typing import Any

from ringwall.boundaries.application.entity_sources import EntitySources, Outcome

from .plant import Plant

log = logging.getLogger("ringwall")

LOOK_S = 1.0
START_S = 5.0
"""Longest that a start waits for the first answers."""


class EntityRefresh:
    """One per process. Follows the site in force."""

    def __init__(self, plant: Callable[[], Plant], sources: Callable[[], EntitySources]) -> None:
        """Raises ConfigError when the value of a header is missing from the environment."""
        self._plant = plant
        self._site_sources = sources
        self._sources = sources()
        self._sources.check()
        self._tried = asyncio.Event()

    async def run(self) -> None:
        """Until it is cancelled. A failure is logged, and does not end it."""
        try:
            while True:
                try:
                    await self._follow()
                    await self._sources.refresh(self._told)
                except Exception as fault:  # noqa: BLE001 - the next look may go well
                    log.error("known entities were not refreshed: it gave rise to a %s", type(fault).__name__)
                self._tried.set()
                await asyncio.sleep(LOOK_S)
        finally:
            await self._sources.close()

    async def tried(self) -> None:
        """Wait until each source was asked once, if there is one without an answer: but not for long."""
        if self._sources.answered:
            return
        try:
            async with asyncio.timeout(START_S):
                await self._tried.wait()
        except TimeoutError:
            return

    async def _follow(self) -> None:
        """After a reload of the workload file."""
        sources = self._site_sources()
        if sources is not self._sources:
            await self._sources.close()
            self._sources = sources

    async def _told(self, outcome: Outcome) -> None:
        if outcome.problem:
            until = (
                f"The {outcome.entities} that it named last count on until they are too old."
                if outcome.entities
                else "Nothing is known from there, so what it would name counts as unknown."
            )
            log.error("known entities of %s: %s %s", outcome.host, outcome.problem, until)
            await self._note("entities.failed", outcome, reason=outcome.problem)
            return
        log.info("known entities of %s: it names %d", outcome.host, outcome.entities)
        if not outcome.entities:
            log.warning("known entities of %s: it names nothing under the given fields", outcome.host)
        kind = "entities.changed" if outcome.changed else "entities.recovered"
        await self._note(kind, outcome, hash=self._hash(outcome.content))

    async def _note(self, kind: str, outcome: Outcome, **more: Any) -> None:
        facts = {"host": outcome.host, "source": outcome.source, "entities": outcome.entities, **more}
        await asyncio.to_thread(self._plant().note, kind, **facts)

    def _hash(self, content: bytes) -> str:
        """Keyed, as the few addresses in a short list could be guessed from a plain one."""
        return hmac.digest(self._plant().master.derive("known entities"), content, hashlib.sha256).hex()[:32]
