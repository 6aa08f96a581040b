"""A client of one S3 endpoint: TLS, time-outs, few retries, and no other host, wherever a reply redirects."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from ringwall.core import DataError
from ringwall.core.transport import tls_problem

MISSING = "S3 needs the extra: pip install 'ringwall[aws]'."

_CONNECT_S = 5.0
_READ_S = 30.0
_ATTEMPTS = 4


@dataclass(frozen=True, slots=True)
class S3Place:
    """A bucket, or what lies under a prefix of it, at one endpoint."""

    bucket: str
    prefix: str = ""
    """Begins every key; empty, or ending in ``/``."""
    region: str = ""
    endpoint: str = ""
    """``https://…`` of an S3-compatible store; empty: AWS in that region."""

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}"


def s3_client(place: S3Place) -> Any:
    """A botocore client; credentials come from the AWS environment.

    Addresses from the environment or a profile (``AWS_ENDPOINT_URL``) are ignored: only the place's own
    endpoint counts. A request to any other host, such as one that S3 redirects to, is refused before it is
    sent. Raises DataError when boto3 is missing or the endpoint isn't TLS.
    """
    problem = tls_problem(place.endpoint, "The endpoint of the object store") if place.endpoint else ""
    if problem:
        raise DataError(problem)
    try:
        import boto3  # noqa: PLC0415 - an extra
        from botocore.config import Config  # noqa: PLC0415
    except ImportError:
        raise DataError(MISSING) from None
    with s3_errors(f"The object store {place}"):
        client = boto3.session.Session().client(
            "s3",
            region_name=place.region or None,
            endpoint_url=place.endpoint or None,
            config=Config(
                signature_version="s3v4",
                connect_timeout=_CONNECT_S,
                read_timeout=_READ_S,
                retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
                s3={"addressing_style": "path" if place.endpoint else "virtual"},
                ignore_configured_endpoint_urls=True,
            ),
        )
    base = urlsplit(client.meta.endpoint_url)
    allowed = {base.netloc, f"{place.bucket}.{base.netloc}"}

    def guard(request: Any, **_: Any) -> None:
        target = urlsplit(request.url)
        if target.netloc not in allowed or target.scheme != base.scheme:
            raise DataError(
                f"The object store {place} wants to be reached at another host than its own "
                f"({target.hostname}): set the region that the bucket is in."
            )

    client.meta.events.register("before-send.s3", guard)
    return client


@contextmanager
def s3_errors(what: str) -> Iterator[None]:
    """Failures of the client as DataError: one sentence, with the store's own error code and no more of what
    it said, which may hold names of keys and accounts."""
    try:
        from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError  # noqa: PLC0415
    except ImportError:
        raise DataError(MISSING) from None
    try:
        yield
    except ClientError as error:
        raise DataError(f"{what} refused: {_hint(code_of(error))}.") from None
    except HTTPClientError as error:
        raise DataError(f"{what} can't be reached ({type(error).__name__}): is the endpoint right?") from None
    except BotoCoreError as error:
        raise DataError(f"{what} can't be used ({type(error).__name__}).") from None


def code_of(error: Any) -> str:
    """The error code in a ClientError, such as ``AccessDenied``; a status where there is no more."""
    given = error.response.get("Error", {}).get("Code", "")
    return str(given)[:64] or "unknown"


_HINTS = {
    "403": "the credentials may not do this",
    "AccessDenied": "the credentials may not do this",
    "404": "it is not there",
    "NoSuchBucket": "there is no such bucket",
    "InvalidAccessKeyId": "the credentials are not known there",
    "SignatureDoesNotMatch": "the credentials are not the right ones",
    "ExpiredToken": "the credentials have expired",
    "PermanentRedirect": "the bucket is in another region",
    "SlowDown": "it is overloaded",
}


def _hint(code: str) -> str:
    return f"{_HINTS[code]} ({code})" if code in _HINTS else code
