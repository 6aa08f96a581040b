"""The conversation with the model: call, guard the answer, judge its tool calls, and go on until it is done.

Written once as a stream of events; a reply that is not streamed is the same stream, collected.
"""

from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, TypeAlias

from ringwall.boundaries.model.provider import ChatRequest, ToolCallFragment, text_of
from ringwall.core import MODEL, Crossing, CrossingKind, Part, PartKind
from ringwall.wire.chat_reply import REFUSAL

from ..response_guard import Release, ResponseGuard
from .state import Turn
from .tool_calls import judge_calls

ROUNDS = 8
"""Model calls within one turn: each round but the last ended in tool calls that the gateway answered."""


@dataclass(frozen=True, slots=True)
class Text:
    text: str


@dataclass(frozen=True, slots=True)
class Calls:
    """Tool calls for the client to run."""

    calls: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Finish:
    reason: str


Said: TypeAlias = Text | Calls | Finish


async def converse(turn: Turn) -> AsyncIterator[Said]:
    """Everything the client may see, in order; the last event is ``Finish``.

    Raises WireError or UpstreamError before the first event where the model may not or can't be called.
    """
    for _ in range(ROUNDS):
        request = await _model_call(turn)
        guard = ResponseGuard(turn.app.gate, lambda *seen: _response(turn, *seen))
        answer = _Answer()
        async for release in _guarded(turn, request, guard, answer):
            if release.text:
                yield Text(release.text)
            if release.stopped:
                yield Text(("\n\n" if answer.released else "") + REFUSAL)
                yield Finish("content_filter")
                return
            answer.released = answer.released or bool(release.text)
        if not answer.calls:
            yield Finish(answer.finish)
            return
        outcome = await judge_calls(turn, answer.calls)
        if outcome.for_client:
            yield Calls(outcome.for_client)
            yield Finish("tool_calls")
            return
        turn.messages.append(_assistant(answer))
        turn.messages.extend(outcome.results)
    yield Text("The tools were called too often in one turn, so this stopped here.")
    yield Finish("length")


@dataclass
class _Answer:
    """What one model call has given so far."""

    text: str = ""
    finish: str = "stop"
    calls: list[dict[str, Any]] | None = None
    released: bool = False
    recorded: bool = False


async def _model_call(turn: Turn) -> ChatRequest:
    request = ChatRequest(
        model=turn.call.model,
        messages=turn.messages,
        tools=turn.tools,
        params=turn.params,
        principal=turn.principal,
        retrieved=turn.retrieved,
    )
    facts = turn.app.router.facts(turn.route, request)
    turn.refuse_if_stopped(await turn.decide(turn.crossing(CrossingKind.MODEL_CALL, (), facts)))
    return request


async def _guarded(
    turn: Turn, request: ChatRequest, guard: ResponseGuard, answer: _Answer
) -> AsyncIterator[Release]:
    """The answer's text as it may leave; its tool calls, finish reason and usage go into ``answer``."""
    if turn.call.stream:
        async for release in _streamed(turn, request, guard, answer):
            yield release
            if release.stopped:
                return
    else:
        routed = await turn.app.router.complete(turn.route, request)
        reply, turn.served = routed.reply, routed.served.route
        turn.add_usage(reply.usage)
        answer.finish = reply.finish_reason
        answer.text = text_of(reply.message)
        answer.calls = list(reply.message.get("tool_calls") or ())
        guard.take(answer.text)
    if answer.calls and not answer.text:
        return
    last = await guard.finish()
    await _record_step(turn, last, answer)
    yield last


async def _streamed(
    turn: Turn, request: ChatRequest, guard: ResponseGuard, answer: _Answer
) -> AsyncIterator[Release]:
    fragments: dict[int, dict[str, Any]] = {}
    routed = await turn.app.router.stream(turn.route, request)
    turn.served = routed.served.route
    async with aclosing(routed):
        async for delta in routed:
            for fragment in delta.tool_calls:
                _gather(fragments, fragment)
            answer.finish = delta.finish_reason or answer.finish
            if delta.usage:
                turn.add_usage(delta.usage)
            if delta.content:
                answer.text += delta.content
                release = await guard.feed(delta.content)
                await _record_step(turn, release, answer)
                yield release
    answer.calls = [fragments[index] for index in sorted(fragments)]


async def _record_step(turn: Turn, release: Release, answer: _Answer) -> None:
    """Each release is on the ledger before it leaves: the first and the last window of a stream and every
    window in which something was seen have a decision of their own; clean windows between them are covered
    by the last one."""
    decision, crossing = release.decision, release.crossing
    if decision is None or crossing is None:
        return
    final = bool(crossing.context.get("final"))
    if final or not answer.recorded or decision.joined.findings or release.stopped:
        if final:
            crossing = crossing.with_parts((*crossing.parts, *_whole(crossing, answer.text)))
        await turn.record(decision, crossing)
        answer.recorded = True


def _whole(crossing: Crossing, text: str) -> list[Part]:
    """The whole answer beside its last window, for the record."""
    if crossing.parts and crossing.parts[0].text == text:
        return []
    return [Part(PartKind.TEXT, text, MODEL, "assistant", "whole answer")]


def _response(turn: Turn, pending: str, before: str, final: bool) -> Crossing:
    return turn.crossing(
        CrossingKind.RESPONSE,
        [Part(PartKind.TEXT, pending, MODEL, "assistant")],
        {
            "stream": turn.call.stream,
            "final": final,
            "before": before,
            "retrieved": turn.retrieved,
        },
    )


def _gather(fragments: dict[int, dict[str, Any]], fragment: ToolCallFragment) -> None:
    """Deltas of a tool call, held until its JSON closes."""
    empty = {"id": "", "type": "function", "function": {"name": "", "arguments": ""}}
    call = fragments.setdefault(fragment.index, empty)
    call["id"] = fragment.id or call["id"]
    call["function"]["name"] += fragment.name
    call["function"]["arguments"] += fragment.arguments


def _assistant(answer: _Answer) -> dict[str, Any]:
    return {"role": "assistant", "content": answer.text or None, "tool_calls": answer.calls}
