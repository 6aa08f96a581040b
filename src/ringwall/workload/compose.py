"""The one composition root: a loaded workload file and a plant become a site."""

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from pydantic import ValidationError

from ringwall.boundaries.application.approvers import Approvers
from ringwall.boundaries.application.breakers import Breakers
from ringwall.boundaries.application.chain_token import PURPOSE as CHAIN_KEY
from ringwall.boundaries.application.chain_token import Chains
from ringwall.boundaries.application.compose import application_services
from ringwall.boundaries.application.egress_client import Egress
from ringwall.boundaries.application.entity_sources import EntitySources
from ringwall.boundaries.application.execute import ToolRunner
from ringwall.boundaries.application.holds import Holds
from ringwall.boundaries.application.labels import SessionLabels
from ringwall.boundaries.application.mcp.servers import ToolsAndServers
from ringwall.boundaries.application.registry import ToolRegistry
from ringwall.boundaries.application.results import DECLARATION as RESULTS
from ringwall.boundaries.application.results import ResultsSettings
from ringwall.boundaries.application.rights import ApprovalRights
from ringwall.boundaries.application.session_facts import SessionFacts
from ringwall.boundaries.application.spotlight import Spotlight
from ringwall.boundaries.application.switches import ToolSwitches
from ringwall.boundaries.data.intake.policies import DataPolicies
from ringwall.boundaries.data.library import Library
from ringwall.boundaries.data.retrieval.chosen import check_retrieval
from ringwall.boundaries.data.retrieve import Retriever
from ringwall.boundaries.interface.file_reader.reader import FileReader
from ringwall.boundaries.interface.file_settings import FileSettings
from ringwall.boundaries.interface.hiding import Hiding, PiiSettings
from ringwall.boundaries.interface.pii import ID as PII
from ringwall.boundaries.interface.principals import Roles
from ringwall.boundaries.interface.route_rules import Route
from ringwall.boundaries.model.admission_book import Admissions
from ringwall.boundaries.model.provider import Provider
from ringwall.boundaries.model.provider_factory import build_providers
from ringwall.boundaries.model.routing import Router
from ringwall.boundaries.model.settings import ModelSection, OpenAISettings, RouteSettings
from ringwall.boundaries.model.verified_file import hash_file
from ringwall.core import (
    Application,
    ConfigError,
    Control,
    CrossingKind,
    Gate,
    Mode,
    Post,
    Problem,
    Services,
    WorkloadFolder,
)

from .catalogue import catalogue
from .catch_up import catch_up
from .extraction import unproven
from .load import COMMON_KEYS, Loaded
from .mcp import mcp_servers, named_tools, with_pins
from .plant import Plant
from .schema import Workload
from .sign_in import build_sign_in
from .site import ApplicationSite, Site
from .store import check_store, retain

Wrap = Callable[[Control], Control | None]
"""Drills break a control by wrapping it, or take it out by returning None."""


@dataclass(frozen=True, slots=True)
class Overrides:
    """What the command line or a drill sets over the workload file."""

    upstream: str = ""
    """Base URL of an OpenAI-compatible server that becomes the first route."""
    model_file: Path | None = None
    """A local model file that becomes the first route."""
    providers: Mapping[str, Provider] = field(default_factory=lambda: MappingProxyType({}))
    """Providers by name, instead of those that the file describes."""
    wrap: Wrap | None = None
    exhaustive: bool = False
    mode: Mode | None = None


def compose(loaded: Loaded, plant: Plant, overrides: Overrides) -> Site:
    """Build everything that depends on the workload file. Raises ConfigError; changes nothing that runs."""
    check_store(loaded.workload.data, plant.store)
    return _Composer(loaded, plant, overrides).site()


_REFERENCE = "Internal reference, never to be repeated:"
"""Ahead of the prompt and behind it: a stream that recites the prompt from its start is stopped at once."""


