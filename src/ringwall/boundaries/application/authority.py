"""The decision about one tool call: Cedar, asked with facts that the gateway holds and no model wrote."""

import json
from collections import OrderedDict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import cedarpy

from ringwall.cedar import plain, user_id
from ringwall.core import Action, Integrity, Label, Principal, untrusted

from .cedar_policies import Policy, PolicyPack
from .cedar_types import Fields, Unfit, arguments_type
from .effect import Effect
from .entities import NOTHING_LISTED, Entities, Listed, destinations, leaf_texts
from .provenance import below
from .registry import Manifest, ToolRegistry
from .rights import ApprovalRights
from .web_addresses import MAX_ADDRESSES, web_addresses

_PEOPLE = 1024
_OFFERS = 8192
_OWN = frozenset({"model", "user", "system"})
_UNKNOWN = untrusted("unknown")


class Found(NamedTuple):
    """What the gateway found in the session for one call: the last fields of ``Call``."""

    asked: Collection[Effect]
    listed: Listed
    verbatim: Collection[str]
    linking: Collection[str]


@dataclass(frozen=True, slots=True)
class Call:
    """What is decided about."""

    principal: Principal
    tool: Manifest
    arguments: Mapping[str, Any]
    labels: Mapping[str, Label] = field(default_factory=dict)
    """By path (``provenance.Provenance.of``). What has no label counts as untrusted."""
    session: Label | None = None
    """The join over all content of the session; None: the worst is assumed."""
    approved: bool = False
    """Whether a person approved exactly this call."""
    asked: Collection[Effect] = frozenset()
    """Effects that the user's own words ask for (``asked.asked_by``)."""
    listed: Listed = NOTHING_LISTED
    """What directories of this session name as known."""
    verbatim: Collection[str] = frozenset()
    """Arguments that are an address just as it stands in content that the session has seen."""
    linking: Collection[str] = frozenset()
    """Arguments that hold an address which neither user nor system wrote."""


@dataclass(frozen=True, slots=True)
class Ruling:
    action: Action
    """ALLOW, HOLD or BLOCK."""
    policies: tuple[Policy, ...] = ()
    """Those that determined it; empty when nothing permitted the call."""
    problem: str = ""
    """Why no decision was possible: then it is BLOCK."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """The Cedar context that was asked with."""

    @property
    def reasons(self) -> tuple[str, ...]:
        """Sentences for people and the model."""
        given = tuple(sorted({policy.reason for policy in self.policies if policy.reason}))
        return given or ("The policies of this workload do not permit this call.",)


@dataclass(frozen=True, slots=True)
class Classes:
    """Data classes with a meaning for the default pack."""

    restricted: frozenset[str] = frozenset()
    private: frozenset[str] = frozenset()
    """Empty: every class but ``public``."""

    def has_private(self, label: Label) -> bool:
        classes = label.sensitivity
        return bool(classes & self.private if self.private else classes - {"public"})


class Authority:
    """One per version of the workload. Holds parsed policies and entities."""

    def __init__(
        self,
        registry: ToolRegistry,
        pack: PolicyPack,
        entities: Entities,
        rights: ApprovalRights,
        classes: Classes,
    ) -> None:
        self._pack = pack
        self._entities = entities
        self._rights = rights
        self._classes = classes
        self._types: dict[str, Fields] = {tool.name: arguments_type(tool.parameters) for tool in registry}
        tools = [_tool_entity(tool) for tool in registry]
        actions = [_action_entity(tool) for tool in registry]
        self._base = cedarpy.Entities.from_json_str(json.dumps(tools + actions))
        self._people: OrderedDict[tuple[object, ...], cedarpy.Entities] = OrderedDict()
        self._offers: OrderedDict[tuple[object, ...], Ruling] = OrderedDict()

    def rule(self, call: Call) -> Ruling:
        """Permit, hold or deny. A forbid that can't be evaluated denies: Cedar itself would skip it."""
        try:
            facts = self._facts(call)
        except Unfit as error:
            return Ruling(Action.BLOCK, problem=f"the arguments do not fit the declared types: {error}")
        ruling = self._ask(self._pack.firm if call.approved else self._pack.full, call, facts)
        if ruling.action is not Action.BLOCK or call.approved or ruling.problem:
            return ruling
        if not ruling.policies or not all(policy.hold for policy in ruling.policies):
            return ruling
        without_holds = self._ask(self._pack.firm, call, facts)
        if without_holds.action is not Action.ALLOW:
            return without_holds
        return Ruling(Action.HOLD, ruling.policies, facts=facts)

    def offers(self, principal: Principal, tool: Manifest) -> Ruling:
        """Whether any call of the tool by this principal could be permitted: BLOCK says that none could."""
        key = (*_person_key(principal), tool.name)
        known = self._offers.get(key)
        if known is None:
            request = _request(principal, tool, {})
            result = cedarpy.is_authorized(request, self._pack.offers, self._person(principal))
            determining = tuple(self._pack.policies[name] for name in sorted(result.diagnostics.reasons))
            known = self._offers[key] = Ruling(Action.ALLOW if result.allowed else Action.BLOCK, determining)
            if len(self._offers) > _OFFERS:
                self._offers.popitem(last=False)
        return known

    def _ask(self, policies: cedarpy.PolicySet, call: Call, facts: Mapping[str, Any]) -> Ruling:
        reads = self._pack.reads
        if reads is not None:
            given = {name: entry for name, entry in facts["args"].items() if name in reads}
            facts_given: Mapping[str, Any] = {**facts, "args": given}
        else:
            facts_given = facts
        request = _request(call.principal, call.tool, facts_given)
        result = cedarpy.is_authorized(request, policies, self._person(call.principal))
        if result.decision is cedarpy.Decision.NoDecision or result.diagnostics.errors:
            return Ruling(Action.BLOCK, problem="a policy could not be evaluated", facts=facts)
        determining = tuple(self._pack.policies[name] for name in sorted(result.diagnostics.reasons))
        return Ruling(Action.ALLOW if result.allowed else Action.BLOCK, determining, facts=facts)

    def _facts(self, call: Call) -> dict[str, Any]:
        kinds = self._types[call.tool.name]
        values = kinds.value(call.arguments)
        labels = {name: _label(call.labels, name, value) for name, value in call.arguments.items()}
        classes = frozenset().union(*(label.sensitivity for label in labels.values()))
        arguments = {
            name: {
                "value": value,
                "integrity": str(labels[name].integrity),
                "origin": [plain(origin) for origin in sorted(labels[name].origin)],
                "sensitivity": [plain(cls) for cls in sorted(labels[name].sensitivity)],
                "known": self._entities.knows_value(call.arguments[name], call.listed),
            }
            for name, value in values.items()
        }
        tainted = call.session is None or from_outside(call.session)
        private = call.session is None or self._classes.has_private(call.session)
        return {
            "args": arguments,
            "approved": call.approved,
            "asked": call.tool.effect in call.asked,
            "links": {"untrusted": self._links(call)},
            "restricted": not classes.isdisjoint(self._classes.restricted),
            "sensitivity": [plain(cls) for cls in sorted(classes)],
            "session": {"untrusted": tainted, "private": private},
            "target": self._target(call, labels, tainted),
        }

    def _links(self, call: Call) -> bool:
        """Whether what is sent along, the targets left out, holds an address that is neither known nor
        vouched for."""
        beside = set(call.linking).difference(targets(call.tool, call.arguments))
        found = [web_addresses(text) for name in beside for text in leaf_texts(call.arguments.get(name))]
        return any(
            len(addresses) > MAX_ADDRESSES or not all(map(self._entities.knows_address, addresses))
            for addresses in found
        )

    def _target(self, call: Call, labels: Mapping[str, Label], tainted: bool) -> dict[str, bool]:
        names = targets(call.tool, call.arguments)
        known = [name for name in names if self._entities.knows_value(call.arguments[name], call.listed)]
        named = [name for name in names if labels[name].integrity >= Integrity.USER]
        doubtful = [labels[name] for name in names if name not in known and name not in named]
        return {
            "present": bool(names),
            "known": bool(names) and len(known) == len(names),
            "named": bool(names) and len(named) == len(names),
            "sure": bool(names) and not doubtful,
            # In a session that has seen outside content, the model's own words may be that content's.
            "untrusted": any(tainted or from_outside(label) for label in doubtful),
            "verbatim": bool(names) and all(name in call.verbatim for name in names if name not in known),
        }

    def _person(self, principal: Principal) -> cedarpy.Entities:
        key = _person_key(principal)
        known = self._people.get(key)
        if known is None:
            entity = _user_entity(principal, self._rights.tools(principal))
            known = self._people[key] = self._base.with_added_json_str(json.dumps([entity]))
            if len(self._people) > _PEOPLE:
                self._people.popitem(last=False)
        return known


