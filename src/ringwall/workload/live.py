"""The site in service: started, reloaded when its file changes, closed.

A reload is atomic: the new site is built aside and swapped in whole; a file with a mistake changes nothing
and is reported. Turns under way finish on the site that they began with.
"""

import asyncio
import logging
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from ringwall.boundaries.application.entity_sources import missing_headers
from ringwall.core import ConfigError, Mode, Problem

from .compose import Overrides, compose, put_in_force
from .intake import take_seeds
from .load import Loaded, load, named_files
from .matrix import Cell, matrix
from .mcp import with_pins
from .plant import Plant
from .posture import effect_doubts, handling_doubts
from .prepare import prepare
from .site import Site
from .store import in_local_store

log = logging.getLogger("ringwall")

POLL_SECONDS = 1.0
RETIRE_SECONDS = 600.0
"""Longer than any turn: see the time-outs of providers."""


class Live:
    """Owns the plant and the current site."""

    def __init__(self, path: Path, plant: Plant, overrides: Overrides) -> None:
        """Raises ConfigError when the file can't be used, or when enforce mode has an unguarded cell."""
        self.plant = plant
        self.path = path
        self.overrides = overrides
        self._loaded = load(path)
        self.site = self._built(self._loaded)
        self._seen = self._fingerprint()
        self._retired: list[Site] = []
        self._closing: list[Site] = []
        prepare(plant, self.site, overrides)
        put_in_force(self.site, plant)
        self.plant.note("config.loaded", version=self.site.version)

    def reload(self) -> bool:
        """Read the file again; True when a new site took over. A bad file changes nothing."""
        try:
            loaded = with_pins(load(self.path), self.plant)
            if loaded.version == self.site.version:
                return False
            site = self._built(loaded)
            prepare(self.plant, site, self.overrides)
        except ConfigError as error:
            for problem in error.problems:
                log.error("the workload file was not taken over: %s", problem)
            self.plant.note("config.refused", problems=len(error.problems))
            return False
        except Exception as error:  # noqa: BLE001 - whatever a new file brings up, the old one stays in force
            log.error("the workload file was not taken over: it gave rise to a %s", type(error).__name__)
            self.plant.note("config.refused", problems=1)
            return False
        put_in_force(site, self.plant)
        self._retired.append(self.site)
        self._loaded, self.site = loaded, site
        self.plant.note("config.loaded", version=site.version)
        return True

    async def take_seeds(self) -> None:
        """Take in the seed documents of the collections; what is quarantined or refused is logged."""
        for receipt in await take_seeds(self.site, self.plant, self.path.parent):
            if receipt.status in ("quarantined", "refused"):
                why = " ".join(receipt.reasons)
                log.warning("%s/%s: %s. %s", receipt.collection, receipt.document, receipt.status, why)

    async def watch(self) -> None:
        """Reload whenever the file, one that it names, or an approval of a server's tools has changed. Runs
        until cancelled."""
        while True:
            await asyncio.sleep(POLL_SECONDS)
            seen = await asyncio.to_thread(self._fingerprint)
            if seen != self._seen:
                self._seen = seen
                if await asyncio.to_thread(self.reload):
                    self._retire()

    def _retire(self) -> None:
        """The sites before this one are closed once no turn can still run on them."""
        old, self._retired = self._retired, []
        loop = asyncio.get_running_loop()
        for site in old:
            self._closing.append(site)
            loop.call_later(RETIRE_SECONDS, self._begin_close, site)

    def _begin_close(self, site: Site) -> None:
        asyncio.ensure_future(self._close(site))  # noqa: RUF006 - it is in self._closing until it is done

    async def _close(self, site: Site) -> None:
        if site in self._closing:
            self._closing.remove(site)
            await site.router.close()
            for app in site.applications.values():
                app.runner.close()

    async def close(self) -> None:
        self._closing += [*self._retired, self.site]
        for site in list(self._closing):
            await self._close(site)
        await self.plant.upstreams.close()
        self.plant.close()

    def _built(self, loaded: Loaded) -> Site:
        site = compose(loaded, self.plant, self.overrides)
        open_cells = gaps(site)
        if open_cells and self.overrides.wrap is None:
            raise ConfigError(
                *(Problem(f"unguarded in enforce mode: {gap}", loaded.path.name) for gap in open_cells)
            )
        return site

    def _fingerprint(self) -> tuple[tuple[str, int, int], ...]:
        named = [self.path, *named_files(self._loaded.workload, self.path.parent)]
        return (("", self.plant.pins.revision(), 0), *(_stat(path) for path in named))


def _stat(path: Path) -> tuple[str, int, int]:
    try:
        stat = path.stat()
    except OSError:
        return (path.name, 0, 0)
    return (path.name, stat.st_mtime_ns, stat.st_size)


def cells(site: Site) -> list[Cell]:
    """The coverage matrix of a site."""
    applications = site.applications
    return matrix(
        {name: app.gate for name, app in applications.items()},
        {name: app.settings.accept for name, app in applications.items()},
        {name: _required(site, name) for name in applications},
    )


def gaps(site: Site) -> list[str]:
    """Unguarded cells of the applications in enforce mode, in words."""
    found = dict.fromkeys(
        f"{cell.application}: {cell.direction} {cell.part} at {cell.endpoint}"
        + (f", which {', '.join(cell.missing)} can't see" if cell.missing else "")
        for cell in cells(site)
        if cell.open and site.applications[cell.application].gate.mode is Mode.ENFORCE
    )
    return list(found)


def _required(site: Site, application: str) -> frozenset[str]:
    workload = site.workload
    blocks: dict[str, dict[str, object]] = {}
    for section in ("interface", "application", "model", "data", "organization"):
        blocks.update(getattr(workload, section).controls)
    blocks.update(workload.applications[application].controls)
    return frozenset(name for name, block in blocks.items() if block.get("required"))


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What ``ringwall check`` finds."""

    cells: list[Cell]
    gaps: list[str]
    """Shapes of traffic that enforce mode leaves unguarded."""
    doubts: list[str]
    """What may be meant otherwise: nothing that stops a start."""


def rehearse(path: Path) -> Rehearsal:
    """Compose the workload in a throw-away plant. Raises ConfigError."""
    loaded = in_local_store(load(path))
    with tempfile.TemporaryDirectory(prefix="ringwall-check-") as folder:
        plant = Plant(Path(folder))
        try:
            site = compose(loaded, plant, Overrides())
            registry = site.application().registry
            sources = site.workload.application.known_entities.sources
            doubts = [
                *effect_doubts(registry),
                *handling_doubts(registry),
                *missing_headers(sources, os.environ),
            ]
            return Rehearsal(cells(site), gaps(site), doubts)
        finally:
            plant.close()
