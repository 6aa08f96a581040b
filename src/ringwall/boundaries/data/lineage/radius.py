"""How far one record reaches: the versions that hold it, the index that serves it, the models that learnt
from it, the exports that carried it away, the answers that were given it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ringwall.core import DataError
from ringwall.ledger import Ledger

from ..index import RetrievalStore
from ..names import base
from ..records.record import Source
from ..training.sets import TrainingSets
from ..vault import Trace, Vault
from ..versions import Version
from .citations import Answer, Citations

_EXPORTED = "data.exported"
_MOST_EXPORTS = 100_000
_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Trained:
    """A model that was trained on a version of a collection, as the workload file declares it."""

    model: str
    """``artifact:NAME`` or ``route:NAME``."""
    collection: str
    version: int


@dataclass(frozen=True, slots=True)
class Span:
    """Versions of one line (a collection, or a branch of one) that hold a record."""

    line: str
    versions: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Life:
    """One content of a training record: who brought it, and the versions that hold it as that."""

    source: Source
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Export:
    """A copy that left."""

    version: int
    subject: str
    target: str
    at: int
    """Microseconds since the epoch, UTC."""


@dataclass(frozen=True, slots=True)
class Cited:
    """The answers that one revision of a document was given to."""

    name: str
    count: int
    latest: tuple[Answer, ...] = ()


@dataclass(frozen=True, slots=True)
class Radius:
    """Where one record went. Immutable."""

    collection: str
    record: str
    kind: str
    """``index`` (a document) or ``training``."""
    revisions: tuple[Trace, ...] = ()
    """Of a document: who brought what, when."""
    spans: tuple[Span, ...] = ()
    current: bool = False
    """Whether the current version holds it."""
    indexed: bool = False
    """Whether it can be retrieved now."""
    models: tuple[Trained, ...] = ()
    exports: tuple[Export, ...] = ()
    answers: tuple[Cited, ...] = ()
    lives: tuple[Life, ...] = ()
    """Of a training record, in the order in which they came: who brought what, from where."""

    @property
    def tenants(self) -> frozenset[str]:
        """Whose it is, and was."""
        owners = {one.source.tenant for one in self.lives}
        return frozenset({one.tenant for one in self.revisions} | owners)


class Lineage:
    """Answers from indexes over what was recorded; nothing is looked for in the records themselves."""

    def __init__(
        self,
        vault: Vault,
        sets: TrainingSets,
        index: RetrievalStore,
        ledger: Ledger,
        citations: Citations,
        trained: Iterable[Trained],
    ) -> None:
        """``trained``: what the workload file says of its models."""
        self._vault = vault
        self._sets = sets
        self._index = index
        self._ledger = ledger
        self._citations = citations
        self.trained = tuple(trained)

    def radius(self, collection: str, record: str) -> Radius:
        """Everything that is known of where a record went. DataError when there never was one."""
        if collection in self._sets.versions.lines():
            return self._of_row(collection, record)
        return self._of_document(collection, record)

    def models_of(self, collection: str, versions: Iterable[int]) -> tuple[Trained, ...]:
        """Models that were trained on one of these versions."""
        wanted = set(versions)
        return tuple(one for one in self.trained if one.collection == collection and one.version in wanted)

    def _of_document(self, collection: str, record: str) -> Radius:
        traces = tuple(self._vault.who(collection, record))
        if not traces:
            raise DataError(f"Collection {collection} never held {record[:128]!r}.")
        held = sorted({number for one in traces for number in one.versions})
        head = self._vault.head(collection)
        self._citations.follow()
        answers = [self._cited(one.name) for one in traces]
        return Radius(
            *(collection, record, "index", traces, (Span(collection, tuple(held)),)),
            current=head is not None and bool(held) and held[-1] == head.number,
            indexed=record in self._index.indexed(collection),
            models=self.models_of(collection, held),
            exports=self.exports_of(collection, held),
            answers=tuple(one for one in answers if one.count),
        )

    def _of_row(self, collection: str, record: str) -> Radius:
        lives = self._sets.lives(collection, record)
        if not lives:
            raise DataError(f"Training set {collection} never held {record[:128]!r}, or it was erased.")
        spans = _spans(version for _, versions in lives for version in versions)
        held = [number for span in spans if span.line == base(collection) for number in span.versions]
        head = self._sets.versions.head(collection)
        return Radius(
            *(collection, record, "training", (), spans),
            current=head is not None and head.number in held,
            models=self.models_of(collection, held),
            exports=self.exports_of(collection, held),
            lives=tuple(Life(row.source, _spans(versions)) for row, versions in lives),
        )

    def _cited(self, name: str) -> Cited:
        return Cited(name, self._citations.count(name), tuple(self._citations.of(name, _SHOWN)))

    def exports_of(self, collection: str, versions: Sequence[int]) -> tuple[Export, ...]:
        """Copies of one of these versions that left."""
        events = [record.event for record in self._ledger.latest(_MOST_EXPORTS, type=_EXPORTED)]
        return tuple(
            Export(event["version"], str(event.get("subject", "")), str(event.get("target", "")), event["at"])
            for event in events
            if event.get("collection") == collection and event.get("version") in set(versions)
        )


def _spans(versions: Iterable[Version]) -> tuple[Span, ...]:
    """By line, the collection first."""
    found: dict[str, set[int]] = {}
    for version in versions:
        found.setdefault(version.collection, set()).add(version.number)
    return tuple(Span(line, tuple(sorted(found[line]))) for line in sorted(found))
