"""The way out of the collections, for the command line and the server."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ringwall.boundaries.data.export_sources import DocumentSource, RecordSource
from ringwall.boundaries.data.exports import Exports, ExportSource
from ringwall.boundaries.data.training.export import WRITERS
from ringwall.core import Crossing, Decision, decision_body, decision_event

from .plant import EXPORTS, Plant
from .site import Site


def exports(site: Site, plant: Plant, folder: Path) -> Exports:
    """``folder``: of the workload file. Decisions go on the ledger without the records that they are about:
    those are in the version that the decision names."""

    async def decide(crossing: Crossing) -> Decision:
        decision = await site.application().gate.decide(crossing)
        bare = crossing.with_parts(tuple(replace(part, text="") for part in crossing.parts))
        body = decision_body(decision, bare)
        await plant.ledger.append(decision_event(decision), body, subject=crossing.principal.owner)
        return decision

    async def note(event: Mapping[str, Any]) -> None:
        await plant.ledger.append(event)

    section = site.workload.data
    sources: dict[str, ExportSource] = {
        "index": DocumentSource(section, plant.vault),
        "training": RecordSource(section, plant.training),
    }
    return Exports(section, folder, plant.data_dir / EXPORTS, sources, WRITERS, decide, note)
