"""One conversation: what its model was shown, and what may be done in it. Runs on the portal's loop alone."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ringwall.boundaries.application.egress_client import ToolEgress
from ringwall.boundaries.application.hold import call_hash
from ringwall.boundaries.application.strict_json import read_arguments
from ringwall.core import (
    SYSTEM,
    USER,
    Action,
    CrossingKind,
    Decision,
    DeniedError,
    Label,
    Part,
    PartKind,
    Principal,
    apply_edits,
    new_id,
    untrusted,
)
from ringwall.server import refusals
from ringwall.server.calls import Held, Permitted, judge, settle, taken
from ringwall.server.recorder import Recorder
from ringwall.server.response_guard import ResponseGuard
from ringwall.server.retrieval.search import Found, admit, readable, search
from ringwall.server.turn.converse import response_crossing
from ringwall.server.turn.state import Turn
from ringwall.server.turn.tool_calls import as_made, shown_result
from ringwall.wire.chat_reply import REFUSAL
from ringwall.wire.chat_request import ChatCall
from ringwall.wire.errors import WireError
from ringwall.wire.vector_stores import SearchCall
from ringwall.workload.site import ApplicationSite

from .grant import Grant, apart
from .refusal import Refusal

ENDPOINT = "in-process"
MAX_CHARACTERS = 1_000_000
"""Of content kept for provenance; the oldest is forgotten first. What came from it is then nobody's, which is
as good as untrusted; the labels of the session remember its data classes."""
_WAITING = 256
"""Held calls whose ids are remembered."""
_NO_CALL = ChatCall("", ())
_QUERY = untrusted("query")
"""Of a search: a model may have written it."""


class Conversation:
    """Owned by one principal and one application. Several calls may be under way at the same time."""

    def __init__(self, site: Callable[[], ApplicationSite], recorder: Recorder, session: str) -> None:
        """``session``: the key under which the server holds its labels."""
        self._site = site
        self._recorder = recorder
        self._session = session
        self._kept: OrderedDict[tuple[str, Label], Part] = OrderedDict()
        self._size = 0
        self._waiting: OrderedDict[str, str] = OrderedDict()
        self._begin()

    def _begin(self) -> None:
        self._turn = new_id("turn")
        self._calls = 0
        self._shown = 0
        self._left = False
        self._admitted: set[tuple[str, frozenset[str]]] = set()
        self._offers: dict[str, frozenset[int]] = {}

    def settle(self) -> None:
        """The turn is over: give back what it had reserved."""
        self._operation(_NOBODY).settle()

    def _operation(self, principal: Principal) -> Turn:
        """One step of the present turn. A ``Turn`` has one owner: steps that run at the same time must not
        take each other's records for written."""
        return Turn(
            self._site(),
            self._recorder,
            principal,
            _NO_CALL,
            session=self._session,
            endpoint=ENDPOINT,
            id=self._turn,
            content=list(self._kept.values()),
            uncounted=self._shown,
            left=self._left,
        )

    # What the model is shown

    async def user(self, principal: Principal, text: str) -> str:
        """A message of the person: begins a turn. Raises DeniedError."""
        self.settle()
        self._begin()
        return await self._told(principal, Part(PartKind.TEXT, text, USER, "user"))

    async def system(self, principal: Principal, text: str) -> str:
        """Instructions of the application itself. Raises DeniedError.

        What the session has seen as somebody else's does not become the system's by being pasted here.
        """
        return await self._told(principal, Part(PartKind.TEXT, text, SYSTEM, "system"))

    async def _told(self, principal: Principal, part: Part) -> str:
        turn = self._operation(principal)
        known = turn.app.labels.relabel(turn.session, [replace(part, label=USER)])[0].label
        if known != USER:
            part = replace(part, label=part.label.join(known))
        size = len(part.text)
        facts = {"depth": 1, "messages": 1, "prompt_chars": size, "estimated_tokens": size // 4}
        decision = await turn.decide(turn.crossing(CrossingKind.REQUEST, [part], facts))
        await turn.committed()
        if decision.action >= Action.HOLD:
            raise _denied(decision)
        self._admitted.add(_who(principal))
        before, text = len(turn.content), _edited(part.text, decision)
        turn.show([replace(part, text=text)])
        self._keep(turn.content[before:], len(text))
        return text

    async def result(self, principal: Principal, tool: str, text: str) -> str:
        """What a tool that was called elsewhere has answered."""
        label = self._site().tool_label(tool)
        return await self._outside(principal, Part(PartKind.TOOL_RESULT, text, label, "tool", tool))

    async def untrusted(self, principal: Principal, text: str, origin: str) -> str:
        """Any other text from outside."""
        origin = origin[:200] if ":" in origin else f"outside:{origin[:200]}"
        part = Part(PartKind.TOOL_RESULT, text, untrusted(origin), "tool", origin)
        return await self._outside(principal, part)

    async def _outside(self, principal: Principal, part: Part) -> str:
        turn = self._operation(principal)
        before = len(turn.content)
        text = await shown_result(turn, turn.app.labels.relabel(turn.session, [part])[0])
        await turn.committed()
        self._keep(turn.content[before:], len(text))
        return text

    async def retrieve(
        self, principal: Principal, call: SearchCall, collections: Sequence[str] | None
    ) -> list[Found]:
        """Passages for the model. Raises DeniedError."""
        turn = self._operation(principal)
        before = len(turn.content)
        own = readable(turn.app, principal)
        names = own if collections is None else [name for name in collections if name in own]
        try:
            queries = await admit(turn, call.queries, label=_QUERY)
            found = await search(turn, names, replace(call, queries=queries))
        except WireError as error:
            await turn.committed()
            raise DeniedError(error.message, turn.decision) from None
        self._keep(turn.content[before:], sum(len(one.text) for one in found))
        return found

    # What the model asks for

    async def offer(self, principal: Principal, declarations: Sequence[Mapping[str, Any]]) -> list[int]:
        """Indices of the tools that this principal may be offered. Asked once a turn for the same list."""
        tools = [{"type": "function", "function": dict(one)} for one in declarations]
        turn = self._operation(principal)
        parts = [turn.app.offer_part(tool) for tool in tools]
        key = hashlib.sha256(
            "\0".join([*sorted(principal.roles), *(p.text for p in parts)]).encode()
        ).hexdigest()
        if key not in self._offers:
            self._offers[key] = await self._dropped(turn, parts)
        return [index for index in range(len(tools)) if index not in self._offers[key]]

    async def _dropped(self, turn: Turn, parts: Sequence[Part]) -> frozenset[int]:
        decision = await turn.decide(turn.crossing(CrossingKind.TOOL_OFFER, parts))
        await turn.committed()
        if decision.action >= Action.HOLD:
            return frozenset(range(len(parts)))
        return frozenset(edit.part for edit in decision.joined.edits if edit.drop)

    async def ask(self, principal: Principal, tool: str, arguments: str) -> Grant | Refusal:
        """Judge a call, given its arguments as JSON text. A grant is on the ledger before it is returned."""
        turn = self._operation(principal)
        refused = await self._turned_away(turn)
        if refused is not None:
            return refused
        arguments, defaults = apart(arguments, turn.app.registry.get(tool))
        key = call_hash(tool, read_arguments(arguments).data)
        ref = self._waiting.get(key) or new_id("call")
        call = {"id": ref, "function": {"name": tool, "arguments": arguments}}
        before, self._calls = self._calls, self._calls + 1
        judged = await judge(turn, as_made(turn, call), before)
        if isinstance(judged, Held) and turn.can_wait:
            judged = await settle(turn, judged, turn.app.holds.wait_s)
        if isinstance(judged, Permitted):
            judged = await taken(turn, judged)
        if not isinstance(judged, Permitted):
            if isinstance(judged, Held):
                self._wait(key, ref)
            told = turn.app.hiding.reply(turn.place, judged.told)
            hold = judged.hold.id if judged.hold else ""
            return Refusal(told, decision=judged.decision, hold=hold, waits=isinstance(judged, Held))
        self._waiting.pop(key, None)
        self._left = True
        name = turn.app.application.name
        await self._recorder.tool_called(principal, name, turn.session, turn.id, judged.part)
        return Grant(judged.part, judged.changed, {} if judged.changed else defaults)

    async def _turned_away(self, turn: Turn) -> Refusal | None:
        """A turn that no message began is admitted by the caller alone: identity, quota, containment."""
        if _who(turn.principal) in self._admitted:
            return None
        facts = {"depth": 0, "messages": 0, "prompt_chars": 0, "estimated_tokens": 0}
        decision = await turn.decide(turn.crossing(CrossingKind.REQUEST, (), facts))
        await turn.committed()
        if decision.action >= Action.HOLD:
            return Refusal(str(_denied(decision)), decision=decision.id)
        self._admitted.add(_who(turn.principal))
        return None

    def _wait(self, key: str, ref: str) -> None:
        """The same call made again is the same call: not a repetition, whatever a breaker counts."""
        self._waiting[key] = ref
        if len(self._waiting) > _WAITING:
            self._waiting.popitem(last=False)

    async def way_out(self, principal: Principal, tool: str) -> ToolEgress:
        """The guarded client of a tool that works for this principal."""
        turn = self._operation(principal)
        return turn.app.egress.bound(tool, turn.let_out)

    async def take(self, principal: Principal, grant: Grant, text: str) -> str:
        """What the model is shown of the result of a call that was granted."""
        call, turn = grant.call, self._operation(principal)
        label = turn.app.tool_label(call.name)
        part = Part(PartKind.TOOL_RESULT, text, label, "tool", call.name, ref=call.ref)
        shown = await self._outside(principal, part)
        if grant.changed:
            shown = turn.app.hiding.reply(turn.place, refusals.changed(call.text)) + shown
        return shown

    # What the person is shown

    async def answer(self, principal: Principal, text: str) -> str:
        """The model's answer as it may leave; a sentence in place of what was stopped."""
        turn = self._operation(principal)
        guard = ResponseGuard(turn.app.gate, lambda *seen: response_crossing(turn, *seen))
        guard.take(text)
        release = await guard.finish()
        if release.decision is not None and release.crossing is not None:
            turn.record(release.decision, release.crossing)
        await turn.committed()
        self._shown += len(text)
        self._left = self._left or not release.stopped
        return REFUSAL if release.stopped else release.text

    def _keep(self, parts: Sequence[Part], shown: int) -> None:
        """What a step has shown. Content that is told again is kept once, at its latest place; the oldest is
        forgotten first."""
        self._shown += shown
        for part in parts:
            key = (part.digest, part.label)
            if key not in self._kept:
                self._size += len(part.text)
            self._kept[key] = part
            self._kept.move_to_end(key)
        while self._size > MAX_CHARACTERS and len(self._kept) > 1:
            self._size -= len(self._kept.popitem(last=False)[1].text)


def _who(principal: Principal) -> tuple[str, frozenset[str]]:
    return principal.owner, principal.roles


_NOBODY = Principal("nobody")


def _denied(decision: Decision) -> DeniedError:
    reason = " ".join(decision.reasons) or "The policy of this application does not allow it."
    return DeniedError(reason, decision.id)


def _edited(text: str, decision: Decision) -> str:
    edits = decision.joined.edits
    return "" if any(edit.drop for edit in edits) else apply_edits(text, edits)
