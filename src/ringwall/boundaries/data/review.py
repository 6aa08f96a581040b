"""What is new in a collection since the last approved version, judged as a whole: what no look at a single
record can see.

Analyses compare two versions and know nothing of storage. Their findings are kept, sealed, so that whoever
approves sees what was found and later nobody can say that it wasn't. Findings quote records: of those that
are erased, or taken out with their contributor, only the numbers are kept.
"""

import hashlib
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import orjson

from ringwall.core import DataError, new_id
from ringwall.storage.database import Database, Row

from .document import canonical
from .finding import DataFinding, Severity
from .keys import Sealer
from .records import Record

Records = Callable[[], Iterator[Record]]
"""Gives the records of one version, from the start each time it is called."""
Analysis = Callable[[Records, Records], Iterable[DataFinding]]
"""Compares the approved version (empty when there is none) with the candidate."""

_STEPS = [
    """
    CREATE TABLE data_review (
        id TEXT PRIMARY KEY,
        collection TEXT NOT NULL,
        approved INTEGER NOT NULL,
        candidate INTEGER NOT NULL,
        chain TEXT NOT NULL,
        by TEXT NOT NULL,
        at INTEGER NOT NULL,
        sealed BLOB NOT NULL
    ) STRICT;
    CREATE INDEX data_review_of ON data_review (collection, candidate);
    """
]


@dataclass(frozen=True, slots=True)
class Compared:
    """The two versions of a review."""

    collection: str
    approved: int
    """Version that was approved last; 0 when none was."""
    candidate: int
    chain: str
    """Of the candidate: a review is of these very records."""


@dataclass(frozen=True, slots=True)
class Review:
    """What the analyses found, the gravest first."""

    id: str
    of: Compared
    by: str
    at: int
    """Microseconds since the epoch, UTC."""
    findings: tuple[DataFinding, ...] = ()
    analyses: tuple[str, ...] = ()
    """Names of those that ran."""
    failed: Mapping[str, str] = field(default_factory=dict)
    """Those that could not, with one sentence why: what they would have seen is unknown."""
    at_first: str = ""
    """Digest of all that was found, where some of it was taken out since; empty: nothing was."""

    @property
    def digest(self) -> str:
        """SHA-256 of what was found, as the ledger has it."""
        return self.at_first or hashlib.sha256(_body(self)).hexdigest()

    @property
    def stops(self) -> bool:
        """Whether something speaks against approving the candidate as it is."""
        return bool(self.failed) or any(one.severity is Severity.STOP for one in self.findings)

    @property
    def asks(self) -> bool:
        """Whether a person should look at something before the candidate is approved."""
        return self.stops or any(one.severity is Severity.REVIEW for one in self.findings)

    def event(self) -> dict[str, Any]:
        """For the ledger: counts and a hash of what was found."""
        counts = {str(level): sum(one.severity is level for one in self.findings) for level in Severity}
        return {
            "id": new_id("dat"),
            "type": "data.reviewed",
            "at": self.at,
            "boundary": "data",
            "collection": self.of.collection,
            "approved": self.of.approved,
            "version": self.of.candidate,
            "chain": self.of.chain,
            "subject": self.by,
            "review": self.id,
            "findings": counts,
            "failed": sorted(self.failed),
            "digest": self.digest,
        }


