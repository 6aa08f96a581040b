"""The site that an application stands on in its own process, with the tools that its code declares."""

import hashlib
import threading
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
from pydantic import ValidationError

from ringwall.boundaries.application.entity_sources import EntitySources
from ringwall.boundaries.application.registry import Changed, Known, Manifest, ToolRegistry
from ringwall.boundaries.application.settings import ToolSettings
from ringwall.core import ConfigError, Problem
from ringwall.workload.compose import Overrides, compose, put_in_force
from ringwall.workload.live import gaps
from ringwall.workload.load import Loaded, load
from ringwall.workload.plant import Plant
from ringwall.workload.site import ApplicationSite, Site

_SHOWN = 2000
"""Characters of a declaration in an error."""


class Standing:
    """Thread-safe. The workload file is read once, when this is made."""

    def __init__(self, path: Path, data_dir: Path, application: str) -> None:
        """Raises ConfigError for a file that can't be used, or that leaves something unguarded."""
        self._loaded = _without_runs(load(path))
        names = self._loaded.workload.applications
        if application and application not in names:
            raise ConfigError(Problem(f"there is no application {application!r}", str(path)))
        self.application = application or next(iter(names))
        self._declared: dict[str, ToolSettings] = {}
        self._lock = threading.RLock()
        self._sites: list[Site] = []
        self.plant = Plant(data_dir, store=self._loaded.workload.data.store)
        try:
            self._site: Site | None = self._composed()
        except BaseException:
            self.plant.close()
            raise

    @property
    def site(self) -> ApplicationSite:
        """As it stands, composed anew when tools were declared since."""
        with self._lock:
            if self._site is None:
                self._site = self._composed()
            return self._site.application(self.application)

    @property
    def entity_sources(self) -> EntitySources:
        """Of the site that was composed last."""
        return self._sites[-1].entity_sources

    @property
    def roles(self) -> Any:
        """What roles amount to, by the workload file."""
        with self._lock:
            return (self._site or self._composed()).roles

    def declare(self, declaration: Mapping[str, Any], facts: Mapping[str, Any]) -> Manifest:
        """The manifest of a tool: the pinned one, or one that the code declares with its ``effect``.

        Raises ConfigError for a tool that is neither, differs from the pinned one, or was declared
        differently before.
        """
        name = str(declaration["name"])
        with self._lock:
            pinned = ToolRegistry.of(self._loaded.workload.application.tools).get(name)
            if pinned is not None:
                return self._pinned(pinned, declaration, facts)
            return self._from_code(name, declaration, facts)

    def _pinned(self, pinned: Manifest, declaration: Mapping[str, Any], facts: Mapping[str, Any]) -> Manifest:
        if facts:
            told = ", ".join(sorted(facts))
            raise ConfigError(Problem(f"{pinned.name} is declared in the workload file: leave out {told}"))
        if pinned.name not in self._loaded.workload.applications[self.application].tools:
            where = f"applications.{self.application}.tools"
            raise ConfigError(Problem(f"{where} does not list the tool {pinned.name}"))
        return pinned

    def compare(self, declaration: Mapping[str, Any]) -> None:
        """Raises ConfigError where what a model would be told of a tool differs from its manifest."""
        with self._lock:
            registry = ToolRegistry.of({**self._loaded.workload.application.tools, **self._declared})
        match registry.compare(declaration):
            case Known():
                return
            case Changed(manifest, what):
                differs = f"{manifest.name} differs from its pinned manifest in: {', '.join(what)}"
                code, pinned = _shown(declaration, what), _shown(manifest.openai()["function"], what)
                raise ConfigError(Problem(f"{differs}\n  in the code: {code}\n  pinned: {pinned}"))
            case _:
                raise ConfigError(Problem(f"the tool {declaration.get('name')!r} is not declared"))

    def _from_code(self, name: str, declaration: Mapping[str, Any], facts: Mapping[str, Any]) -> Manifest:
        if "effect" not in facts:
            raise ConfigError(
                Problem(f"the tool {name} is not in the workload file: declare it there, or give its effect")
            )
        told = {"description": declaration["description"], "parameters": declaration["parameters"], **facts}
        try:
            made = ToolSettings.model_validate(told)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            place = ".".join(map(str, first["loc"]))
            raise ConfigError(Problem(f"the tool {name}: {place}: {first['msg']}")) from None
        manifest = ToolRegistry.of({name: made}).get(name)
        assert manifest is not None  # noqa: S101  it was just put in
        before = self._declared.setdefault(name, made)
        if before != made:
            raise ConfigError(Problem(f"the tool {name} was declared differently before"))
        self._site = None
        return manifest

    def _composed(self) -> Site:
        loaded = _with_tools(self._loaded, self.application, self._declared)
        site = compose(loaded, self.plant, Overrides())
        uncovered = gaps(site)
        if uncovered:
            raise ConfigError(*(Problem(f"unguarded in enforce mode: {gap}") for gap in uncovered))
        put_in_force(site, self.plant)
        self._sites.append(site)
        self.plant.note("config.loaded", version=site.version)
        return site

    async def release(self) -> None:
        """Let go of open connections, on the loop that they were opened on."""
        for site in self._sites:
            await site.router.close()
            for app in site.applications.values():
                await app.egress.close()
                app.runner.close()

    def close(self) -> None:
        self.plant.close()


def _shown(declaration: Mapping[str, Any], what: Iterable[str]) -> str:
    """For whoever has to make two declarations the same."""
    return orjson.dumps({name: declaration.get(name) for name in what}, default=str).decode()[:_SHOWN]


def _without_runs(loaded: Loaded) -> Loaded:
    """Tools run in the application's hands here: the functions that a gateway would run stay unloaded."""
    section = loaded.workload.application
    tools = {name: tool.model_copy(update={"run": None}) for name, tool in section.tools.items()}
    changed = section.model_copy(update={"tools": tools})
    return replace(loaded, workload=loaded.workload.model_copy(update={"application": changed}))


def _with_tools(loaded: Loaded, application: str, declared: Mapping[str, ToolSettings]) -> Loaded:
    """The workload with tools of the code. They count in its version: decisions rest on them as well."""
    if not declared:
        return loaded
    workload = loaded.workload
    section = workload.application.model_copy(update={"tools": {**workload.application.tools, **declared}})
    own = workload.applications[application]
    own = own.model_copy(update={"tools": (*own.tools, *declared)})
    changed = workload.model_copy(
        update={"application": section, "applications": {**workload.applications, application: own}}
    )
    digest = ToolRegistry.of(declared).digest
    version = hashlib.sha256(f"{loaded.version}\n{digest}".encode()).hexdigest()[: len(loaded.version)]
    return replace(loaded, workload=changed, version=version)
