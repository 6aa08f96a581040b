"""A directory service beside a running gateway: who it names may be written to, as long as it names them."""

import json
import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from ringwall import Ringwall
from ringwall.core import ConfigError
from ringwall.server.app import build
from ringwall.workload.compose import Overrides
from ringwall.workload.live import Live
from ringwall.workload.plant import Plant

CALL = {
    "role": "assistant",
    "content": None,
    "tool_calls": [
        {
            "id": "call_1",
            "type": "function",
            "function": {
                "name": "send_email",
                "arguments": json.dumps({"to": "anna@partner.example", "body": "The lamp is on its way."}),
            },
        }
    ],
}
TOKEN = "Bearer of-the-directory"


class Directory:
    """A service whose answer a test sets. It answers nobody without the token."""

    def __init__(self) -> None:
        self.people = ["anna@partner.example"]
        self.status = 200
        self.asked = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked += 1
                allowed = self.headers["Authorization"] == TOKEN
                body = json.dumps({"people": [{"email": email} for email in outer.people]}).encode()
                self.send_response(outer.status if allowed else 401)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self.thread.start()

    def source(self, **more: Any) -> dict[str, Any]:
        url = f"http://127.0.0.1:{self.server.server_port}/people"
        headers = {"Authorization": "TEST_DIRECTORY"}
        return {"url": url, "private": True, "fields": {"emails": ["email"]}, "headers_env": headers, **more}

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def directory(monkeypatch: pytest.MonkeyPatch) -> Iterator[Directory]:
    monkeypatch.setenv("TEST_DIRECTORY", TOKEN)
    made = Directory()
    yield made
    made.close()


def known(*sources: dict[str, Any]) -> dict[str, Any]:
    return {"known_entities": {"sources": list(sources)}}


def sends(gateway: Any, model_server: Any) -> bool:
    """Whether the model's call reaches the client."""
    model_server.says(CALL, {"role": "assistant", "content": "It waits for somebody."})
    settings = gateway.live.site.workload.application.tools["send_email"]
    declared = {"name": "send_email", "description": settings.description, "parameters": settings.parameters}
    tool = {"type": "function", "function": declared}
    got = gateway.ask("Send an e-mail about the lamp to our partner.", "avery", tools=[tool])
    model_server.script.clear()
    assert got.status_code == 200, got.text
    return bool(got.json()["choices"][0]["message"].get("tool_calls"))


def noted(gateway: Any) -> list[dict[str, Any]]:
    """Events of sources, oldest first."""
    events = [dict(record.event) for record in reversed(gateway.plant.ledger.latest(100))]
    return [event for event in events if event["type"].startswith("entities.")]


def change(gateway: Any, *sources: dict[str, Any]) -> None:
    content = json.loads(gateway.path.read_text("utf-8"))
    content["application"]["known_entities"]["sources"] = list(sources)
    gateway.path.write_text(json.dumps(content), "utf-8")
    assert gateway.live.reload() is True


def test_who_the_service_names_is_written_to(start: Any, model_server: Any, directory: Directory) -> None:
    gateway = start(application=known(directory.source()))
    assert sends(gateway, model_server)
    (event,) = noted(gateway)
    assert event["type"] == "entities.changed"
    assert "partner" not in json.dumps(event)
    assert TOKEN not in json.dumps(event)


def test_a_reload_adds_and_removes_a_source(start: Any, model_server: Any, directory: Directory) -> None:
    gateway = start()
    assert not sends(gateway, model_server)
    change(gateway, directory.source())
    gateway.until(gateway.live.site.entity_sources.current)
    assert sends(gateway, model_server)
    change(gateway)
    assert not sends(gateway, model_server)
    change(gateway, directory.source(refresh_s=600))  # its last answer is still good
    assert sends(gateway, model_server)
    assert directory.asked == 1


def test_a_service_that_is_away_at_the_start(
    start: Any, model_server: Any, directory: Directory, caplog: pytest.LogCaptureFixture
) -> None:
    directory.status = 503
    with caplog.at_level(logging.ERROR, "ringwall"):
        gateway = start(application=known(directory.source()))
    assert not sends(gateway, model_server)
    (event,) = noted(gateway)
    assert (event["type"], event["entities"]) == ("entities.failed", 0)
    (said,) = [record.getMessage() for record in caplog.records if "known entities" in record.getMessage()]
    assert "status 503" in said
    assert "counts as unknown" in said


def test_no_start_without_the_value_of_a_header(
    directory: Directory, monkeypatch: pytest.MonkeyPatch, command: Any, served_path: Any, tmp_path: Any
) -> None:
    monkeypatch.delenv("TEST_DIRECTORY")
    path = served_path(tmp_path / "checked", {"application": known(directory.source())})
    plant = Plant(tmp_path / "data")
    try:
        live = Live(path, plant, Overrides())
        with pytest.raises(ConfigError, match="TEST_DIRECTORY"):
            build(live)
    finally:
        plant.close()
    checked = command("check", "--workload", path, "--no-matrix")
    assert checked.code == 0
    assert "TEST_DIRECTORY" in checked.err
    assert directory.asked == 0


def test_it_is_asked_in_process_as_well(directory: Directory, served_path: Any, tmp_path: Any) -> None:
    path = served_path(tmp_path / "inside", {"application": known(directory.source())})
    with Ringwall(path, data_dir=tmp_path / "data") as wall:
        assert wall._standing.entity_sources.current()
    directory.status = 503
    with Ringwall(path, data_dir=tmp_path / "data") as wall:
        assert wall._standing.entity_sources.current()
