"""A workload in working order: one version of the configuration, wired to the plant. Immutable once built."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import orjson

from ringwall.boundaries.application.approvers import Approvers
from ringwall.boundaries.application.breakers import Breakers
from ringwall.boundaries.application.chain_token import Chains
from ringwall.boundaries.application.egress_client import Egress
from ringwall.boundaries.application.egress_crossing import Decide
from ringwall.boundaries.application.entity_sources import EntitySources
from ringwall.boundaries.application.execute import ToolOutcome
from ringwall.boundaries.application.holds import Holds
from ringwall.boundaries.application.labels import SessionLabels
from ringwall.boundaries.application.mcp.call_facts import CallFacts
from ringwall.boundaries.application.mcp.seen import SeenContent
from ringwall.boundaries.application.mcp.servers import McpServers
from ringwall.boundaries.application.registry import ToolRegistry
from ringwall.boundaries.application.session_facts import Background, SessionFacts
from ringwall.boundaries.application.spotlight import Spotlight
from ringwall.boundaries.application.switches import ToolSwitches
from ringwall.boundaries.data.index import Chunk
from ringwall.boundaries.data.intake.policies import DataPolicies
from ringwall.boundaries.data.library import Library
from ringwall.boundaries.data.retrieval.within import Within
from ringwall.boundaries.data.retrieve import Retriever
from ringwall.boundaries.interface.disclosures import Disclosures
from ringwall.boundaries.interface.file_reader.reader import FileReader
from ringwall.boundaries.interface.hiding import Hiding
from ringwall.boundaries.interface.principals import Roles
from ringwall.boundaries.interface.quota import Quotas
from ringwall.boundaries.interface.route_rules import Route
from ringwall.boundaries.interface.sign_in.sign_in import SignIn
from ringwall.boundaries.model.admission_book import Admissions
from ringwall.boundaries.model.routing import Router
from ringwall.boundaries.model.settings import ModelSection
from ringwall.core import Application, Gate, Integrity, Label, Part, PartKind, Principal, untrusted
from ringwall.wire.errors import WireError
from ringwall.wire.sessions import Sessions

from .schema import ApplicationSettings, Workload


class Runner(Protocol):
    """``ToolsAndServers``, or what a drill puts in its place."""

    def runs(self, tool: str) -> bool: ...

    async def run(
        self,
        tool: str,
        arguments: Mapping[str, Any],
        principal: Principal,
        *,
        decide: Decide | None = None,
        chain: str = "",
    ) -> ToolOutcome: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class ApplicationSite:
    """One application: its gate, and the services that its turns use."""

    application: Application
    settings: ApplicationSettings
    gate: Gate
    router: Router
    registry: ToolRegistry
    runner: Runner
    egress: Egress
    holds: Holds
    approvers: Approvers
    labels: SessionLabels
    sessions: Sessions
    quotas: Quotas
    disclosures: Disclosures
    hiding: Hiding
    spotlight: Spotlight
    retriever: Retriever
    library: Library
    files: FileReader
    session_facts: SessionFacts
    mcp: McpServers
    facts: CallFacts
    """Of calls that were handed to clients."""
    seen: SeenContent
    """What clients of MCP were given."""
    breakers: Breakers
    chains: Chains
    switches: ToolSwitches
    trusted_agents: frozenset[str] = frozenset()
    """``application.breakers.chain.trusted``."""
    most_parts: int = 400
    """``interface.limits.parts``."""
    denied_asks: int = 10
    """How often the model is asked again in one turn after a refusal."""
    ends_refused: bool = False
    """``application.refusals: end_turn``."""
    careful: bool = True
    """False on the ground of a drill: then monitor mode lets everything happen, to see what would."""
    passthrough: bool = False
    """Whether the first route takes any model name and hands it to its provider."""

    def resolve(self, model: str) -> str:
        """The route that a client's model name stands for. Raises WireError (404)."""
        if model in self.application.models:
            return model
        if self.passthrough:
            return self.application.models[0]
        known = ", ".join(self.application.models)
        message = f"There is no model {model[:64]!r} here. Available: {known}."
        raise WireError(404, message, "model_not_found", "model")

    def tool_label(self, name: str) -> Label:
        """What is known of the results of a tool; an unknown tool's are untrusted."""
        manifest = self.registry.get(name)
        return manifest.result_label if manifest else untrusted(f"tool:{name or 'unknown'}")

    def client_tool_label(self, name: str) -> Label:
        """The label of a result that a client sends: it may be made up, so it is never more than the user's
        word; of a tool that the gateway runs, a client has no results at all."""
        label = self.tool_label(name)
        ceiling = Integrity.UNTRUSTED if self.runs(name) else Integrity.USER
        return replace(label, integrity=min(label.integrity, ceiling))

    def gateway_tools(self) -> list[dict[str, Any]]:
        """Tools of the application that the gateway runs itself, as a client would declare them."""
        manifests = [self.registry.get(name) for name in self.application.tools]
        return [manifest.openai() for manifest in manifests if manifest and self.runs(manifest.name)]

    def offer_part(self, tool: dict[str, Any]) -> Part:
        """A declared tool as a part of the TOOL_OFFER crossing."""
        function = tool["function"]
        text = orjson.dumps(function).decode()
        return Part(PartKind.TOOL_OFFER, text, untrusted("client"), name=function["name"], data=function)

    def runs(self, tool: str) -> bool:
        """Whether the gateway runs this tool."""
        return self.runner.runs(tool)

    async def run_tool(
        self,
        name: str,
        arguments: Mapping[str, Any],
        principal: Principal,
        *,
        decide: Decide | None = None,
        chain: str = "",
    ) -> ToolOutcome:
        """The tool's result, or a sentence that says how it failed. ``decide`` is asked for each of its
        requests out."""
        return await self.runner.run(name, arguments, principal, decide=decide, chain=chain)

    def background(self, content: Sequence[Part], call: Part) -> Background:
        """Where each argument of the call came from, and what the user asked for."""
        manifest = self.registry.get(call.name)
        return self.session_facts.of(content, call.data, manifest.parameters if manifest else None)

    async def retrieve(
        self,
        principal: Principal,
        query: str,
        collections: Sequence[str] | None = None,
        top_k: int | None = None,
        within: Within | None = None,
    ) -> list[Chunk]:
        """Passages that this principal may read, best first, of the application's collections or of some of
        them; ``within``: only of these. They have not passed the gate."""
        own = self.application.collections
        asked = own if collections is None else [name for name in collections if name in own]
        if not asked:
            return []
        return await asyncio.to_thread(self.retriever.search, principal, asked, query, top_k, within)


@dataclass(frozen=True, slots=True)
class Site:
    """All applications of a workload under one version of its file."""

    workload: Workload
    version: str
    roles: Roles
    applications: Mapping[str, ApplicationSite]
    router: Router
    admissions: Admissions
    model: ModelSection
    """The model section in force, command-line overrides included."""
    sign_in: SignIn
    entity_sources: EntitySources
    """``application.known_entities.sources``, as all applications know them."""
    data_policies: DataPolicies
    document_reader: FileReader
    """Reads contributed documents that are no text files."""
    routes: tuple[Route, ...] = ()
    """Rules ahead of any credential."""

    def application(self, name: str = "") -> ApplicationSite:
        """The named application, or the first one. Raises WireError (404)."""
        if not name:
            return next(iter(self.applications.values()))
        try:
            return self.applications[name]
        except KeyError:
            raise WireError(404, f"There is no application {name[:64]!r} here.", "not_found") from None
