"""Personal data through the gateway, with the official SDK: no model sees it, its person gets it back."""

import json
from typing import Any

import pytest

MAIL, OTHER = "casey.lind@post.example", "robin.okafor@post.example"
CARD = "4111 1111 1111 1111"
PII = {"classes": {"pii.email": "pseudonymise", "pii.card": "mask"}, "tools": ["lookup"]}


def ask(text: str) -> Any:
    return [{"role": "user", "content": text}]


@pytest.fixture
def served(start: Any) -> Any:
    lookup = {
        "description": "Looks a customer up.",
        "parameters": {
            "type": "object",
            "properties": {"order_id": {"type": "string"}},
            "required": ["order_id"],
            "additionalProperties": False,
        },
        "effect": "read",
        "roles": ["customer", "agent", "manager"],
        "run": {"python": "tools.py:lookup_order"},
    }
    return start(
        applications={"assistant": {"tools": ["lookup_order", "note", "lookup", "blind"]}},
        application={"tools": {"lookup": lookup, "blind": lookup}},
        interface={
            "controls": {
                "interface.pii": PII,
                "interface.outflow": {"session": {"pii.email": "3/hour"}},
            }
        },
    )


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("piece", [1, 4, 7])
def test_there_and_back(served: Any, model_server: Any, said: Any, stream: bool, piece: int) -> None:
    model_server.piece = piece
    model_server.says(said("I wrote to **<EMAIL_1>** (email_1), not to <EMAIL_7>; the card is <CARD_1>."))
    client = served.client()
    got = client.chat.completions.create(
        model="default", messages=ask(f"Write to {MAIL}, card {CARD}."), stream=stream
    )
    text = (
        "".join(chunk.choices[0].delta.content or "" for chunk in got)
        if stream
        else got.choices[0].message.content
    )
    assert text == f"I wrote to **{MAIL}** ({MAIL}), not to <EMAIL_7>; the card is <CARD_1>."
    assert MAIL not in model_server.seen
    assert "Write to <EMAIL_1>, card •••• •••• •••• 1111." in model_server.seen


def test_the_next_turn_of_the_session_knows_the_placeholder(
    served: Any, model_server: Any, said: Any
) -> None:
    client = served.client()
    model_server.says(said("Noted: <EMAIL_1>."), said("It was <EMAIL_1>, not <EMAIL_2>."))
    first = client.chat.completions.create(model="default", messages=ask(f"I am {MAIL}."))
    answer = first.choices[0].message.content
    history = [*ask(f"I am {MAIL}."), {"role": "assistant", "content": answer}, *ask(f"And {OTHER}?")]
    second = client.chat.completions.create(model="default", messages=history)
    assert second.choices[0].message.content == f"It was {MAIL}, not {OTHER}."
    assert "post.example" not in model_server.seen


def test_nobody_elses_placeholder_is_restored(served: Any, model_server: Any, said: Any) -> None:
    model_server.says(said("ok"), *(said("<EMAIL_1> email_1") for _ in range(3)))
    served.ask(f"I am {MAIL}.", session="one")
    for subject, session in (("robin", "one"), ("casey", "two"), ("casey", "")):
        reply = served.ask("Say <EMAIL_1> email_1", subject, session)
        assert reply.json()["choices"][0]["message"]["content"] == "<EMAIL_1> email_1"


@pytest.mark.parametrize("stream", [False, True])
def test_a_call_for_the_client_carries_the_value(
    served: Any, model_server: Any, said: Any, stream: bool
) -> None:
    note = {
        "type": "function",
        "function": {
            "name": "note",
            "description": "Tool that can read.",
            "parameters": {
                "type": "object",
                "properties": {"about": {"type": "string"}},
                "required": ["about"],
                "additionalProperties": False,
            },
        },
    }
    model_server.says(said("", ("note", '{"about": "mail \\u003cEMAIL_1\\u003e"}')))
    got = served.client().chat.completions.create(
        model="default", messages=ask(f"Note {MAIL}."), tools=[note], stream=stream
    )
    if stream:
        calls = [call for chunk in got for call in chunk.choices[0].delta.tool_calls or ()]
        arguments = "".join(call.function.arguments for call in calls)
    else:
        arguments = got.choices[0].message.tool_calls[0].function.arguments
    assert json.loads(arguments) == {"about": f"mail {MAIL}"}


def test_a_tool_of_the_gateway_sees_values_only_if_it_is_named(
    served: Any, model_server: Any, said: Any
) -> None:
    call = json.dumps({"order_id": "<EMAIL_1>"})
    model_server.says(said("", ("lookup", call)), said("", ("blind", call)), said("Done, <EMAIL_1>."))
    reply = served.ask(f"Look for {MAIL}.")
    assert reply.json()["choices"][0]["message"]["content"] == f"Done, {MAIL}."
    records = [
        served.plant.ledger.find(event["id"])
        for event in served.turn(reply.headers["x-ringwall-turn"])
        if event["type"] == "tool.called"
    ]
    made = {record.event["tool"]: record.body["arguments"]["order_id"] for record in records}
    assert made == {"lookup": MAIL, "blind": "<EMAIL_1>"}
    for body in model_server.received:
        assert MAIL not in json.dumps(body), "the tool's result speaks of the value, the model reads of it"


def test_the_budget_of_a_session(served: Any, model_server: Any, said: Any) -> None:
    mails = [f"user{n}@post.example" for n in range(5)]
    model_server.says(said(" ".join(mails[:3])), said(mails[0]), said(mails[3]), said(mails[3]))
    assert served.ask("Three, please.", session="s").json()["choices"][0]["finish_reason"] == "stop"
    again = served.ask("The first again.", session="s").json()["choices"][0]
    assert again["message"]["content"] == mails[0], "what was shown before costs nothing"
    fourth = served.ask("And a fourth.", session="s").json()["choices"][0]
    assert fourth["finish_reason"] == "content_filter"
    assert mails[3] not in fourth["message"]["content"]
    other = served.ask("Elsewhere.", session="t").json()["choices"][0]
    assert other["message"]["content"] == mails[3]


def test_a_stopped_stream_shows_what_the_budget_allows_and_no_more(
    served: Any, model_server: Any, said: Any
) -> None:
    mails = [f"user{n}@post.example" for n in range(6)]
    model_server.says(said("Here they are: " + ", ".join(mails) + ". That is all."))
    found, _ = served.events({"messages": ask("All of them.")}, session="u")
    text = "".join(
        choice["delta"].get("content") or ""
        for event in found
        if event != "[DONE]"
        for choice in event.get("choices", ())
    )
    assert sum(mail in text for mail in mails) <= 3
    assert "content_filter" in json.dumps(found)


def test_values_are_nowhere_in_the_open(served: Any, model_server: Any, said: Any) -> None:
    model_server.says(said("Hello <EMAIL_1>."))
    reply = served.ask(f"I am {MAIL}.")
    served.plant.pseudonyms.flush()
    for event in served.turn(reply.headers["x-ringwall-turn"]):
        assert "casey.lind" not in json.dumps(event)
    for path in served.data_dir.rglob("*"):
        if path.is_file():
            assert b"casey.lind" not in path.read_bytes(), path.name
