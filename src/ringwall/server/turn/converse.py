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

from ..refusals import STOPPED
from ..response_guard import Release, ResponseGuard
from .state import Turn
from .tool_calls import Outcome, judge_calls

ROUNDS = 16
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

    One guard holds the text of all rounds, so that nothing can be said in halves around a tool call. Whatever
    ends the turn, what was said is on the ledger.
    Raises WireError or UpstreamError where the model may not or can't be called.
    """
    answer = _Answer(ResponseGuard(turn.app.gate, lambda *seen: response_crossing(turn, *seen)))
    try:
        async for said in _rounds(turn, answer):
            await turn.committed()
            turn.left = turn.left or answer.released
            yield said
    except Exception:
        await _record_broken(turn, answer)
        raise


async def _rounds(turn: Turn, answer: "_Answer") -> AsyncIterator[Said]:
    refused = 0
    for _ in range(ROUNDS):
        calls: list[dict[str, Any]] = []
        request = await _model_call(turn)
        async for release in _asked(turn, request, answer, calls):
            for said in _said(release, answer):
                yield said
            if release.stopped:
                return
        outcome = await judge_calls(turn, calls) if calls else None
        if outcome is None or outcome.for_client:
            for said in await _ending(turn, answer, outcome):
                yield said
            return
        refused += bool(outcome.refused)
        if outcome.ended or refused > turn.app.denied_asks:
            for said in await _ending(turn, answer, None, outcome.ended or STOPPED):
                yield said
            return
        turn.messages.append(_assistant(answer.round_text, calls))
        turn.messages.extend(outcome.results)
        if turn.params.get("tool_choice") not in (None, "none", "auto"):
            turn.params["tool_choice"] = "auto"  # the call that was asked for was made, or refused
    yield Text("The tools were called too often in one turn, so this stopped here.")
    yield Finish("length")


async def _ending(turn: Turn, answer: "_Answer", outcome: Outcome | None, last_words: str = "") -> list[Said]:
    """The rest of the text, then the gateway's last words, or the calls that the client runs."""
    said: list[Said] = []
    if answer.text or (outcome is None and not last_words):
        last = await answer.guard.finish()
        _record_step(turn, last, answer)
        said = _said(last, answer)
        if last.stopped:
            return said
    notes = [*(outcome.notes if outcome else ()), *([last_words] if last_words else ())]
    said += [Text(("\n\n" if answer.released else "") + note) for note in notes]
    if outcome:
        return [*said, Calls(outcome.for_client), Finish("tool_calls")]
    return [*said, Finish("stop" if last_words else answer.finish)]


@dataclass
class _Answer:
    """What the model has said in this turn so far."""

    guard: ResponseGuard
    text: str = ""
    round_text: str = ""
    """Of the present model call alone."""
    finish: str = "stop"
    released: bool = False
    recorded: bool = False
    over: bool = False
    """Whether the last window has been judged."""

    def add(self, text: str) -> None:
        self.text += text
        self.round_text += text


def _said(release: Release, answer: _Answer) -> list[Said]:
    said: list[Said] = []
    if release.text:
        said.append(Text(release.text))
        answer.released = True
    if release.stopped:
        said.append(Text(("\n\n" if answer.released else "") + REFUSAL))
        said.append(Finish("content_filter"))
    return said


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
    decision = await turn.decide(turn.crossing(CrossingKind.MODEL_CALL, (), facts))
    await turn.committed()
    turn.refuse_if_stopped(decision)
    turn.uncounted += facts["prompt_chars"]
    return request


async def _asked(
    turn: Turn, request: ChatRequest, answer: _Answer, calls: list[dict[str, Any]]
) -> AsyncIterator[Release]:
    """One model call: its text as it may leave. Its tool calls go into ``calls``."""
    answer.round_text = ""
    if turn.call.stream:
        async for release in _streamed(turn, request, answer, calls):
            yield release
            if release.stopped:
                return
    else:
        routed = await turn.app.router.complete(turn.route, request)
        reply, turn.served = routed.reply, routed.served.route
        turn.add_usage(reply.usage)
        answer.finish = reply.finish_reason
        answer.add(turn.plain(text_of(reply.message)))
        answer.guard.take(answer.round_text)
        calls += reply.message.get("tool_calls") or ()


async def _streamed(
    turn: Turn, request: ChatRequest, answer: _Answer, calls: list[dict[str, Any]]
) -> AsyncIterator[Release]:
    fragments: dict[int, dict[str, Any]] = {}
    routed = await turn.app.router.stream(turn.route, request)
    turn.served = routed.served.route
    async with aclosing(routed):
        async for delta in routed:
            for fragment in delta.tool_calls:
                _gather(fragments, fragment)
            answer.finish = delta.finish_reason or answer.finish
            if delta.content:
                said = turn.plain(delta.content)
                answer.add(said)
                turn.uncounted += len(said)
                release = await answer.guard.feed(said)
                _record_step(turn, release, answer)
                yield release
            if delta.usage:
                turn.add_usage(delta.usage)
    calls += [fragments[index] for index in sorted(fragments)]


def _record_step(turn: Turn, release: Release, answer: _Answer) -> None:
    """Each release is on the ledger before it leaves: the first and the last window of a stream and every
    window in which something was seen have a decision of their own; clean windows between them are covered
    by the last one."""
    decision, crossing = release.decision, release.crossing
    if decision is None or crossing is None:
        return
    final = bool(crossing.context.get("final"))
    if final or not answer.recorded or decision.joined.findings or release.stopped:
        if final or release.stopped:
            answer.over = True
            crossing = crossing.with_parts((*crossing.parts, *_whole(crossing, answer.text)))
        turn.record(decision, crossing)
        answer.recorded = True


async def _record_broken(turn: Turn, answer: _Answer) -> None:
    """The turn broke off in the middle of an answer: judge and record what was said until then."""
    if answer.text and not answer.over:
        _record_step(turn, await answer.guard.finish(), answer)
    await turn.committed()


def _whole(crossing: Crossing, text: str) -> list[Part]:
    """The whole answer beside its last window, for the record."""
    if crossing.parts and crossing.parts[0].text == text:
        return []
    return [Part(PartKind.TEXT, text, MODEL, "assistant", "whole answer")]


def response_crossing(turn: Turn, pending: str, before: str, final: bool) -> Crossing:
    """A window of the answer: the text that may leave next, the tail of what has left."""
    return turn.crossing(
        CrossingKind.RESPONSE,
        [Part(PartKind.TEXT, pending, MODEL, "assistant")],
        {
            "stream": turn.call.stream,
            "final": final,
            "before": before,
            "retrieved": turn.retrieved,
            "user_text": turn.user_text,
            "results": turn.results,
            "response_format": turn.call.params.get("response_format"),
        },
    )


def _gather(fragments: dict[int, dict[str, Any]], fragment: ToolCallFragment) -> None:
    """Deltas of a tool call, held until its JSON closes."""
    empty = {"id": "", "type": "function", "function": {"name": "", "arguments": ""}}
    call = fragments.setdefault(fragment.index, empty)
    call["id"] = fragment.id or call["id"]
    call["function"]["name"] += fragment.name
    call["function"]["arguments"] += fragment.arguments


def _assistant(text: str, calls: list[dict[str, Any]]) -> dict[str, Any]:
    return {"role": "assistant", "content": text or None, "tool_calls": calls}