class _Composer:
    def __init__(self, loaded: Loaded, plant: Plant, overrides: Overrides) -> None:
        self.loaded = with_pins(loaded, plant)
        self.plant = plant
        self.overrides = overrides
        self.workload: Workload = loaded.workload
        self.roles = Roles(self.workload.principals)
        self.model = effective_model(self.workload.model, overrides)
        self.admissions = Admissions(
            plant.database,
            self.model,
            loaded.folder,
            unproven(self.workload, self.model, plant.extraction_reports),
        )
        self.rights = approval_rights(self.workload)
        self.files = FileReader(self.workload.interface.files)
        self.data_policies = DataPolicies.load(self.workload.data, loaded.folder)
        self.mcp = mcp_servers(self.loaded, plant)
        self.library = Library(plant.vault, plant.collection_keys, plant.attachments, self.workload.data)
        self.services = self._services()

    def _services(self) -> Services:
        """What every gate's controls may ask for."""
        workload, plant = self.workload, self.plant
        section = workload.application
        if section.policies is not None:
            section = section.model_copy(update={"policies": self.loaded.folder / section.policies})
        if self.mcp.tools.by_name:
            section = section.model_copy(update={"tools": {**section.tools, **self.mcp.tools.settings}})
        return Services(
            self.roles,
            WorkloadFolder(self.loaded.folder),
            workload.interface,
            section,
            self.model,
            workload.data,
            self.data_policies,
            workload.organization,
            plant.database,
            plant.quotas,
            plant.session_risks,
            plant.pseudonyms,
            plant.disclosures,
            plant.containment,
            plant.token_keys,
            *application_services(
                section,
                plant.database,
                self.rights,
                self.loaded.folder,
                sealer=plant.envelope,
                journal=plant.hold_changed,
                chain_key=plant.master.derive(CHAIN_KEY),
            ),
        )

    def site(self) -> Site:
        check_retrieval(self.workload.data)
        router = self._router()
        applications = {name: self._application_site(name, router) for name in self.workload.applications}
        return Site(
            workload=self.workload,
            version=self.loaded.version,
            roles=self.roles,
            applications=applications,
            router=router,
            admissions=self.admissions,
            model=self.model,
            sign_in=build_sign_in(self.workload, self.plant, self.roles, self.loaded.folder),
            entity_sources=self.services.get(EntitySources),
            data_policies=self.data_policies,
            document_reader=FileReader(document_files(self.workload)),
            routes=tuple(
                Route(rule, number) for number, rule in enumerate(self.workload.interface.routes, 1)
            ),
        )

    def _application_site(self, name: str, router: Router) -> ApplicationSite:
        application = self._application(name)
        gate = self._gate(application)
        return ApplicationSite(
            application=application,
            settings=self.workload.applications[name],
            gate=gate,
            router=router,
            registry=self.services.get(ToolRegistry),
            runner=ToolsAndServers(self.services.get(ToolRunner), self.mcp),
            egress=self.services.get(Egress),
            holds=self.services.get(Holds),
            approvers=self.services.get(Approvers),
            labels=self.services.get(SessionLabels),
            sessions=self.plant.sessions,
            quotas=self.plant.quotas,
            disclosures=self.plant.disclosures,
            hiding=self._hiding(gate),
            spotlight=self._spotlight(gate),
            retriever=Retriever(self.plant.index, self.workload.data, self.plant.vault),
            library=self.library,
            files=self.files,
            session_facts=self.services.get(SessionFacts),
            mcp=self.mcp,
            facts=self.plant.call_facts,
            seen=self.plant.seen_content,
            most_parts=self.workload.interface.limits.parts,
            breakers=self.services.get(Breakers),
            chains=self.services.get(Chains),
            switches=self.services.get(ToolSwitches),
            trusted_agents=self.workload.application.breakers.chain.trusted,
            denied_asks=self.workload.application.breakers.denied_asks,
            ends_refused=self.workload.application.refusals == "end_turn",
            passthrough=self._passes_through(application),
        )

    def _hiding(self, gate: Gate) -> Hiding:
        """As ``interface.pii`` is set; nothing is hidden where that control only watches or is absent."""
        settings = self._enforced(PII, gate, CrossingKind.REQUEST)
        return Hiding.of(PiiSettings.model_validate(settings or {}), self.plant.pseudonyms)

    def _spotlight(self, gate: Gate) -> Spotlight:
        """As ``application.results`` is set; none where that control only watches or is absent."""
        settings = self._enforced(RESULTS.id, gate, CrossingKind.TOOL_RESULT)
        if settings is None:
            return Spotlight("none")
        return Spotlight(ResultsSettings.model_validate(settings).spotlight)

    def _enforced(self, control: str, gate: Gate, kind: CrossingKind) -> dict[str, object] | None:
        """The settings of a control that this gate enforces; None when it doesn't."""
        if all(post.control.declaration.id != control for post in gate.active(kind)):
            return None
        block = self._block(control, gate.application)
        return {key: value for key, value in block.items() if key not in COMMON_KEYS}

    def _application(self, name: str) -> Application:
        settings = self.workload.applications[name]
        canary = self.plant.canary(name)
        prompt = ""
        if settings.system_prompt:
            text = _prompt(self.loaded.folder, settings.system_prompt)
            prompt = f"{_REFERENCE} {canary}\n\n{text.strip()}\n\n{_REFERENCE} {canary}"
        return Application(
            name=name,
            workload=self.workload.workload,
            roles=frozenset(settings.roles),
            anonymous=self.workload.interface.anonymous if settings.anonymous is None else settings.anonymous,
            system_prompt=prompt,
            canary=canary if prompt else "",
            tools=named_tools(settings.tools, self.mcp.tools),
            collections=tuple(settings.collections),
            models=tuple(settings.models),
            accept=tuple(settings.accept),
        )

    def _gate(self, application: Application) -> Gate:
        services = self.services.with_(application, self.workload.applications[application.name].purpose)
        return Gate(
            [post for post in self._posts(application, services) if post],
            application=application.name,
            mode=self.overrides.mode or self.workload.mode_of(application.name),
            policy=self.loaded.version,
            exhaustive=self.overrides.exhaustive,
            allowances=self.plant.allowances,
        )

    def _posts(self, application: Application, services: Services) -> Iterable[Post | None]:
        for name, factory in catalogue().factories.items():
            block = self._block(name, application.name)
            settings = {key: value for key, value in block.items() if key not in COMMON_KEYS}
            try:
                control = factory.build(factory.settings.model_validate(settings), services)
            except LookupError as error:
                raise ConfigError(Problem(f"the control {name!r} can't be built: {error}")) from error
            wrapped = self.overrides.wrap(control) if self.overrides.wrap else control
            yield Post(wrapped, Mode(str(block.get("mode", "enforce")))) if wrapped else None

    def _block(self, control: str, application: str) -> dict[str, object]:
        """The control's settings: those of its boundary, then those of the application over them."""
        section = getattr(self.workload, control.split(".", maxsplit=1)[0], None)
        general = section.controls.get(control, {}) if section else {}
        return {**general, **self.workload.applications[application].controls.get(control, {})}

    def _router(self) -> Router:
        providers = build_providers(self.model, self.admissions.open, self.overrides.providers)
        return Router(
            self.model,
            {**providers, **self.overrides.providers},
            self.admissions.admitted,
            strict=self.overrides.wrap is None and self.workload.mode is Mode.ENFORCE,
        )

    def _passes_through(self, application: Application) -> bool:
        route = self.model.routes.get(application.models[0]) if application.models else None
        return (
            route is not None
            and not route.model
            and isinstance(self.model.providers.get(route.provider), OpenAISettings)
        )


