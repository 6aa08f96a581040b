"""The policy of a VPC endpoint, as EC2 has it."""

from typing import Any

from ringwall.core import DataError
from ringwall.core.transport import tls_problem

from .s3_client import MISSING, s3_errors


def endpoint_policy(endpoint: str, region: str, client: Any = None) -> str:
    """JSON. DataError when it can't be read."""
    ec2 = client or _client(region)
    with s3_errors(f"The VPC endpoint {endpoint}"):
        found = ec2.describe_vpc_endpoints(VpcEndpointIds=[endpoint]).get("VpcEndpoints", [])
    policy = found[0].get("PolicyDocument", "") if found else ""
    if not policy:
        raise DataError(f"The VPC endpoint {endpoint} has no policy that can be read.")
    return str(policy)


def _client(region: str) -> Any:
    try:
        import boto3  # noqa: PLC0415 - an extra
        from botocore.config import Config  # noqa: PLC0415
    except ImportError:
        raise DataError(MISSING) from None
    config = Config(connect_timeout=5, read_timeout=15, retries={"mode": "standard", "total_max_attempts": 3})
    with s3_errors("EC2"):
        client = boto3.session.Session().client("ec2", region_name=region or None, config=config)
    problem = tls_problem(client.meta.endpoint_url, "The endpoint of EC2")
    if problem:
        raise DataError(problem)
    return client
