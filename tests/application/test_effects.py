"""Effects read from manifests: right on tools nobody tuned for, and never talked into a milder class."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ringwall.boundaries.application.effect_words import strictness
from ringwall.boundaries.application.effects import Inference, infer
from ringwall.boundaries.application.settings import Effect

ROWS = yaml.safe_load(Path(__file__).with_name("tool_effects.yaml").read_text("utf-8"))

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=20,
)
SCHEMA_KEYS = (
    "properties",
    "items",
    "anyOf",
    "enum",
    "$ref",
    "$defs",
    "format",
    "description",
    "required",
    "type",
)
SCHEMAS = st.dictionaries(st.sampled_from(SCHEMA_KEYS), JSON, max_size=6)
WORDS = st.sampled_from(
    ("get", "send", "delete", "pay", "order_email", "file", "create", "payment", "run", "url", "and", "it")
)
NAMES = st.lists(WORDS, max_size=4).map("_".join)


def schema(arguments: dict[str, Any]) -> dict[str, Any]:
    properties = {name: kind or {"type": "string"} for name, kind in arguments.items()}
    return {"type": "object", "properties": properties, "required": list(properties)}


def read(row: dict[str, Any]) -> Inference:
    return infer(row["name"], row["description"], schema(row["arguments"]))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row["name"]))
def test_the_effect_is_one_that_a_person_would_name(row: dict[str, Any]) -> None:
    found = read(row)
    assert str(found.effect) in row["effect"], found.why
    assert set(row["target"]) <= set(found.target)


def test_what_reads_has_no_target() -> None:
    assert infer("get_invoice", "", schema({"path": {}, "email": {}})).target == ()


@pytest.mark.parametrize(
    "choice", [{"enum": ["list", "delete"]}, {"anyOf": [{"const": "list"}, {"const": "remove_all"}]}]
)
def test_a_choice_of_actions_counts_as_its_strictest(choice: dict[str, Any]) -> None:
    assert infer("get_user", "Gets.", schema({"action": choice, "user_id": {}})).effect is Effect.DELETE


def test_inner_recipients_are_found_through_references() -> None:
    parameters = {
        "type": "object",
        "properties": {"event": {"$ref": "#/$defs/Event"}},
        "$defs": {"Event": {"type": "object", "properties": {"attendees": {"type": "array"}}}},
    }
    found = infer("create_event", "Creates an event.", parameters)
    assert (found.effect, found.target) == (Effect.SEND, ("event",))


def test_a_reference_to_itself_ends() -> None:
    parameters = {"type": "object", "properties": {"a": {"$ref": "#/properties/a"}, "b": {"$ref": "#"}}}
    assert infer("get_a", "", parameters).effect is Effect.READ


def test_what_nothing_tells_of_is_of_the_strictest_class() -> None:
    found = infer("frobnicate", "Frobnicates the widget.", schema({"widget": {}}))
    assert found.effect is Effect.EXECUTE and not found.sure


def test_a_description_that_admits_more_than_the_name_counts() -> None:
    found = infer(
        "get_report", "Returns the report and emails it to the address given.", schema({"address": {}})
    )
    assert found.effect is Effect.SEND and not found.sure and found.target == ("address",)


def test_what_a_description_denies_does_not_count() -> None:
    assert infer("get_report", "Returns it and will not delete it.", schema({})).effect is Effect.READ


@pytest.mark.parametrize(
    "lie", [{"readOnlyHint": True}, {"destructiveHint": False}, {"openWorldHint": False}]
)
def test_a_server_cannot_talk_its_tool_down(lie: dict[str, bool]) -> None:
    assert infer("delete_all", "Deletes all.", schema({}), lie).effect is Effect.DELETE


def test_a_server_that_warns_is_believed() -> None:
    assert infer("update_x", "", schema({}), {"destructiveHint": True}).effect is Effect.DELETE
    assert infer("get_x", "", schema({}), {"readOnlyHint": False}).effect is Effect.WRITE
    assert infer("search_x", "", schema({}), {"openWorldHint": True}).effect is Effect.FETCH


@given(
    NAMES,
    st.text(max_size=60) | NAMES,
    SCHEMAS,
    st.dictionaries(
        st.sampled_from(["readOnlyHint", "destructiveHint", "openWorldHint", "idempotentHint", "title"]), JSON
    ),
)
def test_annotations_never_make_it_milder(
    name: str, description: str, parameters: dict[str, Any], annotations: dict[str, Any]
) -> None:
    plain = infer(name, description, parameters)
    hinted = infer(name, description, parameters, annotations)
    assert strictness(hinted.effect) >= strictness(plain.effect)


@given(st.text(max_size=200), st.text(max_size=200), SCHEMAS)
def test_hostile_manifests_get_an_answer_and_always_the_same(
    name: str, description: str, parameters: dict[str, Any]
) -> None:
    found = infer(name, description, parameters)
    assert found == infer(name, description, parameters)
    properties = parameters.get("properties")
    assert set(found.target) <= set(properties if isinstance(properties, dict) else ())


def test_a_schema_of_any_size_is_read_in_part() -> None:
    deep: dict[str, Any] = {}
    for _ in range(300):
        deep = {"properties": {"a": deep, "b": deep}, "anyOf": [deep] * 20}
    wide = {"properties": {f"a{number}": {"type": "string"} for number in range(20_000)}}
    assert infer("get_x", "x " * 100_000, {"properties": {"a": deep}}).effect is Effect.READ
    assert infer("get_x", "", wide).effect is Effect.READ
