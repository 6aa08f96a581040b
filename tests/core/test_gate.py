"""The gate against controls that raise, hang, swallow their cancellation, and answer nonsense."""

import asyncio
import threading
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringwall.core import (
    ALLOW,
    USER,
    Action,
    Boundary,
    Cost,
    Crossing,
    CrossingKind,
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
    Status,
    Verdict,
    applies,
    decision_body,
    decision_event,
    verdict,
)

CASEY = Principal("casey", credential="k")
TEXT = "refund my order"
CROSSING = Crossing(CrossingKind.REQUEST, CASEY, (Part(PartKind.TEXT, TEXT, USER, "user"),))


def declared(name: str = "interface.one", **more: Any) -> Declaration:
    base = Declaration(
        name,
        Boundary.INTERFACE,
        "Stops things.",
        frozenset({CrossingKind.REQUEST}),
        frozenset({PartKind.TEXT}),
        ("LLM01@2025",),
        deadline=0.05,
        inline=True,
    )
    return replace(base, **more)


@dataclass
class Sync:
    declaration: Declaration
    answer: Any = ALLOW
    calls: list[Crossing] = field(default_factory=list)

    def inspect(self, crossing):
        self.calls.append(crossing)
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer


class Async(Sync):
    async def inspect(self, crossing):
        return Sync.inspect(self, crossing)


class Delegating(Sync):
    """A plain method that hands on another's coroutine, as a wrapper does."""

    def inspect(self, crossing):
        return Async(self.declaration, self.answer).inspect(crossing)


class Evil(Verdict):
    """Claims to equal whatever it is compared with, so that a join might drop it."""

    __hash__ = None

    def __eq__(self, other):
        return True


class Truthy:
    action = Action.ALLOW
    findings = edits = reasons = ()


BLOCK = verdict(Action.BLOCK, "No.", [Finding("interface.one", "rule", "Seen.")])
NAN = Finding("interface.one", "rule", "Seen.", score=float("nan"))
GARBAGE = {
    "none": None,
    "true": True,
    "text": "allow",
    "zero": 0,
    "action": Action.ALLOW,
    "look-alike": Truthy(),
    "action is a number": Verdict(0),
    "action is text": Verdict("allow"),
    "findings is none": Verdict(Action.ALLOW, findings=None),
    "findings is a number": Verdict(Action.ALLOW, findings=3),
    "findings of text": Verdict(Action.ALLOW, findings=("x",)),
    "edits among findings": Verdict(Action.ALLOW, findings=(Edit(0, 0, 0),)),
    "finding without text": Verdict(Action.ALLOW, findings=(Finding(None, None, None),)),
    "finding that can't be hashed": Verdict(Action.ALLOW, findings=(Finding("a", "b", []),)),
    "part is text": Verdict(Action.ALLOW, findings=(Finding("a", "b", "c", part="0"),)),
    "score is no number": Verdict(Action.ALLOW, findings=(NAN,)),
    "score too high": Verdict(Action.ALLOW, findings=(Finding("a", "b", "c", score=2.0),)),
    "part that is not there": Verdict(Action.ALLOW, findings=(Finding("a", "b", "c", part=1),)),
    "negative part": Verdict(Action.ALLOW, findings=(Finding("a", "b", "c", part=-1),)),
    "end before start": Verdict(Action.ALLOW, findings=(Finding("a", "b", "c", start=3, end=2),)),
    "end beyond the text": Verdict(Action.TRANSFORM, edits=(Edit(0, 0, 999),)),
    "replacement is none": Verdict(Action.TRANSFORM, edits=(Edit(0, 0, 1, None),)),
    "change without edits": Verdict(Action.TRANSFORM),
    "reasons of numbers": Verdict(Action.ALLOW, reasons=(1,)),
    "reasons is none": Verdict(Action.ALLOW, reasons=None),
    "class": Verdict,
}
ERRORS = [
    ValueError("secret"),
    StopIteration(),
    StopAsyncIteration(),
    RecursionError(),
    MemoryError(),
    SystemExit(0),
    GeneratorExit(),
    asyncio.CancelledError(),
    TimeoutError(),
    ExceptionGroup("many", [ValueError()]),
    BaseExceptionGroup("worse", [SystemExit()]),
]


async def one(control, **gate):
    return await Gate([Post(control)], **gate).decide(CROSSING)


SHAPES = [
    pytest.param(Sync, True, id="inline"),
    pytest.param(Sync, False, id="thread"),
    pytest.param(Async, False, id="async"),
    pytest.param(Async, True, id="async-inline"),
    pytest.param(Delegating, True, id="delegating"),
]


