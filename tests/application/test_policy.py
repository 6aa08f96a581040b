"""The Cedar authority under the default pack, and policies of the operator on top of it."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringwall.boundaries.application.cedar_policies import Source, default_source, load_policies
from ringwall.boundaries.application.compose import PolicyServices, policy_services
from ringwall.boundaries.application.policy import CONTROL, PolicyControl
from ringwall.boundaries.application.registry import ToolRegistry
from ringwall.boundaries.application.rights import ApprovalRights
from ringwall.boundaries.application.settings import ApplicationSection, Effect
from ringwall.cedar import statements
from ringwall.core import (
    MODEL,
    USER,
    Action,
    ConfigError,
    Crossing,
    Integrity,
    Label,
    Principal,
    Services,
    Verdict,
    untrusted,
)

OUTSIDE = untrusted("tool:fetch_page")
PRIVATE = Label(Integrity.UNTRUSTED, frozenset({"customer-pii"}), frozenset({"tool:lookup_order"}))
AGENT = Principal("casey", "brightlamp", frozenset({"customer", "agent"}), {"customer_id": "1001"}, "key_1")
MANAGER = Principal("morgan", "brightlamp", frozenset({"agent", "manager"}), {}, "key_2")
CUSTOMER = Principal("kim", "brightlamp", frozenset({"customer"}), {"customer_id": "1002"}, "key_3")
RIGHTS = ApprovalRights({"manager": frozenset({"refund"})})


@pytest.fixture
def control(services: PolicyServices) -> PolicyControl:
    built = CONTROL.build(CONTROL.settings(), Services(services.registry, services.authority))
    assert isinstance(built, PolicyControl)
    return built


@pytest.fixture
def judge(control: PolicyControl, tool_call: Any) -> Any:
    def ask(tool: str, arguments: dict[str, Any], labels: Any = USER, **more: Any) -> Verdict:
        return control.inspect(tool_call(tool, arguments, labels, **more))

    return ask


def rules(verdict: Verdict) -> set[str]:
    return {finding.rule for finding in verdict.findings}


def test_reading_what_the_user_named_is_allowed(judge: Any) -> None:
    assert judge("lookup_order", {"order_id": "A-1"}).action is Action.ALLOW


def test_what_nothing_permits_is_denied(judge: Any) -> None:
    verdict = judge("refund", {"to": "1001", "amount": 5}, by=CUSTOMER)
    assert verdict.action is Action.BLOCK
    assert "ringwall.person-decides" not in rules(verdict), (
        "a hold must not hide that nothing permits the call"
    )
    assert rules(verdict) == {"not-permitted"}


def test_paying_waits_for_a_person_unless_the_principal_is_that_person(judge: Any) -> None:
    call = ("refund", {"to": "1001", "amount": 5})
    assert judge(*call).action is Action.HOLD
    assert judge(*call, approved=True).action is Action.ALLOW
    assert judge(*call, by=MANAGER).action is Action.ALLOW


def test_money_aimed_by_outside_content_waits_even_for_the_manager(judge: Any) -> None:
    call = ("refund", {"to": "DE-666", "amount": 5}, {"to": OUTSIDE, "amount": USER})
    verdict = judge(*call, by=MANAGER)
    assert verdict.action is Action.HOLD
    assert rules(verdict) == {"ringwall.untrusted-target"}
    assert judge(*call, by=MANAGER, approved=True).action is Action.ALLOW


def test_a_known_entity_may_be_aimed_at_by_anybody(judge: Any) -> None:
    labels = {"to": OUTSIDE, "body": USER}
    assert judge("send_email", {"to": ["a@brightlamp.example"], "body": "x"}, labels).action is Action.ALLOW
    for to in (["a@brightlamp.example", "b@evil.example"], ["a@brightlamp.example.evil.example"], []):
        verdict = judge("send_email", {"to": to, "body": "x"}, labels, session=OUTSIDE)
        assert verdict.action is Action.HOLD, to


def test_an_address_from_outside_is_never_fetched_and_nobody_can_approve_it(judge: Any) -> None:
    for approved in (False, True):
        verdict = judge("fetch_page", {"url": "https://evil.example/x"}, OUTSIDE, approved=approved)
        assert verdict.action is Action.BLOCK
        assert "ringwall.composed-fetch" in rules(verdict)


def test_an_address_as_it_was_read_is_followed_if_pages_were_asked_for(judge: Any) -> None:
    read = {"verbatim": {"call_1": frozenset({"url"})}, "session": PRIVATE}
    call = ("fetch_page", {"url": "https://blog.example/x"}, OUTSIDE)
    assert judge(*call, **read, asked=frozenset({Effect.FETCH})).action is Action.ALLOW
    held = judge(*call, **read)
    assert held.action is Action.HOLD
    assert rules(held) == {"ringwall.untrusted-fetch", "ringwall.three-together"}


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("refund", {"to": "1001", "amount": 5}),
        ("send_email", {"to": ["a@brightlamp.example"], "body": "x"}),
        ("note", {"path": "a", "text": "b"}),
    ],
)
def test_what_nobody_asked_for_waits_once_outside_content_was_read(
    judge: Any, tool: str, arguments: dict[str, Any]
) -> None:
    assert rules(judge(tool, arguments, by=MANAGER, session=OUTSIDE)) == {"ringwall.not-asked"}
    assert judge(tool, arguments, by=MANAGER, session=OUTSIDE, asked=frozenset(Effect)).action is Action.ALLOW
    assert judge(tool, arguments, by=MANAGER, session=USER).action is Action.ALLOW


def test_a_payment_that_the_user_asked_for_by_name_needs_nobody_else(judge: Any) -> None:
    call = ("refund", {"to": "DE-1", "amount": 5})
    asked = {"asked": frozenset({Effect.PAY}), "session": OUTSIDE}
    assert judge(*call, **asked).action is Action.ALLOW
    assert rules(judge(*call, {"to": OUTSIDE, "amount": USER}, **asked)) == {
        "ringwall.untrusted-target",
        "ringwall.person-decides",
    }


def test_a_link_from_outside_is_not_sent_on_unseen(judge: Any) -> None:
    message = {"to": ["a@brightlamp.example"], "body": "look at www.evil-site.com"}
    more = {"session": OUTSIDE, "asked": frozenset({Effect.SEND})}
    assert rules(judge("send_email", message, {"to": USER, "body": OUTSIDE}, **more)) == {
        "ringwall.untrusted-link"
    }
    typed = {"linking": {"call_1": frozenset()}, **more}
    assert judge("send_email", message, {"to": USER, "body": OUTSIDE}, **typed).action is Action.ALLOW
    own = {**message, "body": "look at https://help.brightlamp.example/a"}
    assert judge("send_email", own, {"to": USER, "body": OUTSIDE}, **more).action is Action.ALLOW


def test_what_a_directory_lists_is_known(judge: Any) -> None:
    more = {"session": OUTSIDE, "asked": frozenset(Effect)}
    call = ("send_email", {"to": ["Dora@else.example"], "body": "x"}, OUTSIDE)
    assert judge(*call, **more).action is Action.HOLD
    assert judge(*call, **more, listed=frozenset({"dora@else.example"})).action is Action.ALLOW


def test_the_models_own_target_counts_as_outside_once_outside_content_was_read(judge: Any) -> None:
    call = ("send_email", {"to": ["made@up.example"], "body": "x"}, {"to": MODEL, "body": MODEL})
    assert judge(*call, session=USER).action is Action.ALLOW
    assert judge(*call, session=OUTSIDE).action is Action.HOLD


def test_restricted_data_does_not_leave_even_when_a_person_agrees(judge: Any) -> None:
    call = ("send_email", {"to": ["me@home.example"], "body": "x"}, {"to": USER, "body": PRIVATE})
    for approved in (False, True):
        verdict = judge(*call, approved=approved)
        assert verdict.action is Action.BLOCK
        assert "ringwall.restricted-out" in rules(verdict)
    inside = ("send_email", {"to": ["a@brightlamp.example"], "body": "x"}, {"to": USER, "body": PRIVATE})
    assert judge(*inside).action is Action.ALLOW


def test_private_untrusted_and_a_way_out_together_are_broken(judge: Any) -> None:
    labels = {"url": MODEL}
    session = OUTSIDE.join(PRIVATE)
    unknown = judge("fetch_page", {"url": "https://x.example/"}, labels, session=session)
    assert unknown.action is Action.BLOCK
    assert (
        judge("fetch_page", {"url": "https://x.example/"}, {"url": USER}, session=session).action
        is Action.ALLOW
    )
    known = {"url": "https://help.brightlamp.example/a"}
    assert judge("fetch_page", known, labels, session=session).action is Action.ALLOW


def test_missing_context_is_read_as_the_worst(control: PolicyControl, tool_call: Any) -> None:
    crossing: Crossing = tool_call("fetch_page", {"url": "https://x.example/"}, {}, session=None)
    assert control.inspect(crossing).action is Action.BLOCK
    bare = Crossing(crossing.kind, crossing.principal, crossing.parts)
    assert control.inspect(bare).action is Action.BLOCK


def test_an_approval_of_another_call_lifts_nothing(control: PolicyControl, tool_call: Any) -> None:
    crossing = tool_call("refund", {"to": "1001", "amount": 5})
    context = {**crossing.context, "approved": frozenset({"call_2", ""})}
    changed = Crossing(crossing.kind, crossing.principal, crossing.parts, context=context)
    assert control.inspect(changed).action is Action.HOLD


def test_values_that_policies_could_misread_are_refused(judge: Any) -> None:
    for amount in (1e30, "5", True):
        verdict = judge("refund", {"to": "1001", "amount": amount}, by=MANAGER)
        assert verdict.action is Action.BLOCK, amount
    assert judge("refund", {"to": "1001"}, by=MANAGER).action is Action.BLOCK


def with_policies(section: ApplicationSection, text: str) -> PolicyServices:
    return policy_services(section, RIGHTS, extra=[Source("extra.cedar", text)])


def test_an_operators_policy_reads_typed_arguments_and_attributes(
    section: ApplicationSection, tool_call: Any
) -> None:
    made = with_policies(
        section,
        """
        @id("small-refunds") @reason("Refunds over 50 are not made here.")
        forbid (principal, action == Action::"refund", resource)
        when { context.args.amount.value.greaterThan(decimal("50.00")) };
        @id("own-orders")
        forbid (principal in Role::"customer", action == Action::"refund", resource) unless {
          principal.hasTag("customer_id") && context.args.to.value == principal.getTag("customer_id")
        };
        """,
    )
    control = PolicyControl(made.registry, made.authority)

    def action(to: str, amount: float) -> Action:
        return control.inspect(
            tool_call("refund", {"to": to, "amount": amount}, by=AGENT, approved=True)
        ).action

    assert action("1001", 50) is Action.ALLOW
    assert action("1001", 50.00001) is Action.BLOCK, "rounding must not help over the limit"
    assert action("1002", 5) is Action.BLOCK


def test_a_policy_that_fails_while_it_runs_denies(section: ApplicationSection, tool_call: Any) -> None:
    made = with_policies(
        section,
        """@id("overflow") forbid (principal, action == Action::"refund", resource)
        when { context.args.to.value.like("x") || 9223372036854775807 + 1 == 0 };""".replace(
            'context.args.to.value.like("x")', 'context.args.to.value like "x"'
        ),
    )
    control = PolicyControl(made.registry, made.authority)
    verdict = control.inspect(tool_call("refund", {"to": "1001", "amount": 5}, by=MANAGER))
    assert verdict.action is Action.BLOCK
    assert rules(verdict) == {"not-decided"}


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("// one\n\nforbid (principal, action resource);", 3, "unexpected token"),
        ('permit (principal, action == Action::"nope", resource);', 1, "nope"),
        (
            '\nforbid (principal, action == Action::"refund", resource) when { context.args.too == 1 };',
            2,
            "too",
        ),
        (
            'forbid (principal, action == Action::"refund", resource)'
            ' when { context.args.currency.value == "EUR" };',
            1,
            "optional",
        ),
        ("forbid (principal, action, resource)", 1, "unexpected"),
        ('@verdict("maybe") forbid (principal, action, resource);', 1, "maybe"),
        ('@verdict("hold") permit (principal, action, resource);', 1, "forbid"),
        ("permit (principal == ?principal, action, resource);", 1, "template"),
        ('@id("ringwall.entitled") permit (principal, action, resource);', 1, "Two policies"),
        (
            '@id("a;b//") forbid (principal, action, resource);\nforbid (principal, action, resorce);',
            2,
            "resorce",
        ),
    ],
)
def test_a_bad_policy_is_a_mistake_with_a_place(
    section: ApplicationSection, text: str, line: int, says: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        with_policies(section, text)
    problem = caught.value.problems[0]
    assert (problem.file, problem.line) == ("extra.cedar", line)
    assert says in problem.message


@pytest.mark.parametrize(
    ("text", "reads"),
    [
        ('context.args.to.value == "x"', {"to"}),
        ('context.args has currency && context.args.currency.value == "EUR"', {"currency"}),
        ('context.args["to"].known || context.approved', {"to"}),
        ("if context.restricted then context.args.amount.known else true", {"amount"}),
        ("context.args == context.args", None),
        ("context == context", None),
        ('[context.args.to.value, "a"].contains("a")', {"to"}),
    ],
)
def test_only_arguments_that_no_policy_speaks_of_are_kept_from_cedar(
    section: ApplicationSection, text: str, reads: set[str] | None
) -> None:
    policy = f'forbid (principal, action == Action::"refund", resource) when {{ {text} }};'
    pack = load_policies(ToolRegistry.of(section.tools), [default_source(), Source("x.cedar", policy)])
    assert pack.reads == reads


def test_the_policies_file_is_read_and_a_missing_one_is_a_clear_mistake(
    section: ApplicationSection, tmp_path: Path
) -> None:
    path = tmp_path / "mine.cedar"
    path.write_text("forbid (principal, action, resource) when { true };")
    made = policy_services(section.model_copy(update={"policies": path}), RIGHTS)
    assert len(made.registry) == len(section.tools)
    with pytest.raises(ConfigError, match=r"gone\.cedar"):
        policy_services(section.model_copy(update={"policies": tmp_path / "gone.cedar"}), RIGHTS)


def test_without_any_tool_the_default_pack_still_loads() -> None:
    made = policy_services(ApplicationSection(), RIGHTS)
    assert len(made.registry) == 0


def test_statements_are_cut_at_semicolons_outside_of_strings_and_comments() -> None:
    text = '// a; b\npermit (principal, action, resource); // c;\n@reason("x;\\"y") forbid (a);\nrest'
    assert [line for line, _ in statements(text)] == [2, 3, 4]


def test_people_of_two_tenants_never_share_an_identity(section: ApplicationSection, tool_call: Any) -> None:
    made = with_policies(section, '@id("one") forbid (principal == User::"a/b/c", action, resource);')
    control = PolicyControl(made.registry, made.authority)
    for tenant, subject, action in (("a", "b/c", Action.BLOCK), ("a/b", "c", Action.ALLOW)):
        by = Principal(subject, tenant, frozenset({"customer"}), {}, "k")
        assert control.inspect(tool_call("lookup_order", {"order_id": "1"}, by=by)).action is action


labels = st.sampled_from([USER, MODEL, OUTSIDE, PRIVATE])
texts = st.text(max_size=20) | st.sampled_from(
    ["https://evil.example/", "a@brightlamp.example", "\ud800", "\0"]
)


@settings(max_examples=80, deadline=None)
@given(to=st.lists(texts, max_size=3), body=texts, label=labels, other=labels, approved=st.booleans())
def test_nothing_restricted_is_sent_to_an_unknown_place_whatever_else_holds(
    to: list[str], body: str, label: Label, other: Label, approved: bool
) -> None:
    made = _MADE
    control = PolicyControl(made.registry, made.authority)
    from ringwall.core import CrossingKind, Part, PartKind

    part = Part(PartKind.TOOL_CALL, "{}", USER, name="send_email", data={"to": to, "body": body}, ref="c")
    context = {
        "provenance": {"c": {"to": label, "body": other}},
        "approved": frozenset({"c"} if approved else ()),
        "session_labels": label.join(other),
    }
    verdict = control.inspect(Crossing(CrossingKind.TOOL_CALL, AGENT, (part,), context=context))
    named = [one for one in to if one.strip()]  # an empty text names no place
    known = bool(named) and all(made.entities.knows_value(one) for one in named)
    if PRIVATE in (label, other) and not known:
        assert verdict.action is Action.BLOCK


def _made() -> PolicyServices:
    tool = {
        "description": "Send.",
        "parameters": {
            "type": "object",
            "properties": {"to": {"type": "array", "items": {"type": "string"}}, "body": {"type": "string"}},
        },
        "effect": "send",
        "target": ["to"],
    }
    data = {"tools": {"send_email": tool}, "known_entities": {"email_domains": ["brightlamp.example"]}}
    return policy_services(ApplicationSection.model_validate(data), RIGHTS)


_MADE = _made()
assert isinstance(_MADE.registry, ToolRegistry)
