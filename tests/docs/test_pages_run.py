"""Marked blocks of the task pages run, in their order, against the real command and a real server.

``<!-- run -->`` runs the block below it, ``run: exit 1`` expects that exit code, ``run: background`` is the
server, ``run: hidden`` holds what a reader does by hand, ``run: setup DIR`` copies a workload into the
working directory; ``file: NAME`` is written there; ``expect`` must be in what was printed.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

_PROLOGUE = """set -euo pipefail
SERVER=
trap '[ -z "$SERVER" ] || kill "$SERVER"; wait' EXIT
"""
_READY = """for attempt in $(seq 1500); do
  if curl -sf http://127.0.0.1:8080/readyz > ready.txt; then break; fi
  kill -0 "$SERVER" || {{ cat server.log; exit 9; }}
  sleep 0.05
done
"""


class _Model(BaseHTTPRequestHandler):
    """A model server that asks for the refund that a user wants, and otherwise says hello."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        last = body["messages"][-1]
        message: dict[str, Any] = {"role": "assistant", "content": "Hello."}
        if last["role"] == "tool":
            message["content"] = last["content"]
        elif "Refund" in str(last["content"]):
            arguments = {"order_id": "B-2041", "amount": 150, "reason": "arrived broken"}
            function = {"name": "refund", "arguments": json.dumps(arguments)}
            call = {"id": "call_1", "type": "function", "function": function}
            message = {"role": "assistant", "content": None, "tool_calls": [call]}
        reply = json.dumps({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def model_port() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Model)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    thread.join()
    server.server_close()


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def _script(page: Any, root: Path, folder: Path) -> tuple[str, list[str]]:
    """The page as one script, and the texts that it must print."""
    lines, expected = [_PROLOGUE], []
    for step in page.steps():
        if step.verb == "expect":
            expected.append(step.text.strip())
        elif step.verb == "file":
            (folder / step.how).write_text(step.text, "utf-8")
        elif step.how.startswith("setup "):
            shutil.copytree(root / step.how.removeprefix("setup "), folder, dirs_exist_ok=True)
        elif step.how.startswith("background"):
            lines.append(f"{step.text.strip()} > server.log 2>&1 &\nSERVER=$!\n{_READY.format()}")
        elif step.how.startswith("exit "):
            code = step.how.removeprefix("exit ")
            lines.append(f"code=0\n(\n{step.text}\n) || code=$?\n[ $code = {code} ] || exit 8")
        else:
            assert step.how in ("", "hidden"), f"{page.name}: unknown mark {step.how!r}"
            lines.append(step.text)
    return "\n".join(lines), expected


@pytest.mark.timeout(240)
@pytest.mark.skipif(shutil.which("curl") is None, reason="the pages call the gateway with curl")
def test_the_page_does_what_it_says(runnable: Any, root: Path, tmp_path: Path, model_port: int) -> None:
    script, expected = _script(runnable, root, tmp_path)
    script = script.replace("127.0.0.1:8000", f"127.0.0.1:{model_port}").replace("8080", str(_free_port()))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RINGWALL_")}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=220,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for text in expected:
        assert text in done.stdout
