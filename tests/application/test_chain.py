"""Chains of agents: what a token says can't be made up, and a chain has an end."""

import base64
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringwall.boundaries.application.breaker_settings import ChainSettings
from ringwall.boundaries.application.chain import ChainControl
from ringwall.boundaries.application.chain_token import CURRENT, Chain, Chains, Hop, digest_of
from ringwall.boundaries.application.egress_client import _chain
from ringwall.boundaries.application.settings import EgressRule
from ringwall.core import Action, Crossing, CrossingKind, Principal

KEY = bytes(range(32))
CASEY = Principal("casey", "t", credential="key")


def chains(now: float = 0.0, key: bytes = KEY, expire_s: int = 60) -> Chains:
    return Chains(key, expire_s, lambda: now)


def enter(token: str, application: str, said: str = "x", session: str = "", **more: Any) -> Chain:
    made = more.pop("chains", chains())
    where = {"tenant": "t", "session": session or f"s-{application}-{said}", **more}
    found: Chain = made.enter(token, application=application, said=said, **where)
    return found


def walk(*stops: tuple[str, str]) -> Chain:
    """A chain along (application, message)."""
    token, chain = "", None
    for application, said in stops:
        chain = enter(token, application, said)
        token = chains().token(chain, "t")
    assert chain is not None
    return chain


def rules(chain: Chain | None, by: Principal = CASEY, **limits: Any) -> set[str]:
    control = ChainControl(ChainSettings(**limits))
    context = {"chain": chain.facts()} if chain else {}
    verdict = control.inspect(Crossing(CrossingKind.REQUEST, by, application="a", context=context))
    assert (verdict.action is Action.BLOCK) == bool(verdict.findings)
    return {finding.rule for finding in verdict.findings}


def test_a_chain_grows_by_one_application_at_a_time() -> None:
    chain = walk(("planner", "1"), ("assistant", "2"), ("payer", "3"))
    assert (chain.depth, chain.caller, chain.repeats, chain.fault) == (3, "assistant", False, "")
    assert rules(chain) == set()
    first = walk(("planner", "1"))
    assert (first.depth, first.caller) == (1, "")


def test_the_same_application_asked_the_same_again_is_a_loop() -> None:
    stops = [("a", "1"), ("b", "2"), ("a", "1")]
    assert rules(walk(*stops)) == {"recursion"}
    assert rules(walk(("a", "1"), ("b", "1"), ("a", "2"))) == set()
    assert rules(walk(("a", "1"), ("a", "1"))) == {"recursion"}


def test_a_chain_has_so_many_applications_at_most() -> None:
    stops = [("a" if n % 2 else "b", str(n)) for n in range(5)]
    assert rules(walk(*stops[:4])) == set()
    assert rules(walk(*stops)) == {"depth"}
    assert rules(walk(*stops[:3]), depth=2) == {"depth"}


def test_a_client_that_sends_back_its_own_token_stays_on_its_hop() -> None:
    first = enter("", "a", "question", "s1")
    for number in range(10):
        first = enter(chains().token(first, "t"), "a", f"result {number}", "s1")
        assert (first.depth, first.caller, rules(first)) == (1, "", set())
    assert enter(chains().token(first, "t"), "a", "result 9", "s1").repeats, "the same again is a loop"


def test_a_call_that_an_agent_makes_by_itself_adds_no_hop() -> None:
    chain = walk(("a", "1"), ("b", "2"))
    token = chains().token(chain, "t")
    assert chains().resume(token, tenant="t") == chain
    assert chains().resume("", tenant="t") is None
    for wrong, tenant, fault in ((token[:-2], "t", "forged"), (token, "u", "foreign")):
        found = chains().resume(wrong, tenant=tenant)
        assert found is not None
        assert (found.fault, rules(found)) == (fault, {fault})


def test_services_that_act_for_one_another_count_without_a_token() -> None:
    by = CASEY
    for number in range(4):
        assert rules(walk(("a", "1")), by=replace(CASEY, actor=by)) == ({"depth"} if number > 2 else set())
        by = replace(CASEY, subject=f"agent{number}", actor=by)
    assert rules(None) == set()


def test_tokens_end_and_belong_to_a_tenant_and_a_master_key() -> None:
    token = chains().token(walk(("a", "1")), "t")
    assert enter(token, "b", chains=chains(59)).depth == 2
    for fault, other in (
        ("expired", enter(token, "b", chains=chains(61))),
        ("foreign", enter(token, "b", tenant="u")),
        ("forged", enter(token, "b", chains=chains(key=bytes(32)))),
    ):
        assert (other.fault, other.depth, rules(other)) == (fault, 1, {fault})


@given(
    st.text(max_size=200) | st.binary(max_size=200).map(lambda raw: base64.urlsafe_b64encode(raw).decode())
)
def test_whatever_else_comes_is_forged(token: str) -> None:
    chain = enter(token, "a")
    assert chain.fault == ("forged" if token else "")
    assert rules(chain) == ({"forged"} if token else set())


@given(st.data())
def test_no_bit_of_a_token_can_be_changed(data: st.DataObject) -> None:
    token = chains().token(walk(("a", "1"), ("b", "2")), "t")
    raw = bytearray(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    place = data.draw(st.integers(0, len(raw) * 8 - 1))
    raw[place // 8] ^= 1 << place % 8
    assert enter(base64.urlsafe_b64encode(raw).decode(), "c").fault == "forged"
    assert enter(token[: data.draw(st.integers(1, len(token) - 1))], "c").fault == "forged"
    assert enter("A" * 10_000, "c").fault == "forged"


def test_a_token_tells_its_bearer_nothing() -> None:
    token = chains().token(walk(("secret-planner", "1")), "t")
    raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    assert b"secret" not in raw
    assert "secret" not in token
    assert repr(KEY) not in repr(chains())


@pytest.mark.parametrize("same", ["Pay  Casey", " pay casey\n", "PAY\tCASEY", "pay casey"])
def test_blanks_and_case_make_no_other_message(same: str) -> None:
    assert digest_of({"content": same}) == digest_of({"content": "Pay Casey"})
    assert digest_of({"content": same + "!"}) != digest_of({"content": same})
    assert digest_of({"content": None})
    assert digest_of({"content": [{"type": "text", "text": "\ud800"}]})


def test_only_agents_are_told_of_the_chain() -> None:
    token = CURRENT.set("token")
    try:
        assert _chain(EgressRule(host="agents.example", agents=True)) == [("x-ringwall-chain", "token")]
        assert _chain(EgressRule(host="help.example")) == []
    finally:
        CURRENT.reset(token)
    assert _chain(EgressRule(host="agents.example", agents=True)) == []


@pytest.mark.parametrize("facts", [5, {"depth": "x"}, {"fault": 7}, {"fault": "?"}, {"depth": None}])
def test_odd_facts_get_a_verdict(facts: Any) -> None:
    crossing = Crossing(CrossingKind.REQUEST, CASEY, context={"chain": facts})
    assert ChainControl(ChainSettings()).inspect(crossing).action in (Action.ALLOW, Action.BLOCK)


def test_hops_are_kept_as_they_were() -> None:
    chain = Chain("chn_1", (Hop("a", "s", "x"), Hop("b", "t", "y")))
    token = chains().token(chain, "t")
    assert enter(token, "c", "z", "u") == replace(chain, hops=(*chain.hops, Hop("c", "u", "z")))
