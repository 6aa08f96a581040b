"""Reviews and approvals of the collections of a workload."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from ringwall.boundaries.data.approvals import Approval
from ringwall.boundaries.data.document import Document
from ringwall.boundaries.data.governing import Governing, VersionPolicy
from ringwall.boundaries.data.records import Form, Record, Source
from ringwall.boundaries.data.review import Analysis, Compared, Records, Review, Reviews
from ringwall.boundaries.data.settings import CollectionSettings, DataSection
from ringwall.boundaries.data.training import TrainingSets
from ringwall.boundaries.data.vault import Vault
from ringwall.boundaries.data.versions import Version
from ringwall.core import DataError, Principal

from .plant import Plant

Analyses = Callable[[str, CollectionSettings], Mapping[str, Analysis]]
"""Which analyses a collection gets, by name."""


@dataclass(frozen=True, slots=True)
class State:
    """A collection as a reviewer finds it."""

    collection: str
    kind: str
    records: int
    version: Version | None
    """The current one; None when nothing was ever committed."""
    approved: Version | None
    """The one approved last."""
    waiting: int
    """Contributions in quarantine."""
    review: Review | None
    """The newest review of the current version."""


class DataReviews:
    """What the command line and the console do about versions."""

    def __init__(
        self, section: DataSection, plant: Plant, analyses: Analyses, policy: VersionPolicy | None = None
    ) -> None:
        self._governing = Governing(section, plant.vault, plant.training, policy)
        self._section = section
        self._plant = plant
        self._analyses = analyses
        self._reviews = Reviews(plant.database, plant.envelope)

    def states(self) -> list[State]:
        """Every collection of the workload."""
        return [self.state(name) for name in self._section.collections]

    def state(self, collection: str) -> State:
        """DataError for a collection that the workload does not have."""
        settings = self._settings(collection)
        head, approved = self._line(collection)
        training = settings.kind == "training"
        count = (
            self._plant.training.count(collection)
            if training
            else len(self._plant.vault.manifest(collection).entries)
        )
        return State(
            *(collection, settings.kind, count, head, approved),
            waiting=len(self._plant.quarantine.waiting(collection)),
            review=self._reviews.latest(collection, head.number) if head else None,
        )

    def versions(self, collection: str) -> list[Version]:
        """Oldest first."""
        return self._store(collection).lines.versions.all(collection)

    def run(self, collection: str, by: str, told: Callable[[str], None] | None = None) -> Review:
        """Compare the current version with the approved one: blocks for seconds to minutes.

        DataError when nothing was committed yet.
        """
        head, approved = self._line(collection)
        if head is None:
            raise DataError(f"Collection {collection} holds nothing that could be reviewed.")
        of = Compared(collection, approved.number if approved else 0, head.number, head.chain)
        review = self._reviews.run(
            of,
            self._records(collection, of.approved),
            self._records(collection, of.candidate),
            self._analyses(collection, self._settings(collection)),
            by=by,
            told=told,
        )
        self._plant.ledger.append_now(review.event())
        return review

    def approve(self, collection: str, version: int, by: Principal, *, despite: bool = False) -> Approval:
        """Say that a version is good. It must have been reviewed, and as it is now. What else its approval
        takes is told in the answer.

        DeniedError for whoever may not; DataError without a review, or when findings speak against it and
        ``despite`` does not say that they were read.
        """
        store = self._store(collection)
        asked = store.lines.versions.get(collection, version)
        review = self._reviews.latest(collection, version)
        if review is None or review.of.chain != asked.chain:
            raise DataError(f"{collection}@{version} was not reviewed as it is: run ringwall data review.")
        if review.stops and not despite:
            raise DataError(
                f"The review {review.id} of {collection}@{version} found what speaks against it: read its "
                "findings, and say so if it is good all the same."
            )
        approval = self._governing.approve(collection, version, by)
        event = {**approval.event(), "review": review.id, "despite": review.stops}
        self._plant.ledger.append_now(event)
        return approval

    def reads(self, review: Review, by: Principal) -> bool:
        """Whether somebody may see examples out of what a review compared."""
        of, versions = review.of, self._store(review.of.collection).lines.versions
        old = versions.get(of.collection, of.approved) if of.approved else None
        touched = self._store(of.collection).touched(old, versions.get(of.collection, of.candidate))
        return self._governing.reads(of.collection, touched, by)

    def find(self, review: str) -> Review:
        """DataError when there is none."""
        return self._reviews.find(review)

    def _settings(self, collection: str) -> CollectionSettings:
        try:
            return self._section.collections[collection]
        except KeyError:
            known = ", ".join(sorted(self._section.collections)) or "none"
            raise DataError(f"There is no collection {collection[:64]!r}; known: {known}.") from None

    def _line(self, collection: str) -> tuple[Version | None, Version | None]:
        store = self._store(collection)
        return store.lines.versions.head(collection), store.approvals.approved(collection)

    def _store(self, collection: str) -> Vault | TrainingSets:
        training = self._settings(collection).kind == "training"
        return self._plant.training if training else self._plant.vault

    def _records(self, collection: str, version: int) -> Records:
        training = self._settings(collection).kind == "training"
        if not version:
            return lambda: iter(())
        if training:
            return lambda: self._plant.training.records(collection, version)
        return lambda: self._documents(collection, version)

    def _documents(self, collection: str, version: int) -> Iterator[Record]:
        erased = self._plant.vault.erased()
        for entry in self._plant.vault.manifest(collection, version).entries:
            if entry.owner not in erased:
                yield as_record(self._plant.vault.open(collection, entry))


def as_record(document: Document) -> Record:
    """A document as the analyses of records see it."""
    fields = {"title": document.title, "text": document.text, "hidden": document.hidden}
    source = Source(document.origin, "", document.contributor, at=document.at)
    return Record(
        document.id,
        {name: value for name, value in fields.items() if value},
        Form.TEXT,
        response=document.text,
        source=source,
        sensitivity=document.sensitivity,
    )
