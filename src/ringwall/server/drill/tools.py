"""Tools in a drill: those that read run, those that would change something only say that they were called."""

from collections.abc import Mapping
from typing import Any

from ringwall.boundaries.application.egress_crossing import Decide
from ringwall.boundaries.application.execute import ToolOutcome
from ringwall.boundaries.application.registry import ToolRegistry
from ringwall.boundaries.application.settings import Effect
from ringwall.core import Principal
from ringwall.workload.site import Runner

_REAL = {Effect.READ, Effect.FETCH}


class DrillTools:
    """Stands in for the ToolRunner. A drill may be run against a workload with real tools."""

    def __init__(self, real: Runner, registry: ToolRegistry) -> None:
        self._real = real
        self._registry = registry

    def runs(self, tool: str) -> bool:
        return self._real.runs(tool)

    async def run(
        self,
        tool: str,
        arguments: Mapping[str, Any],
        principal: Principal,
        *,
        decide: Decide | None = None,
        chain: str = "",
    ) -> ToolOutcome:
        manifest = self._registry.get(tool)
        if manifest is not None and manifest.effect in _REAL:
            return await self._real.run(tool, arguments, principal, decide=decide, chain=chain)
        return ToolOutcome("Done. (A drill: nothing was carried out.)")

    def close(self) -> None:
        self._real.close()
