import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringwall.boundaries.model import (
    ChatReply,
    ChatRequest,
    Delta,
    ModelSection,
    ProviderError,
    Router,
    Usage,
)
from ringwall.boundaries.model.breaker import Breaker, Circuit
from ringwall.boundaries.model.settings import BreakerSettings

ASK = ChatRequest("asked-for", [{"role": "user", "content": "hello"}])


@dataclass
class Fake:
    """Answers with its name, after what ``plan`` says: an error to raise, or None."""

    name: str
    plan: list[ProviderError | None] = field(default_factory=list)
    after: int = 0
    """Deltas before the error."""
    seen: list[ChatRequest] = field(default_factory=list)
    closed: int = 0
    left: int = 0

    def _next(self, request: ChatRequest) -> ProviderError | None:
        self.seen.append(request)
        return self.plan.pop(0) if self.plan else None

    async def complete(self, request: ChatRequest) -> ChatReply:
        error = self._next(request)
        if error:
            raise error
        return ChatReply({"role": "assistant", "content": self.name}, "stop", Usage(1, 1))

    async def stream(self, request: ChatRequest) -> AsyncIterator[Delta]:
        error = self._next(request)
        try:
            for index in range(3):
                if error and index == self.after:
                    raise error
                yield Delta(content=self.name)
            yield Delta(finish_reason="stop")
            yield Delta(usage=Usage(1, 1))
        finally:
            self.left += 1

    async def close(self) -> None:
        self.closed += 1


def down(code: str = "failed", *, counts: bool = True) -> ProviderError:
    return ProviderError("It is down.", 502, code=code, counts=counts)


def section(**route: Any) -> ModelSection:
    return ModelSection.model_validate(
        {
            "providers": {"a": {"kind": "scripted"}, "b": {"kind": "scripted"}},
            "routes": {
                "default": {"provider": "a", "fallback": "backup", **route},
                "backup": {"provider": "b", "model": "small", "fallback": "default"},
            },
            "breaker": {"failures": 2, "window_s": 60, "open_s": 60},
        }
    )


def router(a: Fake, b: Fake, admitted: Any = None, **route: Any) -> Router:
    return Router(section(**route), {"a": a, "b": b}, admitted or (lambda _: True))


async def texts(stream: Any) -> str:
    return "".join([delta.content async for delta in stream])


async def test_the_route_answers_with_its_model_and_limit() -> None:
    a, b = Fake("a"), Fake("b")
    got = await router(a, b, model="gpt-x", max_output_tokens=50).complete("default", ASK)
    assert got.reply.message["content"] == "a"
    assert (got.served.route, got.served.provider, got.served.fell_back) == ("default", "a", "")
    assert a.seen[0].model == "gpt-x" and a.seen[0].params["max_tokens"] == 50
    await router(a, b).complete("default", ASK)
    assert a.seen[1].model == "asked-for"


@pytest.mark.parametrize("asked", [None, 0, -5, True, "9", 10**9, 1.5, 100])
async def test_output_never_exceeds_the_limit(asked: Any) -> None:
    for key in ("max_tokens", "max_completion_tokens"):
        a = Fake("a")
        await router(a, Fake("b"), max_output_tokens=50).complete(
            "default", ChatRequest("m", ASK.messages, params={key: asked, "max_tokens": 10**6})
        )
        limits = [value for name, value in a.seen[0].params.items() if name.startswith("max_")]
        assert limits and all(limit is None or limit == 50 for limit in limits)
        assert any(limit == 50 for limit in limits)


async def test_the_fallback_answers_and_says_so() -> None:
    a, b = Fake("a", [down("timeout")] * 2), Fake("b")
    got = await router(a, b).complete("default", ASK)
    assert got.reply.message["content"] == "b" and b.seen[0].model == "small"
    assert (got.served.asked, got.served.route, got.served.fell_back) == ("default", "backup", "timeout")
    stream = await router(a, b).stream("default", ASK)
    assert await texts(stream) == "bbb" and stream.served.route == "backup"


async def test_no_fallback_once_text_has_left() -> None:
    a, b = Fake("a", [down()], after=1), Fake("b")
    stream = await router(a, b).stream("default", ASK)
    with pytest.raises(ProviderError):
        await texts(stream)
    assert not b.seen and a.left == 1


async def test_no_fallback_for_a_bad_request_and_no_chain() -> None:
    a, b = Fake("a", [down("bad_request", counts=False)]), Fake("b", [down()])
    with pytest.raises(ProviderError):
        await router(a, b).complete("default", ASK)
    assert not b.seen
    a.plan = [down()]
    with pytest.raises(ProviderError):
        await router(a, b).complete("default", ASK)
    assert len(a.seen) == 2 and len(b.seen) == 1


