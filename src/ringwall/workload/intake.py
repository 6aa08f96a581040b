"""The way into the collections, for the server and for the command line."""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from ringwall.boundaries.data.contribute import Contributions, Receipt
from ringwall.boundaries.data.intake.judging import lean
from ringwall.boundaries.data.intake.means import Means
from ringwall.core import Crossing, Decision, Principal, decision_body, decision_event

from .plant import Plant
from .site import Site
from .workbench import Workbench

STEWARD = "steward"
"""Subject under which the seed folders of the workload file come in."""


def contributions(
    site: Site, plant: Plant, decide: Callable[[Crossing], Awaitable[Decision]] | None = None
) -> Contributions:
    """``decide`` puts its decisions on the ledger; without it they go to the plant's own."""

    async def decided(crossing: Crossing) -> Decision:
        decision = await site.application().gate.decide(crossing)
        owner = f"{decision.tenant}/{decision.subject}"
        body = decision_body(decision, lean(crossing, decision))
        await plant.ledger.append(decision_event(decision), body, subject=owner)
        return decision

    async def record(event: Mapping[str, Any]) -> None:
        await plant.ledger.append(event)

    means = Means(training=plant.training, reader=site.document_reader.read, policy=site.data_policies)
    return Contributions(
        site.workload.data, plant.database, plant.vault, plant.quarantine, decide or decided, record, means
    )


def past_the_gate(bench: Workbench) -> Contributions:
    """The same for what nobody judges again (a person's decisions, removals, erasures): without composing
    gates, which takes seconds."""
    plant = bench.plant

    async def decide(_: Crossing) -> Decision:
        raise AssertionError("nothing comes in here")

    async def record(event: Mapping[str, Any]) -> None:
        await plant.ledger.append(event)

    means = Means(training=plant.training, policy=bench.data_policies)
    stores = (plant.database, plant.vault, plant.quarantine)
    return Contributions(bench.workload.data, *stores, decide, record, means)


async def take_seeds(site: Site, plant: Plant, folder: Path) -> list[Receipt]:
    """Take in the seed folders of all collections. What did not change since the last start is left alone."""
    door = contributions(site, plant)
    receipts: list[Receipt] = []
    for name, settings in site.workload.data.collections.items():
        if settings.documents is not None:
            steward = Principal(
                STEWARD, roles=frozenset(settings.contributors), credential="the operator's own files"
            )
            receipts += await door.seed(name, folder / settings.documents, steward)
    return receipts
