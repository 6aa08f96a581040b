"""The published JSON Schema agrees with what is read."""

from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from ringwall.workload.catalogue import catalogue
from ringwall.workload.json_schema import workload_schema

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def validator() -> Any:
    schema = workload_schema()
    jsonschema_rs.meta.validate(schema)
    return jsonschema_rs.Draft202012Validator(schema)


@pytest.mark.parametrize(
    "path", ["examples/support-assistant/ringwall.yaml", "src/ringwall/workload/template.yaml"]
)
def test_our_own_files_fit(validator: Any, path: str) -> None:
    validator.validate(yaml.safe_load((ROOT / path).read_text("utf-8")))


def test_the_short_forms_of_credentials_fit(validator: Any, small: str) -> None:
    good = yaml.safe_load(small)
    issuer = {"issuer": "https://id.example", "audience": "x"}
    validator.validate(good | {"interface": {"identity": {"api_keys": True, "oidc": [issuer]}}})
    assert not validator.is_valid(good | {"interface": {"identity": {"api_keys": "yes"}}})
    assert not validator.is_valid(good | {"interface": {"identity": {"oidc": [issuer | {"audience": 5}]}}})


def test_typos_do_not_fit(validator: Any, small: str) -> None:
    good = yaml.safe_load(small)
    validator.validate(good)
    for wrong in (
        good | {"moed": "enforce"},
        good | {"mode": "off"},
        good | {"interface": {"controls": {"interface.nothing": {}}}},
        good | {"interface": {"controls": {"interface.secrets": {"mode": "perhaps"}}}},
        good | {"interface": {"controls": {"model.admission": {}}}},
        good | {"interface": {"quotas": {"requests": "many"}}},
        good | {"applications": {}},
        {},
    ):
        assert not validator.is_valid(wrong), wrong


def test_every_reference_is_there() -> None:
    """A definition that got lost would only show when an editor meets it."""
    schema = workload_schema()
    names = set(schema["$defs"])

    def references(value: Any) -> set[str]:
        if isinstance(value, dict):
            own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
            return own.union(*map(references, value.values()))
        return set().union(*map(references, value)) if isinstance(value, list) else set()

    assert {reference.removeprefix("#/$defs/") for reference in references(schema)} <= names
    assert {f"control:{name}" for name in catalogue().factories} <= names


def test_every_key_is_explained() -> None:
    """Every setting has a sentence for the reader of the schema."""
    schema = workload_schema()
    silent = [
        f"{name}.{key}"
        for name, definition in schema["$defs"].items()
        for key, field in definition.get("properties", {}).items()
        if not field.get("description") and "$ref" not in field and "const" not in field
    ]
    sections = [name for name in silent if not name.endswith("Section.controls")]
    assert sections == []
