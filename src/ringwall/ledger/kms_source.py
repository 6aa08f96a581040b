"""The master secret wrapped by a key of AWS KMS: what lies in the data directory opens nothing by itself.

The encryption context binds the wrapped secret to one deployment and one purpose. It is written to AWS's own
audit log, and a key policy can demand it (``kms:EncryptionContext:ringwall``).
"""

import base64
import binascii
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ringwall.core import DataError, new_id
from ringwall.core.transport import tls_problem

from .private_file import private_file, promote, read_private, replace_private

MISSING = "AWS KMS needs the extra: pip install 'ringwall[aws]'."
FILE = "master.kms"
DEPLOYMENT = "RINGWALL_DEPLOYMENT"
_KEY = re.compile(r"[A-Za-z0-9:/_\-]{1,2048}\Z")
_ARN = re.compile(r"arn:[a-z\-]{1,20}:kms:([a-z0-9\-]{1,30}):")


@dataclass(frozen=True, slots=True)
class _Wrapped:
    """What ``master.kms`` holds: nothing secret."""

    key: str
    """ARN of the key that wraps it."""
    deployment: str
    blob: bytes

    def to_bytes(self) -> bytes:
        fields = {
            "version": 1,
            "key": self.key,
            "deployment": self.deployment,
            "blob": base64.b64encode(self.blob).decode(),
        }
        return json.dumps(fields, indent=1).encode() + b"\n"

    @classmethod
    def from_bytes(cls, raw: bytes) -> "_Wrapped":
        try:
            fields = json.loads(raw)
            if fields["version"] != 1:
                raise ValueError
            blob = base64.b64decode(fields["blob"], validate=True)
            return cls(str(fields["key"]), str(fields["deployment"]), blob)
        except (ValueError, KeyError, TypeError, binascii.Error):
            raise DataError(f"{FILE} is damaged: restore it from a backup.") from None


class KmsSource:
    """``awskms:KEY``, the key's ARN, id or alias. Region and credentials come from the AWS environment."""

    def __init__(self, key: str, data_dir: Path, client: Any = None) -> None:
        if not _KEY.match(key):
            raise DataError("The KMS key is written awskms:ARN or awskms:alias/NAME.")
        self.name = f"awskms:{key}"
        self._key = key
        self._path = data_dir / FILE
        self._staged = data_dir / f"{FILE}.next"
        self._client = client or _client(key)

    def read(self) -> list[bytes]:
        return [self._opened(wrapped) for wrapped in self._found()]

    def make(self) -> bytes:
        def generated() -> bytes:
            return self._generated()[1].to_bytes()

        content = private_file(self._path, generated)
        return self._opened(_Wrapped.from_bytes(content))

    def stage(self) -> bytes:
        secret, wrapped = self._generated()
        replace_private(self._staged, wrapped.to_bytes())
        return secret

    def promote(self) -> None:
        promote(self._staged, self._path)

    def discard(self) -> None:
        self._staged.unlink(missing_ok=True)
        self._path.unlink(missing_ok=True)

    def rewrap(self, key: str) -> str:
        """Wrap the same secret under another KMS key (or anew under this one), inside KMS; the new key's ARN.
        Afterwards ``RINGWALL_MASTER_KEY`` has to name it."""
        found = self._found()
        if not found:
            raise DataError(f"There is no {FILE} to wrap anew in this data directory.")
        wrapped = found[0]
        context = _context(wrapped.deployment)
        with self._errors():
            given = self._client.re_encrypt(
                CiphertextBlob=wrapped.blob,
                SourceKeyId=wrapped.key,
                SourceEncryptionContext=context,
                DestinationKeyId=key,
                DestinationEncryptionContext=context,
            )
        again = _Wrapped(given["KeyId"], wrapped.deployment, given["CiphertextBlob"])
        replace_private(self._path, again.to_bytes())
        return again.key

    def _found(self) -> list[_Wrapped]:
        found = []
        for path in (self._path, self._staged):
            try:
                found.append(_Wrapped.from_bytes(read_private(path)))
            except FileNotFoundError:
                continue
        return found

    def _generated(self) -> tuple[bytes, _Wrapped]:
        before = self._found()
        recorded = before[0].deployment if before else new_id("dep")
        deployment = os.environ.get(DEPLOYMENT) or recorded
        with self._errors():
            given = self._client.generate_data_key(
                KeyId=self._key, NumberOfBytes=32, EncryptionContext=_context(deployment)
            )
        return given["Plaintext"], _Wrapped(given["KeyId"], deployment, given["CiphertextBlob"])

    def _opened(self, wrapped: _Wrapped) -> bytes:
        """Under the key that the configuration names, whatever the file says of itself."""
        with self._errors():
            given = self._client.decrypt(
                KeyId=self._key,
                CiphertextBlob=wrapped.blob,
                EncryptionContext=_context(os.environ.get(DEPLOYMENT) or wrapped.deployment),
            )
        secret: bytes = given["Plaintext"]
        if len(secret) != 32:
            raise DataError(f"{FILE} holds no master key: 32 bytes.")
        return secret

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Failures as one sentence: the service's code, and not its words, which may name accounts."""
        from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError  # noqa: PLC0415

        try:
            yield
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))[:64]
            raise DataError(f"The KMS key of {self.name} refused: {_MEANING.get(code, code)}.") from None
        except HTTPClientError as error:
            raise DataError(
                f"KMS can't be reached ({type(error).__name__}): are region and endpoint right?"
            ) from None
        except BotoCoreError as error:
            raise DataError(f"KMS can't be used ({type(error).__name__}).") from None


_MEANING = {
    "AccessDeniedException": "the credentials may not use it (AccessDeniedException)",
    "DisabledException": "it is disabled; enable it (DisabledException)",
    "KMSInvalidStateException": "it is disabled or about to be deleted (KMSInvalidStateException)",
    "NotFoundException": "there is no such key in this region (NotFoundException)",
    "IncorrectKeyException": "the master key was wrapped under another key; name that one, or run "
    "`ringwall master-key rewrap` (IncorrectKeyException)",
    "InvalidCiphertextException": "the wrapped master key is damaged or belongs to another deployment "
    f"({DEPLOYMENT}) (InvalidCiphertextException)",
    "ExpiredTokenException": "the credentials have expired (ExpiredTokenException)",
    "UnrecognizedClientException": "the credentials are not known there (UnrecognizedClientException)",
}


def _context(deployment: str) -> dict[str, str]:
    return {"ringwall": deployment, "purpose": "master"}


def _client(key: str) -> Any:
    try:
        import boto3  # noqa: PLC0415 - an extra
        from botocore.config import Config  # noqa: PLC0415
        from botocore.exceptions import BotoCoreError  # noqa: PLC0415
    except ImportError:
        raise DataError(MISSING) from None
    region = _ARN.match(key)
    config = Config(connect_timeout=5, read_timeout=15, retries={"mode": "standard", "total_max_attempts": 4})
    try:
        client = boto3.session.Session().client(
            "kms", region_name=region[1] if region else None, config=config
        )
    except BotoCoreError as error:
        raise DataError(
            f"KMS can't be used ({type(error).__name__}): set AWS_REGION and credentials."
        ) from None
    problem = tls_problem(client.meta.endpoint_url, "The endpoint of KMS")
    if problem:
        raise DataError(problem)
    return client