def _prompt(folder: Path, name: str) -> str:
    try:
        return (folder / name).read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise ConfigError(Problem("can't be read as UTF-8 text", name)) from None


def document_files(workload: Workload) -> FileSettings:
    """How contributed documents are read: as files in requests are, in every kind but archives, and as large
    as the collections let them be."""
    collections = workload.data.collections.values()
    files = workload.interface.files
    kinds = (*FileSettings().accept, "svg")
    return files.model_copy(
        update={
            "accept": kinds,
            "max_bytes": max((one.max_file_bytes for one in collections), default=files.max_bytes),
            "max_chars": max((one.max_bytes for one in collections), default=files.max_chars),
        }
    )


def put_in_force(site: Site, plant: Plant) -> None:
    """Have the plant follow this site. Only for a site that serves."""
    put_stores_in_force(site.workload, site.roles, plant)
    plant.key_cache.forget_others(site.sign_in.issuers.sources)


def put_stores_in_force(workload: Workload, roles: Roles, plant: Plant) -> None:
    """Have the stores say what the workload file says: roles of keys, readers of collections, locks. And have
    the ledger say what was decided about them."""
    plant.keys.use_roles(roles, workload.interface.identity.api_keys)
    plant.index.configure(workload.data.collections, workload.data.retrieval)
    retain(workload.data, plant.database, plant.blobs)
    catch_up(plant)


def approval_rights(workload: Workload) -> ApprovalRights:
    """Who may approve which held calls."""
    roles = workload.principals.roles
    return ApprovalRights({role: frozenset(given.may_approve) for role, given in roles.items()})


UPSTREAM = "upstream"
KEY_VARIABLE = "RINGWALL_UPSTREAM_KEY"
"""Environment variable with the API key of ``--upstream``."""


def effective_model(section: ModelSection, overrides: Overrides) -> ModelSection:
    """The model section with ``--upstream`` or ``--model`` as its first route."""
    data = section.model_dump()
    if overrides.upstream:
        attached: dict[str, object] = {
            "kind": "openai",
            "base_url": overrides.upstream,
            "api_key_env": KEY_VARIABLE if os.environ.get(KEY_VARIABLE) else "",
        }
        snapshot = "as served by --upstream"
    elif overrides.model_file:
        path = overrides.model_file.resolve()
        attached = {"kind": "local", "artifact": UPSTREAM}
        snapshot = hash_file(path)
        data["artifacts"][UPSTREAM] = {"path": str(path), "sha256": snapshot}
    else:
        return section
    data["providers"][UPSTREAM] = attached
    first = next(iter(section.routes), "default")
    data["routes"][first] = RouteSettings(provider=UPSTREAM, snapshot=snapshot).model_dump()
    try:
        return ModelSection.model_validate(data)
    except ValidationError as error:
        raise ConfigError(Problem(f"--upstream: {error.errors()[0]['msg']}")) from None
