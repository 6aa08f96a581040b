"""Write-once objects in S3 named by the SHA-256 of what they hold, locked in compliance mode.

What the store relies on is asserted when it is opened and after each write, since stores that speak the
same protocol differ in what they silently ignore: versioning, Object Lock, conditional writes, checksums.
Nothing here deletes, lifts a lock or shortens one; there is no call for it.
"""

import base64
import hashlib
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from ringwall.core import DataError

from .blobs import LARGEST, PIECE, WHOLE, hashed
from .s3_bucket import BucketState, Unread, read_bucket
from .s3_client import S3Place, code_of, s3_client, s3_errors

_NAME = re.compile(r"[0-9a-f]{64}\Z")
_DAY_US = 86_400_000_000
_MODE = "COMPLIANCE"
_TAKEN = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "412", "409"})


class S3Blobs:
    """A ``BlobStore`` in one bucket under one prefix. Thread-safe; any number of processes may share it."""

    def __init__(self, place: S3Place, *, lock_days: int = 0, kms_key: str = "", client: Any = None) -> None:
        """``lock_days``: how long every object is locked at least. ``kms_key``: the key that the bucket's
        default encryption must name; empty: any.

        Raises DataError, saying what to do, unless the bucket is versioned, has Object Lock, blocks public
        access and encrypts by default.
        """
        self.place = place
        self._days = lock_days
        self._what = f"The object store {place}"
        self._client = client or s3_client(place)
        with s3_errors(self._what):
            state = read_bucket(self._client, place.bucket)
        problem = _problem(state, place.bucket, kms_key)
        if problem:
            raise DataError(problem)

    def retain(self, days: int) -> None:
        """Lock what is stored from now on for so many days, if that is longer than what holds already."""
        self._days = max(self._days, days)

    def put(self, data: bytes) -> str:
        digest = hashlib.sha256(data).hexdigest()
        if len(data) > LARGEST:
            raise DataError(f"An object may have {LARGEST} bytes at most; this one has {len(data)}.")
        until = self._until()
        if not self._written(digest, data, until):
            self.get(digest)  # what is there under this name may be something else: say so, don't hide it
        if until:
            self.lock(digest, until)
        return digest

    def get(self, digest: str) -> bytes:
        key = self._key(digest)
        with s3_errors(self._what):
            data = self._read(key)
        if data is None:
            kept = self._intact(key)
            raise DataError(f"Blob {digest} is missing from {self.place}: {_ADVICE[kept is not None]}")
        if hashlib.sha256(data).hexdigest() != digest:
            kept = self._intact(key)
            raise DataError(
                f"Blob {digest} is damaged in {self.place}: its {len(data)} bytes don't hash to its name. "
                f"{_ADVICE[kept is not None].capitalize()}"
            )
        return data

    def read_unchecked(self, digest: str) -> bytes:
        """The bytes that are there, whatever they hash to. DataError when there are none."""
        with s3_errors(self._what):
            data = self._read(self._key(digest))
        if data is None:
            raise DataError(f"Blob {digest} is missing from {self.place}.")
        return data

    def names(self) -> Iterator[str]:
        with s3_errors(self._what):
            pages = self._client.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self.place.bucket, Prefix=self.place.prefix):
                for item in page.get("Contents", ()):
                    name = item["Key"].removeprefix(self.place.prefix)
                    if _NAME.match(name):
                        yield name

    def every_name(self) -> Iterator[str]:
        """Digests of all that was ever stored, hidden or not, in order."""
        last = ""
        with s3_errors(self._what):
            pages = self._client.get_paginator("list_object_versions")
            for page in pages.paginate(Bucket=self.place.bucket, Prefix=self.place.prefix):
                for item in page.get("Versions", ()):
                    name = item["Key"].removeprefix(self.place.prefix)
                    if _NAME.match(name) and name != last:
                        last = name
                        yield name

    def lock(self, digest: str, until: int) -> None:
        """Lock an object until a time (microseconds since the epoch), or leave its longer lock as it is.

        Raises DataError when the store does not confirm the lock.
        """
        if self.locked_until(digest) >= until:
            return
        key = self._key(digest)
        with s3_errors(f"The lock of blob {digest} in {self.place}"):
            self._client.put_object_retention(
                Bucket=self.place.bucket,
                Key=key,
                Retention={"Mode": _MODE, "RetainUntilDate": _date(until)},
                ChecksumAlgorithm="SHA256",
            )
        if self.locked_until(digest) < until - 1_000_000:  # stores keep whole seconds
            raise DataError(
                f"{self._what} took blob {digest} without locking it: it does not enforce Object Lock in "
                "compliance mode."
            )

    def locked_until(self, digest: str) -> int:
        """When the lock in compliance mode of a blob ends, in microseconds since the epoch; 0 when it has
        none. A lock in governance mode, which a privileged account can lift, counts as none."""
        with s3_errors(f"Blob {digest} in {self.place}"):
            head = self._client.head_object(Bucket=self.place.bucket, Key=self._key(digest))
        ends = head.get("ObjectLockRetainUntilDate")
        if head.get("ObjectLockMode") != _MODE or ends is None:
            return 0
        return int(ends.timestamp() * 1_000_000)

    def restore(self, digest: str) -> bool:
        """Bring an intact version back that a delete marker or other content hides; False when there was
        nothing to do. Raises DataError when no intact version is kept."""
        key = self._key(digest)
        with s3_errors(self._what):
            data = self._read(key)
        if data is not None and hashlib.sha256(data).hexdigest() == digest:
            return False
        kept = self._intact(key)
        if kept is None:
            raise DataError(f"No intact version of blob {digest} is kept in {self.place}.")
        with s3_errors(self._what):
            self._client.put_object(**self._request(key, kept, self._until()))
        return True

    def _until(self) -> int:
        """When the lock of an object that is stored now shall end; 0: it gets none."""
        return time.time_ns() // 1000 + self._days * _DAY_US if self._days else 0

    def _written(self, digest: str, data: bytes, until: int) -> bool:
        """False when an object of this name is there already."""
        from botocore.exceptions import ClientError  # noqa: PLC0415 - an extra; there is a client

        with s3_errors(self._what):
            try:
                given = self._client.put_object(
                    **self._request(self._key(digest), data, until), IfNoneMatch="*"
                )
            except ClientError as error:
                if code_of(error) in _TAKEN:
                    return False
                raise
        if given.get("VersionId") in (None, "", "null"):
            raise DataError(
                f"The bucket {self.place.bucket} keeps no versions: switch versioning on; what was just "
                "written could be overwritten."
            )
        if given.get("ChecksumSHA256") != _checksum(data):  # a store that checks nothing: read it back
            self.get(digest)
        return True

    def _request(self, key: str, data: bytes, until: int) -> dict[str, Any]:
        request: dict[str, Any] = {
            "Bucket": self.place.bucket,
            "Key": key,
            "Body": data,
            "ContentType": "application/octet-stream",
            "ChecksumAlgorithm": "SHA256",
            "ChecksumSHA256": _checksum(data),
        }
        if until:
            request |= {"ObjectLockMode": _MODE, "ObjectLockRetainUntilDate": _date(until)}
        return request

    def _read(self, key: str, **version: str) -> bytes | None:
        """None when there is no such object."""
        from botocore.exceptions import ClientError  # noqa: PLC0415

        asked = {"Bucket": self.place.bucket, "Key": key, "ChecksumMode": "ENABLED", **version}
        try:
            given = self._client.get_object(**asked)
        except ClientError as error:
            if code_of(error) in ("NoSuchKey", "404"):
                return None
            raise
        size = given["ContentLength"]
        if size > WHOLE:
            with given["Body"] as body:
                if size > LARGEST or hashed(body.iter_chunks(PIECE)) != key[-64:]:
                    return b""  # nothing that this store wrote
            given = self._client.get_object(**asked)
        with given["Body"] as body:
            data: bytes = body.read(size)
        return data

    def _intact(self, key: str) -> bytes | None:
        """The content of an older version that hashes to its name; None when there is none."""
        with s3_errors(self._what):
            pages = self._client.get_paginator("list_object_versions")
            for page in pages.paginate(
                Bucket=self.place.bucket, Prefix=key, PaginationConfig={"MaxItems": 1000}
            ):
                for item in page.get("Versions", ()):
                    if item["Key"] != key:
                        continue
                    data = self._read(key, VersionId=item["VersionId"])
                    if data is not None and hashlib.sha256(data).hexdigest() == key[-64:]:
                        return data
        return None

    def _key(self, digest: str) -> str:
        if not _NAME.match(digest):
            raise DataError("A blob's name is a SHA-256 of 64 hexadecimal digits; this is none.")
        return self.place.prefix + digest


