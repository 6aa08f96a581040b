"""The defences of a workload in your own process, without the gateway.

    from ringwall import guard

    given = guard.check("Ignore all previous instructions.")
    if given.blocked:
        ...

    with guard.Guard("ringwall.yaml", application="support") as shield:
        given = shield.check(text, direction="untrusted")       # or: await shield.acheck(...)
        safe = given.text

``check`` and ``acheck`` take the default settings; a ``Guard`` has the controls of an application of a
workload file that look at content, with their settings and modes. Those that judge the caller (identity,
quota, limits, breakers) are your program's affair, and nothing is put on a ledger: for both, and for tools,
see ``ringwall.Ringwall`` or the gateway.
"""

import atexit
import shutil
import tempfile
import threading
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from ringwall.boundaries.interface.scan import crossing_of
from ringwall.core import Action, ConfigError, Decision, Finding, Gate, Principal, Problem, apply_edits
from ringwall.inprocess.portal import Portal
from ringwall.workload.workbench import workbench

__all__ = ["Direction", "Given", "Guard", "acheck", "check"]

Direction = Literal["request", "response", "untrusted"]
"""What somebody typed, what a model answered, or a text from outside (a document, a tool result)."""


@dataclass(frozen=True, slots=True)
class Given:
    """What the gate says of a text."""

    action: Action
    text: str
    """The text with all edits applied; empty when it was blocked or held."""
    findings: tuple[Finding, ...]
    reasons: tuple[str, ...]
    """Sentences for the person who wrote it."""
    decision: Decision
    """With one line for every control."""

    @property
    def blocked(self) -> bool:
        """Whether the text must not go on: blocked, or a person has to decide first."""
        return self.action >= Action.HOLD


class Guard:
    """Thread-safe. Use as a context manager, or call ``close``.

    It does not live on in a forked process: make one in each worker.
    """

    def __init__(self, workload: str | Path | None = None, *, application: str = "") -> None:
        """Composes the gate of ``application`` (default: the first) of the workload file, with state of its
        own that is thrown away at the end. Without a file: one application with the default settings. Raises
        ConfigError for a file that can't be used."""
        with ExitStack() as stack:
            folder = Path(tempfile.mkdtemp(prefix="ringwall-guard-"))
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            path = Path(workload) if workload is not None else _plain(folder)
            self._gate = self._composed(stack, path, folder / "state", application)
            self._portal = Portal("guard")
            stack.callback(self._portal.close)
            self._stack = stack.pop_all()

    @staticmethod
    def _composed(stack: ExitStack, path: Path, state: Path, application: str) -> Gate:
        site = stack.enter_context(workbench(path, state)).site
        if application and application not in site.applications:
            raise ConfigError(Problem(f"there is no application {application!r}", str(path)))
        gate = site.application(application).gate
        posts = [post for post in gate.posts if post.control.declaration.parts]
        return Gate(posts, application=gate.application, mode=gate.mode, policy=gate.policy)

    def check(
        self, text: str, *, direction: Direction = "request", principal: Principal | None = None
    ) -> Given:
        """Judge a text. May be called from any thread, but waits: see ``acheck``. Raises ValueError for an
        unknown direction, RuntimeError after ``close`` and in a forked process."""
        return self._portal.run(self._decided(text, direction, principal))

    async def acheck(
        self, text: str, *, direction: Direction = "request", principal: Principal | None = None
    ) -> Given:
        """The same for asynchronous programs; the work is done aside from their event loop."""
        return await self._portal.arun(self._decided(text, direction, principal))

    async def _decided(self, text: str, direction: Direction, principal: Principal | None) -> Given:
        crossing = crossing_of(text, direction, principal or _LOCAL)
        decision = await self._gate.decide(crossing)
        stopped = decision.action >= Action.HOLD
        edits = decision.joined.edits if decision.action is Action.TRANSFORM else ()
        left = "" if stopped or any(edit.drop for edit in edits) else apply_edits(text, edits)
        return Given(decision.action, left, decision.joined.findings, decision.reasons, decision)

    def close(self) -> None:
        """Let go of the state and of the thread, once what is being judged is done. A second call does
        nothing; nor does one in a forked process, where they are not its own."""
        if self._portal.own:
            self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


_LOCAL = Principal("local", credential="in-process")
"""Who asks, where the program does not say."""


def _plain(folder: Path) -> Path:
    path = folder / "ringwall.yaml"
    path.write_text("workload: guard\napplications:\n  default: {}\n", "utf-8")
    return path


_MAKING = threading.Lock()


def _default() -> Guard:
    with _MAKING:
        return _shared()


@cache
def _shared() -> Guard:
    made = Guard()
    atexit.register(made.close)
    return made


def check(text: str, *, direction: Direction = "request") -> Given:
    """Judge a text by the default settings."""
    return _default().check(text, direction=direction)


async def acheck(text: str, *, direction: Direction = "request") -> Given:
    """Judge a text by the default settings, in an asynchronous program."""
    return await _default().acheck(text, direction=direction)
