"""The joins that decisions and labels rest on are joins."""

import time
from unittest import mock

from hypothesis import given
from hypothesis import strategies as st

from ringwall.core import (
    ALLOW,
    Action,
    Buffer,
    Edit,
    EndOfStream,
    Finding,
    Integrity,
    Label,
    Window,
    apply_edits,
    fold,
    new_id,
    stricter,
    verdict,
)

text = st.text(max_size=4)
small = st.integers(0, 6)
findings = st.builds(
    Finding, control=text, rule=text, message=text, part=small, start=small, end=small, score=st.floats(0, 1)
)
edits = st.builds(Edit, part=small, start=small, end=small, replacement=text, drop=st.booleans())
verdicts = st.builds(
    verdict,
    st.sampled_from(Action),
    text,
    st.lists(findings, max_size=3),
    st.lists(edits, max_size=3),
)
needs = st.one_of(
    st.just(EndOfStream()), st.builds(Window, small, small), st.builds(Buffer, st.integers(1, 9))
)
labels = st.builds(
    Label,
    st.sampled_from(Integrity),
    st.frozensets(st.sampled_from("abc")),
    st.frozensets(st.sampled_from("xyz")),
)


@given(verdicts, verdicts, verdicts)
def test_verdicts_join_as_a_semilattice(a, b, c):
    assert a.join(b.join(c)) == a.join(b).join(c)
    assert a.join(b) == b.join(a)
    assert a.join(a) == a
    assert a.join(ALLOW) == ALLOW.join(a) == a
    assert a.join(b).action == max(a.action, b.action)


@given(verdicts, verdicts)
def test_nothing_that_a_verdict_says_is_lost_in_a_join(a, b):
    joined = a.join(b)
    for side in (a, b):
        assert set(side.findings) <= set(joined.findings)
        assert set(side.edits) <= set(joined.edits)
        assert set(side.reasons) <= set(joined.reasons)


@given(needs, needs, needs)
def test_stricter_is_a_join(a, b, c):
    assert stricter(a, stricter(b, c)) == stricter(stricter(a, b), c)
    assert stricter(a, b) == stricter(b, a)
    assert stricter(a, a) == a
    assert stricter(a, EndOfStream()) == a


@given(st.lists(needs, max_size=5))
def test_the_fold_holds_back_at_least_what_each_control_needs(many):
    folded = fold(many)
    for need in many:
        assert stricter(need, folded) == folded


@given(labels, labels, labels)
def test_labels_join_as_a_semilattice_that_never_gains_trust(a, b, c):
    assert a.join(b.join(c)) == a.join(b).join(c)
    assert a.join(b) == b.join(a)
    assert a.join(a) == a
    assert a.join(b).integrity <= min(a.integrity, b.integrity)


@st.composite
def cuts(draw):
    original = "".join(chr(0x4E00 + number) for number in range(draw(st.integers(0, 30))))  # all different
    spans = draw(st.lists(st.tuples(st.integers(-3, 35), st.integers(-3, 35)), max_size=6))
    wanted = [Edit(0, start, end, draw(st.sampled_from(["", "*", "[gone]"]))) for start, end in spans]
    return original, wanted


@given(cuts())
def test_nothing_that_any_edit_wanted_gone_survives_and_nothing_else_is_touched(case):
    original, wanted = case
    gone = {place for edit in wanted for place in range(max(0, edit.start), min(edit.end, len(original)))}
    left = apply_edits(original, wanted)
    kept = "".join(char for place, char in enumerate(original) if place not in gone)
    assert "".join(char for char in left if char in original) == kept


@given(cuts(), st.randoms())
def test_the_order_of_edits_changes_nothing(case, chance):
    original, wanted = case
    shuffled = list(wanted)
    chance.shuffle(shuffled)
    assert apply_edits(original, shuffled) == apply_edits(original, wanted)


def test_touching_edits_both_take_place():
    assert apply_edits("abcdef", [Edit(0, 0, 2, "X"), Edit(0, 2, 4, "Y")]) == "XYef"


@given(st.lists(st.integers(0, 1 << 62), min_size=2, max_size=6, unique_by=lambda at: at // 1_000_000))
def test_ids_sort_by_the_time_they_were_made(moments):
    made = []
    for moment in moments:
        with mock.patch.object(time, "time_ns", return_value=moment):
            made.append((moment, new_id("x")))
    assert [name for _, name in sorted(made)] == sorted(name for _, name in made)
    assert all(len(name) == 28 for _, name in made)


def test_ids_do_not_repeat():
    assert len({new_id("dec") for _ in range(5000)}) == 5000
