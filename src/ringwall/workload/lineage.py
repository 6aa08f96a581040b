"""Lineage of a workload: its collections, its models, its ledger."""

from collections.abc import Iterator

from ringwall.boundaries.data.lineage import (
    Citations,
    Lineage,
    Marks,
    ModelFacts,
    Purge,
    SetFacts,
    Trained,
    ml_bom,
)
from ringwall.boundaries.data.lineage.origins import facts
from ringwall.boundaries.model.settings import ModelSection
from ringwall.core import DataError

from .plant import Plant
from .schema import Workload


def lineage(workload: Workload, plant: Plant) -> Lineage:
    """Of what the workload file declares and the plant keeps."""
    citations = Citations(plant.database, plant.ledger)
    return Lineage(plant.vault, plant.training, plant.index, plant.ledger, citations, trained(workload.model))


def purge(workload: Workload, plant: Plant) -> Purge:
    """The playbook that takes a contributor out."""
    section = workload.data
    followed, marks = lineage(workload, plant), Marks(plant.database)
    stores = (plant.vault, plant.training, followed, marks, plant.quarantine, plant.attachments)
    return Purge(section, *stores)


def trained(section: ModelSection) -> Iterator[Trained]:
    """What each model file and route was trained on, as declared."""
    for kind, entries in (("artifact", section.artifacts), ("route", section.routes)):
        for name, entry in entries.items():
            for given in entry.trained_on:
                collection, _, version = given.partition("@")
                yield Trained(f"{kind}:{name}", collection, int(version))


def bill_of_materials(workload: Workload, plant: Plant, model: str) -> dict[str, object]:
    """The ML-BOM of a route or a model file. DataError for an unknown one, or a version that is not there."""
    about = _about(workload.model, model.removeprefix("route:").removeprefix("artifact:"))
    sets = [_facts(workload, plant, one) for one in trained(workload.model) if one.model == about.name]
    marks = [mark for mark in Marks(plant.database).all() if mark.model == about.name]
    return ml_bom(about, sets, marks)


def _about(section: ModelSection, name: str) -> ModelFacts:
    if name in section.artifacts:
        digest = section.artifacts[name].sha256.lower()
        return ModelFacts(f"artifact:{name}", digest[:12], digest)
    if name in section.routes:
        route = section.routes[name]
        return ModelFacts(f"route:{name}", route.snapshot, provider=route.provider)
    known = ", ".join(sorted({*section.artifacts, *section.routes}))
    raise DataError(f"No model file or route is called {name!r}; known: {known}.")


def _facts(workload: Workload, plant: Plant, one: Trained) -> SetFacts:
    settings = workload.data.collections[one.collection]
    if settings.kind == "training":
        return facts(
            plant.training, plant.training.versions.get(one.collection, one.version), settings.sensitivity
        )
    version = plant.vault.lines.versions.get(one.collection, one.version)
    entries = plant.vault.manifest(one.collection, one.version).entries
    return SetFacts(
        *(one.collection, one.version, len(entries), version.root, version.chain, version.at),
        contributors=tuple(sorted({entry.contributor for entry in entries})),
        sensitivity=tuple(
            sorted({*settings.sensitivity, *(name for e in entries for name in e.sensitivity)})
        ),
    )
