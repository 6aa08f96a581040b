"""Budgets of what goes out: distinct values, reserved and settled, by principal and by session."""

import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringwall.boundaries.interface.disclosures import Budget, Disclosures
from ringwall.boundaries.interface.outflow import Outflow, OutflowSettings
from ringwall.boundaries.interface.personal_data import PersonalData, PersonalSettings
from ringwall.boundaries.interface.pseudonyms import Place, Pseudonyms
from ringwall.boundaries.interface.revealing import Revealer
from ringwall.core import (
    ALLOW,
    MODEL,
    Action,
    Boundary,
    Crossing,
    CrossingKind,
    Declaration,
    Gate,
    Integrity,
    Label,
    Part,
    PartKind,
    Post,
    Principal,
    apply_edits,
)
from ringwall.core.rate import Rate
from ringwall.detect.personal import CLASSES
from ringwall.server.response_guard import ResponseGuard

CASEY, ROBIN = Principal("casey", "shop", credential="k1"), Principal("robin", "shop", credential="k2")
CUSTOMER = Label(Integrity.UNTRUSTED, frozenset({"customer-pii"}))
MAILS = [f"user{n}@post.example" for n in range(9)]


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Cutter:
    """Another control, which holds back without regard for words."""

    declaration = Declaration(
        id="interface.cutter",
        boundary=Boundary.INTERFACE,
        summary="Holds a number of characters.",
        crossings=frozenset({CrossingKind.RESPONSE}),
        parts=frozenset({PartKind.TEXT}),
        threats=(),
        inline=True,
    )

    def __init__(self, width):
        self.width = width

    def inspect(self, crossing):
        return ALLOW

    def hold_from(self, text):
        return max(0, len(text) - self.width)


class Exit:
    def __init__(self, **given):
        self.settings = OutflowSettings.model_validate(given)
        self.clock = Clock()
        self.disclosures = Disclosures(now=self.clock)
        self.vault = Pseudonyms()
        data = PersonalData(PersonalSettings(), [*self.settings.principal, *self.settings.session])
        revealer = Revealer(self.vault, tuple(CLASSES))
        self.control = Outflow(self.settings, data, revealer, self.disclosures)

    def crossing(self, kind, part, who=CASEY, session="s", turn="t", **facts):
        return Crossing(kind, who, (part,), "assistant", session, "", False, {"turn": turn, **facts})

    def answer(self, text, who=CASEY, session="s", turn="t", **facts):
        part = Part(PartKind.TEXT, text, MODEL, "assistant")
        return self.control.inspect(self.crossing(CrossingKind.RESPONSE, part, who, session, turn, **facts))

    def come_in(self, text, label=CUSTOMER, session="s", kind=CrossingKind.TOOL_RESULT):
        part = Part(PartKind.TOOL_RESULT, text, label, "tool")
        assert self.control.inspect(self.crossing(kind, part, session=session)).action is Action.ALLOW


def test_distinct_values_count_and_repeats_do_not():
    one = Exit(session={"pii.email": "3/hour"})
    for _ in range(4):
        assert one.answer(" ".join(MAILS[:3])).action <= Action.ANNOTATE
    assert one.answer(MAILS[0].upper()).action is Action.ALLOW
    assert one.answer(MAILS[3]).action is Action.BLOCK
    assert one.answer(MAILS[3], session="other").action is Action.ANNOTATE


def test_the_principals_budget_is_one_over_all_sessions():
    one = Exit(principal={"pii": "2/hour"})
    one.answer(MAILS[0], session="a")
    one.answer(MAILS[1], session="b")
    assert one.answer(MAILS[2], session="c").action is Action.BLOCK
    assert one.answer(MAILS[2], who=ROBIN, session="d").action is Action.ANNOTATE


def test_the_window_slides():
    one = Exit(session={"pii.email": "1/hour"})
    one.answer(MAILS[0])
    one.disclosures.settle("t", left=True)
    one.clock.now = 1800
    assert one.answer(MAILS[1], turn="u").action is Action.BLOCK
    one.clock.now = 3700
    assert one.answer(MAILS[1], turn="v").action is Action.ANNOTATE


def test_what_did_not_leave_is_given_back():
    one = Exit(session={"pii.email": "1/hour"})
    one.answer(MAILS[0])
    one.disclosures.settle("t", left=False)
    one.disclosures.settle("t", left=False)
    assert one.answer(MAILS[1], turn="u").action is Action.ANNOTATE
    one.disclosures.settle("u", left=True)
    assert one.answer(MAILS[2], turn="v").action is Action.BLOCK


def test_redacting_takes_out_what_is_too_much():
    one = Exit(session={"pii.email": "2/hour"}, exhausted="redact")
    text = " and ".join(MAILS[:4])
    given_ = one.answer(text)
    assert given_.action is Action.TRANSFORM
    out = apply_edits(text, given_.edits)
    assert [mail in out for mail in MAILS[:4]] == [True, True, False, False]


def test_an_alert_before_it_is_used_up():
    one = Exit(session={"pii.email": "5/hour"})
    rules = [finding.rule for mail in MAILS[:5] for finding in one.answer(mail).findings]
    assert rules == ["shown"] * 3 + ["alert"] * 2


