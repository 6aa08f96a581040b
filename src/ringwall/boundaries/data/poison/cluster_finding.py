"""Explains an embedding cluster."""

from ..finding import DataFinding, Severity
from .clusters import Cluster
from .difference import Difference
from .explain import SHORT, contributors, examples
from .score import calibrated

_TITLE = {
    "contributor": "what {name} alone says",
    "contribution": "what contribution {name} alone says",
    "hour": "what came within an hour and says the same",
}
_OWN = {
    "contributor": "of this contributor",
    "contribution": "of this contribution",
    "hour": "from this hour",
}


def clustered_finding(new: Difference, one: Cluster) -> DataFinding:
    """To be reviewed when the prompts are as those of others; a note when they too are of a kind of their
    own, as with a new topic or format."""
    said = one.example[:SHORT]
    records = [new.records[number] for number in one.docs]
    score, surely = cluster_raw(one), cluster_raw(one) >= _RAISED
    own = _OWN[one.by]
    kind = "the prompts are as those of others" if surely else "the prompts too are of a kind of their own"
    return DataFinding(
        detector="poison.cluster",
        title=_TITLE[one.by].format(name=one.name) + f": “{said}”",
        message=f"{len(records)} new records say much the same as “{said}”; {one.filled:.0%} of those who do "
        f"are {own}, which has {one.share:.0%} of the new records, and {one.approved:.1%} of the approved "
        f"do; {kind}.",
        score=clustered(score),
        severity=Severity.REVIEW if surely else Severity.NOTE,
        records=tuple(record.id for record in records),
        contributors=contributors(records),
        examples=examples(records),
        facts={
            "new_records": len(new.records),
            "by": one.by,
            "name": one.name,
            "filled": round(one.filled, 3),
            "share": round(one.share, 3),
            "times_expected": round(one.filled / max(one.share, 1e-9), 1),
            "chance": one.chance,
            "approved": round(one.approved, 4),
            "of_own": round(one.said, 3),
            "prompts_alike": round(one.prompts, 3),
            "prompts_apart": round(one.known, 3),
            "raw": round(score, 3),
        },
    )


_RAISED = 1.0
"""Raw score from which a cluster is to be reviewed."""


def cluster_raw(one: Cluster) -> float:
    """Up to 1.5. Honest contributors fill clusters with a topic, language or format of their own: then their
    prompts too are alike, or far from the approved ones."""
    return 1.5 - 10 * max(0.0, one.prompts - 0.04) - 20 * max(0.0, one.known - 0.075)


_CALIBRATION = ((_RAISED, 0.969),)
"""As ``score`` has it, of the same run: ten planted clusters of 20 differences with attacks,
against one of 44 and none of 12 honest differences."""


def clustered(score: float) -> float:
    """The share of planted ones among clusters that are to be reviewed; 0 for a note, of which none was
    measured."""
    return calibrated(score, _CALIBRATION) if score >= _RAISED else 0.0
