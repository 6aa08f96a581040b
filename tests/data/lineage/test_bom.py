"""The bill of materials is valid CycloneDX, by its own schema."""

import json

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from ringwall.boundaries.data.lineage.bom import ModelFacts, SetFacts, ml_bom
from ringwall.boundaries.data.lineage.marks import Mark

MODEL = ModelFacts("artifact:assistant", "2026-05", "a" * 64, "local")
SET = SetFacts(
    *("tickets", 3, 12_000, "b" * 64, "c" * 64, 1_780_000_000_000_000),
    contributors=("kim", "lee"),
    licences=("MIT", "LicenseRef-ours OR CC-BY-4.0"),
    sensitivity=("customer-pii",),
)
MARK = Mark("artifact:assistant", "tickets", 3, 4, "poisoned", "ada", 1_780_000_000_000_000)


@pytest.mark.parametrize("sets", [[], [SET], [SET, SetFacts("faq", 1, 0, "d" * 64, "e" * 64, 0)]])
def test_it_is_valid(sets: list[SetFacts]) -> None:
    text = json.dumps(ml_bom(MODEL, sets, [MARK]))
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None


def test_it_names_what_the_model_learnt_from_and_what_was_taken_back() -> None:
    bom = ml_bom(MODEL, [SET], [MARK])
    model = bom["metadata"]["component"]
    assert model["modelCard"]["modelParameters"]["datasets"] == [{"ref": "data:tickets@3"}]
    assert "tickets@3" in model["properties"][0]["value"]
    [data] = bom["components"]
    assert data["licenses"] == [{"expression": "(MIT) AND (LicenseRef-ours OR CC-BY-4.0)"}]
    assert [one["contact"]["name"] for one in data["data"][0]["governance"]["custodians"]] == ["kim", "lee"]


def test_a_remote_model_without_sets_is_valid() -> None:
    text = json.dumps(ml_bom(ModelFacts("route:default"), []))
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
