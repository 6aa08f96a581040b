"""The Cedar policies of a workload's tools, validated against the schema that the tool manifests give."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

import cedarpy

from ringwall.cedar import Policy, Source, parse, policy_set, read_source

from .cedar_schema import parsed_schema
from .offers import offer_form
from .registry import ToolRegistry

__all__ = ["DEFAULT_PACK", "Policy", "PolicyPack", "Source", "default_source", "load_policies", "read_source"]
DEFAULT_PACK = "default.cedar"


@dataclass(frozen=True, slots=True)
class PolicyPack:
    """Parsed once for a version of the workload."""

    policies: Mapping[str, Policy]
    full: cedarpy.PolicySet
    firm: cedarpy.PolicySet
    """Without the holds: what an approved call is judged by."""
    offers: cedarpy.PolicySet
    """What an offer is judged by, before there are arguments."""
    reads: frozenset[str] | None = None
    """Arguments that some policy speaks of; None when that can't be told. Others need not be given to Cedar:
    building the context is most of what a decision costs."""


def default_source() -> Source:
    """The pack that ships with the product."""
    text = resources.files(__package__).joinpath("policies", DEFAULT_PACK).read_text("utf-8")
    return Source(DEFAULT_PACK, text)


def load_policies(registry: ToolRegistry, sources: Sequence[Source]) -> PolicyPack:
    """Raises ConfigError that lists every mistake with its place."""
    schema = parsed_schema(registry) if len(registry) else None  # without tools no policy can apply
    parsed = parse(sources, schema)
    policies, forms = parsed.policies, parsed.forms
    firm = {name: form for name, form in forms.items() if not policies[name].hold}
    offers = {name: offer_form(form, hold=policies[name].hold) for name, form in forms.items()}
    return PolicyPack(
        policies,
        policy_set(forms),
        policy_set(firm),
        policy_set({name: form for name, form in offers.items() if form is not None}),
        _arguments_read(list(forms.values())),
    )


_CONTEXT = {"Var": "context"}
_ARGUMENTS = {".": {"left": _CONTEXT, "attr": "args"}}


def _arguments_read(node: Any) -> frozenset[str] | None:
    """Names ``x`` in ``context.args.x`` and ``context.args has x``. None for any other use of ``context``
    that could reach an argument."""
    if node in (_CONTEXT, _ARGUMENTS):
        return None
    if isinstance(node, dict):
        for operator in (".", "has"):
            step = node.get(operator)
            if len(node) == 1 and isinstance(step, dict) and isinstance(step.get("attr"), str):
                if step.get("left") == _ARGUMENTS:
                    return frozenset({step["attr"]})
                if step.get("left") == _CONTEXT:
                    return frozenset()
    inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    found: frozenset[str] = frozenset()
    for child in inner:
        reads = _arguments_read(child)
        if reads is None:
            return None
        found |= reads
    return found
