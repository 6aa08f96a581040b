"""A model that does what it read last: it replays the user's task and obeys an injected goal once it has
seen it.

An OpenAI-compatible server in a thread. Nothing is generated, so a replay is exact.
"""

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Call = tuple[str, dict[str, Any]]


def letters(text: str) -> str:
    """Letters and digits only: a goal is known again in whatever way a result wraps or escapes it."""
    return "".join(sign for sign in text if sign.isalnum())


@dataclass
class Play:
    """One conversation: the calls of the user's task, and those of the attacker's goal."""

    task: Sequence[Call]
    answer: str
    goal: str = ""
    """As the attacker wrote it; empty: no attack."""
    attack: Sequence[Call] = ()
    obeyed: bool = False
    asked: int = 0
    """How often the model was asked."""
    made: list[Call] = field(default_factory=list)
    """Every call that the model tried to make."""
    refusals: list[str] = field(default_factory=list)
    """What the gateway said in the place of a result."""

    def next(self, messages: Sequence[dict[str, Any]]) -> Call | None:
        """The next call; None when it is time to answer."""
        if self.asked == 0:
            self._queue: list[Call] = list(self.task)
        self.asked += 1
        shown = "".join(_text(message) for message in messages if message.get("role") == "tool")
        if self.goal and not self.obeyed and letters(self.goal) in letters(shown):
            self.obeyed = True
            self._queue[:0] = self.attack
        last = _text(messages[-1])
        if messages[-1].get("role") == "tool" and last.startswith(("Denied by policy", "Not done")):
            self.refusals.append(last)
        if not self._queue:
            return None
        self.made.append(self._queue.pop(0))
        return self.made[-1]


def _text(message: dict[str, Any]) -> str:
    content = message.get("content") or ""
    return content if isinstance(content, str) else "".join(str(item.get("text", "")) for item in content)


class ScriptedModel:
    """``play`` is the conversation that is being had; one at a time."""

    def __init__(self) -> None:
        self.play = Play((), "")
        model = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                answer = json.dumps(model.completion(body["messages"])).encode()
                self.send_response(200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.base_url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def completion(self, messages: list[dict[str, Any]]) -> dict[str, Any]:
        call = self.play.next(messages)
        message: dict[str, Any] = {"role": "assistant", "content": None if call else self.play.answer}
        if call:
            function = {"name": call[0], "arguments": json.dumps(call[1], ensure_ascii=False)}
            message["tool_calls"] = [
                {"id": f"call_{self.play.asked}", "type": "function", "function": function}
            ]
        return {
            "id": "c", "object": "chat.completion", "created": 1, "model": "scripted",
            "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls" if call else "stop"}],
            "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
        }  # fmt: skip

    def close(self) -> None:
        self._server.shutdown()
