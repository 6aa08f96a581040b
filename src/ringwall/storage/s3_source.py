"""Objects under a prefix of S3 as something to read: listed page by page, streamed in bounded memory.

Only places on a list are read. What was listed is what is read: every request names the listed ETag, so that
an object which changes in between is an error and not a mixture. A connection that breaks is taken up where
it broke.
"""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from ringwall.core import DataError

from .s3_client import S3Place, code_of, s3_client, s3_errors

_BUFFER = 1 << 20
_RESUMES = 5
_LONGEST_KEY = 1024


@dataclass(frozen=True, slots=True)
class S3Object:
    key: str
    """Whole key in the bucket."""
    size: int
    """Bytes."""
    etag: str
    """The store's own mark of this content."""


class S3Sources:
    """The places that may be read. Thread-safe."""

    def __init__(self, places: Sequence[S3Place]) -> None:
        self._places = tuple(places)
        self._clients: dict[S3Place, Any] = {}

    def objects(self, url: str) -> Iterator[S3Object]:
        """What lies under ``s3://BUCKET/PREFIX``, in the order of keys; folders' own empty markers are left
        out. DataError when the place is not on the list, or can't be read."""
        bucket, prefix = split_url(url)
        client = self._client(bucket, prefix)
        with s3_errors(f"The source {url}"):
            pages = client.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=bucket, Prefix=prefix):
                for item in page.get("Contents", ()):
                    if not (item["Key"].endswith("/") and item["Size"] == 0):
                        yield S3Object(item["Key"], item["Size"], item["ETag"])

    def open(self, url: str, key: str, etag: str = "") -> BinaryIO:
        """A stream over one object of ``objects(url)``; close it. ``etag``: as listed; left out: as it is
        now. Reading raises DataError when the object changed, ended early, or can't be read any more."""
        bucket, prefix = split_url(url)
        if not key.startswith(prefix) or len(key) > _LONGEST_KEY:
            raise DataError(f"The object {key[:100]!r} does not lie under {url}.")
        client = self._client(bucket, prefix)
        return io.BufferedReader(_Stream(client, bucket, key, etag), _BUFFER)

    def _client(self, bucket: str, prefix: str) -> Any:
        for place in self._places:
            if place.bucket == bucket and prefix.startswith(place.prefix):
                if place not in self._clients:
                    self._clients[place] = s3_client(place)
                return self._clients[place]
        known = ", ".join(map(str, self._places)) or "none"
        raise DataError(f"s3://{bucket}/{prefix} is not on the list data.sources; known: {known}.")


class _Stream(io.RawIOBase):
    """One object, from where it is, taken up again by range when the connection breaks."""

    def __init__(self, client: Any, bucket: str, key: str, etag: str) -> None:
        self._client = client
        self._place = {"Bucket": bucket, "Key": key}
        self._what = f"The object s3://{bucket}/{key}"
        self._etag = etag
        self._at = 0
        self._size = -1
        self._body: Any = None
        self._resumes = _RESUMES

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer)
        while True:
            if self._body is None:
                if 0 <= self._size <= self._at:
                    return 0
                self._begin()
                continue
            data = self._some(len(view))
            if data:
                view[: len(data)] = data
                self._at += len(data)
                return len(data)
            self._drop()
            if self._at < self._size:
                self._again()

    def close(self) -> None:
        self._drop()
        super().close()

    def _begin(self) -> None:
        asked: dict[str, Any] = dict(self._place)
        if self._etag:
            asked["IfMatch"] = self._etag
        if self._at:
            asked["Range"] = f"bytes={self._at}-"
        with s3_errors(self._what):
            given = self._asked(asked)
        if self._size < 0:
            self._size = given["ContentLength"]
            self._etag = given["ETag"]
        self._body = given["Body"]

    def _asked(self, asked: dict[str, Any]) -> Any:
        from botocore.exceptions import ClientError  # noqa: PLC0415 - an extra; there is a client

        try:
            return self._client.get_object(**asked)
        except ClientError as error:
            if code_of(error) in ("PreconditionFailed", "412"):
                raise DataError(f"{self._what} was changed while it was read: start again.") from None
            raise

    def _some(self, longest: int) -> bytes:
        """Empty at the end, and when the connection broke."""
        from botocore.exceptions import BotoCoreError, HTTPClientError  # noqa: PLC0415

        try:
            data: bytes = self._body.read(longest)
        except (BotoCoreError, HTTPClientError, OSError):
            return b""
        return data

    def _again(self) -> None:
        if not self._resumes:
            raise DataError(f"{self._what} broke off again and again at byte {self._at} of {self._size}.")
        self._resumes -= 1

    def _drop(self) -> None:
        body, self._body = self._body, None
        if body is not None:
            body.close()


def split_url(url: str) -> tuple[str, str]:
    """Bucket and prefix of ``s3://BUCKET/PREFIX``. DataError for anything else."""
    scheme, _, rest = url.partition("://")
    bucket, _, prefix = rest.partition("/")
    if scheme != "s3" or not bucket or len(prefix) > _LONGEST_KEY:
        raise DataError(f"{url[:100]!r} is no place in S3: write s3://BUCKET/PREFIX.")
    return bucket, prefix
