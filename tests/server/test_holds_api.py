"""``/v1/ringwall/holds`` and ``ringwall hold``, beside each other on one gateway."""

import json
from typing import Any

import httpx2 as httpx
import pytest

PAY = ("pay_out", '{"order_id": "B-2041", "amount": 40}')


@pytest.fixture(scope="module")
def _shop(serve: Any) -> Any:
    return serve(application={"holds": {"confirm": {"effects": ["send"]}}})


@pytest.fixture
def shop(_shop: Any, model_server: Any) -> Any:
    return _shop


def call(shop: Any, subject: str, path: str = "", body: Any = None, key: str = "") -> Any:
    headers = {"authorization": f"Bearer {key or shop.keys[subject]}"} if subject or key else {}
    method = "GET" if body is None else "POST"
    url = f"{shop.url}/v1/ringwall/holds{path}"
    return httpx.request(method, url, headers=headers, json=body, timeout=60)


def held(shop: Any, model_server: Any, said: Any, *made: tuple[str, str], session: str) -> str:
    model_server.says(said("", *made), said("It waits."))
    sent = {"model": "default", "messages": [{"role": "user", "content": "Do it."}]}
    sent["tools"] = [shop.live.site.application().registry.get("send_email").openai()]
    got = shop.post(sent, "avery", x_ringwall_session=session)
    found: str = got.headers["x-ringwall-holds"]
    return found


def test_who_sees_and_who_decides(shop: Any, model_server: Any, said: Any) -> None:
    hold = held(shop, model_server, said, PAY, session="api-1")
    own = call(shop, "avery", f"/{hold}").json()
    assert (own["state"], own["approver"], own["arguments"]["amount"]) == ("pending", "other", 40)
    assert own["doubtful"] == {"order_id": "model", "amount": "model"}
    assert hold in [one["id"] for one in call(shop, "morgan").json()["data"]]
    assert call(shop, "casey").json()["data"] == []
    body = {"call": own["call"]}
    for subject, status in (("casey", 404), ("eddy", 404), ("avery", 403)):
        assert call(shop, subject, f"/{hold}/approve", body).status_code == status
    assert call(shop, "", f"/{hold}/approve", body).status_code == 401
    assert call(shop, "morgan", "/hold_nope/approve", body).status_code == 404
    assert call(shop, "morgan", f"/{hold}/approve", {"call": "0" * 64}).status_code == 409
    assert call(shop, "morgan", f"/{hold}/approve", {}).status_code == 400
    assert call(shop, "morgan", f"/{hold}/approve", {**body, "more": 1}).status_code == 400
    assert call(shop, "avery", f"/{hold}").json()["state"] == "pending"
    done = call(shop, "morgan", f"/{hold}/approve", body)
    assert (done.status_code, done.json()["state"]) == (200, "approved")
    assert done.json()["decided_by"] == "default/morgan"
    assert call(shop, "morgan", f"/{hold}/refuse", body).status_code == 409
    kinds = [record.event["type"] for record in shop.plant.ledger.latest(50)]
    assert kinds.index("hold.approved") < kinds.index("hold.requested"), "newest first"


def test_amending(shop: Any, model_server: Any, said: Any, command: Any) -> None:
    hold = held(shop, model_server, said, PAY, session="api-2")
    own = call(shop, "morgan", f"/{hold}").json()
    wrong = {"call": own["call"], "arguments": {"order_id": "B-2041", "amount": 99999}}
    refused = call(shop, "morgan", f"/{hold}/amend", wrong)
    assert (refused.status_code, "can't be amended" in refused.text) == (400, True)
    for arguments in ([], "x", None):
        body = {"call": own["call"], "arguments": arguments}
        assert call(shop, "morgan", f"/{hold}/amend", body).status_code == 400
    right = {"call": own["call"], "arguments": {"order_id": "B-2041", "amount": 4}}
    done = call(shop, "morgan", f"/{hold}/amend", right).json()
    assert (done["state"], done["amended"]["amount"], done["arguments"]["amount"]) == ("approved", 4, 40)
    shown = command("hold", "show", hold, "--workload", shop.path, "--data-dir", shop.data_dir)
    assert "amended to" in shown.out
    before = (shop.path.parent / "paid.log").read_text() if (shop.path.parent / "paid.log").exists() else ""
    model_server.says(said("", PAY), said("Paid."))
    shop.ask("Do it.", "avery", session="api-2")
    assert (shop.path.parent / "paid.log").read_text() == before + "B-2041 4\n"


def test_whoever_asked_confirms_by_a_request_of_their_own(
    shop: Any, model_server: Any, said: Any, command: Any
) -> None:
    mail = ("send_email", '{"to": "stranger@outside.example", "body": "Hello."}')
    hold = held(shop, model_server, said, mail, session="api-3")
    told = model_server.received[-1]["messages"][-1]["content"]
    assert "the user's confirmation, outside of this conversation" in told
    model_server.says(said("", mail), said("It waits."))
    words = f"Yes, please send it, I confirm ({hold})."
    tools = [shop.live.site.application().registry.get("send_email").openai()]
    sent = {"model": "default", "messages": [{"role": "user", "content": words}], "tools": tools}
    again = shop.post(sent, "avery", x_ringwall_session="api-3")
    assert again.headers["x-ringwall-holds"] == hold, "no word of a conversation confirms"
    given = ("--workload", shop.path, "--data-dir", shop.data_dir)
    made = command(
        "key", "create", "--subject", "avery", "--role", "agent", "--scope", "chat", *given, "--json"
    )
    chat_only = made.json["key"]
    body = {"call": call(shop, "avery", f"/{hold}").json()["call"]}
    assert call(shop, "", f"/{hold}/approve", body, key=chat_only).status_code == 403
    assert call(shop, "avery", f"/{hold}/approve", body).json()["state"] == "approved"
    model_server.says(said("", mail))
    done = shop.post(sent, "avery", x_ringwall_session="api-3")
    made_calls = done.json()["choices"][0]["message"]["tool_calls"]
    assert json.loads(made_calls[0]["function"]["arguments"])["to"] == "stranger@outside.example"


def test_the_command(shop: Any, model_server: Any, said: Any, command: Any) -> None:
    hold = held(shop, model_server, said, PAY, session="cli-1")
    given = ("--workload", shop.path, "--data-dir", shop.data_dir)
    shown = command("hold", "show", hold, *given)
    assert "unvouched" in shown.out
    assert "lifted by  somebody else: a role that may approve pay_out" in shown.out
    key = ("--key", shop.keys["morgan"])
    for wrong in ("amount", "=4", "amount={"):
        assert command("hold", "amend", hold, "--set", wrong, *key, *given).code == 2
    refused = command("hold", "amend", hold, "--set", 'amount="x"', *key, *given)
    assert refused.code == 2
    done = command("hold", "amend", hold, "--set", "amount=3.5", *key, *given, "--json")
    assert (done.json["state"], done.json["amended"]) == ("approved", {"order_id": "B-2041", "amount": 3.5})
    assert hold in command("hold", "list", "--all", *given).out
    assert hold not in command("hold", "list", *given).out
