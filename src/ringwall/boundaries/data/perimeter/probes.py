"""Requests that a perimeter has to stop, and those that it has to let through.

Nothing is sent: a policy is asked what it makes of them. Each is fine but for the one thing that it is about,
so that a statement against something else can't pass for the one that is missing.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from .policy import Request
from .settings import PerimeterSettings

ACTIONS = ("s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket")
GUARDED = (
    *ACTIONS,
    *("s3:ListBucketVersions", "s3:GetObjectAttributes", "s3:DeleteObjectVersion", "s3:PutObjectAcl"),
    *("s3:PutObjectRetention", "s3:PutObjectLegalHold", "s3:BypassGovernanceRetention", "s3:ReplicateObject"),
    *("s3:RestoreObject", "s3:GetObjectTorrent", "s3:GetBucketPolicy", "s3:PutBucketPolicy"),
    *("s3:DeleteBucketPolicy", "s3:PutBucketAcl", "s3:PutBucketVersioning", "s3:PutBucketPublicAccessBlock"),
    *("s3:PutReplicationConfiguration", "s3:PutLifecycleConfiguration", "s3:PutEncryptionConfiguration"),
    *("s3:PutBucketObjectLockConfiguration", "s3:PutBucketNotification", "s3:PutInventoryConfiguration"),
    "s3:DeleteBucket",
)
"""What carries data out, changes it, or opens the way for either."""
_OF_BUCKET = ("s3:ListBucket", "s3:ListBucketVersions", "s3:DeleteBucket", "s3:GetBucket", "s3:PutBucket")
_SETTINGS = ("Configuration", "BucketPolicy")
_KEYS = ("0", "f")
"""Of objects at both ends of the names of blobs: a policy for some of them is none for all."""
_FOREIGN = "o-0utsideperimeter"
FOREIGN_ACCOUNT = "000000000009"
_ACCOUNT = "000000000001"
"""One's own, where none is named."""
_FELLOW_ACCOUNT = "000000000003"
_FOREIGN_ENDPOINT = "vpce-0000000000outside"
_FOREIGN_ADDRESS = "198.51.100.7"
"""Of the network that is set aside for documentation (RFC 5737)."""


@dataclass(frozen=True, slots=True)
class Probes:
    """For one bucket."""

    bucket: str
    prefix: str
    settings: PerimeterSettings
    partition: str = "aws"
    """``aws-cn`` and ``aws-us-gov`` are worlds of their own."""

    def plain(self) -> Iterator[Request]:
        """One's own people, those of other accounts of the organisation, and strangers, without TLS."""
        for context in (self._own(), self._fellow(), {**self._own(), **self._stranger()}):
            yield from self._requests({**context, "aws:securetransport": "false"})

    def strangers(self) -> Iterator[Request]:
        """People of another organisation, and nobody at all, over TLS: from the right network and from the
        internet."""
        stranger = {**self._own(), **self._stranger()}
        yield from self._requests(stranger)
        yield from self._requests(_outdoors(stranger))
        nobody = {key: value for key, value in self._own().items() if not key.startswith("aws:principal")}
        anonymous = {
            "aws:principaltype": "Anonymous",
            "aws:principalisawsservice": "false",
            "aws:viaawsservice": "false",
        }
        yield from self._requests({**nobody, **anonymous})
        yield from self._requests(_outdoors({**nobody, **anonymous}))

    def outside(self) -> Iterator[Request]:
        """Somebody of another organisation, from the right network and from the internet."""
        stranger = {
            **self._own(),
            **self._stranger(),
            "aws:sourceaccount": FOREIGN_ACCOUNT,
            "aws:sourceorgid": _FOREIGN,
        }
        yield from self._requests(stranger)
        yield from self._requests(_outdoors(stranger))

    def elsewhere(self) -> Iterator[Request]:
        """People of the organisation over TLS, from another endpoint, and from the internet."""
        for context in (self._own(), self._fellow()):
            here = _outdoors(context)
            yield from self._requests(here)
            del here["aws:sourceip"]
            yield from self._requests({**here, "aws:sourcevpce": _FOREIGN_ENDPOINT})

    def own(self) -> Iterator[Request]:
        """One's own people over TLS from the right network."""
        yield from self._requests(self._own(), ACTIONS)

    def carried_out(self) -> Iterator[Request]:
        """One's own people, to a bucket of another organisation."""
        away = {"aws:resourceorgid": _FOREIGN, "aws:resourceaccount": FOREIGN_ACCOUNT}
        for action in ("s3:PutObject", "s3:GetObject"):
            target = f"arn:{self.partition}:s3:::somebody-elses-bucket/x"
            yield Request(action, target, self._role(), {**self._own(), **away})

    def _requests(self, context: Mapping[str, str], actions: Sequence[str] = GUARDED) -> Iterator[Request]:
        principal = context.get("aws:principalarn", "*")
        whole = f"arn:{self.partition}:s3:::{self.bucket}"
        for action in actions:
            if action.startswith(_OF_BUCKET) or action.endswith(_SETTINGS):
                yield Request(action, whole, principal, context)
            else:
                for key in _KEYS:
                    yield Request(action, f"{whole}/{self.prefix}{key * 64}", principal, context)

    def _own(self) -> dict[str, str]:
        settings = self.settings
        account = settings.account or _ACCOUNT
        found = {
            "aws:securetransport": "true",
            "s3:tlsversion": "1.3",
            "aws:principalaccount": account,
            "aws:principalarn": self._role(account),
            "aws:principaltype": "AssumedRole",
            "aws:principalisawsservice": "false",
            "aws:viaawsservice": "false",
            "aws:resourceaccount": account,
            "aws:currenttime": datetime.now(UTC).isoformat(),
            "aws:epochtime": str(int(datetime.now(UTC).timestamp())),
        }
        if settings.organization:
            found |= {
                "aws:principalorgid": settings.organization,
                "aws:resourceorgid": settings.organization,
            }
        if settings.endpoints:
            found["aws:sourcevpce"] = settings.endpoints[0]
        return found

    def _role(self, account: str = "") -> str:
        return f"arn:{self.partition}:iam::{account or self.settings.account or _ACCOUNT}:role/somebody"

    def _fellow(self) -> dict[str, str]:
        """Of another account of the organisation."""
        account = {"aws:principalaccount": _FELLOW_ACCOUNT, "aws:principalarn": self._role(_FELLOW_ACCOUNT)}
        return {**self._own(), **account}

    def _stranger(self) -> dict[str, str]:
        return {
            "aws:principalorgid": _FOREIGN,
            "aws:principalaccount": FOREIGN_ACCOUNT,
            "aws:principalarn": self._role(FOREIGN_ACCOUNT),
        }


def _outdoors(context: Mapping[str, str]) -> dict[str, str]:
    """The same from the internet."""
    return {
        **{key: one for key, one in context.items() if "vpc" not in key},
        "aws:sourceip": _FOREIGN_ADDRESS,
    }
