"""How a bucket is configured, as far as it can be read: what the store relies on, and what posture checks."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .s3_client import code_of

_ABSENT = frozenset(
    {
        "NoSuchBucketPolicy",
        "NoSuchPublicAccessBlockConfiguration",
        "ObjectLockConfigurationNotFoundError",
        "ServerSideEncryptionConfigurationNotFoundError",
    }
)
_PUBLIC_BLOCKS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


@dataclass(frozen=True, slots=True)
class Unread:
    """A piece of configuration that could not be read."""

    code: str
    """The store's error code, such as ``AccessDenied``."""


@dataclass(frozen=True, slots=True)
class BucketState:
    """Each field is what the store says, or ``Unread``."""

    versioning: bool | Unread
    object_lock: bool | Unread
    """Whether Object Lock is enabled: only then can an object be locked at all."""
    default_lock: str | Unread
    """Default retention of new objects, such as ``COMPLIANCE 30 days``; empty: none."""
    public_blocked: bool | Unread
    """Whether all four blocks of public access are on."""
    encryption: str | Unread
    """``aws:kms`` or ``AES256``…; empty: no default encryption."""
    kms_key: str | Unread
    """Key of the default encryption; empty: the service's own."""
    policy: str | Unread
    """The bucket policy as JSON; empty: none."""


def read_bucket(client: Any, bucket: str) -> BucketState:
    """Ask for everything. Raises what the client raises only where nothing can be reached."""
    ask = _Asker(bucket)
    lock = ask(client.get_object_lock_configuration, "ObjectLockConfiguration")
    encryption = ask(client.get_bucket_encryption, "ServerSideEncryptionConfiguration")
    blocks = ask(client.get_public_access_block, "PublicAccessBlockConfiguration")
    versioning = ask(client.get_bucket_versioning, "Status")
    policy = ask(client.get_bucket_policy, "Policy")
    return BucketState(
        versioning=_said(versioning, lambda status: status == "Enabled"),
        object_lock=_said(lock, lambda given: (given or {}).get("ObjectLockEnabled") == "Enabled"),
        default_lock=_said(lock, _default_lock),
        public_blocked=_said(blocks, lambda given: all((given or {}).get(name) for name in _PUBLIC_BLOCKS)),
        encryption=_said(encryption, lambda given: _default_encryption(given).get("SSEAlgorithm", "")),
        kms_key=_said(encryption, lambda given: _default_encryption(given).get("KMSMasterKeyID", "")),
        policy=_said(policy, lambda given: str(given or "")),
    )


class _Asker:
    def __init__(self, bucket: str) -> None:
        self._bucket = bucket

    def __call__(self, call: Callable[..., Any], field: str) -> Any:
        """The field of the answer; None when there is no such configuration; ``Unread`` when refused."""
        from botocore.exceptions import ClientError  # noqa: PLC0415 - an extra; there is a client

        try:
            return call(Bucket=self._bucket).get(field)
        except ClientError as error:
            code = code_of(error)
            return None if code in _ABSENT else Unread(code)


def _said(answer: Any, read: Callable[[Any], Any]) -> Any:
    return answer if isinstance(answer, Unread) else read(answer)


def _default_lock(given: Any) -> str:
    rule = ((given or {}).get("Rule") or {}).get("DefaultRetention") or {}
    if not rule:
        return ""
    length = f"{rule['Days']} days" if rule.get("Days") else f"{rule.get('Years', 0)} years"
    return f"{rule.get('Mode', '')} {length}"


def _default_encryption(given: Any) -> dict[str, Any]:
    for rule in (given or {}).get("Rules", []):
        chosen: dict[str, Any] = rule.get("ApplyServerSideEncryptionByDefault") or {}
        if chosen:
            return chosen
    return {}
