"""Which analyses a review runs, wired to the settings of the collection."""

from collections.abc import Iterable, Iterator, Mapping

from ringwall.boundaries.data import drift, flood, poison
from ringwall.boundaries.data.finding import DataFinding
from ringwall.boundaries.data.governing import VersionPolicy
from ringwall.boundaries.data.passages import passages
from ringwall.boundaries.data.records import Record
from ringwall.boundaries.data.review import Analysis, Records
from ringwall.boundaries.data.sensitive.compare import compared as sensitive
from ringwall.boundaries.data.settings import CollectionSettings, DataSection

from .data_review import DataReviews
from .plant import Plant


def data_reviews(section: DataSection, plant: Plant, policy: VersionPolicy | None) -> DataReviews:
    """Reviews of the collections of a workload, with all analyses that there are. ``policy``: of approvals;
    None where nobody approves anything."""
    return DataReviews(section, plant, analyses, policy)


def analyses(collection: str, settings: CollectionSettings) -> Mapping[str, Analysis]:
    """By name, in the order in which they run."""
    if settings.kind == "index":
        return {"floods": _floods(settings), "sensitive data": sensitive}
    return {"poison": _poison(settings), "bias and drift": _drift(settings), "sensitive data": sensitive}


def _poison(settings: CollectionSettings) -> Analysis:
    def look(approved: Records, candidate: Records) -> Iterable[DataFinding]:
        return poison.compare(approved(), candidate(), settings.poison)

    return look


def _drift(settings: CollectionSettings) -> Analysis:
    def look(approved: Records, candidate: Records) -> Iterable[DataFinding]:
        return drift.compare(approved(), candidate(), settings.drift)

    return look


def _floods(settings: CollectionSettings) -> Analysis:
    def look(approved: Records, candidate: Records) -> Iterable[DataFinding]:
        longest = settings.chunk_chars
        return flood.compare(_passages(approved(), longest), _passages(candidate(), longest), settings.flood)

    return look


def _passages(documents: Iterator[Record], longest: int) -> Iterator[flood.Passage]:
    """As the index cuts them."""
    for one in documents:
        title = str(one.fields.get("title", ""))
        for ordinal, piece in enumerate(passages(one.response, longest)):
            yield flood.Passage(one.id, piece.text, ordinal, title, one.source.contributor)
