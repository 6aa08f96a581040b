"""Which analyses a review runs, wired to the settings of the collection."""

from collections.abc import Mapping

from ringwall.boundaries.data.review import Analysis
from ringwall.boundaries.data.sensitive.compare import compared as sensitive
from ringwall.boundaries.data.settings import CollectionSettings, DataSection

from .data_review import DataReviews
from .plant import Plant


def data_reviews(section: DataSection, plant: Plant) -> DataReviews:
    """Reviews of the collections of a workload, with all analyses that there are."""
    return DataReviews(section, plant, analyses)


def analyses(collection: str, settings: CollectionSettings) -> Mapping[str, Analysis]:
    """By name, in the order in which they run."""
    return {"sensitive data": sensitive}
