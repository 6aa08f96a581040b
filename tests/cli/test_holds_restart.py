"""Holds of a real gateway that is killed: the approval outlives it and is used once, its message too."""

import contextlib
import http.server
import json
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from ringwall.core import ConfigError
from ringwall.server.app import build
from ringwall.workload.compose import Overrides
from ringwall.workload.live import Live
from ringwall.workload.plant import Plant

PAY = ("pay_out", '{"order_id": "B-2041", "amount": 40}')
SECRET = "whsec_" + "QUJDRA" * 8


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.got.append((dict(self.headers), json.loads(body)))  # type: ignore[attr-defined]
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        return None


@pytest.fixture
def receiver() -> Iterator[Any]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    server.got = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join(10)
    server.server_close()


def ask(line: dict[str, Any], key: str) -> httpx.Response:
    body = {"model": "default", "messages": [{"role": "user", "content": "Pay order B-2041 back."}]}
    headers = {"authorization": f"Bearer {key}", "x-ringwall-session": "one"}
    return httpx.post(f"{line['base_url']}/chat/completions", json=body, headers=headers, timeout=60)


def until(done: Any) -> Any:
    end = time.monotonic() + 60
    while not (found := done()):
        assert time.monotonic() < end, "it did not happen in time"
        threading.Event().wait(0.05)
    return found


def test_killed_between_approval_and_use(
    up: Any,
    served_path: Any,
    model_server: Any,
    said: Any,
    command: Any,
    tmp_path: Path,
    receiver: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HOLD_SECRET", SECRET)
    hook = {
        "url": f"http://127.0.0.1:{receiver.server_address[1]}/hold",
        "secret_env": "HOLD_SECRET",
        "events": ["requested", "approved", "used"],
        "private": True,
    }
    path = served_path(tmp_path, {"application": {"holds": {"webhooks": [hook]}}})
    data, log = tmp_path / "data", tmp_path / "paid.log"
    first = up(path, data)
    keys = first.line["keys"]
    model_server.says(said("", PAY), said("It waits."))
    hold = ask(first.line, keys["avery"]).headers["x-ringwall-holds"]
    until(lambda: receiver.got)
    given = ("--workload", path, "--data-dir", data, "--json")
    assert first.stop(signal.SIGKILL) == -signal.SIGKILL
    approved = command("hold", "approve", hold, "--key", keys["morgan"], *given)  # while nothing serves
    assert approved.json["state"] == "approved"

    second = up(path, data)
    until(lambda: len(receiver.got) == 2)
    assert not log.exists()
    model_server.says(said("", PAY), said("Paid."), said("", PAY), said("It waits again."))
    assert "x-ringwall-holds" not in ask(second.line, keys["avery"]).headers
    assert ask(second.line, keys["avery"]).headers["x-ringwall-holds"] != hold
    assert log.read_text() == "B-2041 40\n"
    until(lambda: len(receiver.got) == 4)
    assert second.stop() == 0
    types = [body["type"] for _, body in receiver.got]
    assert types[:2] == ["hold.requested", "hold.approved"]
    assert sorted(types[2:]) == ["hold.requested", "hold.used"]  # of two holds: in no order between them
    assert command("ledger", "verify", "--data-dir", data, "--json").code == 0


def test_a_webhook_without_its_secret_stops_the_start(served_path: Any, tmp_path: Path) -> None:
    hook = {"url": "https://hooks.example/hold", "secret_env": "NO_SUCH_SECRET"}
    path = served_path(tmp_path, {"application": {"holds": {"webhooks": [hook]}}})
    plant = Plant(tmp_path / "data")
    with contextlib.closing(plant), pytest.raises(ConfigError, match="NO_SUCH_SECRET"):
        build(Live(path, plant, Overrides()))
