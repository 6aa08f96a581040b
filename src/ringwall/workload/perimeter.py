"""The perimeter around the object store of a workload: its checks, and the fact that they leave behind."""

from collections.abc import Iterator

from ringwall.boundaries.data.perimeter import Check, Probes, State, bucket_checks, endpoint_checks
from ringwall.boundaries.data.settings import DataSection
from ringwall.boundaries.organization.evidence import Evidence, EvidenceKind, evidence
from ringwall.core import DataError
from ringwall.storage.s3_bucket import read_bucket
from ringwall.storage.s3_client import s3_client, s3_errors
from ringwall.storage.vpc_endpoints import endpoint_policy

CONTROL = "data.export"
"""The control that the perimeter stands behind: what leaves other than by an export meets the perimeter."""


def probes(section: DataSection, bucket: str = "") -> Probes:
    """``bucket``: instead of the store's own."""
    region = section.store.region
    partition = (
        "aws-cn" if region.startswith("cn-") else "aws-us-gov" if region.startswith("us-gov-") else "aws"
    )
    return Probes(
        bucket or section.store.bucket or "bucket", section.store.prefix, section.perimeter, partition
    )


def look(section: DataSection) -> Iterator[Check]:
    """Read the bucket's configuration and the endpoints' policies. DataError when there is no bucket, or
    nothing of it can be read."""
    store = section.store
    if store.kind != "s3":
        raise DataError(
            "The blobs lie in the data directory: there is no bucket to look at. Give --policy FILE."
        )
    client = s3_client(store.place)
    with s3_errors(f"The bucket {store.bucket}"):
        state = read_bucket(client, store.bucket)
    asked = probes(section)
    yield from bucket_checks(state, asked)
    for endpoint in section.perimeter.endpoints:
        try:
            yield from endpoint_checks(endpoint_policy(endpoint, store.region), asked, endpoint)
        except DataError as error:
            advice = "Allow ec2:DescribeVpcEndpoints, or give its policy with --endpoint-policy."
            yield Check(endpoint, State.UNREAD, str(error), advice)


def fact(checks: list[Check]) -> Evidence:
    """What the checks say, as evidence."""
    short = [one.id for one in checks if one.state is not State.PASSED]
    detail = f"Perimeter of the object store: {len(checks) - len(short)} of {len(checks)} checks passed"
    detail += f"; not: {', '.join(short)}." if short else "."
    return evidence(
        EvidenceKind.CONFIGURATION, CONTROL, passed=not short, detail=detail, by="ringwall data perimeter"
    )
