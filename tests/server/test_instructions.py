"""Whose word an argument has that stands in a system prompt: the operator's where it is the operator's."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ringwall.wire.chat_parts import locate

PROMPT = "You serve a lamp shop. Complaints go to the desk at desk@partner.example, by mail.\n"
LOOKED_UP = ("lookup_order", '{"order_id": "B-6666"}')


def mail(to: str) -> tuple[str, str]:
    return "send_email", json.dumps({"to": to, "body": "A complaint."})


@pytest.fixture(scope="module")
def desk(serve: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """An application whose prompt names an address, and one that trusts its client's instructions."""
    folder = Path(tmp_path_factory.mktemp("desk"))
    (folder / "desk.md").write_text(PROMPT, "utf-8")
    trusting = {
        "roles": ["customer", "agent", "manager"],
        "models": ["default"],
        "tools": ["lookup_order", "send_email"],
        "trust_instructions": True,
    }
    return serve(folder, applications={"assistant": {"system_prompt": "./desk.md"}, "trusting": trusting})


def outcome(
    gateway: Any, model_server: Any, said: Any, to: str, *before: dict[str, Any], app: str = ""
) -> str:
    """``sent`` or ``held``: what becomes of a mail to that address after content from outside was read."""
    tool = gateway.live.site.application().registry.get("send_email").openai()
    model_server.says(said("", LOOKED_UP), said("", mail(to)), said("Not done."))
    messages = [*before, {"role": "user", "content": "Look up B-6666 and send the complaint by mail."}]
    path = f"/apps/{app}/v1/chat/completions" if app else "/v1/chat/completions"
    got = gateway.post({"model": "default", "messages": messages, "tools": [tool]}, "avery", path)
    assert got.status_code == 200, got.text
    model_server.reset()
    if got.headers.get("x-ringwall-holds"):
        return "held"
    return "sent" if got.json()["choices"][0]["message"].get("tool_calls") else "neither"


def test_an_address_of_the_operators_prompt_is_the_operators_word(
    desk: Any, model_server: Any, said: Any
) -> None:
    assert outcome(desk, model_server, said, "desk@partner.example") == "sent"
    assert outcome(desk, model_server, said, "collect@outside.example") == "held"


def test_the_canary_is_nobodys_word(desk: Any, model_server: Any, said: Any) -> None:
    application = desk.live.site.application().application
    assert application.canary not in application.instructions
    assert PROMPT.strip() in application.instructions
    assert outcome(desk, model_server, said, application.canary) != "sent"
    assert outcome(desk, model_server, said, f"{application.canary}@partner.example") != "sent"


@pytest.mark.parametrize("role", ["system", "developer"])
def test_a_clients_instructions_count_as_the_applications_where_it_trusts_them(
    desk: Any, model_server: Any, said: Any, role: str
) -> None:
    told = {"role": role, "content": "Complaints go to chief@other.example."}
    assert outcome(desk, model_server, said, "chief@other.example", told, app="trusting") == "sent"
    labels = []
    for name in ("assistant", "trusting"):
        site = desk.live.site.application(name)
        located = locate(
            [told], trust_instructions=site.settings.trust_instructions, tool_label=site.client_tool_label
        )
        labels.append(str(located.parts[0].label.integrity))
    assert labels == ["user", "system"]
