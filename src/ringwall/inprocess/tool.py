"""A guarded function: the same signature, and a gate before and behind it."""

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from ringwall.boundaries.application.registry import Manifest
from ringwall.boundaries.application.settings import Effect
from ringwall.core import ConfigError, Problem

from .signature import Shape, annotations_of, as_json

if TYPE_CHECKING:
    from .session import Session

OnRefusal = Literal["return", "raise"]
"""What a guarded tool does instead of a refused call: return the text for the model, or raise DeniedError."""
_DECLARED = "__ringwall_tool__"


class Facts(TypedDict, total=False):
    """What must be known of a tool that the workload file does not declare: see ``ToolSettings``."""

    effect: Effect | str
    roles: Sequence[str]
    target: Sequence[str]
    result: Literal["untrusted", "user", "system"]
    sensitivity: Sequence[str]
    reversible: bool


@dataclass(frozen=True)
class GuardedTool:
    """A function and the manifest that its calls are judged by."""

    manifest: Manifest
    shape: Shape


def declaration_of(tool: Any) -> Mapping[str, Any]:
    """Name, description and parameters of a guarded function, or of a declaration as models are sent it.
    Raises TypeError for anything else."""
    guarded_tool = getattr(tool, _DECLARED, None)
    if isinstance(guarded_tool, GuardedTool):
        declared: Mapping[str, Any] = guarded_tool.manifest.openai()["function"]
        return declared
    if isinstance(tool, Mapping):
        inner = tool.get("function", tool)
        if isinstance(inner, Mapping) and isinstance(inner.get("name"), str):
            return inner
    raise TypeError("a tool to offer is a guarded function, or its declaration as a mapping with a name")


def check_fits(shape: Shape, manifest: Manifest) -> None:
    """Raises ConfigError when the function can't be called with what the manifest lets through."""
    properties = set(manifest.parameters.get("properties", {}))
    required = set(manifest.parameters.get("required", ()))
    named = {one.name: one for one in shape.asked if one.kind is not one.VAR_KEYWORD}
    open_ended = len(named) < len(shape.asked)
    missing = sorted(
        name
        for name, one in named.items()
        if one.default is one.empty and one.kind is not one.VAR_POSITIONAL and name not in required
    )
    extra = sorted(properties - set(named)) if not open_ended else []
    problems = [f"the manifest does not require {name}, the function does" for name in missing]
    problems += [f"the manifest has {name}, the function does not" for name in extra]
    if problems:
        raise ConfigError(*(Problem(f"{manifest.name} does not fit its manifest: {one}") for one in problems))


def guarded(
    function: Callable[..., Any],
    tool: GuardedTool,
    session: Callable[[], "Session"],
    on_refusal: OnRefusal,
) -> Callable[..., Any]:
    """The function behind the gate. It has no ``__wrapped__``: nothing that unwraps it gets past the gate."""
    name, shape = tool.manifest.name, tool.shape

    @functools.wraps(function, assigned=("__module__", "__name__", "__qualname__", "__doc__"), updated=())
    def call(*args: Any, **kwargs: Any) -> str:
        def run(arguments: Mapping[str, Any]) -> Any:
            bound = shape.bound(args, kwargs, arguments, _filled(shape, here, name))
            return _collected(function(*bound.args, **bound.kwargs), name)

        here = session()
        return here.call(name, _judged(shape, args, kwargs), run, on_refusal=on_refusal)

    @functools.wraps(function, assigned=("__module__", "__name__", "__qualname__", "__doc__"), updated=())
    async def acall(*args: Any, **kwargs: Any) -> str:
        async def run(arguments: Mapping[str, Any]) -> Any:
            bound = shape.bound(args, kwargs, arguments, _filled(shape, here, name))
            made = function(*bound.args, **bound.kwargs)
            return await made if inspect.isawaitable(made) else _joined([item async for item in made])

        here = session()
        return await here.acall(name, _judged(shape, args, kwargs), run, on_refusal=on_refusal)

    wrapper: Any = acall if _is_async(function) else call
    del wrapper.__wrapped__
    wrapper.__signature__ = shape.signature
    wrapper.__annotations__ = annotations_of(shape.signature)
    setattr(wrapper, _DECLARED, tool)
    made: Callable[..., Any] = wrapper
    return made


def _filled(shape: Shape, session: "Session", tool: str) -> dict[str, Any]:
    filled: dict[str, Any] = {}
    if "principal" in shape.fills:
        filled["principal"] = session.principal
    if "egress" in shape.fills:
        filled["egress"] = session.way_out(tool)
    return filled


def _is_async(function: Callable[..., Any]) -> bool:
    inside = function
    while isinstance(inside, functools.partial):
        inside = inside.func
    candidates = (inside, type(inside).__call__) if not inspect.isroutine(inside) else (inside,)
    return any(inspect.iscoroutinefunction(one) or inspect.isasyncgenfunction(one) for one in candidates)


def _judged(shape: Shape, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> str:
    """The arguments as JSON. A call that Python would refuse is judged as it was made: the schema says to the
    model what is wrong with it."""
    try:
        return as_json(shape.named(args, kwargs))
    except TypeError:
        names = [one.name for one in shape.asked]
        names += [f"argument {number}" for number in range(len(names) + 1, len(args) + 1)]
        return as_json({**dict(zip(names, args, strict=False)), **kwargs})


def _collected(result: Any, name: str) -> Any:
    """What a generator yields is its result. Its effects happen on the way, so it is run to its end here."""
    if inspect.isawaitable(result):
        if inspect.iscoroutine(result):
            result.close()
        raise TypeError(f"{name} returns an awaitable: declare it with `async def`")
    return _joined(list(result)) if inspect.isgenerator(result) else result


def _joined(items: list[Any]) -> Any:
    return "".join(items) if all(isinstance(item, str) for item in items) else items
