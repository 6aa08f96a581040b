"""What the ledger says of the collections, for verification."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ringwall.boundaries.data import Anchors, Damage
from ringwall.ledger import Ledger, verify

ANNOUNCED = "data.version_announced"
_PAGE = 1000


def anchors(ledger: Ledger) -> Anchors:
    """The last version of each line, those that were announced after it, and the approvals, as their events
    have them."""
    versions: dict[str, tuple[int, str]] = {}
    for event in _every(ledger, "data.version"):
        line, number = event["collection"], event["version"]
        if number > versions.get(line, (0, ""))[0]:
            versions[line] = number, event["chain"]
    announced = frozenset(
        (event["collection"], event["version"], event["chain"])
        for event in _every(ledger, ANNOUNCED)
        if event["version"] > versions.get(event["collection"], (0, ""))[0]
    )
    given = list(_every(ledger, "data.approved"))
    approvals = {
        f"{event['collection']}@{event['version']}": (event["chain"], event["subject"], event["at"])
        for event in given
    }
    given += _every(ledger, "data.assented")
    assents = frozenset(
        (
            f"{event['collection']}@{event['version']}",
            *(event["chain"], event["subject"], event["tenant"], event["credential"], event["at"]),
        )
        for event in given
        if "others" in event  # before, nobody's word was kept apart from the approval
    )
    return Anchors(versions, announced, approvals, assents)


def put_back(data_dir: Path, since: str) -> list[Damage]:
    """What is wrong with a ledger, which must have grown from a checkpoint that was kept elsewhere."""
    return [Damage("the ledger", 0, "", str(damage)) for damage in verify(data_dir, since=since).damages]


def _every(ledger: Ledger, kind: str) -> Iterator[Mapping[str, Any]]:
    """All events of a type, the newest first."""
    before: int | None = None
    while page := ledger.latest(_PAGE, before=before, type=kind):
        yield from (record.event for record in page)
        before = page[-1].index
