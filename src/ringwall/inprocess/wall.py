"""The defences of a workload around the tools of one process, without the gateway."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, ParamSpec, Self, TypeVar, Unpack, overload

from ringwall.boundaries.application.hold import Hold
from ringwall.boundaries.application.holds import Holds
from ringwall.boundaries.application.registry import Manifest
from ringwall.core import IdentityError, Principal, new_id
from ringwall.server.recorder import Recorder
from ringwall.wire.sessions import is_token
from ringwall.workload.entity_refresh import EntityRefresh

from .conversation import Conversation
from .portal import Portal
from .refusal import NoSessionError
from .session import Session, current
from .signature import Shape
from .standing import Standing
from .tool import Facts, GuardedTool, OnRefusal, check_fits, guarded

P = ParamSpec("P")
R = TypeVar("R")
MAX_CONVERSATIONS = 1024
"""Conversations whose content is kept in memory; of older ones, the labels in the data directory."""


class Ringwall:
    """Thread-safe; use it as a context manager, or call ``close``. Make one in each process and keep it.

        wall = Ringwall("ringwall.yaml", application="assistant", data_dir=".ringwall")

        @wall.guard_tool
        def send_email(to: str, subject: str, body: str) -> str: ...

        with wall.session(wall.principal("casey", roles=["agent"])) as session:
            shown = session.user(message)

    Policies, labels, holds, switches and limits are those of the workload file; decisions go to the ledger in
    ``data_dir``. Any number of processes, a gateway among them, may share it; one conversation belongs to one
    of them at a time. The file is read once.
    """

    def __init__(
        self,
        workload: str | Path = "ringwall.yaml",
        *,
        application: str = "",
        data_dir: str | Path = ".ringwall",
    ) -> None:
        """``application``: the first one of the file when left out. Raises ConfigError for a file that can't
        be used, DataError for a data directory that can't be."""
        with ExitStack() as stack:
            self._standing = Standing(Path(workload), Path(data_dir), application)
            stack.callback(self._standing.close)
            self._portal = Portal("wall")
            stack.callback(self._portal.close)
            stack.callback(lambda: self._portal.run(self._release()))
            refresh = EntityRefresh(lambda: self._standing.plant, lambda: self._standing.entity_sources)
            if self._standing.entity_sources:
                stack.callback(self._portal.submit(refresh.run()).cancel)
                self._portal.run(refresh.tried())
            self._recorder = Recorder(self._standing.plant.ledger)
            self._conversations: OrderedDict[str, Conversation] = OrderedDict()
            self._lock = threading.Lock()
            self._stack = stack.pop_all()

    def principal(
        self,
        subject: str,
        *,
        roles: Iterable[str] = (),
        tenant: str = "default",
        attributes: Mapping[str, str] | None = None,
    ) -> Principal:
        """Somebody whom the application itself has authenticated: nothing here may come from a model.

        ``roles`` are those held; what they inherit is added. Raises ConfigError for a role that the workload
        does not have.
        """
        known = self._standing.roles
        held = tuple(roles)
        known.check(held)
        return Principal(subject, tenant, known.expand(held), dict(attributes or {}), credential="in-process")

    def session(self, principal: Principal, *, id: str = "") -> Session:  # noqa: A002  what it is called
        """The conversation of this principal by that id (letters, digits, ``_.:-``, at most 128), or a new
        one. Two principals never share one, whatever the id.

        Raises IdentityError for a principal without a credential where the application serves none,
        ValueError for an id of another form.
        """
        site = self._standing.site
        if not principal.authenticated and not site.application.anonymous:
            raise IdentityError("A session needs a principal whom the application has authenticated.")
        if id and not is_token(id):
            raise ValueError("the id of a session: letters, digits and _.:- only, at most 128 of them")
        id_ = id or new_id("ses")
        key = site.sessions.find(principal, site.application.name, id_, (), "")
        return Session(self, self._portal, self._conversation(key), principal, id_, key)

    def _conversation(self, key: str) -> Conversation:
        with self._lock:
            held = self._conversations.get(key)
            if held is None:
                held = Conversation(lambda: self._standing.site, self._recorder, key)
                self._conversations[key] = held
            self._conversations.move_to_end(key)
            oldest = (
                self._conversations.popitem(last=False)
                if len(self._conversations) > MAX_CONVERSATIONS
                else None
            )
        if oldest:
            self._portal.submit(self._settle([oldest[1]]))
        return held

    async def _release(self) -> None:
        await self._settle(self._conversations.values())
        await self._standing.release()

    @staticmethod
    async def _settle(conversations: Iterable[Conversation]) -> None:
        for held in conversations:
            held.settle()

    @overload
    def guard_tool(
        self,
        function: Callable[P, R],
        *,
        name: str = ...,
        given: Sequence[str] = ...,
        on_refusal: OnRefusal = ...,
        **facts: Unpack[Facts],
    ) -> Callable[P, Any]: ...

    @overload
    def guard_tool(
        self,
        *,
        name: str = ...,
        given: Sequence[str] = ...,
        on_refusal: OnRefusal = ...,
        **facts: Unpack[Facts],
    ) -> Callable[[Callable[P, R]], Callable[P, Any]]: ...

    def guard_tool(
        self,
        function: Callable[..., Any] | None = None,
        *,
        name: str = "",
        given: Sequence[str] = (),
        on_refusal: OnRefusal = "return",
        **facts: Unpack[Facts],
    ) -> Any:
        """Decorate a function, synchronous or not, that the application calls for a model.

        Each call is judged as the workload's policies say, for the principal of the current session; its
        arguments, and who may make it, never rest on what the model claims. It returns a text: what the model
        may be shown of the result, or why the call was refused (``Refusal``; with ``on_refusal="raise"``,
        DeniedError or HeldError). Parameters ``principal`` and ``egress`` are filled
        in, as in the gateway: the verified one, and the guarded client (``WayOut``). ``given``
        names parameters that the program fills in with objects of its own; what a model could have written
        there is judged, and so refused.

        The tool of that ``name`` (default: the function's) is the one that the workload file declares; for
        any other give at least its ``effect``. Raises ConfigError where that is missing, and where the
        signature does not fit the manifest.
        """
        if function is None:
            return lambda decorated: self.guard_tool(
                decorated, name=name, given=given, on_refusal=on_refusal, **facts
            )
        tool = self.declared(function, name, given, facts)
        return guarded(function, tool, lambda: self.current(tool.manifest.name), on_refusal)

    def declared(
        self, function: Callable[..., Any], name: str, given: Sequence[str], facts: Mapping[str, Any]
    ) -> GuardedTool:
        """A function with its manifest. Raises ConfigError: see ``guard_tool``."""
        name = name or getattr(function, "__name__", "")
        shape = Shape.of(function, name, frozenset(given))
        declaration = {
            "name": name,
            "description": (function.__doc__ or "").strip(),
            "parameters": shape.schema() if facts else {},
        }
        manifest = self._standing.declare(declaration, facts)
        check_fits(shape, manifest)
        return GuardedTool(manifest, shape)

    def declare(self, declaration: Mapping[str, Any], facts: Mapping[str, Any]) -> Manifest:
        """The manifest of a tool of a framework: ``name``, ``description`` and ``parameters`` as the model is
        told them. Raises ConfigError where they differ from the pinned ones, and see ``guard_tool``."""
        manifest = self._standing.declare(declaration, facts)
        self._standing.compare(declaration)
        return manifest

    def current(self, tool: str) -> Session:
        """The current session. Raises NoSessionError when there is none of this wall."""
        session = current()
        if session is None or session.wall is not self:
            raise NoSessionError(tool)
        return session

    @property
    def holds(self) -> Holds:
        """Calls that wait for a person, as console and command line know them."""
        return self._standing.site.holds

    def settled(self, hold: str, seconds: float) -> Hold:
        """Wait until a person has decided about a held call, or its time or this time is over: then make the
        same call again. Raises DataError when there is no such hold."""
        return self._portal.run(self.holds.settled(hold, seconds))

    async def asettled(self, hold: str, seconds: float) -> Hold:
        """The same for event loops."""
        return await self._portal.arun(self.holds.settled(hold, seconds))

    def close(self) -> None:
        """Let go of ledger and state, once what is being judged is done. A second call does nothing, nor does
        one in a forked process."""
        if self._portal.own:
            self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
