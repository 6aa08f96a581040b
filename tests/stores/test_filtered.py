"""A filter as pieces of documents to search among, against the same filter asked of each passage."""

from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringwall.core import ANONYMOUS
from ringwall.server.retrieval import filtered
from ringwall.server.retrieval.filtered import fitting
from ringwall.wire.errors import WireError
from ringwall.wire.vector_filters import read_filter

PASSAGES = 5
VALUES = st.sampled_from(["a", "b", "", True, False, 0, 1, 2, 2.5, 4, -1, 1e300])
KEYS = st.sampled_from(["team", "year", "title", "passage", "citation"])
COMPARISONS = st.builds(
    lambda kind, key, value: {"type": kind, "key": key, "value": value},
    st.sampled_from(["eq", "ne", "gt", "gte", "lt", "lte"]),
    KEYS,
    VALUES,
) | st.builds(
    lambda kind, key, values: {"type": kind, "key": key, "value": values},
    st.sampled_from(["in", "nin"]),
    KEYS,
    st.lists(VALUES, min_size=1, max_size=3),
)
FILTERS = st.recursive(
    COMPARISONS,
    lambda inner: st.builds(
        lambda kind, filters: {"type": kind, "filters": filters},
        st.sampled_from(["and", "or"]),
        st.lists(inner, min_size=1, max_size=3),
    ),
    max_leaves=8,
)
DOCUMENTS = st.lists(
    st.tuples(st.sampled_from(["a", "b", ""]), st.dictionaries(st.sampled_from(["team", "year"]), VALUES)),
    max_size=4,
)


class Shelf:
    """Documents by number, each with a title and attributes."""

    def __init__(self, documents: list[tuple[str, Mapping[str, Any]]]) -> None:
        self.documents = documents
        self.read = 0

    def listed(self, principal: Any, collection: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        for number, (_, attributes) in enumerate(self.documents):
            yield str(number), {**attributes, "citation": f"document:{collection}/{number}@1"}

    def title(self, collection: str, document: str) -> str:
        self.read += 1
        return self.documents[int(document)][0]


def turn_of(shelf: Shelf) -> Any:
    return SimpleNamespace(app=SimpleNamespace(library=shelf), principal=ANONYMOUS)


@given(given_=FILTERS, documents=DOCUMENTS)
@settings(max_examples=200, deadline=None)
def test_each_passage_that_fits_and_no_other(
    given_: Mapping[str, Any], documents: list[tuple[str, Mapping[str, Any]]]
) -> None:
    wanted = read_filter(given_)
    shelf = Shelf(documents)
    pieces = fitting(turn_of(shelf), ["handbook"], wanted)["handbook"]
    for number, (title, attributes) in enumerate(documents):
        about = {**attributes, "citation": f"document:handbook/{number}@1", "title": title}
        for passage in range(PASSAGES):
            held = [
                piece
                for piece in pieces
                if piece.document == str(number) and piece.first <= passage <= piece.last
            ]
            assert len(held) == wanted.fits({**about, "passage": passage})


def test_titles_are_read_only_where_the_rest_leaves_it_open(monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = Shelf([("a", {"team": "x"}), ("b", {"team": "y"}), ("a", {"team": "x"})])
    both = [{"type": "eq", "key": "title", "value": "a"}, {"type": "eq", "key": "team", "value": "y"}]
    assert fitting(turn_of(shelf), ["h"], read_filter({"type": "and", "filters": both})) == {"h": []}
    assert shelf.read == 1
    monkeypatch.setattr(filtered, "TITLES", 2)
    with pytest.raises(WireError, match="'title' reads 2 documents"):
        fitting(turn_of(shelf), ["h"], read_filter(both[0]))


def test_a_filter_that_names_too_many_passages_is_refused() -> None:
    """Each of the ranges between them is asked of each document."""

    def among(numbers: range) -> Any:
        return read_filter({"type": "in", "key": "passage", "value": list(numbers)})

    assert fitting(turn_of(Shelf([("a", {})])), ["h"], among(range(0, 64, 2)))["h"]
    with pytest.raises(WireError, match="'passage'"):
        fitting(turn_of(Shelf([])), ["h"], among(range(0, 66, 2)))
