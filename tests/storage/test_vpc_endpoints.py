"""With made-up replies, held to the service's own model: EC2 is not emulated here."""

from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from ringwall.core import DataError
from ringwall.storage.vpc_endpoints import _client, endpoint_policy

ID = "vpce-0abc12345678"


@pytest.fixture
def ec2(aws: str) -> Any:
    return boto3.client("ec2", region_name="eu-central-1")


def test_the_policy(ec2: Any) -> None:
    with Stubber(ec2) as stub:
        found = {"VpcEndpoints": [{"VpcEndpointId": ID, "PolicyDocument": '{"Statement": []}'}]}
        stub.add_response("describe_vpc_endpoints", found, {"VpcEndpointIds": [ID]})
        assert endpoint_policy(ID, "", ec2) == '{"Statement": []}'


def test_what_can_not_be_read(ec2: Any) -> None:
    with Stubber(ec2) as stub:
        stub.add_response("describe_vpc_endpoints", {"VpcEndpoints": []})
        with pytest.raises(DataError, match="no policy"):
            endpoint_policy(ID, "", ec2)
        stub.add_client_error("describe_vpc_endpoints", "UnauthorizedOperation", "arn:aws:iam::1:user/x")
        with pytest.raises(DataError, match="UnauthorizedOperation") as told:
            endpoint_policy(ID, "", ec2)
    assert "arn:aws:iam" not in str(told.value)


def test_an_endpoint_in_clear_is_refused(aws: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_EC2", "http://ec2.example.com")
    with pytest.raises(DataError, match="must be https"):
        _client("eu-central-1")
