"""Against an emulator, which enforces less than S3 does: what it lets through is asserted by the adapter."""

import datetime
import hashlib
import os
import time
from typing import Any

import pytest
from botocore.stub import Stubber
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringwall.core import DataError
from ringwall.storage.s3_blobs import S3Blobs
from ringwall.storage.s3_client import S3Place, s3_client

DAY = 86_400_000_000


def now() -> int:
    return time.time_ns() // 1000


@pytest.fixture
def blobs(bucket: S3Place, s3: Any) -> S3Blobs:
    return S3Blobs(bucket, client=s3)


def test_a_blob_is_named_by_its_content(blobs: S3Blobs, s3: Any) -> None:
    digest = blobs.put(b"hello")
    assert digest == hashlib.sha256(b"hello").hexdigest()
    assert blobs.get(digest) == b"hello"
    assert blobs.put(b"hello") == digest
    assert list(blobs.names()) == [digest]
    versions = s3.list_object_versions(Bucket=blobs.place.bucket)["Versions"]
    assert len(versions) == 1, "what is there is not written again"


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.binary(max_size=200), max_size=4))
def test_whatever_goes_in_comes_out(blobs: S3Blobs, contents: list[bytes]) -> None:
    names = [blobs.put(content) for content in contents]
    assert [blobs.get(name) for name in names] == contents
    listed = list(blobs.names())
    assert listed == sorted(listed)
    assert set(names) <= set(listed)


def test_other_content_under_a_name_is_found_and_can_be_taken_back(blobs: S3Blobs, s3: Any) -> None:
    digest = blobs.put(b"original")
    s3.put_object(Bucket=blobs.place.bucket, Key=blobs.place.prefix + digest, Body=b"orIginal")
    with pytest.raises(DataError, match=f"{digest} is damaged.*restore"):
        blobs.get(digest)
    with pytest.raises(DataError, match="damaged"):
        blobs.put(b"original")
    assert blobs.read_unchecked(digest) == b"orIginal"
    assert blobs.restore(digest)
    assert blobs.get(digest) == b"original"
    assert not blobs.restore(digest)


def test_what_a_delete_marker_hides_is_found_and_can_be_taken_back(blobs: S3Blobs, s3: Any) -> None:
    digest = blobs.put(b"original")
    blobs.lock(digest, now() + DAY)
    s3.delete_object(Bucket=blobs.place.bucket, Key=blobs.place.prefix + digest)
    with pytest.raises(DataError, match=r"missing .*an intact version of it is kept"):
        blobs.get(digest)
    assert blobs.restore(digest)
    assert blobs.get(digest) == b"original"


def test_a_missing_blob_is_named(blobs: S3Blobs) -> None:
    with pytest.raises(DataError, match=f"{'0' * 64} is missing .*backup"):
        blobs.get("0" * 64)
    with pytest.raises(DataError, match="No intact version"):
        blobs.restore("0" * 64)


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "0" * 63, "0" * 64 + "\n", "A" * 64])
def test_a_name_is_a_digest(blobs: S3Blobs, name: str) -> None:
    with pytest.raises(DataError, match="64 hexadecimal"):
        blobs.get(name)


def test_a_locked_blob_can_not_be_deleted(blobs: S3Blobs, s3: Any) -> None:
    until = now() + 3 * DAY
    digest = blobs.put(b"kept")
    blobs.lock(digest, until)
    assert until <= blobs.locked_until(digest) < until + 1_000_001
    client, key = s3, blobs.place.prefix + digest
    version = client.head_object(Bucket=blobs.place.bucket, Key=key)["VersionId"]
    with pytest.raises(client.exceptions.ClientError, match="AccessDenied"):
        client.delete_object(Bucket=blobs.place.bucket, Key=key, VersionId=version)


def test_a_lock_only_ever_grows(blobs: S3Blobs) -> None:
    """The emulator would let it shrink."""
    blobs.retain(5)
    digest = blobs.put(b"kept")
    long = blobs.locked_until(digest)
    assert long >= now() + 5 * DAY - 5_000_000
    blobs.lock(digest, now() + DAY)
    blobs.retain(2)
    blobs.put(b"kept")
    assert now() + 5 * DAY + 5_000_000 > blobs.locked_until(digest) >= long
    blobs.retain(9)
    blobs.put(b"kept")
    assert blobs.locked_until(digest) > long + 3 * DAY


def test_every_blob_is_locked_for_the_days_of_the_store(bucket: S3Place) -> None:
    blobs = S3Blobs(bucket, lock_days=30)
    digest = blobs.put(b"kept")
    assert blobs.locked_until(digest) >= now() + 30 * DAY - 5_000_000


def test_a_lock_in_governance_mode_counts_as_none(blobs: S3Blobs, s3: Any) -> None:
    digest = blobs.put(b"kept")
    s3.put_object_retention(
        Bucket=blobs.place.bucket,
        Key=blobs.place.prefix + digest,
        Retention={
            "Mode": "GOVERNANCE",
            "RetainUntilDate": datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=9),
        },
        ChecksumAlgorithm="SHA256",
    )
    assert blobs.locked_until(digest) == 0
    blobs.lock(digest, now() + DAY)
    assert blobs.locked_until(digest) >= now() + DAY - 5_000_000


