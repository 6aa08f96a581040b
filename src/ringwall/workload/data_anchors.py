"""What the ledger says of the collections, for verification."""

from ringwall.boundaries.data import Anchors
from ringwall.ledger import Ledger

_MOST = 100_000


def anchors(ledger: Ledger) -> Anchors:
    """The last version of each line, and the approvals, as their events have them."""
    versions: dict[str, tuple[int, str]] = {}
    for record in reversed(ledger.latest(_MOST, type="data.version")):
        versions[record.event["collection"]] = (record.event["version"], record.event["chain"])
    given = [record.event for record in ledger.latest(_MOST, type="data.approved")]
    approvals = {
        f"{event['collection']}@{event['version']}": (event["chain"], event["subject"], event["at"])
        for event in given
    }
    given += [record.event for record in ledger.latest(_MOST, type="data.assented")]
    assents = frozenset(
        (
            f"{event['collection']}@{event['version']}",
            *(event["chain"], event["subject"], event["tenant"], event["credential"], event["at"]),
        )
        for event in given
        if "others" in event  # before, nobody's word was kept apart from the approval
    )
    return Anchors(versions, approvals, assents)
