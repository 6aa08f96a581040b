"""A bill of materials for a model (ML-BOM): what it was trained on, from whom, under which licences.

CycloneDX 1.6, https://cyclonedx.org/docs/1.6/json/: a component ``machine-learning-model`` whose model card
refers to components of type ``data``, one for each version of a training set.
"""

import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version as version_of
from typing import Any

from .marks import Mark


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """A model of the workload."""

    name: str
    """``artifact:NAME`` or ``route:NAME``."""
    version: str = ""
    """Snapshot, or the beginning of the file's hash."""
    sha256: str = ""
    """Of the file; empty for a remote model."""
    provider: str = ""


@dataclass(frozen=True, slots=True)
class SetFacts:
    """A version of a training set."""

    collection: str
    version: int
    records: int
    root: str
    chain: str
    at: int
    """Microseconds since the epoch, UTC."""
    contributors: tuple[str, ...] = ()
    licences: tuple[str, ...] = ()
    """SPDX expressions."""
    sensitivity: tuple[str, ...] = ()

    @property
    def ref(self) -> str:
        return f"data:{self.collection}@{self.version}"


def ml_bom(model: ModelFacts, sets: Sequence[SetFacts], marks: Sequence[Mark] = ()) -> dict[str, Any]:
    """The document, as JSON values. Contributors are named as custodians of what they brought."""
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid4()}",
        "version": 1,
        "metadata": {
            "timestamp": _iso(time.time_ns() // 1000),
            "tools": {"components": [_tool()]},
            "component": _model(model, sets, marks),
        },
        "components": [_data(one) for one in sets],
        "dependencies": [
            {"ref": model.name, "dependsOn": [one.ref for one in sets]},
            *({"ref": one.ref} for one in sets),
        ],
    }


def _tool() -> dict[str, Any]:
    return {"type": "application", "name": "ringwall", "version": version_of("ringwall")}


def _model(model: ModelFacts, sets: Sequence[SetFacts], marks: Sequence[Mark]) -> dict[str, Any]:
    told = [
        {
            "name": "ringwall:mark",
            "value": f"{one.records} records of {one.collection}@{one.version} removed later",
        }
        for one in marks
    ]
    return {
        "type": "machine-learning-model",
        "bom-ref": model.name,
        "name": model.name.partition(":")[2],
        **({"version": model.version} if model.version else {}),
        **({"hashes": [{"alg": "SHA-256", "content": model.sha256}]} if model.sha256 else {}),
        **({"publisher": model.provider} if model.provider else {}),
        **({"properties": told} if told else {}),
        "modelCard": {"modelParameters": {"datasets": [{"ref": one.ref} for one in sets]}},
    }


def _data(one: SetFacts) -> dict[str, Any]:
    custodians = [{"contact": {"name": name}} for name in one.contributors]
    return {
        "type": "data",
        "bom-ref": one.ref,
        "name": one.collection,
        "version": str(one.version),
        "hashes": [{"alg": "SHA-256", "content": one.root}],
        **({"licenses": [{"expression": _all_of(one.licences)}]} if one.licences else {}),
        "data": [
            {
                "type": "dataset",
                "name": one.collection,
                "contents": {
                    "properties": [
                        {"name": "ringwall:records", "value": str(one.records)},
                        {"name": "ringwall:merkle-root", "value": one.root},
                        {"name": "ringwall:chain", "value": one.chain},
                        {"name": "ringwall:committed", "value": _iso(one.at)},
                    ]
                },
                **({"sensitiveData": list(one.sensitivity)} if one.sensitivity else {}),
                **({"governance": {"custodians": custodians}} if custodians else {}),
            }
        ],
    }


def _all_of(licences: Sequence[str]) -> str:
    """One SPDX expression: each licence holds for some of the records."""
    return licences[0] if len(licences) == 1 else " AND ".join(f"({one})" for one in licences)


def _iso(micros: int) -> str:
    return datetime.fromtimestamp(micros / 1_000_000, UTC).isoformat(timespec="seconds")