def test_a_restored_value_counts_and_is_called_so():
    one = Exit(session={"pii.email": "2/hour", "customer-pii": "5/hour"}, exhausted="redact")
    place = Place.at(CASEY, "assistant", "s", "t")
    for mail in MAILS[:3]:
        one.vault.give(place, mail, "pii.email", frozenset({"customer-pii"}))
    first = one.answer("<EMAIL_1>")
    assert [finding.rule for finding in first.findings] == ["restored"]
    one.answer("<EMAIL_2>")
    third = one.answer("<EMAIL_3>")
    assert [finding.rule for finding in third.findings] == ["exhausted"]
    assert not any(edit.yields for edit in third.edits), "so that it wins over the restoring edit"
    assert one.answer("<EMAIL_1> <EMAIL_9>").action is Action.ALLOW


def test_a_data_class_counts_the_values_of_its_content():
    one = Exit(session={"customer-pii": "2/hour"})
    one.come_in(" ".join(MAILS[:3]))
    one.come_in(MAILS[4], MODEL)
    assert one.answer(MAILS[4]).action is Action.ALLOW, "of content without the class"
    assert one.answer(" ".join(MAILS[:2])).action is Action.ANNOTATE
    assert one.answer(MAILS[2]).action is Action.BLOCK
    assert one.answer(MAILS[2], session="other").action is Action.ALLOW


def test_a_data_class_counts_content_that_is_repeated():
    one = Exit(session={"margins": "1/hour"})
    label = Label(Integrity.UNTRUSTED, frozenset({"margins"}))
    for name in ("Weiler", "Okafor"):
        one.come_in(f"The purchase price of lamps from {name} is thirty one percent of the list", label)
    said = "I read: the purchase price of lamps from {} is thirty one percent, so."
    assert one.answer(said.format("Weiler")).action is Action.ANNOTATE
    assert one.answer(said.format("Weiler")).action is Action.ALLOW
    assert one.answer(said.format("Okafor")).action is Action.BLOCK
    assert one.answer("Prices of lamps are a secret.").action is Action.ALLOW


def test_calls_that_leave_count_and_others_do_not():
    one = Exit(session={"pii.email": "1/hour", "customer-pii": "1/hour"}, inside=["lookup"])

    def call(name, text, label=MODEL):
        part = Part(PartKind.TOOL_CALL, text, MODEL, "assistant", name, {}, "c1")
        facts = {"provenance": {"c1": {"to": label}}}
        return one.control.inspect(one.crossing(CrossingKind.TOOL_CALL, part, **facts)).action

    assert call("lookup", f'{{"to":"{MAILS[0]}"}}') is Action.ALLOW
    assert call("send", f'{{"to":"{MAILS[0]}"}}', CUSTOMER) is Action.ANNOTATE
    assert call("send", f'{{"to":"{MAILS[1]}"}}') is Action.BLOCK
    assert call("send", '{"to":"x"}', CUSTOMER) is Action.BLOCK


def test_many_at_once_do_not_overshoot_together():
    one = Disclosures()
    budget = Budget("casey", "pii.email", Rate(10, 3600))
    granted = []

    def take(number):
        for each in range(10):
            if one.count(f"t{number}", one.digest(f"{number} {each}"), [budget]).granted:
                granted.append((number, each))

    threads = [threading.Thread(target=take, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(granted) == 10


def test_a_value_is_taken_out_of_all_budgets_or_of_none():
    one = Disclosures()
    wide, narrow = Budget("a", "pii", Rate(2, 60)), Budget("b", "pii", Rate(0, 60))
    assert not one.count("t", b"x", [wide, narrow]).granted
    assert one.count("t", b"y", [wide]).granted
    assert one.count("t", b"z", [wide]).granted


@settings(max_examples=25, deadline=None)
@given(st.data())
async def test_a_stream_counts_as_the_whole_answer_does(data):
    """Never more than the budget leaves, and a value that comes in pieces is one value."""
    count = data.draw(st.integers(0, 6))
    text = "They are " + ", ".join(MAILS[:count]) + ". And that is all of them, as far as I know."
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=25)))
    more = data.draw(st.sampled_from([{}, {"customer-pii": "9/hour"}, {"pii": "9/hour"}]))
    join = data.draw(st.sampled_from([", ", " ", "\n- "]))
    text = text.replace(", ", join)
    one = Exit(session={"pii.email": "3/hour", **more})
    one.come_in(text)

    def crossing(pending, before, final):
        part = Part(PartKind.TEXT, pending, MODEL, "assistant")
        facts = {"stream": True, "final": final, "before": before}
        return one.crossing(CrossingKind.RESPONSE, part, **facts)

    cutting = [Post(Cutter(data.draw(st.integers(1, 30))))] if data.draw(st.booleans()) else []
    guard = ResponseGuard(Gate([Post(one.control), *cutting]), crossing)
    out, stopped = "", False
    for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True):
        release = await guard.feed(text[a:b])
        out += release.text
        if release.stopped:
            stopped = True
            break
    if not stopped:
        last = await guard.finish()
        out, stopped = out + last.text, last.stopped
    assert stopped == (count > 3)
    assert out == text or stopped
    assert sum(mail in out for mail in MAILS) <= 3


@pytest.mark.parametrize("text", ["", "\ud800", "\x00" * 50, "<EMAIL_1>" * 50])
def test_other_text_costs_nothing(text):
    one = Exit(session={"pii": "0/hour", "customer-pii": "0/hour"})
    assert one.answer(text).action is Action.ALLOW
