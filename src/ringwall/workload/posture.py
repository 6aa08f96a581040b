"""What is known of a site's defences: threats with derived status, evidence, coverage of the public lists."""

import time
from pathlib import Path
from typing import Any

from ringwall.boundaries.application.effects import infer
from ringwall.boundaries.application.registry import ToolRegistry
from ringwall.boundaries.application.unhandled import unhandled
from ringwall.boundaries.organization.coverage import Coverage, coverage
from ringwall.boundaries.organization.evidence import Evidence
from ringwall.boundaries.organization.status import Setup, ThreatStatus, derive
from ringwall.boundaries.organization.threats import ThreatModel, load_threats
from ringwall.core import Declaration, Mode

from .catalogue import catalogue
from .plant import Plant
from .site import Site

_NOUNS = {"sql": "a database query", "path": "a path", "command": "a command", "html": "HTML"}


def declarations(site: Site) -> dict[str, Declaration]:
    """Of every control at the first application's gate, by id."""
    posts = site.application().gate.posts
    return {post.control.declaration.id: post.control.declaration for post in posts}


def threat_model(site: Site, folder: Path) -> ThreatModel:
    """The workload's threat model; empty when the file names none. Raises ConfigError."""
    path = site.workload.organization.threats
    return load_threats(folder / path, set(catalogue().factories)) if path else ThreatModel()


def threat_status(site: Site, plant: Plant, folder: Path) -> list[ThreatStatus]:
    """Every threat with its status, derived from the evidence as it stands now."""
    return derive(threat_model(site, folder), plant.evidence.latest(), _setup(site), _now())


def control_coverage(site: Site, plant: Plant) -> Coverage:
    """OWASP and CSF coverage of the controls in place."""
    return coverage(plant.evidence.latest(), _setup(site), _now())


def effect_doubts(registry: ToolRegistry) -> list[str]:
    """A sentence for each tool whose declared effect is milder than what its manifest plainly says."""
    doubts = []
    for tool in registry:
        found = infer(tool.name, tool.description, tool.parameters)
        if found.sure and found.doubts(tool.effect):
            doubts.append(
                f"application.tools.{tool.name}: declared {tool.effect}, but it looks like "
                f"{found.effect} ({found.why})"
            )
    return doubts


def handling_doubts(registry: ToolRegistry) -> list[str]:
    """A sentence for each argument that looks like code for another system and is not handled as such."""
    return [
        f"application.tools.{tool.name}: {name} looks like {_NOUNS[kind]}; say under handling what is safe"
        for tool in registry
        for name, kind in unhandled(tool)
    ]


def _setup(site: Site) -> Setup:
    gate = site.application().gate
    monitored = gate.mode is Mode.MONITOR
    modes = {post.control.declaration.id: Mode.MONITOR if monitored else post.mode for post in gate.posts}
    return Setup(declarations(site), modes)


def _now() -> int:
    return time.time_ns() // 1000


def keep(plant: Plant, fact: Evidence) -> Evidence:
    """Put a fact on the ledger, then among the evidence. Raises DataError where either fails."""
    facts: dict[str, Any] = fact.facts()
    entry = plant.note("evidence.added", by=fact.by, **facts)
    return plant.evidence.add(fact, entry=entry)
