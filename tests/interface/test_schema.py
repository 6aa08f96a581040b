"""Answers held to a schema, and schemas that can't be used."""

import json

import pytest

from ringwall.boundaries.interface.schema import FORMAT_PART, Schema, SchemaSettings
from ringwall.core import (
    ANONYMOUS,
    END_OF_STREAM,
    MODEL,
    USER,
    Action,
    Buffer,
    ConfigError,
    Crossing,
    CrossingKind,
    Part,
    PartKind,
)

LAMP = {"type": "object", "properties": {"watts": {"type": "integer", "maximum": 60}}, "required": ["watts"]}
SCHEMA = Schema(SchemaSettings())


def asked(schema):
    return {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}


def answer(text, wanted=None, **facts):
    part = Part(PartKind.TEXT, text, MODEL, "assistant")
    return Crossing(CrossingKind.RESPONSE, ANONYMOUS, (part,), context={"response_format": wanted, **facts})


async def test_an_answer_that_fits_passes():
    assert (await SCHEMA.inspect(answer('{"watts": 60}', asked(LAMP)))).action is Action.ALLOW
    assert (await SCHEMA.inspect(answer("Hello!"))).action is Action.ALLOW
    assert (await SCHEMA.inspect(answer("Hello!", {"type": "text"}))).action is Action.ALLOW


@pytest.mark.parametrize(
    "text",
    [
        '{"watts": 61}', '{"watts": "60"}', "{}", "[]", "", "60", '{"watts": 1', '{"watts": NaN}',
        '{"watts": 1, "watts": 2}',
        '```json\n{"watts": 1}\n```', '{"watts": 1} and more', "[" * 5000, '{"a":' * 3000, "x" * 300_000,
    ],
)  # fmt: skip
async def test_one_that_does_not_is_stopped(text):
    given = await SCHEMA.inspect(answer(text, asked(LAMP)))
    assert given.action is Action.BLOCK
    assert "61" not in given.findings[0].message


async def test_any_object():
    wanted = {"type": "json_object"}
    assert (await SCHEMA.inspect(answer('{"a": 1}', wanted))).action is Action.ALLOW
    assert (await SCHEMA.inspect(answer("[1]", wanted))).action is Action.BLOCK


async def test_half_an_answer_is_not_judged():
    assert (
        await SCHEMA.inspect(answer('{"wat', asked(LAMP), stream=True, final=False))
    ).action is Action.ALLOW


def test_only_such_answers_are_held():
    assert SCHEMA.need_of(answer("", asked(LAMP))) == Buffer(262_144)
    assert SCHEMA.need_of(answer("")) == SCHEMA.declaration.need == END_OF_STREAM
    assert isinstance(Schema(SchemaSettings(output=LAMP)).declaration.need, Buffer)


async def test_the_schema_of_the_workload_holds_for_every_answer():
    control = Schema(SchemaSettings(output=LAMP, requested=False))
    assert (await control.inspect(answer("Hello!"))).action is Action.BLOCK
    assert (await control.inspect(answer('{"watts": 5}'))).action is Action.ALLOW


def doubling(depth):
    defs = {f"d{at}": {"anyOf": [{"$ref": f"#/$defs/d{at + 1}"}] * 2} for at in range(depth)}
    return {"$defs": {**defs, f"d{depth}": {"type": "string"}}, "$ref": "#/$defs/d0"}


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"}, {"$ref": "https://evil.example/s.json"}, {"allOf": [{"$ref": "#"}]}, doubling(30),
        {"type": 7}, {"pattern": "("}, {"description": "x" * 70_000},
    ],
)  # fmt: skip
async def test_a_schema_that_cannot_be_used_is_refused_with_the_request(schema):
    part = Part(PartKind.TEXT, json.dumps(asked(schema)), USER, "user", FORMAT_PART)
    given = await SCHEMA.inspect(Crossing(CrossingKind.REQUEST, ANONYMOUS, (part,)))
    assert given.action is Action.BLOCK
    assert (await SCHEMA.inspect(answer("{}", asked(schema)))).action is Action.BLOCK
    with pytest.raises(ConfigError):
        Schema(SchemaSettings(output=schema))


async def test_a_schema_may_refer_to_itself_deeper_in():
    tree = {"type": "object", "properties": {"inner": {"$ref": "#"}}}
    assert (await SCHEMA.inspect(answer('{"inner": {"inner": {}}}', asked(tree)))).action is Action.ALLOW
    assert (await SCHEMA.inspect(answer('{"inner": {"inner": 1}}', asked(tree)))).action is Action.BLOCK
