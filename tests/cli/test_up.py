"""``ringwall up``: the contract that others build on."""

import json
import signal
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest


def ask(line: dict[str, Any], text: str = "Hello", key: str = "") -> httpx.Response:
    body = {"model": "default", "messages": [{"role": "user", "content": text}]}
    headers = {"authorization": f"Bearer {key or line['key']}"}
    return httpx.post(f"{line['base_url']}/chat/completions", json=body, headers=headers, timeout=60)


def test_the_sample_is_served_and_stops_when_told(
    up: Any, sample: Path, tmp_path: Path, command: Any
) -> None:
    running = up(sample, tmp_path / "data")
    line = running.line
    assert line["url"].startswith("http://127.0.0.1:")
    assert line["base_url"] == line["url"] + "/v1"
    assert line["key"] == line["keys"]["casey"]
    assert httpx.get(line["url"] + "/healthz", timeout=60).text == "ok\n"
    assert httpx.get(line["url"] + "/readyz", timeout=60).status_code == 200
    got = ask(line, "How long may I return a lamp?")
    assert got.status_code == 200, got.text
    decision = got.headers["x-ringwall-decision"]
    shown = command("decision", decision, "--json", "--data-dir", tmp_path / "data")
    assert shown.json["event"]["id"] == decision
    made = command(
        *("key", "create", "--subject", "sam", "--role", "customer", "--tenant", "brightlamp", "--json"),
        *("--workload", sample, "--data-dir", tmp_path / "data"),
    )
    assert made.code == 0, made.err
    assert ask(line, key=made.json["key"]).status_code == 200
    assert running.stop() == 0
    assert running.rest() == ""  # one line on standard output, and no more
    errors = running.errors.read_text()
    assert "Traceback" not in errors
    assert line["key"] not in errors
    for path in (tmp_path / "data").rglob("*"):
        if path.is_file():
            assert line["key"].encode() not in path.read_bytes(), path.name
            assert path.stat().st_mode & 0o077 == 0, f"{path.name} can be read by others"


def test_killed_and_started_again(up: Any, small: Path, tmp_path: Path, command: Any) -> None:
    data = tmp_path / "data"
    first = up(small, data)
    acknowledged = [ask(first.line, f"Hello {n}").headers["x-ringwall-decision"] for n in range(20)]
    assert first.stop(signal.SIGKILL) == -signal.SIGKILL
    second = up(small, data)
    assert second.line["keys"] == {}  # made at the first start, shown once
    again = ask(second.line, key=first.line["key"])
    assert again.status_code == 200
    verified = command("ledger", "verify", "--data-dir", data, "--json")  # while it serves
    assert verified.code == 0, verified.out
    assert second.stop() == 0
    verified = command("ledger", "verify", "--data-dir", data, "--json")
    assert verified.code == 0, verified.out
    for decision in (*acknowledged, again.headers["x-ringwall-decision"]):
        assert command("decision", decision, "--json", "--data-dir", data).code == 0
        break
    from ringwall.ledger import Ledger

    ledger = Ledger.open(data)
    try:
        assert all(ledger.find(decision) for decision in acknowledged)
    finally:
        ledger.close()


def test_init_check_up(up: Any, tmp_path: Path, command: Any) -> None:
    path = tmp_path / "ringwall.yaml"
    made = command("init", path)
    assert made.code == 0, made.err
    assert command("init", path).code == 2  # never over a file that is there
    assert command("check", "--workload", path).code == 0
    running = up(path, tmp_path / "data")
    assert ask(running.line).status_code == 200
    assert running.stop(signal.SIGINT) in (0, 130)


@pytest.mark.parametrize("name", ["Not A Name", "x: y", "a\nb", ""])
def test_init_takes_no_name_that_is_none(tmp_path: Path, command: Any, name: str) -> None:
    done = command("init", tmp_path / "ringwall.yaml", "--name", name)
    assert done.code == 2
    assert "Traceback" not in done.err
    assert not (tmp_path / "ringwall.yaml").exists()


def test_what_can_not_start_says_why(tmp_path: Path, small: Path, command: Any) -> None:
    data = ("--data-dir", tmp_path / "data", "--port", "0")
    missing = command("up", "--workload", tmp_path / "none.yaml", *data)
    assert missing.code == 2
    assert "none.yaml" in missing.err
    text = small.read_text()
    small.write_text(text.replace("roles: [user]\n", "roles: [user]\n    accept: [text, audio]\n", 1))
    unguarded = command("up", "--workload", small, *data)
    assert unguarded.code == 2
    assert "unguarded in enforce mode" in unguarded.err
    both = command(
        "up", "--workload", small, *data, "--upstream", "http://127.0.0.1:9/v1", "--model", "x.gguf"
    )
    assert both.code == 2
    bad = command("up", "--workload", small, *data, "--upstream", "ftp://nowhere")
    assert bad.code == 2
    for done in (missing, unguarded, both, bad):
        assert "Traceback" not in done.err
        assert done.out == ""


def test_an_upstream_on_the_command_line(up: Any, small: Path, tmp_path: Path, model_server: Any) -> None:
    running = up(small, tmp_path / "data", "--upstream", model_server.url)
    got = ask(running.line, "Hello upstream")
    assert got.json()["choices"][0]["message"]["content"] == "Echo: Hello upstream"
    assert running.stop() == 0
    assert json.loads(json.dumps(running.line))["key"]
