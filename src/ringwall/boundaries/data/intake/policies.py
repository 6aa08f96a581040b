"""Cedar on contributions and releases: the policies that ship and those of the workload."""

import json
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import cedarpy

from ringwall.cedar import Policy, Source, parse, plain, policy_set, read_source, user_id
from ringwall.core import Action, Principal

from ..changes import Touched
from ..names import base
from ..quarantine import Held
from ..settings import CollectionSettings, DataSection
from .policy_schema import collection_entity, parsed_schema
from .process import same_credential

_PACK = "data.cedar"
_KEPT = 4096
_OTHERWISE = "The policies of this workload do not permit this contribution."
_NO_RELEASE = "The policies of this workload do not let you decide on it."
_NO_VERSION = "The policies of this workload do not let you do this to the collection."


@dataclass(frozen=True, slots=True)
class Ruling:
    action: Action
    """ALLOW, HOLD or BLOCK."""
    policies: tuple[Policy, ...] = ()
    """Those that determined it; empty when nothing permitted it."""
    problem: str = ""
    """Why no decision was possible: then it is BLOCK."""

    @property
    def reasons(self) -> tuple[str, ...]:
        return tuple(sorted({policy.reason for policy in self.policies if policy.reason}))


class DataPolicies:
    """One for each version of the workload. Thread-safe: what it keeps can only be made again."""

    def __init__(self, section: DataSection, sources: Sequence[Source]) -> None:
        """Raises ConfigError that lists every mistake in ``sources`` with its place."""
        parsed = parse(sources, parsed_schema())
        self._policies = parsed.policies
        self._full = policy_set(parsed.forms)
        self._firm = policy_set(
            {name: form for name, form in parsed.forms.items() if not self._policies[name].hold}
        )
        self._collections = {
            name: collection_entity(name, settings) for name, settings in section.collections.items()
        }
        self._rulings: OrderedDict[str, Ruling] = OrderedDict()

    @classmethod
    def load(cls, section: DataSection, folder: Path) -> "DataPolicies":
        """``folder`` is that of the workload file. Raises ConfigError."""
        text = resources.files("ringwall.boundaries.data").joinpath("policies", _PACK).read_text("utf-8")
        sources = [Source(_PACK, text)]
        if section.policies is not None:
            sources.append(read_source(folder / section.policies))
        return cls(section, sources)

    def contribute(self, principal: Principal, collection: str, context: Mapping[str, Any]) -> Ruling:
        """``context`` as the schema has it, complete."""
        ruling = self._ask(self._full, principal, "contribute", collection, context)
        if ruling.action is Action.ALLOW or ruling.problem or not ruling.policies:
            return ruling
        if not all(policy.hold for policy in ruling.policies):
            return ruling
        firm = self._ask(self._firm, principal, "contribute", collection, context)
        return Ruling(Action.HOLD, ruling.policies) if firm.action is Action.ALLOW else firm

    def refuses_release(self, held: Held, settings: CollectionSettings, by: Principal) -> str:
        """Why this person may not decide on it; empty when they may. A hold refuses here: there is nobody
        above who could lift it."""
        context = {
            "classes": [plain(cls) for cls in sorted(settings.sensitivity)],
            "consented": bool(held.consent),
            "licence": plain(held.licence),
            "licensed": bool(held.licence),
            "origin": plain(held.origin),
            "process": plain(held.process),
            "contributor": plain(held.contributor),
            "rows": held.rows,
            "same_credential": same_credential(held.credential, by),
            "same_person": held.contributor == by.subject,
        }
        ruling = self._ask(self._full, by, "approve", held.collection, context)
        if ruling.action is Action.ALLOW:
            return ""
        return " ".join(ruling.reasons) or _NO_RELEASE

    def refuses_version(self, action: str, line: str, touched: Touched, by: Principal) -> str:
        """Why this person may not merge, roll back or approve (``action``) what touches this; empty when they
        may. A hold refuses, as for releases."""
        people = touched.came | touched.gone
        context = {
            "line": plain(line),
            "contributors": sorted(plain(one) for one in people),
            "own": by.subject in people,
            "tenants": sorted(plain(one) for one in touched.tenants),
        }
        ruling = self._ask(self._full, by, action, line, context)
        if ruling.action is Action.ALLOW:
            return ""
        return " ".join(ruling.reasons) or _NO_VERSION

    def _ask(
        self,
        policies: cedarpy.PolicySet,
        principal: Principal,
        action: str,
        collection: str,
        context: Mapping[str, Any],
    ) -> Ruling:
        collection = base(collection)
        entity = self._collections.get(collection)
        if entity is None:
            return Ruling(Action.BLOCK, problem="the workload has no such collection")
        entities = json.dumps([entity, _user(principal)])
        request = {
            "principal": {"type": "User", "id": user_id(principal)},
            "action": {"type": "Action", "id": action},
            "resource": {"type": "Collection", "id": collection},
            "context": json.dumps(context, sort_keys=True),
        }
        key = json.dumps([policies is self._full, entities, action, request["context"]])
        known = self._rulings.get(key)
        if known is None:
            known = self._rulings[key] = self._ruling(policies, request, entities)
            while len(self._rulings) > _KEPT:
                self._rulings.popitem(last=False)
        return known

    def _ruling(self, policies: cedarpy.PolicySet, request: Mapping[str, Any], entities: str) -> Ruling:
        result = cedarpy.is_authorized(dict(request), policies, cedarpy.Entities.from_json_str(entities))
        if result.decision is cedarpy.Decision.NoDecision or result.diagnostics.errors:
            return Ruling(Action.BLOCK, problem="a policy could not be evaluated")
        determining = tuple(self._policies[name] for name in sorted(result.diagnostics.reasons))
        return Ruling(Action.ALLOW if result.allowed else Action.BLOCK, determining)


def told(ruling: Ruling) -> str:
    """One sentence for the contributor."""
    return " ".join(ruling.reasons) or _OTHERWISE


def _user(principal: Principal) -> dict[str, Any]:
    return {
        "uid": {"type": "User", "id": user_id(principal)},
        "attrs": {"subject": plain(principal.subject), "tenant": plain(principal.tenant)},
        "parents": [{"type": "Role", "id": plain(role)} for role in sorted(principal.roles)],
        "tags": {plain(name): plain(value) for name, value in principal.attributes.items()},
    }