class Reviews:
    """Runs analyses and keeps what they found."""

    def __init__(self, db: Database, envelope: Sealer) -> None:
        self._db = db
        self._envelope = envelope
        db.migrate("data_review", _STEPS)

    def run(
        self,
        of: Compared,
        approved: Records,
        candidate: Records,
        analyses: Mapping[str, Analysis],
        *,
        by: str,
        told: Callable[[str], None] | None = None,
    ) -> Review:
        """Compare and keep. An analysis that can't run is told in the review, which then stops approval.

        ``told`` is called with the name of each analysis before it runs.
        """
        findings: list[DataFinding] = []
        failed: dict[str, str] = {}
        for name, analysis in analyses.items():
            if told:
                told(name)
            try:
                findings += analysis(approved, candidate)
            except DataError as error:
                failed[name] = str(error)
        findings.sort(key=lambda one: (-_GRAVITY[one.severity], -one.score, one.detector, one.title))
        at = time.time_ns() // 1000
        review = Review(new_id("rev"), of, by, at, tuple(findings), tuple(analyses), failed)
        place = _place(review.id, of, by, at)
        sealed = self._envelope.seal(_owner(of.collection), _body(review), place)
        self._db.write(
            "INSERT INTO data_review VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            *(review.id, of.collection, of.approved, of.candidate, of.chain, by, at, sealed),
        )
        return review

    def latest(self, collection: str, candidate: int | None = None) -> Review | None:
        """The newest review of a collection, or of one version of it."""
        row = self._db.one(
            "SELECT * FROM data_review WHERE collection = ?1 AND (?2 IS NULL OR candidate = ?2) "
            "ORDER BY at DESC, id DESC LIMIT 1",
            *(collection, candidate),
        )
        return self._review(row) if row else None

    def find(self, review: str) -> Review:
        """DataError when there is none, or it is damaged."""
        row = self._db.one("SELECT * FROM data_review WHERE id = ?", review)
        if row is None:
            raise DataError(f"There is no review {review!r}.")
        return self._review(row)

    def forget(self, collection: str, records: Collection[str]) -> int:
        """Take out what findings quote of these records: title, message, examples; how many reviews did. The
        scores and numbers stay, and the digest that the ledger has."""
        gone = frozenset(records)
        changed = 0
        for row in self._db.all("SELECT id FROM data_review WHERE collection = ? ORDER BY id", collection):
            with self._db.transaction():
                review = self._readable(row["id"])
                held = review.findings if review else ()
                findings = tuple(_bare(one) if _about(one, gone) else one for one in held)
                if review is None or findings == review.findings:
                    continue
                left = replace(review, findings=findings, at_first=review.digest)
                place = _place(review.id, review.of, review.by, review.at)
                sealed = self._envelope.seal(_owner(collection), _body(left), place)
                self._db.write("UPDATE data_review SET sealed = ? WHERE id = ?", sealed, review.id)
                changed += 1
        return changed

    def _readable(self, review: str) -> Review | None:
        """None for a damaged one: nobody reads anything there any more."""
        try:
            return self.find(review)
        except DataError:
            return None

    def _review(self, row: Row) -> Review:
        of = Compared(row["collection"], row["approved"], row["candidate"], row["chain"])
        place = _place(row["id"], of, row["by"], row["at"])
        raw = self._envelope.open(_owner(of.collection), row["sealed"], place)
        given: dict[str, Any] = orjson.loads(raw)
        return Review(
            row["id"],
            of,
            row["by"],
            row["at"],
            tuple(_finding(one) for one in given["findings"]),
            tuple(given["analyses"]),
            given["failed"],
            given.get("at_first", ""),
        )


_GRAVITY = {Severity.STOP: 2, Severity.REVIEW: 1, Severity.NOTE: 0}


def _owner(collection: str) -> str:
    return f"collection:{collection}"


def _place(review: str, of: Compared, by: str, at: int) -> bytes:
    """What the findings are bound to: a clean review can't be passed off as one of another version."""
    return canonical([review, of.collection, of.approved, of.candidate, of.chain, by, at])


def _body(review: Review) -> bytes:
    findings = [asdict(one) for one in review.findings]
    said = {"findings": findings, "analyses": review.analyses, "failed": dict(review.failed)}
    return canonical({**said, "at_first": review.at_first} if review.at_first else said)


def _about(finding: DataFinding, records: Collection[str]) -> bool:
    """Whether it names one of them; passages are named by document and number."""
    return any(name in records or name.rpartition("#")[0] in records for name in finding.records)


def _bare(finding: DataFinding) -> DataFinding:
    """Without a word of what it is about."""
    facts = {name: value for name, value in finding.facts.items() if isinstance(value, (int, float))}
    message = "What it quoted was taken out: records that it is about are not there any more."
    return replace(finding, title=finding.detector, message=message, examples=(), facts=facts)


def _finding(given: Mapping[str, Any]) -> DataFinding:
    lists = {name: tuple(given[name]) for name in ("records", "examples")}
    return DataFinding(**{**given, **lists, "severity": Severity(given["severity"])})
