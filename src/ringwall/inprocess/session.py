"""What an application holds in its hands: one conversation of one person."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextvars import ContextVar
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar

from ringwall.boundaries.application.execute import ToolFault, result_text
from ringwall.core import Principal
from ringwall.wire.vector_stores import read_search

from .conversation import Conversation
from .grant import Grant
from .portal import Portal
from .refusal import Refusal
from .retrieved import Retrieved
from .tool import OnRefusal, declaration_of, guarded
from .way_out import WayOut

if TYPE_CHECKING:
    from .wall import Ringwall

T = TypeVar("T")
Run = Callable[[Mapping[str, Any]], Any]
"""Makes a call with the arguments that were let through."""

_CURRENT: ContextVar[tuple["Session", ...]] = ContextVar("ringwall_session", default=())


def current() -> "Session | None":
    """The session of this thread or task: the innermost ``with``."""
    inside = _CURRENT.get()
    return inside[-1] if inside else None


class Session:
    """Thread-safe. ``with session:`` makes it the current one of this thread or task, and of the tasks and
    worker threads that inherit its context. Each method waits; the one with an ``a`` ahead is for event
    loops.

    Tell it everything that the model is shown, in the order in which it is: what it was not told of, it takes
    for the model's own.
    """

    def __init__(
        self, wall: "Ringwall", portal: Portal, held: Conversation, principal: Principal, id_: str, key: str
    ) -> None:
        """Use ``Ringwall.session``."""
        self.wall = wall
        self.principal = principal
        self.id = id_
        """Give it again, with the same principal, to go on with this conversation."""
        self.key = key
        """What the ledger calls it."""
        self._portal = portal
        self._held = held

    def __enter__(self) -> Self:
        _CURRENT.set((*_CURRENT.get(), self))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _CURRENT.set(_CURRENT.get()[:-1])

    # What the model is shown

    def user(self, text: str) -> str:
        """A message of the person, which begins a turn; returns what the model may be shown of it.

        Raises DeniedError, whose message is for the person.
        """
        return self._portal.run(self._held.user(self.principal, text))

    async def auser(self, text: str) -> str:
        return await self._portal.arun(self._held.user(self.principal, text))

    def system(self, text: str) -> str:
        """Instructions of the application itself; never of anybody else. Raises DeniedError."""
        return self._portal.run(self._held.system(self.principal, text))

    async def asystem(self, text: str) -> str:
        return await self._portal.arun(self._held.system(self.principal, text))

    def result(self, tool: str, text: str) -> str:
        """The answer of a tool that was not called through here, such as one of the model's provider; returns
        what the model may be shown of it: marked as data, cut, redacted, or a sentence in its place."""
        return self._portal.run(self._held.result(self.principal, tool, text))

    async def aresult(self, tool: str, text: str) -> str:
        return await self._portal.arun(self._held.result(self.principal, tool, text))

    def untrusted(self, text: str, origin: str) -> str:
        """Any other text from outside, such as a page or a file; ``origin`` says where it came from."""
        return self._portal.run(self._held.untrusted(self.principal, text, origin))

    async def auntrusted(self, text: str, origin: str) -> str:
        return await self._portal.arun(self._held.untrusted(self.principal, text, origin))

    def retrieve(
        self,
        query: str,
        *,
        collections: Sequence[str] | None = None,
        top_k: int = 10,
        filters: Mapping[str, Any] | None = None,
    ) -> list[Retrieved]:
        """Passages of the application's collections that the principal may read, best first; the model may be
        shown them. ``filters``: on attributes, as the vector stores API writes them.

        Raises DeniedError, and WireError for a query or filter that is none.
        """
        call = read_search(_search(query, top_k, filters))
        found = self._portal.run(self._held.retrieve(self.principal, call, collections))
        return list(map(Retrieved.of, found))

    async def aretrieve(
        self,
        query: str,
        *,
        collections: Sequence[str] | None = None,
        top_k: int = 10,
        filters: Mapping[str, Any] | None = None,
    ) -> list[Retrieved]:
        call = read_search(_search(query, top_k, filters))
        found = await self._portal.arun(self._held.retrieve(self.principal, call, collections))
        return list(map(Retrieved.of, found))

    def answer(self, text: str) -> str:
        """The model's answer, whole; returns what the person may be shown of it."""
        return self._portal.run(self._held.answer(self.principal, text))

    async def aanswer(self, text: str) -> str:
        return await self._portal.arun(self._held.answer(self.principal, text))

    # What the model may do

    def offer(self, tools: Sequence[T]) -> list[T]:
        """The tools of the list that this principal may be offered: guarded functions, or declarations as
        they are sent to a model. One that is unknown, changed or not theirs is left out."""
        kept = self._portal.run(self._held.offer(self.principal, [declaration_of(tool) for tool in tools]))
        return [tools[index] for index in kept]

    async def aoffer(self, tools: Sequence[T]) -> list[T]:
        declared = [declaration_of(tool) for tool in tools]
        return [tools[index] for index in await self._portal.arun(self._held.offer(self.principal, declared))]

    def declarations(self, tools: Sequence[Any]) -> list[dict[str, Any]]:
        """Those that may be offered, as chat completions take them."""
        offered = map(declaration_of, self.offer(tools))
        return [{"type": "function", "function": dict(one)} for one in offered]

    def guard_tool(
        self,
        function: Callable[..., Any],
        *,
        name: str = "",
        given: Sequence[str] = (),
        on_refusal: OnRefusal = "return",
        **facts: Any,
    ) -> Callable[..., Any]:
        """``Ringwall.guard_tool``, bound to this session wherever the function is called."""
        tool = self.wall.declared(function, name, given, facts)
        return guarded(function, tool, lambda: self, on_refusal)

    def call(self, tool: str, arguments: str, run: Run, *, on_refusal: OnRefusal = "return") -> str:
        """Judge a call, make it, and return what the model is shown of its result: for frameworks of your
        own.

        ``arguments`` is JSON text, as the model wrote it. What ``run`` raises is raised, after the gate has
        seen what it says; where that must not be shown, ToolFault is raised in its place.
        """
        granted = self._portal.run(self._held.ask(self.principal, tool, arguments))
        if isinstance(granted, Refusal):
            return _refused(granted, on_refusal)
        try:
            result = run(granted.arguments)
        except Exception as error:
            self._raise_instead(error, self._portal.run(self._take(granted, str(error))))
            raise
        return self._portal.run(self._take(granted, result_text(result)))

    async def acall(
        self, tool: str, arguments: str, run: Callable[[Mapping[str, Any]], Awaitable[Any]],
        *, on_refusal: OnRefusal = "return",
    ) -> str:  # fmt: skip
        """The same; ``run`` is awaited in the caller's own task."""
        granted = await self._portal.arun(self._held.ask(self.principal, tool, arguments))
        if isinstance(granted, Refusal):
            return _refused(granted, on_refusal)
        try:
            result = await run(granted.arguments)
        except Exception as error:
            self._raise_instead(error, await self._portal.arun(self._take(granted, str(error))))
            raise
        return await self._portal.arun(self._take(granted, result_text(result)))

    def way_out(self, tool: str) -> WayOut:
        """The guarded HTTP client for this tool: it reaches what ``application.egress`` lists for it."""
        return WayOut(self._portal, self._portal.run(self._held.way_out(self.principal, tool)))

    async def _take(self, grant: Grant, text: str) -> str:
        return await self._held.take(self.principal, grant, text)

    @staticmethod
    def _raise_instead(error: Exception, shown: str) -> None:
        """Frameworks tell the model what an error says: what the gate changed must not get there."""
        if str(error) not in shown:
            raise ToolFault(shown) from None


def _search(query: str, top_k: int, filters: Mapping[str, Any] | None) -> dict[str, Any]:
    return {"query": query, "max_num_results": top_k, **({"filters": dict(filters)} if filters else {})}


def _refused(refusal: Refusal, on_refusal: Literal["return", "raise"]) -> str:
    if on_refusal == "raise":
        raise refusal.error()
    return refusal
