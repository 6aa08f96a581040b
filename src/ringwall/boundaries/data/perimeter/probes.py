"""Requests that a perimeter has to stop, and those that it has to let through.

Nothing is sent: a policy is asked what it makes of them. Each is fine but for the one thing that it is about,
so that a statement against something else can't pass for the one that is missing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .policy import Request
from .settings import PerimeterSettings

ACTIONS = ("s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket")
_FOREIGN = "o-0utsideperimeter"
_FOREIGN_ACCOUNT = "000000000009"
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
        """People of another organisation, and nobody at all, over TLS and from the right network."""
        yield from self._requests({**self._own(), **self._stranger()})
        nobody = {key: value for key, value in self._own().items() if not key.startswith("aws:principal")}
        anonymous = {
            "aws:principaltype": "Anonymous",
            "aws:principalisawsservice": "false",
            "aws:viaawsservice": "false",
        }
        yield from self._requests({**nobody, **anonymous})

    def elsewhere(self) -> Iterator[Request]:
        """People of the organisation over TLS, from another endpoint, and from the internet."""
        for context in (self._own(), self._fellow()):
            here = {key: value for key, value in context.items() if "vpc" not in key}
            yield from self._requests({**here, "aws:sourcevpce": _FOREIGN_ENDPOINT})
            yield from self._requests({**here, "aws:sourceip": _FOREIGN_ADDRESS})

    def own(self) -> Iterator[Request]:
        """One's own people over TLS from the right network."""
        yield from self._requests(self._own())

    def carried_out(self) -> Iterator[Request]:
        """One's own people, to a bucket of another organisation."""
        away = {"aws:resourceorgid": _FOREIGN, "aws:resourceaccount": _FOREIGN_ACCOUNT}
        for action in ("s3:PutObject", "s3:GetObject"):
            target = f"arn:{self.partition}:s3:::somebody-elses-bucket/x"
            yield Request(action, target, self._role(), {**self._own(), **away})

    def _requests(self, context: Mapping[str, str]) -> Iterator[Request]:
        principal = context.get("aws:principalarn", "*")
        for action in ACTIONS:
            whole = f"arn:{self.partition}:s3:::{self.bucket}"
            resource = whole if action == "s3:ListBucket" else f"{whole}/{self.prefix}{'0' * 64}"
            yield Request(action, resource, principal, context)

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
            "aws:principalaccount": _FOREIGN_ACCOUNT,
            "aws:principalarn": self._role(_FOREIGN_ACCOUNT),
        }
