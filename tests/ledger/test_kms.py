"""The master key wrapped by KMS, against an emulator that checks the encryption context. It enforces neither
the state of a key nor its policy: those replies are made up here as the service words them."""

import json
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from ringwall.core import DataError
from ringwall.ledger.kms_source import KmsSource, _client
from ringwall.ledger.master import MasterKey
from ringwall.ledger.rotation import rotate

from .test_rotation import check, filled


@pytest.fixture(scope="module")
def service(aws_endpoint: str) -> Any:
    return boto3.client(
        "kms",
        endpoint_url=aws_endpoint,
        region_name="eu-central-1",
        aws_access_key_id="testing",
        aws_secret_access_key="x",
    )


@pytest.fixture
def kms(aws: str, service: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", aws)
    monkeypatch.delenv("RINGWALL_DEPLOYMENT", raising=False)
    return service


@pytest.fixture
def key(kms: Any) -> str:
    arn: str = kms.create_key()["KeyMetadata"]["Arn"]
    return arn


def test_a_new_directory(data_dir: Path, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGWALL_MASTER_KEY", f"awskms:{key}")
    sealed = filled(data_dir)
    check(data_dir, sealed)
    kept = data_dir / "master.kms"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert json.loads(kept.read_bytes())["key"] == key
    assert not (data_dir / "master.key").exists()
    derived = MasterKey.load(data_dir).derive("x")
    before = kept.read_bytes()
    rotate(data_dir)
    assert kept.read_bytes() != before
    check(data_dir, sealed)
    assert MasterKey.load(data_dir).derive("x") == derived


def test_from_a_file_to_kms(data_dir: Path, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sealed = filled(data_dir)
    assert rotate(data_dir, f"awskms:{key}").moved
    monkeypatch.setenv("RINGWALL_MASTER_KEY", f"awskms:{key}")
    check(data_dir, sealed)


def test_the_context_binds_it_to_the_deployment(
    data_dir: Path, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RINGWALL_MASTER_KEY", f"awskms:{key}")
    monkeypatch.setenv("RINGWALL_DEPLOYMENT", "shop-eu")
    MasterKey.load(data_dir)
    monkeypatch.setenv("RINGWALL_DEPLOYMENT", "shop-us")
    with pytest.raises(DataError, match="damaged or belongs to another deployment"):
        MasterKey.load(data_dir)


def test_wrapped_under_another_kms_key(
    data_dir: Path, kms: Any, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RINGWALL_MASTER_KEY", f"awskms:{key}")
    sealed = filled(data_dir)
    other = kms.create_key()["KeyMetadata"]["Arn"]
    kms.create_alias(AliasName="alias/ringwall-next", TargetKeyId=other)
    assert KmsSource(key, data_dir).rewrap("alias/ringwall-next") == other
    monkeypatch.setenv("RINGWALL_MASTER_KEY", f"awskms:{other}")
    check(data_dir, sealed)


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("DisabledException", "it is disabled; enable it"),
        ("KMSInvalidStateException", "disabled or about to be deleted"),
        ("AccessDeniedException", "the credentials may not use it"),
        ("IncorrectKeyException", "wrapped under another key"),
    ],
)
def test_a_refusal_is_one_sentence(
    data_dir: Path, kms: Any, key: str, monkeypatch: pytest.MonkeyPatch, code: str, told: str
) -> None:
    KmsSource(key, data_dir, kms).make()
    client = _client(key)
    with Stubber(client) as stub:
        stub.add_client_error("decrypt", code, "User: arn:aws:iam::1:user/x is not authorized")
        with pytest.raises(DataError, match=told) as error:
            KmsSource(key, data_dir, client).read()
    assert "arn:aws:iam" not in str(error.value)


def test_a_wrapped_key_is_opened_only_under_the_key_that_the_configuration_names(
    data_dir: Path, kms: Any, key: str
) -> None:
    """Whoever can write to the data directory can't bring a key of their own: its name isn't believed."""
    KmsSource(key, data_dir, kms).make()
    given: dict[str, Any] = {}

    class Spy:
        def decrypt(self, **named: Any) -> Any:
            given.update(named)
            return {"Plaintext": b"x" * 32}

    kept = data_dir / "master.kms"
    content = json.loads(kept.read_bytes())
    kept.write_text(json.dumps({**content, "key": "arn:aws:kms:eu-central-1:666:key/evil"}))
    KmsSource(key, data_dir, Spy()).read()
    assert given["KeyId"] == key
    assert given["EncryptionContext"] == {"ringwall": content["deployment"], "purpose": "master"}


def test_an_endpoint_in_clear_is_refused(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", "http://kms.example.com")
    with pytest.raises(DataError, match="must be https"):
        _client(key)


@pytest.mark.parametrize(
    "content", [b"", b"{}", b'{"version": 2}', b'{"version":1,"key":"k","deployment":"d","blob":"!"}']
)
def test_a_damaged_file_is_told(data_dir: Path, key: str, kms: Any, content: bytes) -> None:
    data_dir.mkdir()
    (data_dir / "master.kms").write_bytes(content)
    (data_dir / "master.kms").chmod(0o600)
    with pytest.raises(DataError, match="damaged"):
        KmsSource(key, data_dir, kms).read()
    with pytest.raises(DataError, match="awskms:ARN"):
        KmsSource("a key?", data_dir, kms)
