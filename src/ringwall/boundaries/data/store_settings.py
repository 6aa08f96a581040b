"""Where the blobs of the vault lie, as the workload file says."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from ringwall.core import Settings
from ringwall.core.transport import tls_problem
from ringwall.storage.s3_client import S3Place


def _tls(endpoint: str) -> str:
    problem = tls_problem(endpoint, "the endpoint") if endpoint else ""
    if problem:
        raise ValueError(problem)
    return endpoint


def _folder(prefix: str) -> str:
    return f"{prefix.rstrip('/')}/" if prefix.strip("/") else ""


Bucket = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.\-]{1,61}[a-z0-9]$")]
Prefix = Annotated[
    str,
    Field(pattern=r"^(?:[A-Za-z0-9_=][A-Za-z0-9_.=\-]{0,99}(?:/|$)){0,20}$", max_length=500),
    AfterValidator(_folder),
]
Region = Annotated[str, Field(pattern=r"^[a-z]{2}[a-z0-9\-]{0,30}$")]
Endpoint = Annotated[str, Field(max_length=300), AfterValidator(_tls)]


class S3Settings(Settings):
    """A place in S3 that may be reached; no other is."""

    bucket: Bucket
    """The bucket."""
    prefix: Prefix = ""
    """What lies under this folder of it; empty: the whole bucket."""
    region: Region | Literal[""] = ""
    """The region that it is in; empty: as the AWS environment says."""
    endpoint: Endpoint = ""
    """``https://…`` of an S3-compatible store; empty: AWS."""

    @property
    def place(self) -> S3Place:
        return S3Place(self.bucket, self.prefix, self.region, self.endpoint)


class StoreSettings(Settings):
    """Where blobs lie: sealed documents, packs and manifests. A process keeps its store until it ends."""

    kind: Literal["local", "s3"] = "local"
    """``local``: files in the data directory. ``s3``: a bucket with versions and Object Lock."""
    bucket: Bucket | Literal[""] = ""
    """The bucket, which has to exist: versioned, with Object Lock, closed to the public, encrypted."""
    prefix: Prefix = ""
    """Folder in the bucket; one for each data directory."""
    region: Region | Literal[""] = ""
    """The region that it is in."""
    endpoint: Endpoint = ""
    """``https://…`` of an S3-compatible store; empty: AWS. No other host is spoken to."""
    kms_key: str = Field(default="", max_length=2048)
    """ARN of the KMS key that the bucket's default encryption has to name; empty: any encryption."""
    lock_days: int = Field(default=0, ge=0, le=36500)
    """Days that every object is locked at least, in compliance mode: nobody can delete it before, not even
    the account's owner. The longest ``lock_days`` of the collections counts if it is more."""

    @model_validator(mode="after")
    def _complete(self) -> "StoreSettings":
        if self.kind == "s3" and not (self.bucket and (self.region or self.endpoint)):
            raise ValueError("a store in s3 needs a bucket and a region (or an endpoint)")
        named = (self.bucket, self.prefix, self.region, self.endpoint, self.kms_key, self.lock_days)
        if self.kind == "local" and any(named):
            raise ValueError("a local store has no other keys: write kind: s3")
        return self

    @property
    def place(self) -> S3Place:
        return S3Place(self.bucket, self.prefix, self.region, self.endpoint)

    @property
    def name(self) -> str:
        """What is told of it; holds no secret."""
        return str(self.place) if self.kind == "s3" else "local"
