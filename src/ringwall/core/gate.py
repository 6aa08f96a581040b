"""The gate: runs the applicable controls on a crossing and joins their verdicts into one decision.

Cheap controls first, those of one round side by side, each under its own deadline and fail mode. One line
per applicable control, whatever became of it.
"""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import reduce
from typing import assert_never

from .allowance import Allowances, relieved
from .control import Control, Declaration, FailMode, Rewrites, Rewriting, applies
from .crossing import Crossing, CrossingKind, Part
from .decision import Decision, Line, Mode, Status
from .ids import new_id
from .streaming import StreamNeed, fold
from .verdict import ALLOW, Action, Edit, Finding, Verdict, verdict

_THREADS = ThreadPoolExecutor(max_workers=16, thread_name_prefix="ringwall-control")


@dataclass(frozen=True, slots=True)
class Post:
    """A control at its place in a gate, with the mode that the workload gives it there."""

    control: Control
    mode: Mode = Mode.ENFORCE


class ControlFailed(Exception):
    """A control raised, hung, or answered something that is no verdict on this crossing."""


class Gate:
    """All controls of one application under one version of its configuration. Immutable; safe to share."""

    def __init__(
        self,
        posts: Sequence[Post],
        *,
        application: str = "",
        mode: Mode = Mode.ENFORCE,
        policy: str = "",
        exhaustive: bool = False,
        allowances: Allowances | None = None,
    ) -> None:
        """``exhaustive`` (counterfactual mode of the drills) runs every control even after a block.
        ``allowances``: false alarms that people have reported."""
        self.posts = tuple(posts)
        self.application = application
        self.mode = mode
        self.policy = policy
        self.exhaustive = exhaustive
        self.allowances = allowances
        self._by_id = {post.control.declaration.id: post for post in posts}
        if len(self._by_id) != len(self.posts):
            raise ValueError("two controls with the same id at one gate")
        self._rounds = {kind: _rounds(self.posts, kind) for kind in CrossingKind}

    def need(self, kind: CrossingKind) -> StreamNeed:
        """What must be held back of a stream of this kind: the fold over its enforcing controls."""
        return fold([post.control.declaration.need for post in self.active(kind)])

    def active(self, kind: CrossingKind) -> list[Post]:
        """Controls that can change or stop a crossing of this kind."""
        if self.mode is Mode.MONITOR:
            return []
        return [
            post
            for post in self.posts
            if post.mode is Mode.ENFORCE and kind in post.control.declaration.crossings
        ]

    async def rewritten(self, kind: CrossingKind, part: Part, *, monitored: bool = False) -> Rewriting:
        """The part in the form that its controls insist on. Ask before ``decide``, so that every control
        judges, and people approve, what will happen; and hand ``findings`` to it in the context, as
        ``rewritten``. What a control fails to put in its form it refuses in ``decide``. ``monitored``: ask
        those in monitor mode too."""
        findings: tuple[Finding, ...] = ()
        for post in self.posts:
            control = post.control
            if kind not in control.declaration.crossings or not isinstance(control, Rewrites):
                continue
            if self._monitors(post) and not monitored:
                continue
            try:
                given = await _within(control.declaration.deadline, control.rewrite(part))
            except ControlFailed:
                continue
            if isinstance(given, Rewriting):
                part, findings = given.part, findings + given.findings
        return Rewriting(part, findings)

    async def decide(self, crossing: Crossing) -> Decision:
        """Judge a crossing. Never raises on account of a control."""
        begun = time.perf_counter_ns()
        lines: list[Line] = []
        blocker = ""
        for posts in self._rounds[crossing.kind]:
            due = [post for post in posts if applies(post.control.declaration, crossing)]
            if blocker and not self.exhaustive:
                lines.extend(_not_reached(post, blocker) for post in due)
                continue
            lines.extend(await self._round(due, crossing))
            blocker = blocker or next((line.control for line in lines if line.counted is Action.BLOCK), "")
        return self._decision(crossing, tuple(lines), (time.perf_counter_ns() - begun) // 1000)

    async def _round(self, posts: Iterable[Post], crossing: Crossing) -> list[Line]:
        """Those that wait are set going first; those that only compute are asked meanwhile."""
        inline: list[Post] = []
        waiting: list[asyncio.Future[Line]] = []
        for post in posts:
            if post.control.declaration.inline:
                inline.append(post)
            else:
                waiting.append(asyncio.ensure_future(self._line(post, crossing)))
        lines = [await self._line(post, crossing) for post in inline]
        for line in waiting:
            lines.append(await line)
        return lines

    async def _line(self, post: Post, crossing: Crossing) -> Line:
        begun = time.perf_counter_ns()
        try:
            given = await _ask(post.control, crossing)
        except ControlFailed as failure:
            line = await self._treat(post, crossing, str(failure))
            counted = min(line.counted, Action.ANNOTATE) if self._monitors(post) else line.counted
            return replace(line, counted=counted, elapsed_us=(time.perf_counter_ns() - begun) // 1000)
        if self.allowances is None or given.action <= Action.ANNOTATE:
            return self._evaluated(post, given, begun=begun)
        return self._evaluated(post, *self._relieved(self.allowances, given, crossing), begun=begun)

    def _relieved(self, allowances: Allowances, given: Verdict, crossing: Crossing) -> tuple[Verdict, str]:
        """The verdict less the force of allowed findings, and why. Asked outside the control, so that no
        verdict that a control has kept can hide an allowance, or outlive one."""
        try:
            allowed = allowances.covering(crossing.application or self.application, crossing, given)
        except Exception:  # noqa: BLE001 - an allowance that can't be read allows nothing
            return given, ""
        rules = ", ".join(sorted(set(allowed.values())))
        return relieved(given, allowed), f"false alarms by {rules}" if rules else ""

    def _evaluated(self, post: Post, given: Verdict, reason: str = "", *, begun: int) -> Line:
        declaration = post.control.declaration
        counted = given.action
        if counted > Action.ANNOTATE and self._monitors(post):
            counted = Action.ANNOTATE
        elapsed = (time.perf_counter_ns() - begun) // 1000
        return Line(
            declaration.id,
            declaration.boundary,
            Status.EVALUATED,
            post.mode,
            given,
            counted,
            reason,
            elapsed_us=elapsed,
        )

    def _monitors(self, post: Post) -> bool:
        return self.mode is Mode.MONITOR or post.mode is Mode.MONITOR

    async def _treat(self, post: Post, crossing: Crossing, failure: str) -> Line:
        declaration = post.control.declaration
        match declaration.fail:
            case FailMode.CLOSED:
                given, treatment = _failure_block(declaration), "blocked"
            case FailMode.OPEN:
                finding = Finding(
                    declaration.id, "failed-open", f"The check failed and is declared open: {failure}"
                )
                given, treatment = verdict(Action.ANNOTATE, findings=[finding]), "allowed"
            case FailMode.DEGRADE:
                given, treatment = await self._degrade(declaration, crossing)
            case _:
                assert_never(declaration.fail)
        return Line(
            declaration.id,
            declaration.boundary,
            Status.FAILED,
            post.mode,
            given,
            given.action,
            reason=failure,
            treatment=treatment,
        )

    async def _degrade(self, declaration: Declaration, crossing: Crossing) -> tuple[Verdict, str]:
        fallback = self._by_id.get(declaration.fallback)
        if fallback is None or not applies(fallback.control.declaration, crossing):
            return _failure_block(declaration), "blocked: the control to degrade to is not there"
        try:
            return await _ask(fallback.control, crossing), f"degraded to {declaration.fallback}"
        except ControlFailed:
            return _failure_block(declaration), f"blocked: {declaration.fallback} failed as well"

    def _decision(self, crossing: Crossing, lines: tuple[Line, ...], elapsed_us: int) -> Decision:
        spoken = [_counting(line) for line in lines if line.verdict is not ALLOW]
        joined = reduce(Verdict.join, spoken, ALLOW)
        would = max((line.verdict.action for line in lines if line.verdict), default=Action.ALLOW)
        return Decision(
            id=new_id("dec"),
            at=time.time_ns() // 1000,
            kind=crossing.kind,
            application=crossing.application or self.application,
            subject=crossing.principal.subject,
            tenant=crossing.principal.tenant,
            session=crossing.session,
            endpoint=crossing.endpoint,
            policy=self.policy,
            mode=self.mode,
            action=joined.action,
            would=would,
            lines=lines,
            joined=joined,
            elapsed_us=elapsed_us,
            actor=crossing.principal.acted_by,
        )


def _rounds(posts: Sequence[Post], kind: CrossingKind) -> list[list[Post]]:
    mine = [post for post in posts if kind in post.control.declaration.crossings]
    costs = sorted({post.control.declaration.cost for post in mine})
    return [[post for post in mine if post.control.declaration.cost is cost] for cost in costs]


def _not_reached(post: Post, blocker: str) -> Line:
    declaration = post.control.declaration
    reason = f"not reached: {blocker} had blocked"
    return Line(declaration.id, declaration.boundary, Status.NOT_EVALUATED, post.mode, reason=reason)


def _failure_block(declaration: Declaration) -> Verdict:
    finding = Finding(declaration.id, "failed-closed", "The check could not be carried out.")
    return verdict(Action.BLOCK, "A safety check could not be carried out, so this was stopped.", [finding])


def _counting(line: Line) -> Verdict:
    """The line's part in the join: under ``monitor`` its findings stay, its edits and reasons don't. Edits
    of a verdict that asks for no change are nobody's order to make one."""
    if line.verdict is None:
        return ALLOW
    if line.counted != line.verdict.action:
        return Verdict(line.counted, line.verdict.findings)
    if line.verdict.edits and line.counted < Action.TRANSFORM:
        return replace(line.verdict, edits=())
    return line.verdict


async def _ask(control: Control, crossing: Crossing) -> Verdict:
    """The control's verdict, or ``ControlFailed``."""
    declaration = control.declaration
    if declaration.inline or inspect.iscoroutinefunction(control.inspect):
        answer = _call(control, crossing)
        if answer is ALLOW:  # the common case
            return ALLOW
    else:
        loop = asyncio.get_running_loop()
        answer = await _within(declaration.deadline, loop.run_in_executor(_THREADS, _call, control, crossing))
    if inspect.isawaitable(answer):
        answer = await _within(declaration.deadline, _contained(answer))
    return ALLOW if answer is ALLOW else _believed(answer, crossing)


def _call(control: Control, crossing: Crossing) -> object:
    """Whatever a control raises is its failure, never the gate's: ``SystemExit`` and the like included."""
    try:
        return control.inspect(crossing)
    except KeyboardInterrupt:  # a person's, on the event loop
        raise
    except BaseException as error:
        raise ControlFailed(f"raised {type(error).__name__}") from error


async def _contained(answer: Awaitable[object]) -> object:
    try:
        return await answer
    except SystemExit as error:  # asyncio would end the whole event loop with it
        raise ControlFailed("raised SystemExit") from error


async def _within(deadline: float, answer: Awaitable[object]) -> object:
    """Waits at most ``deadline`` seconds, also for a control that ignores its cancellation."""
    task = asyncio.ensure_future(answer)
    try:
        done, _ = await asyncio.wait({task}, timeout=deadline)
    except asyncio.CancelledError:
        task.cancel()
        raise
    if not done:
        task.cancel()
        task.add_done_callback(_forget)
        raise ControlFailed(f"gave no answer within {deadline:g} s")
    if task.cancelled():
        raise ControlFailed("cancelled itself")
    error = task.exception()
    if isinstance(error, ControlFailed):
        raise error
    if error is not None:
        raise ControlFailed(f"raised {type(error).__name__}") from error
    return task.result()


def _forget(task: asyncio.Future[object]) -> None:
    if not task.cancelled():
        task.exception()


def _believed(answer: object, crossing: Crossing) -> Verdict:
    """A verdict is believed only if it speaks of this crossing, and then taken over in canonical form: what
    the control holds may be of a class of its own, with ideas of its own about equality."""
    if not isinstance(answer, Verdict) or not isinstance(answer.action, Action):
        raise ControlFailed("answered something that is no verdict")
    try:
        findings, edits, reasons = tuple(answer.findings), tuple(answer.edits), tuple(answer.reasons)
        sound = (
            all(type(spot) is Finding and _sound_finding(spot) for spot in findings)
            and all(type(spot) is Edit and _sound_edit(spot) for spot in edits)
            and all(type(reason) is str for reason in reasons)
        )
    except Exception as error:
        raise ControlFailed("answered something that is no verdict") from error
    if not sound:
        raise ControlFailed("answered something that is no verdict")
    spots: tuple[Finding | Edit, ...] = (*findings, *edits)
    for spot in spots:
        inside = 0 <= spot.part < max(1, len(crossing.parts))
        length = len(crossing.parts[spot.part].text) if inside and crossing.parts else 0
        if not inside or not 0 <= spot.start <= spot.end <= length:
            raise ControlFailed("pointed outside the crossing")
    if answer.action is Action.TRANSFORM and not edits:
        raise ControlFailed("asked for a change without saying which")
    return Verdict(
        answer.action, tuple(sorted(set(findings))), tuple(sorted(set(edits))), tuple(sorted(set(reasons)))
    )


def _sound_finding(spot: Finding) -> bool:
    """Of the types that it declares, and with a score that can be ordered (NaN can't)."""
    texts = (spot.control, spot.rule, spot.message, spot.cls, spot.view)
    numbers = (spot.part, spot.start, spot.end)
    return (
        all(isinstance(text, str) for text in texts)
        and all(isinstance(number, int) for number in numbers)
        and isinstance(spot.score, (int, float))
        and 0 <= spot.score <= 1
    )


def _sound_edit(spot: Edit) -> bool:
    numbers = (spot.part, spot.start, spot.end)
    return isinstance(spot.replacement, str) and all(isinstance(number, int) for number in numbers)
