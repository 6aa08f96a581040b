"""The quick way into RE2 tells the same as its bindings do."""

import pytest
import re2
from hypothesis import given, settings
from hypothesis import strategies as st

from ringwall.detect import finder as module
from ringwall.detect.finder import finder

PATTERNS = (r"\bab\b", r"(?:^|[^0-9])(\d{2,4})\b", r"(a)|(b)", r"x?", "é+", r"(?i)KEY[:=](\w{1,4})")


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(PATTERNS), st.text("ab012 é:keyKEYx=", max_size=30), st.data())
def test_the_same_spans_without_objects(pattern, text, data):
    raw = text.encode()
    start = data.draw(st.integers(0, len(raw)))
    stop = data.draw(st.integers(start, len(raw)))
    compiled = re2.compile(pattern)
    wanted = [tuple(span) for span in module._searched(compiled, raw, start, stop)]
    found = [tuple(span) for span in finder(pattern)(raw, start, stop)]
    assert found == wanted if wanted[0] != (-1, -1) else found[0] == (-1, -1)


def test_other_bindings_do_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_ANYWHERE", None)
    finder.cache_clear()
    try:
        assert list(finder(r"b(\d)", sensitive=False)(b"a B2", 0, 4)) == [(2, 4), (3, 4)]
        assert list(finder(r"b(\d)")(b"a B2", 0, 4)) == [(-1, -1)]
    finally:
        finder.cache_clear()
