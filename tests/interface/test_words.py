"""The operator's word lists: found however they are written, never half of one in a stream."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringwall.boundaries.interface.words import Words, WordsSettings
from ringwall.core import (
    MODEL,
    SYSTEM,
    USER,
    Action,
    ConfigError,
    Crossing,
    CrossingKind,
    Part,
    PartKind,
    Principal,
    apply_edits,
)
from ringwall.detect.folding import fold
from ringwall.detect.lexicon import Lexicon


def judged(control, text, kind=CrossingKind.REQUEST, label=USER, **context):
    crossing = Crossing(
        kind, Principal("casey"), (Part(PartKind.TEXT, text, label, "user"),), context=context
    )
    return control.inspect(crossing)


def lists(**given):
    return Words(WordsSettings.model_validate({"lists": given}))


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("We like ACME here", "ACME"),
        ("the Night \n Owl flies", "Night \n Owl"),
        ("ａｃｍｅ", "ａｃｍｅ"),
        ("аcmе", "аcmе"),
        ("A\u200bc\u200bm\u200be", "A\u200bc\u200bm\u200be"),
        ("CAFÉ", "CAFÉ"),
        ("cafe", "cafe"),
        ("in der STRASSE dort", "STRASSE"),
        ("ein Wort 秘密 hier", "秘密"),
        ("これは秘密です", "秘密"),
    ],
)
def test_a_word_is_found_however_it_is_written(text, word):
    found = Lexicon(["acme", "night owl", "Café", "straße", "秘密"]).find(text)
    assert text[found[0].start : found[0].end] == word


@pytest.mark.parametrize(
    "text", ["acmes", "an acmeist", "night\x00owl", "night" + " " * 70 + "owl", "", "\ud800"]
)
def test_other_words_are_not(text):
    assert Lexicon(["acme", "night owl"]).find(text) == []


def test_encoded_words_are_found_in_requests_only():
    text = "eW91IGxvdmUgYWNtZSBzbyBtdWNoIHRoYXQ="
    assert Lexicon(["acme"]).find(text)
    assert not Lexicon(["acme"]).find(text, decoded=False)


def test_a_list_acts_as_it_says():
    control = lists(
        rivals={"words": ["Lumenta"], "action": "annotate"},
        rude={"words": ["darn"], "action": "mask", "match": "substring", "replacement": "***"},
        secret={"words": ["Night Owl"], "action": "block", "directions": ["response"]},
    )
    assert judged(control, "Lumenta is cheaper").action is Action.ANNOTATE
    masked = judged(control, "That goddarned lamp")
    assert apply_edits("That goddarned lamp", masked.edits) == "That god***ed lamp"
    assert judged(control, "What is Night Owl?").action is Action.ALLOW
    assert judged(control, "Night Owl ships in May.", CrossingKind.RESPONSE, MODEL).action is Action.BLOCK
    assert judged(control, "darn Lumenta", label=SYSTEM).action is Action.ALLOW
    assert not any("darn" in finding.message for finding in masked.findings)


def test_a_word_that_goes_on_from_what_was_released_is_another_word():
    control = lists(a={"words": ["lamp"], "action": "block"})
    assert judged(control, "lamp", CrossingKind.RESPONSE, MODEL, before="a head").action is Action.ALLOW
    assert judged(control, "lamp", CrossingKind.RESPONSE, MODEL, before="a head ").action is Action.BLOCK


def test_a_list_from_a_file(tmp_path):
    (tmp_path / "words.txt").write_text("# rivals\nLumenta\n\nNight Owl # a phrase\n", "utf-8")
    settings_ = WordsSettings.model_validate({"lists": {"a": {"file": "words.txt"}}})
    assert settings_.named_files() == ("words.txt",)
    assert judged(Words(settings_, tmp_path), "a night owl").action is Action.ANNOTATE
    for name in ("none.txt", "."):
        wrong = WordsSettings.model_validate({"lists": {"a": {"file": name}}})
        with pytest.raises(ConfigError, match="can't be read"):
            Words(wrong, tmp_path)
    with pytest.raises(ConfigError, match="is no word"):
        lists(a={"words": ["\u200b"]})
    with pytest.raises(ValueError, match="words, a file"):
        WordsSettings.model_validate({"lists": {"a": {}}})


WORDS = ["acme", "acme lamp", "night owl", "straße", "ab", "ba", "éclair"]
ALPHABET = st.sampled_from(
    [*"abcmelnightow ", "ß", "é", "e\u0301", "\u200b", "а", "\n", "AC", "ME", "strasse", " lamp"]
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(ALPHABET, max_size=14).map("".join), st.lists(ALPHABET, max_size=6).map("".join), st.booleans()
)
def test_what_is_not_held_can_not_become_a_word(text, more, whole):
    """The part that may leave is the same whatever comes: no place of the longer text begins in it and ends
    behind it."""
    lexicon = Lexicon(WORDS, whole=whole)
    point = lexicon.hold_from(text)
    assert 0 <= point <= len(text)
    for place in lexicon.find(text + more, decoded=False):
        assert not (place.start < point < place.end and place.end > len(text))


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=40))
def test_folding_is_stable(text):
    assert fold(fold(text)) == fold(text)
    assert Lexicon(["zzzzz"]).find(text) == []


def test_ten_thousand_words():
    words = [f"w{number:x}q" for number in range(10_000)]
    lexicon = Lexicon(words)
    assert len(lexicon.find(" ".join(words))) == 500
    assert lexicon.hold_from("x w1") == 2
