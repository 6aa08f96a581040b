"""The compromised model as a provider: it obeys the scenario that the request names."""

from collections.abc import AsyncIterator, Mapping, Sequence

from ringwall.boundaries.model.embedded import deltas
from ringwall.boundaries.model.provider import ChatReply, ChatRequest, Delta, estimate
from ringwall.boundaries.organization.drill.actor import play
from ringwall.boundaries.organization.drill.scenario import Rule
from ringwall.core import new_id


class CompromisedModel:
    """Stateless: what it has done is read from the conversation."""

    def __init__(self, scripts: Mapping[str, Sequence[Rule]]) -> None:
        self._scripts = scripts

    async def complete(self, request: ChatRequest) -> ChatReply:
        metadata = request.params.get("metadata")
        scenario = metadata.get("scenario") if isinstance(metadata, Mapping) else ""
        reply = play(self._scripts.get(str(scenario), ()), request.messages, request.tools)
        message: dict[str, object] = {"role": "assistant", "content": reply.text or None}
        if reply.tool:
            function = {"name": reply.tool, "arguments": reply.arguments}
            message["tool_calls"] = [{"id": new_id("call"), "type": "function", "function": function}]
        finish = "tool_calls" if reply.tool else "stop"
        return ChatReply(message, finish, estimate(request, reply.text), "compromised")

    async def stream(self, request: ChatRequest) -> AsyncIterator[Delta]:
        async for delta in deltas(await self.complete(request)):
            yield delta

    async def close(self) -> None:
        """Nothing is held."""
