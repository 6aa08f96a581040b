"""Marked text: nothing is lost, nothing hides, nothing comes alive."""

import html
import re
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringwall.console.marking import LIMIT, Span, hides, mark, passages, reveal, reveal_chat

PLAIN = st.text(st.characters(codec="ascii", categories=["L", "N", "P", "S", "Zs"]), max_size=60)
ANY = st.text(
    st.one_of(st.characters(), st.sampled_from("\u202e\u200b\ufe0f\U000e0041\x00\ud800<>&\"'")), max_size=60
)
SPANS = st.lists(st.tuples(st.integers(-5, 70), st.integers(-5, 70)), max_size=12)


def bare(markup: str) -> str:
    """The text that a reader sees, without the references."""
    return html.unescape(re.sub(r"<[^>]*>", "", re.sub(r"<sup.*?</sup>", "", markup)))


def spans_of(pairs) -> list[Span]:
    return [Span(start, end, number) for number, (start, end) in enumerate(pairs, 1)]


@given(PLAIN, SPANS)
@settings(max_examples=100)
def test_no_character_is_lost_however_spans_overlap(text, pairs):
    marked = str(mark(text, spans_of(pairs)))
    assert bare(marked) == text
    assert marked.count("<mark") == marked.count("</mark>")
    assert not re.search(r"<mark[^>]*>(?:(?!</mark>).)*<mark", marked)


@given(PLAIN, SPANS)
@settings(max_examples=100)
def test_what_is_marked_is_what_the_spans_cover(text, pairs):
    marked = re.sub(r"<sup.*?</sup>", "", str(mark(text, spans_of(pairs))))
    covered = "".join(html.unescape(hit) for hit in re.findall(r'<mark class="hit">(.*?)</mark>', marked))
    inside = [any(start <= at < end for start, end in pairs) for at in range(len(text))]
    assert covered == "".join(char for char, hit in zip(text, inside, strict=True) if hit)


@given(ANY, SPANS)
@settings(max_examples=100)
def test_hostile_text_is_plain_to_see(text, pairs):
    marked = str(mark(text, spans_of(pairs)))
    marked.encode()
    assert not any(hides(char) for char in marked)
    leftover = re.sub(r'</?(mark|sup|a|span)( (class|href|title)="[^"<>]*")*>', "", marked)
    assert "<" not in leftover and ">" not in leftover
    assert not any(hides(char) for char in reveal(text))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\u202eb", "a␣U+202Eb"),
        ("a\u200bb", "a␣U+200Bb"),
        ("a\u00a0b", "a␣U+00A0b"),
        ("a\ud800b", "a␣U+D800b"),
        ("a\x1b[31mb", "a␣U+001B[31mb"),
        ("a\u3164b", "a␣U+3164b"),
        ("a\ue000b", "a␣U+E000b"),
        ("a\rb", "a␣U+000Db"),
        ("a\U000e0100b", "a␣U+E0100b"),
        ("naïve 漢字 שלום 👋🏽\n\t", "naïve 漢字 שלום 👋🏽\n\t"),
    ],
)
def test_hiding_characters_show_their_names(text, shown):
    assert reveal(text) == bare(str(mark(text))) == shown


def test_text_smuggled_in_tags_is_read_out():
    smuggled = "".join(chr(0xE0000 + ord(char)) for char in "send <it>")
    assert bare(str(mark("Hello" + smuggled + "!"))) == "Hello␣tags “send <it>”!"
    assert "hidden text" in mark("x" + smuggled)


def test_a_chat_keeps_the_joiners_that_writing_needs():
    assert reveal_chat("👩\u200d🚀 ❤\ufe0f می\u200cخواهم") == "👩\u200d🚀 ❤\ufe0f می\u200cخواهم"
    assert "\u202e" not in reveal_chat("a\u202eb<") and "&lt;" in reveal_chat("a\u202eb<")


def test_overlaps_name_all_their_findings():
    marked = str(mark("abcdef", [Span(0, 4, 1), Span(2, 6, 2), Span(3, 3, 3)]))
    pieces = re.findall(r'<mark class="hit">(.*?)</mark><sup class="refs">(.*?)</sup>', marked)
    seen = [(text, re.findall(r"#finding-(\d+)", links)) for text, links in pieces]
    assert seen == [("ab", ["1"]), ("cd", ["1", "2"]), ("ef", ["2"])]


def test_huge_texts_and_many_spans_are_bounded():
    marked = mark("a" * 3_000_000, [Span(n, n + 2000, n) for n in range(2000)])
    assert len(marked) < LIMIT + 2000 * 2 * 400
    assert mark("", [Span(0, 5, 1)]) == ""


@given(st.lists(st.tuples(st.integers(0, 200_000), st.integers(0, 3_000)), max_size=40))
@settings(max_examples=30)
def test_passages_of_a_long_text_show_each_finding_and_stay_short(places):
    text = "0123456789" * 20_000
    spans = [Span(start, min(len(text), start + size), number) for number, (start, size) in enumerate(places)]
    shown = passages(text, spans)
    assert shown[0].start == 0
    assert all(before.end < after.start for before, after in pairwise(shown))
    assert sum(one.end - one.start for one in shown) <= LIMIT + 1_000
    for one in shown:
        assert bare(str(one.marked)) == text[one.start : one.end]
    for span in spans[:8]:
        if span.start < span.end:
            assert any(one.start <= span.start and span.end <= one.end for one in shown)
    assert not passages("short", spans)
