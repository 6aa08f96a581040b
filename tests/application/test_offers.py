"""Offers through Cedar: what is taken out of an offer is permitted to no call, and what no policy rules out
stays in."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringwall.boundaries.application.authority import Authority, Call, Classes
from ringwall.boundaries.application.cedar_policies import Source, default_source, load_policies
from ringwall.boundaries.application.entities import Entities
from ringwall.boundaries.application.policy import CONTROL
from ringwall.boundaries.application.registry import ToolRegistry
from ringwall.boundaries.application.rights import ApprovalRights
from ringwall.boundaries.application.settings import ApplicationSection
from ringwall.core import (
    MODEL,
    USER,
    Action,
    Crossing,
    CrossingKind,
    Integrity,
    Label,
    Part,
    PartKind,
    Principal,
    Services,
    untrusted,
)

TEXTS = {"type": "object", "properties": {"to": {"type": "string"}, "body": {"type": "string"}}}
SECTION = ApplicationSection.model_validate(
    {
        "tools": {
            "mail": {"parameters": TEXTS, "effect": "send", "target": ["to"], "roles": ["agent"]},
            "look": {"parameters": TEXTS, "effect": "read"},
            "wipe": {"parameters": TEXTS, "effect": "delete", "roles": ["manager"]},
        },
        "known_entities": {"email_domains": ["shop.example"]},
    }
)
REGISTRY = ToolRegistry.of(SECTION.tools)
RIGHTS = ApprovalRights({"manager": frozenset({"wipe"})})


def authority(text: str, *, default: bool = True) -> Authority:
    sources = [*([default_source()] if default else []), Source("extra.cedar", text)]
    pack = load_policies(REGISTRY, sources)
    entities = Entities(SECTION.known_entities, SECTION.egress)
    return Authority(REGISTRY, pack, entities, RIGHTS, Classes(SECTION.restricted, SECTION.private))


def somebody(*roles: str, **attributes: str) -> Principal:
    return Principal("kim", "shop", frozenset(roles), attributes, credential="key")


def offered(text: str, principal: Principal, tool: str, *, default: bool = True) -> bool:
    manifest = REGISTRY.get(tool)
    assert manifest
    return authority(text, default=default).offers(principal, manifest).action is Action.ALLOW


AGENT = somebody("agent")


def test_the_default_pack_offers_by_entitlement() -> None:
    assert offered("", AGENT, "mail")
    assert not offered("", somebody("customer"), "mail")
    assert offered("", somebody("customer"), "look")


def test_a_forbid_without_context_takes_the_tool_out_and_is_named() -> None:
    text = '@id("no-mail") forbid (principal, action == Action::"mail", resource);'
    manifest = REGISTRY.get("mail")
    assert manifest
    ruling = authority(text).offers(AGENT, manifest)
    assert (ruling.action, [policy.id for policy in ruling.policies]) == (Action.BLOCK, ["no-mail"])


@pytest.mark.parametrize(
    "policy",
    [
        '@verdict("hold") forbid (principal, action == Action::"mail", resource);',
        'forbid (principal, action == Action::"mail", resource) when { context.target.untrusted };',
        'forbid (principal, action, resource) unless { context.approved || principal in Role::"boss" };',
        'forbid (principal, action == Action::"wipe", resource);',
        'forbid (principal in Role::"customer", action, resource);',
    ],
)
def test_what_some_call_could_pass_stays_offered(policy: str) -> None:
    assert offered(policy, AGENT, "mail")


ANYBODY = "permit (principal, action, resource) "


@pytest.mark.parametrize(
    ("policy", "stays"),
    [
        ("X when { context.target.known };", True),
        (
            'X when { context.target.known && principal in Role::"boss" };',
            False,
        ),
        ('permit (principal in Role::"boss", action, resource) when { context.target.known };', False),
        (
            'X unless { context.restricted || principal in Role::"agent" };',
            False,
        ),
        (
            'X unless { context.restricted && principal in Role::"agent" };',
            True,
        ),
        (
            'X when { principal.hasTag("desk") && principal.getTag("desk") == "a" };',
            False,
        ),
        ("X when { if context.approved then true else false };", True),
        ("", False),
    ],
)
def test_of_a_permit_the_conditions_without_context_are_judged(policy: str, stays: bool) -> None:
    assert offered(policy.replace("X ", ANYBODY), AGENT, "mail", default=False) is stays


def test_the_control_takes_the_tool_out_of_the_offer() -> None:
    made = authority('@id("no-mail") forbid (principal, action == Action::"mail", resource);')
    control = CONTROL.build(CONTROL.settings(), Services(REGISTRY, made))
    parts = tuple(
        Part(PartKind.TOOL_OFFER, "{...}", untrusted("client"), name=name)
        for name in ("mail", "look", "other")
    )
    verdict = control.inspect(Crossing(CrossingKind.TOOL_OFFER, AGENT, parts))
    assert not isinstance(verdict, Action)
    assert (verdict.action, [(edit.part, edit.drop) for edit in verdict.edits]) == (
        Action.TRANSFORM,
        [(0, True)],
    )
    assert [finding.rule for finding in verdict.findings] == ["no-mail"]


ATOMS = st.sampled_from(
    [
        *("context.approved", "context.restricted", "context.target.known", "context.target.untrusted"),
        *(
            "context.session.untrusted",
            "context.target has named",
            "context.args has to && context.args.to.known",
        ),
        *('principal in Role::"agent"', "resource.open", 'resource.effect == "send"', "resource.reversible"),
        *('principal.may_approve.contains("wipe")', 'principal.hasTag("desk")', "true", "false"),
        'principal.hasTag("desk") && principal.getTag("desk") == "a"',
    ]
)
BODIES = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["&&", "||"]), inner).map(lambda t: f"({t[0]}) {t[1]} ({t[2]})"),
        inner.map(lambda body: f"!({body})"),
        st.tuples(inner, inner, inner).map(lambda t: f"(if {t[0]} then {t[1]} else {t[2]})"),
    ),
    max_leaves=5,
)
CONDITIONS = st.lists(st.tuples(st.sampled_from(["when", "unless"]), BODIES), max_size=3).map(
    lambda pieces: " ".join(f"{kind} {{ {body} }}" for kind, body in pieces)
)
SCOPES = st.tuples(
    st.sampled_from(["principal", 'principal in Role::"agent"', 'principal == User::"shop/kim"']),
    st.sampled_from(["action", 'action == Action::"mail"', 'action in Action::"effect/send"']),
).map(lambda scope: f"({scope[0]}, {scope[1]}, resource)")
POLICIES = st.lists(
    st.tuples(st.sampled_from(["permit", "forbid", '@verdict("hold") forbid']), SCOPES, CONDITIONS).map(
        lambda parts: f"{parts[0]} {parts[1]} {parts[2]};"
    ),
    max_size=4,
).map("\n".join)
LABELS = st.sampled_from(
    [
        USER,
        MODEL,
        untrusted("tool:look"),
        Label(Integrity.USER, frozenset({"restricted"}), frozenset({"user"})),
    ]
)
ARGUMENTS = st.dictionaries(
    st.sampled_from(["to", "body"]), st.sampled_from(["a@shop.example", "a@evil.example", "", "\ud800"])
)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_what_is_taken_out_is_permitted_to_no_call(data: Any) -> None:
    made = authority(data.draw(POLICIES), default=data.draw(st.booleans()))
    roles = data.draw(st.sets(st.sampled_from(["agent", "manager", "customer"])))
    principal = somebody(*roles, **data.draw(st.sampled_from([{}, {"desk": "a"}, {"desk": "b"}])))
    tool = REGISTRY.get(data.draw(st.sampled_from(["mail", "look", "wipe"])))
    assert tool
    if made.offers(principal, tool).action is Action.ALLOW:
        return
    for _ in range(4):
        arguments = data.draw(ARGUMENTS)
        labels = {name: data.draw(LABELS) for name in arguments}
        session = data.draw(st.none() | LABELS)
        call = Call(principal, tool, arguments, labels, session, data.draw(st.booleans()))
        assert made.rule(call).action is Action.BLOCK
