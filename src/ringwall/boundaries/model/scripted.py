"""The scripted model: a compromised one, for drills and tests. It does what any text that it reads says.

Markers, in a user message, a system message, a retrieved chunk or a tool result alike:

    ⟦say: text⟧                 answer with this text
    ⟦call: tool {"a": 1}⟧       call this tool
    ⟦echo-system⟧               repeat the system prompt
    ⟦echo-context⟧              repeat retrieved chunks and tool results
    ⟦stream-chunks: n⟧          stream the answer in n pieces

The newest text that still has something undone comes first; each step is done once per conversation, which
is told from the history. Scripts by scenario id (``metadata: {"scenario": id}`` or ``user``) come before
markers. The same conversation always gives the same answer.
"""

from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .embedded import calls_of, canonical, deltas, last_user, parsed, reply, tool_call
from .provider import ChatReply, ChatRequest, Delta, text_of

MODEL = "scripted"
DEFAULT = "I am the scripted model, and nothing told me what to do."
_MAX_CHUNKS = 10_000


@dataclass(frozen=True, slots=True)
class Call:
    tool: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Step:
    """One answer of the model: text, calls, or both."""

    say: str = ""
    calls: tuple[Call, ...] = ()
    echo: str = ""
    """``system`` or ``context``: the system prompt, or what was retrieved and returned, after the text."""
    finish_reason: str = ""


@dataclass(frozen=True, slots=True)
class Script:
    """Step n is the answer to a conversation with n answers of the model in it."""

    steps: tuple[Step, ...]
    chunks: int = 0
    """Pieces in which each text is streamed; 0: the usual ones."""


class ScriptedProvider:
    """See the module. ``scripts`` may be filled at any time: scenario id to script."""

    def __init__(self, scripts: Mapping[str, Script] | None = None) -> None:
        self.scripts: dict[str, Script] = dict(scripts or {})

    async def complete(self, request: ChatRequest) -> ChatReply:
        return self._answer(request)[0]

    async def stream(self, request: ChatRequest) -> AsyncIterator[Delta]:
        whole, pieces = self._answer(request)
        async for delta in deltas(whole, pieces):
            yield delta

    async def close(self) -> None:
        """Nothing to give back."""

    def _answer(self, request: ChatRequest) -> tuple[ChatReply, int]:
        script = self._script(request)
        if script is None:
            step, turn, pieces = _obey(request)
        else:
            turn = sum(message.get("role") == "assistant" for message in request.messages)
            step = script.steps[turn] if turn < len(script.steps) else Step(DEFAULT)
            pieces = script.chunks
        content = step.say + _echo(step.echo, request)
        calls = [tool_call(call.tool, call.arguments, turn) for call in step.calls]
        return reply(request, MODEL, content, calls, step.finish_reason), pieces

    def _script(self, request: ChatRequest) -> Script | None:
        metadata = request.params.get("metadata")
        keys = [metadata.get("scenario") if isinstance(metadata, Mapping) else None]
        keys.append(request.params.get("user"))
        return next((self.scripts[key] for key in keys if isinstance(key, str) and key in self.scripts), None)


@dataclass(frozen=True, slots=True)
class _Marker:
    verb: str
    argument: str


def _obey(request: ChatRequest) -> tuple[Step, int, int]:
    """The next undone step, the turn that it belongs to, and the number of pieces to stream it in."""
    called = {(name, arguments) for m in request.messages for _, name, arguments in calls_of(m)}
    texts = [(index, list(_markers(text))) for index, text in _newest_first(request)]
    asked = (_number(m.argument) for _, markers in texts for m in markers if m.verb == "stream-chunks")
    pieces = min(next(asked, 0), _MAX_CHUNKS)
    for index, markers in texts:
        later = request.messages[index + 1 :]
        said = sum(m.get("role") == "assistant" and bool(text_of(m)) for m in later)
        for step in _steps(markers):
            undone = _undone(step, called, said > 0)
            said -= bool(step.say or step.echo)
            if undone is not None:
                return undone, index, pieces
    return Step(DEFAULT), 0, pieces


def _undone(step: Step, called: set[tuple[str, str]], said: bool) -> Step | None:
    """What is left of the step: calls that the history doesn't show, and its text unless it was said."""
    calls = tuple(call for call in step.calls if (call.tool, canonical(call.arguments)) not in called)
    if said or not (step.say or step.echo):
        return Step(calls=calls) if calls else None
    return Step(step.say, calls, step.echo)


def _newest_first(request: ChatRequest) -> Iterator[tuple[int, str]]:
    """Every text that the model reads, but its own. Retrieved chunks belong to the last user message."""
    user, _ = last_user(request)
    for index in range(len(request.messages) - 1, -1, -1):
        message = request.messages[index]
        if message.get("role") != "assistant":
            yield index, text_of(message)
        if index == user:
            for chunk in reversed(request.retrieved):
                yield index, chunk.get("text", "")


def _markers(text: str) -> Iterator[_Marker]:
    at = 0
    while (start := text.find("⟦", at)) >= 0 and (end := text.find("⟧", start)) >= 0:
        verb, _, argument = text[start + 1 : end].partition(":")
        yield _Marker(verb.strip(), argument.strip())
        at = end + 1


def _steps(markers: list[_Marker]) -> Iterator[Step]:
    """Markers as answers: a text and the calls after it are one; a text after a call begins the next."""
    say, echo = "", ""
    calls: list[Call] = []
    for marker in markers:
        if marker.verb in ("say", "echo-system", "echo-context"):
            if say or echo or calls:
                yield Step(say, tuple(calls), echo)
                say, echo, calls = "", "", []
            if marker.verb == "say":
                say = marker.argument
            else:
                echo = marker.verb.removeprefix("echo-")
        elif marker.verb == "call":
            name, _, arguments = marker.argument.partition(" ")
            value = parsed(arguments) if arguments.strip() else {}
            if name and isinstance(value, dict):
                calls.append(Call(name, value))
    if say or echo or calls:
        yield Step(say, tuple(calls), echo)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0


def _echo(what: str, request: ChatRequest) -> str:
    if what == "system":
        roles = ("system", "developer")
        return "\n".join(text_of(m) for m in request.messages if m.get("role") in roles)
    if what == "context":
        chunks = [chunk.get("text", "") for chunk in request.retrieved]
        return "\n".join([*chunks, *(text_of(m) for m in request.messages if m.get("role") == "tool")])
    return ""
