"""What is left of a verdict when some of its findings are allowed, and that the gate asks."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringwall.core import (
    ALLOW,
    ALLOWED_BY,
    USER,
    Action,
    Boundary,
    Crossing,
    CrossingKind,
    Declaration,
    Edit,
    Finding,
    Gate,
    Mode,
    Part,
    PartKind,
    Post,
    Principal,
    verdict,
)
from ringwall.core.allowance import relieved

FINDINGS = st.builds(
    lambda rule, part, start, length: Finding("a.b", rule, "m", part, start, start + length),
    st.sampled_from(["r1", "r2", "r3"]),
    st.integers(0, 1),
    st.integers(0, 12),
    st.integers(0, 6),
)
EDITS = st.builds(
    lambda part, start, length, drop: Edit(part, start, start + length, "x", drop),
    st.integers(0, 1),
    st.integers(0, 12),
    st.integers(0, 6),
    st.booleans(),
)
VERDICTS = st.builds(
    lambda action, findings, edits: verdict(action, "why", findings, edits),
    st.sampled_from(list(Action)),
    st.lists(FINDINGS, max_size=5),
    st.lists(EDITS, min_size=1, max_size=4),
)


@given(VERDICTS, st.randoms(use_true_random=False))
def test_only_allowed_findings_lose_their_force(given_verdict, random):
    allowed = {one: "alw_1" for one in given_verdict.findings if random.random() < 0.5}
    left = relieved(given_verdict, allowed)
    forced = set(given_verdict.findings) - set(allowed)
    assert set(given_verdict.findings) <= set(left.findings)  # everything stays on record
    assert left.action <= max(given_verdict.action, Action.ANNOTATE)
    if not allowed:
        assert left == given_verdict
    elif not forced:
        assert (left.action, left.edits, left.reasons) == (Action.ANNOTATE, (), ())
    elif given_verdict.action is not Action.TRANSFORM:
        assert (left.action, left.edits, left.reasons) == (
            given_verdict.action,
            given_verdict.edits,
            given_verdict.reasons,
        )
    for edit in set(given_verdict.edits) - set(left.edits):
        assert not any(
            one.part == edit.part and edit.start < one.end and one.start < edit.end for one in forced
        )
    assert all(one.rule == f"{ALLOWED_BY}alw_1" for one in set(left.findings) - set(given_verdict.findings))


def test_of_two_values_only_the_allowed_one_stays():
    first, second = Finding("a.b", "mail", "m", 0, 0, 5), Finding("a.b", "mail", "m", 0, 8, 12)
    edits = [Edit(0, 0, 5, "A"), Edit(0, 8, 12, "B")]
    left = relieved(verdict(Action.TRANSFORM, "r", [first, second], edits), {first: "alw_1"})
    assert (left.action, left.edits) == (Action.TRANSFORM, (Edit(0, 8, 12, "B"),))
    one_edit = [Edit(0, 0, 12, "A")]  # one change for both: it stays
    assert relieved(verdict(Action.TRANSFORM, "", [first, second], one_edit), {first: "x"}).edits
    back = Edit(0, 0, 5, "put back", yields=True)
    left = relieved(verdict(Action.TRANSFORM, "", [first], [back, edits[0]]), {first: "x"})
    assert left.edits == (back,)


class Cached:
    """Answers the same verdict object for ever, as controls with a cache do."""

    declaration = Declaration(
        "interface.fake",
        Boundary.INTERFACE,
        "Fake.",
        frozenset({CrossingKind.REQUEST}),
        frozenset({PartKind.TEXT}),
        ("LLM01@2025",),
        inline=True,
    )
    given = verdict(Action.BLOCK, "No.", [Finding("interface.fake", "r", "m", 0, 0, 3)])

    def inspect(self, crossing):
        return self.given


class Book:
    def __init__(self, **findings):
        self.known = findings
        self.asked = []

    def covering(self, application, crossing, given):
        self.asked.append(application)
        return {one: self.known[one.rule] for one in given.findings if one.rule in self.known}


class Broken:
    def covering(self, application, crossing, given):
        raise RuntimeError("the book is gone")


CROSSING = Crossing(CrossingKind.REQUEST, Principal("casey"), (Part(PartKind.TEXT, "abc", USER),), "shop")


async def test_the_gate_asks_outside_the_cache_of_a_control():
    book = Book()
    gate = Gate([Post(Cached())], allowances=book)
    assert (await gate.decide(CROSSING)).blocked
    book.known["r"] = "alw_7"
    decision = await gate.decide(CROSSING)
    assert (decision.action, decision.would) == (Action.ANNOTATE, Action.ANNOTATE)
    line = decision.lines[0]
    assert line.reason == "false alarms by alw_7"
    assert [one.rule for one in line.verdict.findings] == ["allowed-by alw_7", "r"]
    book.known.clear()
    assert (await gate.decide(CROSSING)).blocked
    assert book.asked == ["shop"] * 3


async def test_a_book_that_fails_allows_nothing():
    assert (await Gate([Post(Cached())], allowances=Broken()).decide(CROSSING)).blocked


@pytest.mark.parametrize("answer", [ALLOW, verdict(Action.ANNOTATE, "", Cached.given.findings)])
async def test_what_passes_anyway_asks_nobody(answer):
    control = Cached()
    control.given = answer
    decision = await Gate([Post(control)], allowances=Broken()).decide(CROSSING)
    assert decision.action is answer.action


async def test_a_failed_control_stays_closed():
    class Fails(Cached):
        def inspect(self, crossing):
            raise RuntimeError

    book = Book(**{"failed-closed": "alw_1", "r": "alw_1"})
    assert (await Gate([Post(Fails())], allowances=book).decide(CROSSING)).blocked
    assert book.asked == []


async def test_in_monitor_mode_the_line_says_so_as_well():
    decision = await Gate([Post(Cached())], mode=Mode.MONITOR, allowances=Book(r="alw_1")).decide(CROSSING)
    assert decision.would is Action.ANNOTATE
    assert replace(decision.lines[0], elapsed_us=0).reason == "false alarms by alw_1"
