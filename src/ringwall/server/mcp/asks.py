"""What a server asks back: the client's model (sampling) or its user (elicitation). Off unless the operator
turned it on for the server; then both ways pass the gate."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ringwall.boundaries.application.mcp.settings import McpServer
from ringwall.core import MODEL, USER, Action, CrossingKind, Label, Part, PartKind, apply_edits, untrusted

from ..turn.state import Turn

if TYPE_CHECKING:
    from mcp.server.context import ServerRequestContext

_ASKS = 4
"""Questions of the server within one call."""
_TOKENS = 4096
_MESSAGES = 32
_SECRETS = re.compile(
    r"pass(?:word|wd|phrase|code)|secret|token|api.?key|credential|private.?key|card.?n|cvv|cvc|\bpin\b|iban|\bssn\b",
    re.IGNORECASE,
)
"""What a server must not ask a user for (after the specification of elicitation)."""


class ClientAsker:
    """Asks the client that made the call, in its answer's own stream. A client of the newer protocol can't be
    asked like that: None, which refuses."""

    def __init__(
        self,
        context: "ServerRequestContext[Any, Any]",
        turn: Turn,
        server: McpServer,
        name: str,
        restricted: frozenset[str],
    ) -> None:
        """``restricted``: data classes that must not leave; a session that holds any answers nothing."""
        self._context = context
        self._turn = turn
        self._server = server
        self._label = untrusted(f"mcp:{name}")
        self._restricted = restricted
        self._left = _ASKS

    async def sample(self, params: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """The server's messages reach the model as data from outside; its system prompt is one of them. It
        gets no tools and no context of the client."""
        from mcp.types import CreateMessageRequest, CreateMessageRequestParams, CreateMessageResult  # noqa: PLC0415

        told = _messages(params)
        if not self._may(sampling=True) or told is None:
            return None
        texts = await self._inward([text for _, text in told])
        if texts is None:
            return None
        request = CreateMessageRequest(
            params=CreateMessageRequestParams.model_validate(
                {
                    "messages": [
                        {"role": role, "content": {"type": "text", "text": text}}
                        for (role, _), text in zip(told, texts, strict=True)
                    ],
                    "maxTokens": min(int(params.get("maxTokens") or _TOKENS), _TOKENS),
                    "includeContext": "none",
                }
            )
        )
        answer = await self._ask(request, CreateMessageResult)
        text = getattr(answer.content, "text", None) if answer is not None else None
        said = await self._outward(text, MODEL) if isinstance(text, str) else None
        if said is None:
            return None
        return {"role": "assistant", "content": {"type": "text", "text": said}, "model": "client"}

    async def elicit(self, params: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Forms alone: an address that a server wants opened is refused, and so is asking for a secret."""
        from mcp.types import ElicitRequest, ElicitRequestFormParams, ElicitResult  # noqa: PLC0415

        schema = params.get("requestedSchema")
        if (
            params.get("mode", "form") != "form"
            or not isinstance(schema, Mapping)
            or not self._may(sampling=False)
        ):
            return None
        message, shape = str(params.get("message", "")), json.dumps(schema, ensure_ascii=False)
        if _SECRETS.search(shape) or _SECRETS.search(message):
            return None
        texts = await self._inward([message, shape], whole=1)
        if texts is None:
            return None
        form = ElicitRequestFormParams.model_validate({"message": texts[0], "requestedSchema": dict(schema)})
        answer = await self._ask(ElicitRequest(params=form), ElicitResult)
        if answer is None:
            return None
        if answer.action != "accept":
            return {"action": answer.action}
        given = json.dumps(answer.content or {}, ensure_ascii=False)
        if await self._outward(given, USER) != given:
            return {"action": "decline"}
        return {"action": "accept", "content": answer.content or {}}

    def _may(self, *, sampling: bool) -> bool:
        capabilities = self._context.session.client_capabilities
        able = capabilities is not None and (
            (capabilities.sampling if sampling else capabilities.elicitation) is not None
        )
        allowed = self._server.sampling if sampling else self._server.elicitation
        held = self._turn.app.labels.session(self._turn.session).sensitivity
        self._left -= 1
        return bool(
            allowed
            and able
            and self._left >= 0
            and self._context.session.can_send_request
            and held.isdisjoint(self._restricted)
        )

    async def _ask(self, request: Any, kind: Any) -> Any:
        from mcp.shared.message import ServerMessageMetadata  # noqa: PLC0415

        from mcp import MCPError  # noqa: PLC0415

        try:
            return await self._context.session.send_request(
                request,
                kind,
                request_read_timeout_seconds=self._server.limits.timeout_s,
                metadata=ServerMessageMetadata(related_request_id=self._context.request_id),
            )
        except (MCPError, ValueError):
            return None

    async def _inward(self, texts: Sequence[str], *, whole: int = -1) -> list[str] | None:
        """From the server to the client's model or user; None when the gate stops it, or changes the text
        ``whole``, which can't be given in part."""
        parts = [Part(PartKind.TOOL_RESULT, text, self._label, "tool") for text in texts]
        decision = await self._turn.decide(self._turn.crossing(CrossingKind.TOOL_RESULT, parts))
        await self._turn.committed()
        if decision.action >= Action.HOLD:
            return None
        treated = []
        for index, text in enumerate(texts):
            edits = [edit for edit in decision.joined.edits if edit.part == index]
            if any(edit.drop or (index == whole and edit.start < edit.end) for edit in edits):
                return None
            treated.append(apply_edits(text, edits))
        return treated

    async def _outward(self, text: str, label: Label) -> str | None:
        """From the client to the server; None when the gate stops it."""
        context = {
            "stream": False,
            "final": True,
            "before": "",
            "retrieved": [],
            "user_text": self._turn.user_text,
            "results": self._turn.results,
            "response_format": None,
        }
        part = Part(PartKind.TEXT, text, label, "assistant")
        decision = await self._turn.decide(self._turn.crossing(CrossingKind.RESPONSE, [part], context))
        await self._turn.committed()
        if decision.action >= Action.HOLD or any(edit.drop for edit in decision.joined.edits):
            return None
        return apply_edits(text, decision.joined.edits)


def _messages(params: Mapping[str, Any]) -> list[tuple[str, str]] | None:
    """Role and text of each message; None where one is no text, or there are too many."""
    told: list[tuple[str, str]] = []
    if params.get("systemPrompt"):
        told.append(("user", str(params["systemPrompt"])))
    for message in params.get("messages", ()):
        content = message.get("content")
        blocks = content if isinstance(content, list) else [content]
        for block in blocks:
            if not isinstance(block, Mapping) or block.get("type") != "text":
                return None
            role = "assistant" if message.get("role") == "assistant" else "user"
            told.append((role, str(block.get("text", ""))))
    return told if told and len(told) <= _MESSAGES else None