@pytest.mark.parametrize("name", GARBAGE)
@pytest.mark.parametrize(("shape", "inline"), SHAPES)
async def test_garbage_never_allows(shape, inline, name):
    decision = await one(shape(declared(inline=inline, deadline=5.0), GARBAGE[name]))
    (line,) = decision.lines
    assert (decision.action, line.status, line.treatment) == (Action.BLOCK, Status.FAILED, "blocked")


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize(("shape", "inline"), SHAPES)
async def test_whatever_is_raised_blocks_and_leaves_the_gate_standing(shape, inline, error):
    decision = await one(shape(declared(inline=inline, deadline=5.0), error))
    (line,) = decision.lines
    assert (decision.action, line.status) == (Action.BLOCK, Status.FAILED)
    assert "secret" not in line.reason
    assert decision_event(decision)["action"] == "block"


@pytest.mark.parametrize(("shape", "inline"), SHAPES)
async def test_a_failure_passes_only_where_it_is_declared_open_and_is_on_record(shape, inline):
    decision = await one(shape(declared(inline=inline, fail=FailMode.OPEN, deadline=5.0), ValueError()))
    (line,) = decision.lines
    assert (decision.action, line.status, line.treatment) == (Action.ANNOTATE, Status.FAILED, "allowed")
    assert [finding.rule for finding in decision.joined.findings] == ["failed-open"]


async def test_a_control_that_never_answers_meets_its_deadline():
    class Hanging(Sync):
        async def inspect(self, crossing):
            await asyncio.Event().wait()

    decision = await asyncio.wait_for(one(Hanging(declared())), 5)
    assert decision.blocked
    assert "no answer within" in decision.lines[0].reason


async def test_a_control_that_swallows_its_cancellation_meets_its_deadline():
    free = asyncio.Event()
    swallowed = []

    class Stubborn(Sync):
        async def inspect(self, crossing):
            while not free.is_set():
                try:
                    await free.wait()
                except asyncio.CancelledError:
                    swallowed.append(1)
            return ALLOW

    decision = await asyncio.wait_for(one(Stubborn(declared())), 5)
    assert decision.blocked
    free.set()
    for _ in range(3):
        await asyncio.sleep(0)
    assert swallowed


async def test_a_thread_that_hangs_meets_its_deadline():
    free = threading.Event()

    class Blocked(Sync):
        def inspect(self, crossing):
            free.wait(30)
            return ALLOW

    try:
        decision = await asyncio.wait_for(one(Blocked(declared(inline=False))), 5)
    finally:
        free.set()
    assert decision.blocked


async def test_a_late_answer_does_not_count():
    free = asyncio.Event()

    class Late(Sync):
        async def inspect(self, crossing):
            await free.wait()
            return ALLOW

    decision = await one(Late(declared()))
    free.set()
    assert decision.blocked
    assert decision.lines[0].verdict.action is Action.BLOCK


async def test_a_client_that_goes_away_ends_the_wait():
    class Hanging(Sync):
        async def inspect(self, crossing):
            await asyncio.Event().wait()

    task = asyncio.ensure_future(one(Hanging(declared(deadline=60.0))))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_verdict_that_equals_everything_still_blocks():
    evil = Sync(declared(), Evil(Action.BLOCK, reasons=("No.",)))
    other = Sync(declared("interface.two"), verdict(Action.ANNOTATE))
    decision = await Gate([Post(evil), Post(other)]).decide(CROSSING)
    assert decision.blocked


async def test_degrade_takes_the_verdict_of_the_cheaper_control():
    broken = Sync(declared(fail=FailMode.DEGRADE, fallback="interface.two"), ValueError())
    cheaper = Sync(declared("interface.two"), verdict(Action.ANNOTATE))
    decision = await Gate([Post(broken), Post(cheaper)]).decide(CROSSING)
    assert decision.action is Action.ANNOTATE
    assert decision.lines[0].treatment == "degraded to interface.two"


@pytest.mark.parametrize(
    "cheaper",
    [
        Sync(declared("interface.two"), ValueError()),
        Sync(declared("interface.other"), ALLOW),
        Sync(declared("interface.two", parts=frozenset({PartKind.FILE})), ALLOW),
    ],
    ids=["fails as well", "not there", "does not apply"],
)
async def test_degrade_without_a_verdict_blocks(cheaper):
    broken = Sync(declared(fail=FailMode.DEGRADE, fallback="interface.two"), None)
    decision = await Gate([Post(broken), Post(cheaper)]).decide(CROSSING)
    assert decision.blocked


async def test_a_control_that_degrades_to_itself_blocks():
    broken = Sync(declared(fail=FailMode.DEGRADE, fallback="interface.one"), None)
    assert (await one(broken)).blocked


async def test_edits_of_a_verdict_that_asks_for_no_change_are_not_made():
    sneaky = Sync(declared(), Verdict(Action.ANNOTATE, edits=(Edit(0, 0, 6, "cancel"),)))
    honest = Sync(declared("interface.two"), verdict(Action.TRANSFORM, edits=[Edit(0, 7, 9, "our")]))
    decision = await Gate([Post(sneaky, Mode.MONITOR), Post(honest)]).decide(CROSSING)
    assert decision.joined.edits == (Edit(0, 7, 9, "our"),)