async def test_what_is_not_admitted_is_not_called() -> None:
    a, b = Fake("a"), Fake("b")
    got = await router(a, b, lambda name: name == "backup").complete("default", ASK)
    assert got.served.fell_back == "not_admitted" and not a.seen
    a.plan = [down()]
    with pytest.raises(ProviderError) as caught:
        await router(a, b, lambda name: name == "default").complete("default", ASK)
    assert caught.value.code == "failed" and len(b.seen) == 1
    with pytest.raises(ProviderError) as caught:
        await router(a, b, lambda _: False).stream("default", ASK)
    assert (caught.value.status, caught.value.code) == (503, "not_admitted")
    loose = Router(section(), {"a": a, "b": b}, lambda _: False, strict=False)
    assert (await loose.complete("default", ASK)).served.route == "default"
    a.plan = [down()]
    with pytest.raises(ProviderError):
        await loose.complete("default", ASK)


async def test_a_failing_provider_is_left_alone() -> None:
    a, b = Fake("a", [down()] * 9), Fake("b")
    routes = router(a, b)
    for _ in range(5):
        assert (await routes.complete("default", ASK)).served.route == "backup"
    assert len(a.seen) == 2 and routes.circuit("a") is Circuit.OPEN
    assert routes.status()["default"]["circuit"] == "open"
    got = await routes.complete("default", ASK)
    assert got.served.fell_back == "circuit_open"
    lonely = router(Fake("a", [down()] * 9), b, fallback="")
    for _ in range(3):
        with pytest.raises(ProviderError) as caught:
            await lonely.complete("default", ASK)
    assert (caught.value.code, caught.value.status) == ("circuit_open", 503)
    assert caught.value.retry_after is not None and 1 <= caught.value.retry_after <= 60


async def test_bad_requests_open_no_circuit() -> None:
    a = Fake("a", [down("bad_request", counts=False)] * 20)
    routes = router(a, Fake("b"))
    for _ in range(20):
        with pytest.raises(ProviderError):
            await routes.complete("default", ASK)
    assert routes.circuit("a") is Circuit.CLOSED


async def test_a_client_that_leaves_ends_the_call() -> None:
    a = Fake("a")
    routes = router(a, Fake("b"))
    stream = await routes.stream("default", ASK)
    async for _ in stream:
        break
    await stream.aclose()
    await stream.aclose()
    assert a.left == 1
    unread = await routes.stream("default", ASK)
    await unread.aclose()
    assert a.left == 2 and routes.circuit("a") is Circuit.CLOSED


async def test_a_cancelled_call_gives_its_trial_back() -> None:
    never = asyncio.Event()

    class Hanging(Fake):
        async def complete(self, request: ChatRequest) -> ChatReply:
            await never.wait()
            return await super().complete(request)

    a = Hanging("a")
    routes = router(a, Fake("b"))
    breaker = routes._breakers["a"]
    breaker._opened = breaker._clock() - 1000
    for _ in range(3):
        task = asyncio.ensure_future(routes.complete("default", ASK))
        await asyncio.sleep(0)
        assert not task.done()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    never.set()
    assert (await routes.complete("default", ASK)).served.route == "default"
    assert routes.circuit("a") is Circuit.CLOSED


async def test_facts_and_close() -> None:
    a, b = Fake("a"), Fake("b")
    routes = router(a, b)
    facts = routes.facts("default", ASK)
    assert facts["prompt_chars"] == 5 and facts["admitted"] is True and facts["model"] == "asked-for"
    assert facts["remote"] is False and facts["provider"] == "a"
    with pytest.raises(LookupError):
        routes.facts("nothing", ASK)
    with pytest.raises(LookupError):
        await routes.complete("nothing", ASK)
    await routes.close()
    assert a.closed == b.closed == 1


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_circuit_opens_rests_tries_and_closes() -> None:
    clock = Clock()
    breaker = Breaker(BreakerSettings(failures=2, window_s=10, open_s=5), clock)

    def call(good: bool) -> bool:
        attempt = breaker.enter()
        if attempt is None:
            return False
        (attempt.succeeded if good else attempt.failed)()
        return True

    assert call(False)
    clock.now = 11
    assert call(False) and breaker.state is Circuit.CLOSED, "the first failure is too long ago"
    early = breaker.enter()
    assert call(False) and breaker.state is Circuit.OPEN and not call(True)
    assert early is not None
    early.succeeded()
    assert breaker.state is Circuit.OPEN, "a call from before says nothing of now"
    clock.now = 16
    assert breaker.state is Circuit.HALF_OPEN
    trial = breaker.enter()
    assert trial is not None and breaker.enter() is None, "one call tries"
    trial.failed()
    trial.succeeded()
    assert breaker.state is Circuit.OPEN and breaker.wait_s == 5
    clock.now = 21
    assert call(True) and breaker.state is Circuit.CLOSED and call(True)


@given(st.lists(st.tuples(st.sampled_from(["ok", "bad", "left", "wait"]), st.booleans()), max_size=40))
@settings(max_examples=100, deadline=None)
def test_a_circuit_never_stays_shut_for_ever(steps: list[tuple[str, bool]]) -> None:
    clock = Clock()
    breaker = Breaker(BreakerSettings(failures=2, window_s=10, open_s=5), clock)
    for what, late in steps:
        attempt = breaker.enter()
        if what == "wait":
            clock.now += 3
        if attempt is not None:
            if late:
                clock.now += 2
            {"ok": attempt.succeeded, "bad": attempt.failed}.get(what, attempt.abandoned)()
    clock.now += 5
    assert breaker.enter() is not None
