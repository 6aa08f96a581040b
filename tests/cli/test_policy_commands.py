"""``ringwall policy``: tables that fail with what differs, and decisions explained, made up and recorded."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from ringwall.core import (
    USER,
    Crossing,
    CrossingKind,
    Part,
    PartKind,
    Principal,
    decision_body,
    decision_event,
    untrusted,
)
from ringwall.workload.compose import Overrides, compose
from ringwall.workload.load import load
from ringwall.workload.plant import Plant

TABLE = """\
- name: mail is for staff
  principal: {roles: [customer]}
  tool: send_email
  expect: not_offered
  policies: [brightlamp.mail-is-for-staff]
- name: staff may mail
  principal: {roles: [customer, agent]}
  tool: send_email
  expect: offered
- name: a tool that nobody declared
  tool: format_disk
  expect: not_offered
"""
SECRET = "B-2041"


def test_offers_are_expected_in_tables(command: Any, sample: Path, tmp_path: Path) -> None:
    table = tmp_path / "offers.yaml"
    table.write_text(TABLE)
    done = command("policy", "test", table, "--workload", sample)
    assert (done.code, done.out.splitlines()[-1]) == (0, "3 of 3 as expected."), done.err


def test_a_failure_says_what_was_expected_and_what_is(command: Any, sample: Path, tmp_path: Path) -> None:
    table = tmp_path / "offers.yaml"
    table.write_text(TABLE.replace("not_offered", "offered", 1))
    done = command("policy", "test", table, "--workload", sample)
    assert done.code == 1
    assert "FAIL  mail is for staff  (offers.yaml:1)" in done.out
    assert "- offered" in done.out and "+ not_offered" in done.out
    (first, *_) = command("policy", "test", table, "--workload", sample, "--json").json
    assert first["differences"] == [{"what": "action", "expected": "offered", "is": "not_offered"}]


def test_every_mistake_of_a_table_has_its_line(command: Any, sample: Path, tmp_path: Path) -> None:
    table = tmp_path / "bad.yaml"
    table.write_text("- tool: a\n  expect: perhaps\n- tool: b\n  principal:\n    roles: 7\n- expect: allow\n")
    done = command("policy", "test", table, "--workload", sample)
    assert done.code == 2
    for place in ("bad.yaml:2", "bad.yaml:5", "bad.yaml:6"):
        assert place in done.err


@pytest.mark.parametrize(
    ("more", "action", "policy"),
    [
        (("--role", "agent"), "allow", "ringwall.entitled"),
        (("--role", "agent", "--from", "to=untrusted"), "hold", "ringwall.untrusted-target"),
        (("--role", "customer", "--offer"), "not_offered", "brightlamp.mail-is-for-staff"),
    ],
)
def test_a_call_is_explained_before_it_is_made(
    command: Any, sample: Path, more: tuple[str, ...], action: str, policy: str
) -> None:
    arguments = '{"to": "kim@brightlamp.example", "subject": "a", "body": "b"}'
    if "to=untrusted" in more:
        arguments = arguments.replace("brightlamp", "elsewhere")
    words = ("policy", "explain", "--tool", "send_email", "--args", arguments, *more, "--workload", sample)
    (found,) = command(*words, "--json").json
    assert (found["action"], [one["id"] for one in found["policies"]]) == (action, [policy])
    assert policy in command(*words).out


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--tool", "refund", "--args", "{"),
        ("t.yaml", "--tool", "refund"),
        ("--tool", "refund", "--from", "a"),
    ],
)
def test_wrong_use_is_said(command: Any, sample: Path, words: tuple[str, ...]) -> None:
    assert command("policy", "explain", *words, "--workload", sample).code == 2


@pytest.fixture(scope="module")
def recorded(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A data directory with two decisions: one on a look-up, one on a request."""
    folder = tmp_path_factory.mktemp("recorded") / "data"
    plant = Plant(folder)
    casey = Principal("casey", "brightlamp", frozenset({"customer"}), {"customer_id": "1001"}, "key")
    call = Part(
        PartKind.TOOL_CALL,
        f'{{"order_id":"{SECRET}"}}',
        USER,
        name="lookup_order",
        data={"order_id": SECRET},
        ref="call_1",
    )
    context = {"provenance": {"call_1": {"order_id": untrusted("tool:fetch_page")}}, "session_labels": USER}

    async def run() -> list[str]:
        gate = compose(load(sample), plant, Overrides()).application().gate
        ids = []
        for crossing in (
            Crossing(CrossingKind.TOOL_CALL, casey, (call,), "assistant", "s", context=context),
            Crossing(CrossingKind.REQUEST, casey, (Part(PartKind.TEXT, "hello", USER, "user"),), "assistant"),
        ):
            decision = await gate.decide(crossing)
            body = decision_body(decision, crossing)
            await plant.ledger.append(decision_event(decision), body, subject="brightlamp/casey")
            ids.append(decision.id)
        return ids

    ids = asyncio.run(run())
    plant.close()
    return folder, ids


def test_a_recorded_decision_is_explained(
    command: Any, sample: Path, recorded: tuple[Path, list[str]]
) -> None:
    folder, (decision, _) = recorded
    words = ("policy", "explain", decision, "--workload", sample, "--data-dir", folder)
    (found,) = command(*words, "--json").json
    assert found["recorded"]["action"] == found["action"] == "allow"
    assert found["recorded"]["policies"] == ["ringwall.entitled"], "what permitted it is on the ledger"
    assert found["facts"]["args"]["order_id"]["origin"] == ["tool:fetch_page"]
    shown = command(*words).out
    assert "ringwall.entitled" in shown
    assert SECRET not in shown


def test_what_is_no_recorded_call_is_said(
    command: Any, sample: Path, recorded: tuple[Path, list[str]]
) -> None:
    folder, (_, request) = recorded
    for decision in (request, "dec_nothing"):
        done = command("policy", "explain", decision, "--workload", sample, "--data-dir", folder)
        assert done.code == 2
        assert "Traceback" not in done.err