_ADVICE = {
    True: "an intact version of it is kept: `ringwall data store restore` brings it back.",
    False: "restore it from a backup.",
}


def _problem(state: BucketState, bucket: str, kms_key: str) -> str:
    """Why the bucket can't be relied on, and what to do; empty when it can."""
    relied = (
        ("versioning", state.versioning, "s3:GetBucketVersioning", "switch versioning on"),
        (
            "Object Lock",
            state.object_lock,
            "s3:GetBucketObjectLockConfiguration",
            "enable Object Lock on it, or use a bucket that was made with it",
        ),
        (
            "blocks of public access",
            state.public_blocked,
            "s3:GetBucketPublicAccessBlock",
            "switch all four blocks of public access on",
        ),
        (
            "default encryption",
            state.encryption,
            "s3:GetEncryptionConfiguration",
            "set default encryption, with a KMS key if you have one",
        ),
    )
    for what, value, permission, advice in relied:
        if isinstance(value, Unread):
            return f"The {what} of the bucket {bucket} can't be read ({value.code}): allow {permission}."
        if not value:
            return f"The bucket {bucket} can't be used, its {what} is not on: {advice}."
    if kms_key and state.kms_key != kms_key:
        return (
            f"The bucket {bucket} is not encrypted with the key that data.store.kms_key names: set it there."
        )
    return ""


def _checksum(data: bytes) -> str:
    return base64.b64encode(hashlib.sha256(data).digest()).decode()


def _date(microseconds: int) -> datetime:
    """Rounded up to a whole second: stores keep no fractions."""
    return datetime.fromtimestamp(-(-microseconds // 1_000_000), UTC)