async def test_exhaustive_mode_runs_what_a_block_would_have_spared():
    blocker = Sync(declared(), BLOCK)
    dear = Sync(declared("interface.two", cost=Cost.DEAR), verdict(Action.ANNOTATE))
    spared = await Gate([Post(blocker), Post(dear)]).decide(CROSSING)
    assert [line.status for line in spared.lines] == [Status.EVALUATED, Status.NOT_EVALUATED]
    assert "interface.one" in spared.lines[1].reason
    assert not dear.calls
    whole = await Gate([Post(blocker), Post(dear)], exhaustive=True).decide(CROSSING)
    assert [line.status for line in whole.lines] == [Status.EVALUATED, Status.EVALUATED]
    assert whole.blocked


async def test_two_controls_of_one_id_are_refused():
    with pytest.raises(ValueError, match="same id"):
        Gate([Post(Sync(declared())), Post(Sync(declared()))])


edit = st.integers(0, len(TEXT)).flatmap(
    lambda start: st.builds(
        Edit, st.just(0), st.just(start), st.integers(start, len(TEXT)), st.sampled_from(["", "x"])
    )
)
answers = st.one_of(
    st.just(ALLOW),
    st.builds(verdict, st.sampled_from([Action.ANNOTATE, Action.HOLD, Action.BLOCK]), st.just("Because.")),
    st.builds(
        lambda edits: verdict(Action.TRANSFORM, edits=edits), edits=st.lists(edit, min_size=1, max_size=2)
    ),
    st.sampled_from([*GARBAGE.values()]),
    st.builds(ValueError),
)


@st.composite
def gates(draw):
    posts = []
    for number in range(draw(st.integers(0, 6))):
        inline = draw(st.booleans())
        shape = Sync if inline else draw(st.sampled_from([Async, Delegating]))
        declaration = declared(
            f"interface.c{number}",
            crossings=draw(
                st.sampled_from(
                    [
                        frozenset({CrossingKind.REQUEST}),
                        frozenset({CrossingKind.RESPONSE}),
                        frozenset(CrossingKind),
                    ]
                )
            ),
            parts=draw(
                st.sampled_from([frozenset(), frozenset({PartKind.TEXT}), frozenset({PartKind.TOOL_CALL})])
            ),
            fail=draw(st.sampled_from(FailMode)),
            fallback=f"interface.c{draw(st.integers(0, 6))}",
            cost=draw(st.sampled_from(Cost)),
            inline=True if shape is Delegating else inline,
            deadline=5.0,
        )
        posts.append(Post(shape(declaration, draw(answers)), draw(st.sampled_from(Mode))))
    return posts


def bad(control):
    """Whether the control gives no verdict."""
    return isinstance(control.answer, BaseException) or any(control.answer is one for one in GARBAGE.values())


@given(gates(), st.sampled_from(Mode), st.booleans())
@settings(max_examples=150, deadline=None)
def test_what_holds_of_every_decision(posts, mode, exhaustive):
    decision = asyncio.run(Gate(posts, mode=mode, exhaustive=exhaustive).decide(CROSSING))
    lines = {line.control: line for line in decision.lines}
    due = {post.control.declaration.id for post in posts if applies(post.control.declaration, CROSSING)}
    assert len(lines) == len(decision.lines)
    assert set(lines) == due
    for post in posts:
        declaration = post.control.declaration
        line = lines.get(declaration.id)
        if line is None:
            assert not getattr(post.control, "calls", [])
            continue
        assert line.mode is post.mode
        if line.status is Status.NOT_EVALUATED:
            assert decision.blocked
            assert not exhaustive
            assert line.reason
        elif bad(post.control):
            assert line.status is Status.FAILED
            assert line.treatment
            if declaration.fail is FailMode.CLOSED and Mode.MONITOR not in (mode, post.mode):
                assert decision.blocked
        else:
            assert line.status is Status.EVALUATED
            assert line.verdict == post.control.answer
        if Mode.MONITOR in (mode, post.mode):
            assert line.counted <= Action.ANNOTATE
    assert decision.action == max((line.counted for line in decision.lines), default=Action.ALLOW)
    assert decision.would >= decision.action
    if mode is Mode.MONITOR:
        assert decision.action <= Action.ANNOTATE
        assert not decision.joined.edits
    decision_event(decision, "turn")
    decision_body(decision, CROSSING)


@given(gates(), st.randoms())
@settings(max_examples=60, deadline=None)
def test_the_order_of_the_posts_changes_no_decision(posts, chance):
    shuffled = list(posts)
    chance.shuffle(shuffled)

    def decide(order):
        return asyncio.run(Gate(order, exhaustive=True).decide(CROSSING))

    first, second = decide(posts), decide(shuffled)
    assert first.joined == second.joined
    assert first.would == second.would


@given(gates())
@settings(max_examples=60, deadline=None)
def test_a_gate_holds_back_for_no_control_that_can_not_step_in(posts):
    assert Gate(posts, mode=Mode.MONITOR).active(CrossingKind.REQUEST) == []
    active = Gate(posts).active(CrossingKind.REQUEST)
    assert all(post.mode is Mode.ENFORCE for post in active)
