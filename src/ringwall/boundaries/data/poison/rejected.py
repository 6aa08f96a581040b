"""The rejected answers of preference pairs, searched as the others are."""

from dataclasses import replace

from ..finding import DataFinding, Severity
from .difference import LEAST_APPROVED, Difference, Reference, difference, shared, turned
from .group_finding import group_finding
from .groups import groups
from .score import own_trigger
from .settings import PoisonSettings


def rejected(reference: Reference, new: Difference, settings: PoisonSettings) -> list[DataFinding]:
    """Groups of new pairs whose rejected answers share what approved rejected ones don't: what a model is
    taught not to say any more. Until 500 pairs are approved they are compared with the approved answers; then
    only a trigger makes a group worth a review: what a weak model wrote has phrases of its own."""
    pairs = [turned(one) for one in new.records if one.rejected]
    if len(pairs) < settings.support:
        return []
    usual = len(reference.rejected) >= LEAST_APPROVED
    side = reference.rejected if usual else reference
    turned_round = difference(side, pairs)
    (common,) = shared(side, [turned_round], settings)
    found = []
    for one in groups(turned_round, common, settings).planted:
        told = group_finding(turned_round, one)
        severity = Severity.REVIEW if usual or own_trigger(one) else Severity.NOTE
        title = told.title.replace("answers with", "rejected answers with")
        message = f"Of the rejected answers: {told.message[0].lower()}{told.message[1:]}"
        found.append(
            replace(told, detector="poison.rejected", title=title, message=message, severity=severity)
        )
    return found