def _request(principal: Principal, tool: Manifest, context: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "principal": {"type": "User", "id": user_id(principal)},
        "action": {"type": "Action", "id": tool.name},
        "resource": {"type": "Tool", "id": tool.name},
        "context": json.dumps(context),
    }


def _person_key(principal: Principal) -> tuple[object, ...]:
    attributes = tuple(sorted(principal.attributes.items()))
    return (principal.tenant, principal.subject, principal.roles, attributes)


def _label(labels: Mapping[str, Label], name: str, value: Any) -> Label:
    if isinstance(value, (Mapping, list, tuple)):
        return below(labels, name, _UNKNOWN)
    return labels.get(name, _UNKNOWN)


def targets(tool: Manifest, arguments: Mapping[str, Any]) -> list[str]:
    """Arguments of the call that say where the effect goes: those declared as ``target``; where none is,
    those that hold a URL or a mailbox."""
    if tool.settings.target:
        return [name for name in tool.settings.target if arguments.get(name) is not None]
    return [
        name
        for name, value in arguments.items()
        if any(next(destinations(text), None) is not None for text in leaf_texts(value))
    ]


def from_outside(label: Label) -> bool:
    """Whether content from outside is in it; what the model wrote by itself is not."""
    return label.integrity is Integrity.UNTRUSTED and not (label.origin and label.origin <= _OWN)


def _user_entity(principal: Principal, may_approve: frozenset[str]) -> dict[str, Any]:
    return {
        "uid": {"type": "User", "id": user_id(principal)},
        "attrs": {
            "subject": plain(principal.subject),
            "tenant": plain(principal.tenant),
            "may_approve": sorted(may_approve),
        },
        "parents": [{"type": "Role", "id": plain(role)} for role in sorted(principal.roles)],
        "tags": {plain(name): plain(value) for name, value in principal.attributes.items()},
    }


def _tool_entity(tool: Manifest) -> dict[str, Any]:
    roles = [{"__entity": {"type": "Role", "id": plain(role)}} for role in sorted(tool.roles)]
    return {
        "uid": {"type": "Tool", "id": tool.name},
        "attrs": {
            "name": tool.name,
            "effect": str(tool.effect),
            "reversible": tool.settings.reversible,
            "open": not tool.roles,
            "roles": roles,
        },
        "parents": [],
    }


def _action_entity(tool: Manifest) -> dict[str, Any]:
    group = {"type": "Action", "id": f"effect/{tool.effect}"}
    return {"uid": {"type": "Action", "id": tool.name}, "attrs": {}, "parents": [group]}
