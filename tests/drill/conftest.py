"""A small gateway: real controls at the real gate behind a real listener. What the drill is proven on."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from ringwall.boundaries.organization.drill import BrokenControl, Call, Recorded, Setup, play
from ringwall.core import (
    ALLOW,
    MODEL,
    USER,
    Action,
    Boundary,
    Control,
    Crossing,
    CrossingKind,
    Decision,
    Declaration,
    Edit,
    FailMode,
    Finding,
    Gate,
    Mode,
    Part,
    PartKind,
    Post,
    Principal,
    Verdict,
    apply_edits,
    decision_body,
    decision_event,
    new_id,
    verdict,
)


@dataclass
class Words:
    """Blocks, or cuts out, a word."""

    declaration: Declaration
    word: str
    action: Action = Action.BLOCK

    def inspect(self, crossing: Crossing) -> Verdict:
        joined = ALLOW
        for index, part in enumerate(crossing.parts):
            at = part.text.find(self.word)
            if at < 0:
                continue
            end = at + len(self.word)
            finding = Finding(self.declaration.id, "word", "The word was found.", index, at, end)
            edits = [Edit(index, at, end, "[cut]")] if self.action is Action.TRANSFORM else []
            joined = joined.join(verdict(self.action, "A word was found.", [finding], edits))
        return joined


def declared(name: str, kind: CrossingKind, fail: FailMode = FailMode.CLOSED) -> Declaration:
    part = PartKind.TOOL_CALL if kind is CrossingKind.TOOL_CALL else PartKind.TEXT
    return Declaration(
        name,
        Boundary(name.partition(".")[0]),
        "Stops a word.",
        frozenset({kind}),
        frozenset({part}),
        ("LLM01@2025",),
        fail=fail,
        inline=True,
    )


def controls() -> list[tuple[Control, Mode]]:
    request, response = CrossingKind.REQUEST, CrossingKind.RESPONSE
    return [
        (Words(declared("interface.words", request), "OVERRIDE"), Mode.ENFORCE),
        (
            Words(declared("interface.links", response), "https://evil.example", Action.TRANSFORM),
            Mode.ENFORCE,
        ),
        (Words(declared("interface.tone", request, FailMode.OPEN), "SHOUT"), Mode.ENFORCE),
        (Words(declared("interface.watch", response), "https://evil.example"), Mode.MONITOR),
        (Words(declared("application.amounts", CrossingKind.TOOL_CALL), "9000"), Mode.ENFORCE),
    ]


@dataclass
class SmallGateway:
    """Implements ``Target``. ``careless`` names controls whose verdicts it records and does not carry out."""

    setup: Setup
    careless: frozenset[str] = frozenset()
    base_url: str = ""
    keys: Mapping[str, str] = field(default_factory=lambda: {"casey": "key-casey"})
    turns: dict[str, list[Recorded]] = field(default_factory=dict)
    calls: dict[str, list[Call]] = field(default_factory=dict)
    resets: int = 0

    def __post_init__(self) -> None:
        self.controls = [control.declaration for control, _ in controls()]
        posts = [
            Post(self._control(control), mode)
            for control, mode in controls()
            if control.declaration.id not in self.setup.knocked_out
        ]
        mode = Mode.ENFORCE if self.setup.enforce else Mode.MONITOR
        self.gate = Gate(posts, application="test", mode=mode, exhaustive=self.setup.exhaustive)

    def _control(self, control: Control) -> Control:
        fault = self.setup.broken.get(control.declaration.id)
        return BrokenControl(control, fault, self.setup.deadline_s) if fault else control

    async def decisions(self, turn: str) -> Sequence[Recorded]:
        return self.turns.get(turn, [])

    async def executed(self, turn: str) -> Sequence[Call]:
        return self.calls.get(turn, [])

    async def reset(self) -> None:
        self.resets += 1

    async def switch_off(self, tool: str) -> None:
        raise NotImplementedError(tool)

    async def decide(self, turn: str, kind: CrossingKind, part: Part) -> tuple[Action, str]:
        crossing = Crossing(kind, Principal("casey", credential="k"), (part,))
        decision = await self.gate.decide(crossing)
        record = Recorded(decision_event(decision, turn), decision_body(decision, crossing))
        self.turns.setdefault(turn, []).append(record)
        if self._careless(decision):
            return Action.ALLOW, part.text
        return decision.action, apply_edits(part.text, decision.joined.edits)

    def _careless(self, decision: Decision) -> bool:
        loud = {line.control for line in decision.lines if line.counted > Action.ANNOTATE}
        return bool(loud) and loud <= self.careless

    async def chat(self, request: web.Request) -> web.Response:
        turn = new_id("turn")
        headers = {"x-ringwall-turn": turn, "x-ringwall-decision": "dec_x"}
        if request.headers.get("authorization") != "Bearer key-casey":
            return web.json_response({"error": {"code": "invalid_api_key"}}, status=401, headers=headers)
        body = await request.json()
        text = "\n".join(message["content"] for message in body["messages"])
        action, text = await self.decide(turn, CrossingKind.REQUEST, Part(PartKind.TEXT, text, USER, "user"))
        if action >= Action.HOLD:
            error = {"type": "policy_violation", "code": "interface.words", "message": "Stopped."}
            return web.json_response({"error": error}, status=403, headers=headers)
        answer, stopped = await self.converse(turn, body, text)
        return self.answer(answer, stopped, body["stream"], headers)

    async def converse(self, turn: str, body: Mapping[str, Any], text: str) -> tuple[str, bool]:
        messages: list[dict[str, Any]] = [{"role": "user", "content": text}]
        rules = self.setup.scripts.get(body["metadata"]["scenario"], ())
        reply = play(rules, messages)
        for _ in range(8):
            if not reply.tool:
                break
            part = Part(PartKind.TOOL_CALL, reply.arguments, MODEL, name=reply.tool, ref=new_id("call"))
            action, _ = await self.decide(turn, CrossingKind.TOOL_CALL, part)
            if action < Action.HOLD:
                self.calls.setdefault(turn, []).append(Call(reply.tool, json.loads(reply.arguments)))
            function = {"name": reply.tool, "arguments": reply.arguments}
            messages.append({"role": "assistant", "tool_calls": [{"id": part.ref, "function": function}]})
            messages.append({"role": "tool", "tool_call_id": part.ref, "content": "done"})
            reply = play(rules, messages)
        part = Part(PartKind.TEXT, reply.text, MODEL, "assistant")
        action, said = await self.decide(turn, CrossingKind.RESPONSE, part)
        return said, action >= Action.HOLD

    def answer(self, text: str, stopped: bool, stream: bool, headers: Mapping[str, str]) -> web.Response:
        finish, content = ("content_filter", "") if stopped else ("stop", text)
        if not stream:
            message = {"role": "assistant", "content": content}
            body = {"choices": [{"index": 0, "message": message, "finish_reason": finish}]}
            return web.json_response(body, headers=dict(headers))
        half = len(content) // 2
        events = [{"delta": {"content": content[:half]}}, {"delta": {"content": content[half:]}}]
        events.append({"delta": {}, "finish_reason": finish})
        lines = "".join(f"data: {json.dumps({'choices': [event]})}\n\n" for event in events)
        media = "text/event-stream"
        return web.Response(text=lines + "data: [DONE]\n\n", content_type=media, headers=dict(headers))

    async def contribute(self, request: web.Request) -> web.Response:
        turn = new_id("turn")
        body = await request.json()
        part = Part(PartKind.TEXT, body["text"], USER)
        action, _ = await self.decide(turn, CrossingKind.CONTRIBUTION, part)
        status = 201 if action < Action.HOLD else 202
        return web.json_response({"title": body["title"]}, status=status, headers={"x-ringwall-turn": turn})


def starter(careless: frozenset[str] = frozenset(), log: list[Setup] | None = None) -> Any:
    @asynccontextmanager
    async def start(setup: Setup) -> AsyncIterator[SmallGateway]:
        if log is not None:
            log.append(setup)
        gateway = SmallGateway(setup, careless)
        app = web.Application()
        app.router.add_post("/v1/chat/completions", gateway.chat)
        app.router.add_post("/v1/collections/{name}/documents", gateway.contribute)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        gateway.base_url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield gateway
        finally:
            await runner.cleanup()

    return start


@pytest.fixture
def small_start() -> Any:
    """``small_start(careless=…, log=…)`` gives a ``Start``."""
    return starter
