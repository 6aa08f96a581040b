"""Agents that call agents: a real listener, tools that ask it again, a model that never stops."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

AGENTS = """
import json
import urllib.error
import urllib.request
from pathlib import Path

def ask_agent(application, message, chain):
    place = json.loads(Path(__file__).with_name("place.json").read_text())
    body = {"model": "default", "messages": [{"role": "user", "content": message}]}
    headers = {
        "authorization": f"Bearer {place['key']}",
        "content-type": "application/json",
        "x-ringwall-chain": chain,
    }
    url = f"{place['url']}/apps/{application}/v1/chat/completions"
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as got:
            return json.load(got)["choices"][0]["message"]["content"]
    except urllib.error.HTTPError as error:
        return "refused: " + json.load(error)["error"]["message"]
"""
PROPERTIES = {"application": {"type": "string"}, "message": {"type": "string"}}
TOOL = {
    "description": "Ask another agent.",
    "parameters": {"type": "object", "properties": PROPERTIES, "required": list(PROPERTIES)},
    "effect": "read",
    "run": {"python": "agents.py:ask_agent", "timeout_s": 20},
}


def application(*tools: str) -> dict[str, Any]:
    return {"roles": ["customer"], "models": ["default"], "tools": ["ask_agent", *tools]}


@pytest.fixture(scope="module")
def agents(served_workload: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder: Path = tmp_path_factory.mktemp("agents")
    (folder / "agents.py").write_text(AGENTS)
    apps = {"planner": application(), "clerk": application("send_email")}
    changes = {"applications": apps, "application": {"tools": {"ask_agent": TOOL}}}
    with served_workload(folder, changes) as gateway:
        place = {"url": gateway.url, "key": gateway.keys["avery"]}
        (folder / "place.json").write_text(json.dumps(place))
        yield gateway


def asks(application: str, message: str) -> dict[str, Any]:
    call = {"name": "ask_agent", "arguments": json.dumps({"application": application, "message": message})}
    made = [{"id": "call_1", "type": "function", "function": call}]
    return {"role": "assistant", "content": None, "tool_calls": made}


def answers(text: str) -> dict[str, Any]:
    return {"role": "assistant", "content": text}


def chain_stops(gateway: Any) -> list[str]:
    """Rules of ``application.chain`` on the ledger, the newest decision first."""
    found = gateway.plant.ledger.latest(50, type="decision", match={"kind": "request"})
    return [
        rule
        for record in found
        for line in record.event["lines"]
        if line["control"] == "application.chain"
        for rule in line["rules"]
    ]


def ask(gateway: Any, text: str, app: str = "planner", **headers: str) -> Any:
    body = {"model": "default", "messages": [{"role": "user", "content": text}]}
    return gateway.post(body, "avery", f"/apps/{app}/v1/chat/completions", **headers)


def test_an_agent_that_asks_itself_the_same_is_told_so(agents: Any, model_server: Any) -> None:
    model_server.says(asks("planner", "How is the weather? "), answers("I could not find out."))
    before = len(chain_stops(agents))
    got = ask(agents, "How is the weather?")
    assert got.status_code == 200, got.text
    assert got.json()["choices"][0]["message"]["content"] == "I could not find out."
    assert "The same was asked before on this chain of agents" in model_server.seen
    assert chain_stops(agents)[: len(chain_stops(agents)) - before] == ["recursion"]


def test_agents_that_ask_each_other_on_and_on_come_to_an_end(agents: Any, model_server: Any) -> None:
    count = iter(range(1000))

    async def never_stops(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        number = next(count)
        if body["messages"][-1]["role"] == "tool":
            return await model_server.tell(request, body, answers("That is all I know."))
        return await model_server.tell(
            request, body, asks(("planner", "clerk")[number % 2], f"And {number}?")
        )

    model_server.says(*[never_stops] * 50)
    got = ask(agents, "Begin.")
    assert got.status_code == 200, got.text
    assert len(model_server.received) == 8, "four turns, each asked and answered"
    assert "The chain of agents is too long" in json.dumps(model_server.received)
    assert chain_stops(agents)[0] == "depth"


def test_what_an_agent_asks_is_no_users_word(agents: Any, model_server: Any) -> None:
    model_server.says(asks("clerk", "Write to casey"), answers("Written."), answers("Done."))
    assert ask(agents, "Tell casey.").status_code == 200
    parts = {
        (part["text"], part["integrity"], *part["origin"])
        for record in agents.plant.ledger.latest(20, type="decision", match={"kind": "request"})
        for part in record.body["parts"]
    }
    assert ("Write to casey", "untrusted", "agent:planner") in parts
    assert ("Tell casey.", "user", "user") in parts


def test_the_header_goes_to_the_client_and_comes_back(agents: Any, model_server: Any) -> None:
    first = ask(agents, "Good morning")
    token = first.headers["x-ringwall-chain"]
    assert ask(agents, "Good day", "clerk", x_ringwall_chain=token).status_code == 200
    assert ask(agents, "Good morning", x_ringwall_chain=token).status_code == 403
    for forged in (token[:-3], "A" * 60, "x"):
        got = ask(agents, "Good evening", "clerk", x_ringwall_chain=forged)
        assert got.status_code == 403
        assert got.json()["error"]["code"] == "application.chain"
        assert "x-ringwall-chain" not in got.headers
    other = agents.events({"messages": [{"role": "user", "content": "Good night"}]}, "avery")[1]
    assert other["x-ringwall-chain"] != token
