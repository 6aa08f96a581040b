"""Whatever the rules, the fast engine finds what RE2 alone finds, in short texts and by windows in long."""

import pytest
import re2
from hypothesis import given, settings
from hypothesis import strategies as st

from ringwall.detect import Engine, Rule
from ringwall.detect.gates import gated
from ringwall.detect.width import UnboundedPattern, max_width

_ATOMS = st.sampled_from(
    [
        "a",
        "b",
        "key",
        "ignore",
        r"\d",
        r"\w",
        r"\s",
        "[a-f0-9]",
        "[^ab]",
        ".",
        r"\W",
        r"\D",
        "é",
        "[éж]",
        "[^é]",
        "k",
        "s",
        r"\x{e9}",
        r"[\x{416}-\x{42f}]",
        r"\x{4e00}",
        "-",
        ":",
        r"\.",
        "K",
        r"\S",
        "(?:ab|é.)",
        "(?:x|yy|zzz)",
    ]
)
_REPEATS = st.sampled_from(["", "", "", "?", "{2}", "{1,3}", "{0,2}", "{3,9}"])
_PATTERNS = st.lists(st.tuples(_ATOMS, _REPEATS).map("".join), min_size=1, max_size=5).map("".join)
_EDGED = st.tuples(
    st.sampled_from(["", r"\b", "^", "(?:^|[^a-z])"]), _PATTERNS, st.sampled_from(["", r"\b", "$"])
)
_TEXTS = st.lists(
    st.sampled_from(
        [
            "a",
            "b",
            "key",
            "ignore",
            "1",
            "23",
            " ",
            "\n",
            "é",
            "Ж",
            "ж",
            "一",
            "K",
            "ſ",
            "K",
            "S",
            ".",
            "x",
            "yy",
            "\ud800",
            "😀",
            "-",
            ":",
            "ab",
            "filler text without much in it ",
        ]
    ),
    max_size=40,
).map("".join)


def made(patterns, sensitive):
    rules = []
    for number, pattern in enumerate(patterns):
        try:
            width = max_width(pattern)
            if re2.compile(pattern).search("") is not None:
                continue  # matches nothing at all: no rule
        except (UnboundedPattern, re2.error):
            continue
        rules.append(Rule(f"r{number}", "x", pattern, 1.0, "", (), (), sensitive=sensitive, width=width))
    return rules


def spans(engine, text):
    return [(hit.rule.id, hit.start, hit.end) for hit in engine.scan(text)]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(_EDGED.map("".join), min_size=1, max_size=3),
    st.booleans(),
    st.lists(_TEXTS, min_size=1, max_size=3),
)
def test_the_same_hits_whatever_the_rules(patterns, sensitive, texts):
    rules = made(patterns, sensitive)
    plain, short, long = Engine(rules, use_hyperscan=False), Engine(rules), Engine(rules, short=0)
    for text in texts:
        wanted = spans(plain, text)
        assert spans(short, text) == wanted
        assert spans(long, text) == wanted
        for _, start, end in wanted:
            assert 0 <= start <= end <= len(text)


def test_a_pattern_that_hyperscan_refuses_is_still_found():
    """It does not know RE2's flag for lazy repeats."""
    rules = [
        Rule("odd", "x", r"(?U)\d{1,3}[xy]{1,2}", 1.0, "", (), (), width=5),
        Rule("easy", "x", "needle", 1.0, "", (), (), width=6),
    ]
    for short in (0, 1 << 14):
        assert spans(Engine(rules, short=short), "a needle 12xy") == [("easy", 2, 8), ("odd", 9, 12)]


def test_hits_are_bounded_by_the_length_of_the_text():
    rules = [Rule(name, "x", "a", 1.0, "", (), (), width=1) for name in "abc"]
    text = "a" * 32_000
    found = spans(Engine(rules), text)
    assert found == spans(Engine(rules, use_hyperscan=False), text)
    assert [sum(one[0] == name for one in found) for name in "abc"] == [8000, 2000, 2000]


def test_no_ordinary_number_of_hits_is_too_many():
    rules = [Rule(name, "x", r"\bab\b", 1.0, "", (), (), width=2) for name in "ab"]
    assert len(Engine(rules).scan("ab, and then ab, and so on; " * 5000)) == 20_000


def test_decoys_that_fail_the_check_hide_nothing():
    rule = Rule("card", "x", r"\b\d{16}\b", 1.0, "", (), (), check="luhn", width=16)
    text = "4111111111111112 " * 3000 + "4111111111111111"
    for engine in (Engine([rule]), Engine([rule], use_hyperscan=False)):
        assert spans(engine, text) == [("card", len(text) - 16, len(text))]


_DIGITS = st.lists(
    st.sampled_from(["1", "42", "756", "2026", "a", "é", " ", ".", "-", "\u00a0", "FR", "x" * 3000, "/"]),
    max_size=30,
).map("".join)
_BEHIND = [
    r"\d{3}-\d{2}-\d{4}",
    r"(?:\d[ .-]?){5}\d",
    r"\d{2}(?:\.\d{2}){2}|[a-f0-9]{16,20}",
    r"[A-Z]{2}?(?:\d{2} ?){3}",
    r"\d{4}(?:[ -]\d{1,4}){2,4}",
    r"[A-Za-z0-9]{16}",
    r"é?\d{6}é",
]


@settings(max_examples=60, deadline=None)
@given(_DIGITS, st.booleans())
def test_a_gate_shuts_nothing_out(text, sensitive):
    rules = made(_BEHIND, sensitive)
    assert sum(map(gated, _BEHIND)) == 6
    wanted = spans(Engine(rules, use_hyperscan=False), text)
    assert spans(Engine(rules), text) == wanted == spans(Engine(rules, short=0), text)


@pytest.mark.parametrize(
    "pattern",
    [
        r"\d{5}",
        r"\d{3}[a-z]{3}\d{3}",
        r"(?:\d{3}){0,2}",
        r"\d{6}|x",
        r"(?:\d.?){6}",
        r"\d{3}é\d{3}",
        r"\w{16}",
    ],
)
def test_what_may_pass_by_the_gate_is_not_behind_it(pattern):
    assert not gated(pattern)
