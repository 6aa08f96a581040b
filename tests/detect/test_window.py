"""Rules over a stream: heads of patterns, and that whatever is released can't be part of a match."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringwall.detect import builtin, window
from ringwall.detect.heads import heads

CLASSES = ("code", "output.sql", "output.shell", "moderation")


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("abc", {"abc"}),
        ("(?:ab|cd)e?f", {"abf", "abef", "cdf", "cdef"}),
        (r"\b(?:how|why) to[^.]{0,9}x", {"how to", "why to"}),
        ("(?:(?:a|b)[0-9]{1,3}|c)d", {"a", "b", "c"}),
        ("a{2}b", {"aab"}),
        ("[xy]z", {"xz", "yz"}),
        ("(?:ab){1,3}c", {"ab"}),
        ("[0-9]a", {""}),
        ("a?[0-9]", {"", "a"}),
        ("(?:a[0-9]?){0,2}b", {""}),
    ],
)
def test_heads(pattern, expected):
    assert heads(pattern) == expected


@pytest.mark.parametrize(
    "rule", [rule for rule in builtin() if rule.cls.partition(".")[0] in ("code", "output", "moderation")]
)
def test_every_match_begins_with_a_head(rule):
    known = heads(rule.pattern)
    for text in rule.positive:
        for hit in window(rule.cls).scan(text):
            if hit.rule.id == rule.id and not rule.group and not hit.view:
                assert any(text[hit.start :].lower().startswith(head) for head in known), text


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_what_is_released_is_in_no_match(data):
    name = data.draw(st.sampled_from(CLASSES))
    rules = window(name)
    rule = data.draw(st.sampled_from(rules.engine.rules))
    text = data.draw(st.text(max_size=20)) + " " + data.draw(st.sampled_from(rule.positive)) + " end."
    hits = rules.scan(text)
    for end in range(len(text)):
        released = rules.hold_from(text[:end])
        assert 0 <= released <= end
        assert not [hit for hit in hits if hit.start < released < hit.end and hit.end > end]


def test_a_match_that_began_before_is_found_from_the_start():
    hits = window("code").scan("loads(x)", "y = pickle.")
    assert [(hit.rule.id, hit.start, hit.end) for hit in hits] == [("code-python-pickle", 0, 6)]
    assert window("code").scan("done", "y = pickle.loads(x) ") == []
