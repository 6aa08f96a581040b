"""The drill's client: sends a scenario's steps over HTTP and notes what came back."""

import json
from collections.abc import Mapping
from typing import Any

import aiohttp

from .observation import Call, Observation
from .scenario import Chat, Contribution, Raw, Scenario, Step
from .target import Target

_FILLER = "The lamp is on the table next to the window and gives a warm light in the evening. "
_CHAIN = "x-ringwall-chain"
_TIMEOUT = aiohttp.ClientTimeout(total=30)


class DrillClient:
    """One session against one target."""

    def __init__(self, target: Target, session: aiohttp.ClientSession) -> None:
        self._target = target
        self._session = session
        self._chain = ""
        """Token that came with the answer before."""

    def can(self, scenario: Scenario) -> bool:
        """Whether the target has a key for everybody whom the scenario needs."""
        return self.missing(scenario) == ""

    def missing(self, scenario: Scenario) -> str:
        """The first subject that has no key; empty when all have."""
        needed = [scenario.principal if step.principal is None else step.principal for step in scenario.steps]
        return next((subject for subject in needed if subject and subject not in self._target.keys), "")

    async def run(self, scenario: Scenario) -> tuple[Observation, ...]:
        """From a fresh state: every step, in order."""
        await self._target.reset()
        for tool in scenario.switched_off:
            await self._target.switch_off(tool)
        self._chain = ""
        observations = []
        for index, step in enumerate(scenario.steps):
            for _ in range(step.times):
                observations.append(await self._send(scenario, index, step))
        return tuple(observations)

    async def _send(self, scenario: Scenario, index: int, step: Step) -> Observation:
        subject = scenario.principal if step.principal is None else step.principal
        headers = {"authorization": f"Bearer {self._target.keys[subject]}"} if subject else {}
        try:
            if step.chat:
                seen = await self._chat(scenario.id, step.chat, headers)
            elif step.contribute:
                seen = await self._contribute(step.contribute, headers)
            else:
                seen = await self._raw(step.http, headers) if step.http else _Seen(0)
        except (aiohttp.ClientError, TimeoutError) as error:
            seen = _Seen(0, error=type(error).__name__)
        return await self._observed(index, step, seen)

    async def _chat(self, scenario: str, chat: Chat, headers: Mapping[str, str]) -> "_Seen":
        body: dict[str, Any] = {
            "model": chat.model,
            "messages": _padded(chat),
            "stream": chat.stream,
            "metadata": {"scenario": scenario},
            **chat.extra,
        }
        if chat.tools:
            body["tools"] = chat.tools
        url = f"{self._target.base_url}/v1/chat/completions"
        sent = {**headers, _CHAIN: self._chain} if chat.chain and self._chain else headers
        async with self._session.post(url, json=body, headers=sent, timeout=_TIMEOUT) as answer:
            self._chain = answer.headers.get(_CHAIN, self._chain)
            seen = _Seen(answer.status, _handle(answer), route=chat.model)
            raw = await answer.read()
            if answer.content_type == "text/event-stream":
                for line in raw.decode("utf-8", "replace").splitlines():
                    if line.startswith("data:") and line[5:].strip() != "[DONE]":
                        seen.event(_json(line[5:]))
            else:
                seen.whole(_json(raw))
            return seen

    async def _contribute(self, given: Contribution, headers: Mapping[str, str]) -> "_Seen":
        url = f"{self._target.base_url}/v1/collections/{given.collection}/documents"
        sent: dict[str, Any]
        if given.file:
            raw = given.text.encode("utf-8", "surrogatepass")
            sent = {"data": raw, "params": {"name": given.file}}
            headers = {**headers, "content-type": "application/octet-stream"}
        else:
            sent = {"json": {"title": given.title, "text": given.text, "readers": given.readers}}
        async with self._session.post(url, **sent, headers=headers, timeout=_TIMEOUT) as answer:
            seen = _Seen(answer.status, _handle(answer))
            seen.whole(_json(await answer.read()))
            seen.stored = given.title if answer.status == 201 else ""
            return seen

    async def _raw(self, raw: Raw, headers: Mapping[str, str]) -> "_Seen":
        url = self._target.base_url + raw.path
        both = {"content-type": "application/json", **headers, **raw.headers}
        sending = self._session.request(
            raw.method, url, data=raw.body.encode("utf-8", "surrogatepass"), headers=both, timeout=_TIMEOUT
        )
        async with sending as answer:
            seen = _Seen(answer.status, _handle(answer))
            seen.content = (await answer.read()).decode("utf-8", "replace")
            return seen

    async def _observed(self, index: int, step: Step, seen: "_Seen") -> Observation:
        executed = await self._target.executed(seen.turn) if seen.turn else ()
        decisions = await self._target.decisions(seen.turn) if seen.turn else ()
        return Observation(
            step=index,
            status=seen.status,
            content=seen.content,
            finish=seen.finish,
            calls=(*executed, *seen.calls()),
            stored=seen.stored,
            route=seen.route,
            error=seen.error,
            turn=seen.turn,
            judged=step.judged,
            decisions=tuple(decisions),
        )


class _Seen:
    """What the client can see of an answer, gathered from one body or from the events of a stream."""

    def __init__(self, status: int, turn: str = "", route: str = "", error: str = "") -> None:
        self.status = status
        self.turn = turn
        self.route = route
        self.error = error
        self.content = ""
        self.finish = ""
        self.stored = ""
        self._fragments: dict[int, dict[str, str]] = {}

    def whole(self, body: Mapping[str, Any]) -> None:
        self._error(body)
        for choice in body.get("choices") or ():
            message = choice.get("message") or {}
            self.content += message.get("content") or ""
            self._calls(enumerate(message.get("tool_calls") or ()))
            self.finish = choice.get("finish_reason") or self.finish

    def event(self, body: Mapping[str, Any]) -> None:
        self._error(body)
        for choice in body.get("choices") or ():
            delta = choice.get("delta") or {}
            self.content += delta.get("content") or ""
            self._calls((call.get("index", 0), call) for call in delta.get("tool_calls") or ())
            self.finish = choice.get("finish_reason") or self.finish

    def calls(self) -> list[Call]:
        """Tool calls that the client was handed."""
        return [
            Call(one["name"], _json(one["arguments"]), executed=False) for one in self._fragments.values()
        ]

    def _calls(self, given: Any) -> None:
        for index, call in given:
            function = call.get("function") or {}
            kept = self._fragments.setdefault(index, {"name": "", "arguments": ""})
            kept["name"] += function.get("name") or ""
            kept["arguments"] += function.get("arguments") or ""

    def _error(self, body: Mapping[str, Any]) -> None:
        error = body.get("error")
        if isinstance(error, Mapping):
            self.error = str(error.get("code") or error.get("type") or "error")
            self.finish = self.finish or "content_filter"


def _handle(answer: aiohttp.ClientResponse) -> str:
    """The turn's id; for an answer that belongs to no turn, that of its decision."""
    headers = answer.headers
    return headers.get("x-ringwall-turn") or headers.get("x-ringwall-decision") or ""


def _padded(chat: Chat) -> list[dict[str, Any]]:
    if not chat.pad_kb:
        return chat.messages
    last = chat.messages[-1]
    filler = _FILLER * (chat.pad_kb * 1024 // len(_FILLER) + 1)
    return [*chat.messages[:-1], {**last, "content": f"{last['content']}\n{filler}"}]


def _json(raw: str | bytes) -> dict[str, Any]:
    try:
        value = json.loads(raw)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
