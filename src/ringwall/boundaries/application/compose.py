"""What this boundary's controls are built from, in one place for the composition root."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ringwall.storage.database import Database
from ringwall.storage.shared_counters import SharedCounters

from .approvers import Approvers
from .arguments import ArgumentsControl, ArgumentsSettings
from .authority import Authority, Classes
from .breakers import Breakers
from .cedar_policies import Source, default_source, load_policies, read_source
from .chain_token import Chains
from .directory import Directories
from .egress_client import Egress
from .entities import Entities, Fetched
from .entity_sources import EntitySources
from .entity_store import EntityStore
from .execute import ToolRunner
from .hold import Hold, HoldEvent, Sealer
from .hold_outbox import Outbox
from .hold_settings import WebhookSettings
from .holds import Holds, Journal
from .labels import SessionLabels
from .provenance import Provenance
from .registry import ToolRegistry
from .rights import ApprovalRights
from .session_facts import SessionFacts
from .settings import ApplicationSection
from .switches import ToolSwitches


@dataclass(frozen=True, slots=True)
class PolicyServices:
    """What a version of the workload file decides with. Needs no database: enough for ``ringwall check``
    and ``ringwall policy``."""

    registry: ToolRegistry
    entities: Entities
    authority: Authority
    approvers: Approvers


def policy_services(
    section: ApplicationSection,
    rights: ApprovalRights,
    *,
    extra: Sequence[Source] = (),
    fetched: Fetched | None = None,
) -> PolicyServices:
    """Raises ConfigError for schemas and policies that can't be used. ``section.policies`` must be absolute,
    or relative to the current directory. Without ``fetched``, what services name is not known."""
    registry = ToolRegistry.of(section.tools)
    entities = Entities(section.known_entities, section.egress, fetched)
    sources = [default_source()] if section.default_policies else []
    if section.policies is not None:
        sources.append(read_source(section.policies))
    pack = load_policies(registry, [*sources, *extra])
    classes = Classes(section.restricted, section.private)
    authority = Authority(registry, pack, entities, rights, classes)
    return PolicyServices(registry, entities, authority, Approvers(pack, section.holds.confirm))


def application_services(
    section: ApplicationSection,
    database: Database,
    rights: ApprovalRights,
    directory: Path,
    *,
    sealer: Sealer | None = None,
    journal: Journal | None = None,
    chain_key: bytes | None = None,
) -> tuple[object, ...]:
    """Every instance to offer through ``core.Services``: ToolRegistry, Entities, EntitySources, Authority,
    ApprovalRights, BreakerSettings, Breakers, Chains, ToolSwitches, SessionLabels, Holds, Approvers,
    SessionFacts, Egress, ToolRunner.

    ``directory`` is that of the workload file; ``journal`` is told of every change of a hold. Without a
    ``chain_key``, no other process takes the tokens of chains that are handed out here. On a reload, build
    anew: what must last is in the database.
    """
    sources = EntitySources(section.known_entities.sources, EntityStore(database, sealer))
    policy = policy_services(section, rights, fetched=sources if sources else None)
    egress = Egress(section.egress)
    switches = ToolSwitches(database)
    return (
        policy.registry,
        policy.entities,
        sources,
        policy.authority,
        rights,
        section.breakers,
        Breakers(section.breakers, policy.registry, SharedCounters(database)),
        Chains(chain_key or os.urandom(32), section.breakers.chain.expire_s),
        switches,
        SessionLabels(database),
        Holds(
            database,
            rights,
            expire_s=section.holds.expire_s,
            wait_s=section.holds.wait_s,
            sealer=sealer,
            journal=_journal(journal, Outbox(database), section.holds.webhooks),
            misfit=ArgumentsControl(ArgumentsSettings(), policy.registry).misfit,
        ),
        policy.approvers,
        SessionFacts(Provenance(), Directories(section.known_entities.directories)),
        egress,
        ToolRunner(policy.registry, directory, egress=egress, switches=switches),
    )


def _journal(record: Journal | None, outbox: Outbox, webhooks: Sequence[WebhookSettings]) -> Journal:
    """A change of a hold is put on record, then told to webhooks."""

    def tell(event: HoldEvent, hold: Hold, subject: str, tenant: str) -> None:
        if record is not None:
            record(event, hold, subject, tenant)
        outbox.put(webhooks, event, hold, f"{tenant}/{subject}")

    return tell
