import os
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringwall.core import DataError
from ringwall.storage.s3_client import S3Place
from ringwall.storage.s3_source import S3Object, S3Sources


@pytest.fixture
def place(bucket: S3Place) -> S3Place:
    return S3Place(bucket.bucket, "corpus/", bucket.region, bucket.endpoint)


@pytest.fixture
def sources(place: S3Place) -> S3Sources:
    return S3Sources([place])


def test_objects_in_order_without_folder_markers(sources: S3Sources, place: S3Place, s3: Any) -> None:
    for key in ("corpus/", "corpus/b.jsonl", "corpus/a/1.txt", "corpus/empty", "other/x", "corpusx"):
        s3.put_object(Bucket=place.bucket, Key=key, Body=b"" if key.endswith(("/", "empty")) else b"{}")
    found = list(sources.objects(str(place)))
    assert [item.key for item in found] == ["corpus/a/1.txt", "corpus/b.jsonl", "corpus/empty"]
    assert [item.size for item in found] == [2, 2, 0]
    with sources.open(str(place), "corpus/empty") as stream:
        assert stream.read() == b""


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.binary(max_size=5000), st.lists(st.integers(1, 3000), max_size=5))
def test_what_is_read_is_what_was_put(
    sources: S3Sources, place: S3Place, s3: Any, content: bytes, reads: list[int]
) -> None:
    s3.put_object(Bucket=place.bucket, Key="corpus/x", Body=content)
    with sources.open(str(place), "corpus/x") as stream:
        pieces = [stream.read(count) for count in reads]
        assert b"".join([*pieces, stream.read()]) == content


class Breaking:
    """A body whose connection breaks after so many bytes."""

    def __init__(self, body: Any, after: int) -> None:
        self.body, self.left = body, after

    def read(self, count: int) -> bytes:
        if not self.left:
            raise ReadTimeoutError(endpoint_url="x")
        data: bytes = self.body.read(min(count, self.left))
        self.left -= len(data)
        return data

    def close(self) -> None:
        self.body.close()


def break_off(sources: S3Sources, place: S3Place, after: int) -> Any:
    client = sources._client(place.bucket, place.prefix)
    real = client.get_object
    client.get_object = lambda **asked: (given := real(**asked)) | {"Body": Breaking(given["Body"], after)}
    return client


def test_a_broken_connection_is_taken_up_where_it_broke(sources: S3Sources, place: S3Place, s3: Any) -> None:
    content = os.urandom(10_000)
    s3.put_object(Bucket=place.bucket, Key="corpus/x", Body=content)
    break_off(sources, place, 3000)
    with sources.open(str(place), "corpus/x") as stream:
        assert stream.read() == content


def test_but_not_for_ever(sources: S3Sources, place: S3Place, s3: Any) -> None:
    s3.put_object(Bucket=place.bucket, Key="corpus/x", Body=os.urandom(10_000))
    break_off(sources, place, 100)
    with sources.open(str(place), "corpus/x") as stream, pytest.raises(DataError, match="byte 600 of 10000"):
        stream.read()


def test_an_object_that_changed_is_no_mixture(sources: S3Sources, place: S3Place, s3: Any) -> None:
    s3.put_object(Bucket=place.bucket, Key="corpus/x", Body=b"one")
    listed: S3Object = next(sources.objects(str(place)))
    s3.put_object(Bucket=place.bucket, Key="corpus/x", Body=b"two")
    stream = sources.open(str(place), listed.key, listed.etag)
    with stream, pytest.raises(DataError, match="was changed while it was read"):
        stream.read()


@pytest.mark.parametrize(
    "url", ["s3://elsewhere/corpus/", "s3://{bucket}/", "s3://{bucket}/corpus", "s3://{bucket}/corpusx/"]
)
def test_only_places_on_the_list_are_read(sources: S3Sources, place: S3Place, url: str) -> None:
    with pytest.raises(DataError, match=r"not on the list data\.sources"):
        list(sources.objects(url.format(bucket=place.bucket)))
    with pytest.raises(DataError, match="does not lie under"):
        sources.open(str(place), "other/x")
    with pytest.raises(DataError, match="no place in S3"):
        list(sources.objects("https://example.com/x"))