def test_there_is_no_call_that_deletes_or_lifts() -> None:
    names = {name for name in dir(S3Blobs) if not name.startswith("_")}
    assert names == {
        "get",
        "lock",
        "every_name",
        "locked_until",
        "names",
        "put",
        "read_unchecked",
        "restore",
        "retain",
    }


BROKEN = {
    "versioning": ("get_bucket_versioning", {"Status": "Suspended"}, "versioning is not on"),
    "lock": ("get_object_lock_configuration", {}, "Object Lock is not on"),
    "public": (
        "get_public_access_block",
        {"PublicAccessBlockConfiguration": {"BlockPublicAcls": True, "IgnorePublicAcls": True}},
        "blocks of public access is not on",
    ),
    "encryption": (
        "get_bucket_encryption",
        {"ServerSideEncryptionConfiguration": {"Rules": []}},
        "default enc",
    ),
}


@pytest.mark.parametrize("what", BROKEN)
def test_it_refuses_a_bucket_that_can_not_be_relied_on(
    bucket: S3Place, what: str, monkeypatch: pytest.MonkeyPatch, s3: Any
) -> None:
    call, answer, told = BROKEN[what]
    client = s3
    monkeypatch.setattr(client, call, lambda **_: answer)
    with pytest.raises(DataError, match=told):
        S3Blobs(bucket, client=client)


def test_what_may_not_be_read_is_not_taken_for_granted(bucket: S3Place, s3: Any) -> None:
    client = s3
    with Stubber(client) as stubbed:
        for call in ("get_object_lock_configuration", "get_bucket_encryption", "get_public_access_block"):
            stubbed.add_client_error(call, "AccessDenied", "user arn:aws:iam::1:user/x may not")
        stubbed.add_client_error("get_bucket_versioning", "AccessDenied")
        stubbed.add_client_error("get_bucket_policy", "AccessDenied")
        with pytest.raises(
            DataError, match=r"versioning .* can't be read \(AccessDenied\): allow s3:GetBuck"
        ):
            S3Blobs(bucket, client=client)


def test_a_bucket_with_another_key_is_refused(bucket: S3Place) -> None:
    with pytest.raises(DataError, match=r"data\.store\.kms_key"):
        S3Blobs(bucket, kms_key="arn:aws:kms:eu-central-1:1:key/other")


def test_a_store_that_locks_nothing_is_found_out(
    blobs: S3Blobs, monkeypatch: pytest.MonkeyPatch, s3: Any
) -> None:
    client = s3
    stripped = client.put_object
    monkeypatch.setattr(
        client,
        "put_object",
        lambda **given: stripped(
            **{name: value for name, value in given.items() if "ObjectLock" not in name}
        ),
    )
    monkeypatch.setattr(client, "put_object_retention", lambda **_: {})
    with pytest.raises(DataError, match="does not enforce Object Lock"):
        S3Blobs(blobs.place, lock_days=1, client=client).put(b"x")


def test_a_store_that_checks_no_checksum_is_read_back(
    blobs: S3Blobs, monkeypatch: pytest.MonkeyPatch, s3: Any
) -> None:
    client = s3
    real = client.put_object

    def flipped(**given: Any) -> Any:
        for name in ("ChecksumSHA256", "ChecksumAlgorithm"):
            given.pop(name)
        return {**real(**{**given, "Body": given["Body"] + b"!"}), "ChecksumSHA256": ""}

    monkeypatch.setattr(client, "put_object", flipped)
    with pytest.raises(DataError, match="damaged"):
        S3Blobs(blobs.place, client=client).put(b"x")


def test_the_checksum_goes_with_every_write(blobs: S3Blobs, s3: Any) -> None:
    digest = blobs.put(b"x")
    head = s3.head_object(Bucket=blobs.place.bucket, Key=blobs.place.prefix + digest, ChecksumMode="ENABLED")
    assert head["ChecksumSHA256"]


@pytest.mark.parametrize(
    "endpoint", ["http://s3.example.com", "ftp://x", "https://user:secret@s3.example.com", "https://", "x"]
)
def test_an_endpoint_is_tls_and_holds_no_secret(endpoint: str) -> None:
    with pytest.raises(DataError) as told:
        s3_client(S3Place("bucket-one", endpoint=endpoint))
    assert "secret" not in str(told.value)


def test_no_other_host_is_spoken_to(bucket: S3Place) -> None:
    client = s3_client(S3Place(bucket.bucket, "", bucket.region, bucket.endpoint))
    client.meta.events.register(
        "before-sign.s3", lambda request, **_: setattr(request, "url", "https://elsewhere.example/x")
    )
    with pytest.raises(DataError, match=r"another host than its own \(elsewhere\.example\)"):
        client.get_object(Bucket=bucket.bucket, Key="x")


def test_an_address_from_the_environment_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "https://elsewhere.example")
    client = s3_client(S3Place("bucket-one", region="eu-central-1"))
    assert client.meta.endpoint_url == "https://s3.eu-central-1.amazonaws.com"


def test_errors_are_one_sentence_without_what_the_store_said(bucket: S3Place) -> None:
    with pytest.raises(DataError) as told:
        S3Blobs(S3Place("no-such-bucket-here", "", bucket.region, bucket.endpoint))
    assert "NoSuchBucket" in str(told.value)
    assert os.environ["AWS_SECRET_ACCESS_KEY"] not in str(told.value)
