"""``ringwall egress``, and the proxy's decisions on the ledger."""

import asyncio
import base64
import os
import signal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson
import pytest
import yaml

from ringwall.ledger.master import MasterKey
from ringwall.server.egress import proxy_secrets, serve_proxy
from ringwall.workload.load import load
from ringwall.workload.workbench import workbench

RULES = """
application:
  egress:
    - {host: api.shop.example, methods: [GET, POST], path: /v1, tools: [shop]}
    - {host: "*.cdn.example", tools: [images]}
"""


@pytest.fixture
def listed(small: Path) -> Path:
    small.write_text(small.read_text() + RULES)
    return small


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("https://api.shop.example/v1/orders", "--tool", "shop"), 0, "allowed by rule 1"),
        (("https://a.cdn.example/x.png", "--tool", "images"), 0, "allowed by rule 2"),
        (("https://api.shop.example/v2", "--tool", "shop"), 1, "rule 1 (api.shop.example): not its path"),
        (("https://api.shop.example/v1", "--tool", "shop", "--method", "DELETE"), 1, "not its method"),
        (("http://api.shop.example:81/v1", "--tool", "x"), 1, "not its schemes, ports, tools"),
        (("https://2130706433/", "--tool", "shop"), 1, "more than one way"),
        (("https://api.shop.example/v1", "--tool", "shop", "--body-bytes", "2000000"), 1, "larger than"),
        (("api.shop.example:443", "--tool", "shop", "--method", "CONNECT"), 1, "but no tunnel"),
        (("nonsense", "--tool", "shop"), 1, "more than one way"),
    ],
)
def test_check_explains(arguments: tuple[str, ...], code: int, says: str, command: Any, listed: Path) -> None:
    done = command("egress", "check", *arguments, "--workload", listed)
    assert done.code == code, done.err
    assert says in done.out
    told = command("egress", "check", *arguments, "--workload", listed, "--json")
    assert told.code == code
    assert told.json["allowed"] is (code == 0)
    assert told.json["request"]["tool"] == arguments[2]


def test_check_of_a_list_that_can_not_be_used(command: Any, small: Path) -> None:
    small.write_text(small.read_text() + "application: {egress: [{host: 10.0.0.1}]}\n")
    done = command("egress", "check", "https://x.example/", "--workload", small)
    assert done.code == 2
    assert "private: true" in done.err


def test_export_in_its_forms(command: Any, listed: Path) -> None:
    rules = command("egress", "export", "--workload", listed).out
    assert 'content:"api.shop.example"' in rules
    template = command("egress", "export", "--format", "network-firewall", "--workload", listed)
    asked = command("egress", "export", "--format", "network-firewall", "--json", "--workload", listed)
    assert yaml.safe_load(template.out) == asked.json
    group = asked.json["Resources"]["RingwallEgress"]["Properties"]
    assert group["RuleGroup"]["RulesSource"]["RulesString"] == rules
    assert group["RuleGroupName"] == "ringwall-egress-small"


def test_credentials_are_derived_and_one_for_each_tool(command: Any, listed: Path, tmp_path: Path) -> None:
    where = ("--workload", listed, "--data-dir", tmp_path / "data")
    one, again = (command("egress", "credential", "shop", *where).out for _ in range(2))
    other = command("egress", "credential", "images", "--listen", "[::1]:99", *where).out
    assert one == again
    assert urlsplit(one.strip()).username == "shop"
    assert len(urlsplit(one.strip()).password or "") == 43
    assert urlsplit(one.strip()).password not in other
    assert urlsplit(other.strip()).netloc.endswith("@[::1]:99")
    unknown = command("egress", "credential", "nobody", *where)
    assert unknown.code == 2
    assert "known: images, shop" in unknown.err
    assert command("egress", "credential", "shop", "--listen", "3128", *where).code == 2


async def test_the_proxy_puts_each_decision_on_the_ledger_and_stops_when_told(
    listed: Path, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    section = load(listed).workload.application
    secret = proxy_secrets(section, MasterKey.load(data))["shop"]
    port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    with workbench(listed, data) as bench:
        serving = asyncio.create_task(serve_proxy(bench, "", "127.0.0.1", 0, port.set_result))
        reader, writer = await asyncio.open_connection("127.0.0.1", await port)
        credential = base64.b64encode(f"shop:{secret}".encode()).decode()
        line = "GET https://api.shop.example/v2/orders?token=s3cr3t HTTP/1.1\r\n"
        writer.write(f"{line}Proxy-Authorization: Basic {credential}\r\n\r\n".encode())
        answer = await reader.read()
        writer.close()
        assert answer.startswith(b"HTTP/1.1 403 ")
        assert b"not on the egress list" in answer
        (record,) = bench.plant.ledger.latest(5, type="decision")
        assert (record.event["kind"], record.event["action"]) == ("egress", "block")
        assert record.event["subject"] == "tool:shop"
        assert record.event["application"] == "assistant"
        told = orjson.loads((record.body or {})["parts"][0]["text"])
        assert (told["host"], told["method"], told["query_chars"]) == ("api.shop.example", "GET", 12)
        assert b"s3cr3t" not in orjson.dumps([record.event, record.body])
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(serving, 10)


def test_serve_complains_about_an_address(command: Any, listed: Path, tmp_path: Path) -> None:
    where = ("--workload", listed, "--data-dir", tmp_path / "data")
    assert command("egress", "serve", "--listen", "nowhere", *where).code == 2
    assert command("egress", "serve", "--application", "nobody", "--listen", "127.0.0.1:0", *where).code == 2
