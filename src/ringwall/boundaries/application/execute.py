"""Runs the tools that the gateway runs itself: ``run: {python: "file.py:function"}``."""

import asyncio
import hashlib
import importlib.util
import inspect
import json
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from pydantic_core import to_jsonable_python

from ringwall.core import ConfigError, Principal, Problem, RingwallError

from .chain_token import CURRENT
from .egress_client import Egress
from .egress_crossing import Decide
from .registry import Manifest, ToolRegistry
from .switches import ToolSwitches

MAX_RESULT = 200_000
"""Characters of a result; a longer one is cut and says so."""
_THREADS = 8
CUT = "\n[cut: the result was too long]"


class ToolFault(Exception):
    """Raised by a tool for a mistake that model and user may read, such as an unknown order number."""


@dataclass(frozen=True, slots=True)
class ToolOutcome:
    text: str
    """What the model gets: JSON for structured results, else the text."""
    failed: bool = False
    unsure: bool = False
    """It failed, and may have had its effect all the same: it broke midway or did not answer in time."""


@dataclass(frozen=True, slots=True)
class _Tool:
    function: Callable[..., Any]
    timeout: float
    offers: frozenset[str]
    """Which of ``principal``, ``egress`` and ``chain`` it takes."""


class ToolRunner:
    """The functions come from the operator's files beside the workload file, never from a request.

    A synchronous function runs in a thread; one that outlives its time-out is reported as failed and keeps
    its thread until it ends. ``principal``, ``egress`` and ``chain`` are handed in by keyword to a function
    that takes them, so an argument of a manifest can't have these names.

    The kill switches are asked once more here: whatever was decided, no call begins after one was thrown.
    """

    def __init__(
        self,
        registry: ToolRegistry,
        directory: Path,
        *,
        egress: Egress | None = None,
        switches: ToolSwitches | None = None,
    ) -> None:
        """``directory`` is that of the workload file. Raises ConfigError for a tool that can't be loaded."""
        self._egress = egress
        self._switches = switches
        self._effects = {tool.name: tool.effect for tool in registry}
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="ringwall-tool")
        modules: dict[Path, ModuleType] = {}
        self._tools = {
            tool.name: _load(tool, directory.resolve(), modules)
            for tool in registry
            if tool.settings.run is not None
        }

    def runs(self, tool: str) -> bool:
        """Whether the gateway runs this tool; else the client does."""
        return tool in self._tools

    async def run(
        self,
        tool: str,
        arguments: Mapping[str, Any],
        principal: Principal,
        *,
        decide: Decide | None = None,
        chain: str = "",
    ) -> ToolOutcome:
        """Never raises on account of the tool. Call only what a decision has let through. ``decide`` is asked
        for each of its requests out; ``chain`` is the token of the turn, for tools that ask other agents."""
        known = self._tools.get(tool)
        if known is None:
            return ToolOutcome("This tool is not run here.", failed=True)
        if self._switches is not None and self._switches.off(tool, self._effects[tool]):
            return ToolOutcome("Not done: this tool is switched off for now.", failed=True)
        egress = self._egress.bound(tool, decide) if self._egress else None
        offered = {"principal": principal, "egress": egress, "chain": chain}
        extra = {name: offered[name] for name in known.offers}
        on_chain = CURRENT.set(chain)
        try:
            async with asyncio.timeout(known.timeout):
                return ToolOutcome(result_text(await self._call(known, {**arguments, **extra})))
        except TimeoutError:
            return ToolOutcome("The tool did not answer in time.", failed=True, unsure=True)
        except (ToolFault, RingwallError) as fault:
            return ToolOutcome(_bounded(str(fault)), failed=True)
        except Exception:  # noqa: BLE001  whatever a tool raises is its failure; what it says may be internal
            return ToolOutcome("The tool failed.", failed=True, unsure=True)
        finally:
            CURRENT.reset(on_chain)

    async def _call(self, tool: _Tool, arguments: Mapping[str, Any]) -> Any:
        if inspect.iscoroutinefunction(tool.function):
            return await tool.function(**arguments)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, lambda: tool.function(**arguments))

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


def _load(tool: Manifest, directory: Path, modules: dict[Path, ModuleType]) -> _Tool:
    run = tool.settings.run
    assert run is not None  # noqa: S101  the caller asked
    file, _, name = run.python.rpartition(":")
    where = f"application.tools.{tool.name}.run"
    path = (directory / file).resolve()
    if not path.is_relative_to(directory):
        raise ConfigError(Problem(f"{where}: {file} lies outside the folder of the workload file."))
    if path not in modules:
        modules[path] = _module(path, file, where)
    function = getattr(modules[path], name, None)
    if not callable(function):
        raise ConfigError(Problem(f"{where}: {file} has no function {name}."))
    taken = frozenset(inspect.signature(function).parameters) & {"principal", "egress", "chain"}
    clash = taken & set(tool.parameters.get("properties", {}))
    if clash:
        raise ConfigError(Problem(f"{where}: the argument {min(clash)} is given by the gateway; rename it."))
    return _Tool(function, run.timeout_s, taken)


def _module(path: Path, file: str, where: str) -> ModuleType:
    name = "ringwall_tools_" + hashlib.sha256(str(path).encode()).hexdigest()[:16]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise ConfigError(Problem(f"{where}: there is no file {file} beside the workload file."))
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and type hints of the file look themselves up there
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise ConfigError(
            Problem(f"{where}: {file} can't be loaded: {type(error).__name__}: {error}")
        ) from error
    return module


def result_text(result: Any) -> str:
    """What a tool returned, as a model reads it: text as it is, anything else as JSON; bounded."""
    if isinstance(result, str):
        return _bounded(str(result))
    plain = to_jsonable_python(result, fallback=str, bytes_mode="base64")
    return _bounded(json.dumps(plain, ensure_ascii=False))


def _bounded(text: str) -> str:
    return text if len(text) <= MAX_RESULT else text[:MAX_RESULT] + CUT
