"""What a caller may say of itself: a condition on that is met by whoever knows the policy.

Sources: IAM User Guide, "AWS global condition context keys" (which says of ``aws:Referer`` and
``aws:UserAgent`` that they are no protection); Service Authorization Reference, Amazon S3.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from .policy import Policy, Request
from .wildcard import fits

_SENT = ("s3:x-amz-", "s3:requestobjecttag/", "aws:requesttag/")
"""Headers and tags of the request."""
_SENT_WHOLE = frozenset(
    {
        *("aws:referer", "aws:useragent", "s3:prefix", "s3:delimiter", "s3:max-keys", "s3:authtype"),
        *("s3:signatureversion", "s3:versionid"),
    }
)
_OWN = ("aws:principaltag/",)
"""What the administrator of a stranger's own account gives to its people."""
_OWN_WHOLE = frozenset({"aws:username", "aws:userid"})
_MOST = 20
Claim = Mapping[str, str]


def sent(policy: Policy) -> list[Claim]:
    """What anybody can put into a request, statement by statement, and all of it together."""
    return _claims(policy, lambda key: key.startswith(_SENT) or key in _SENT_WHOLE, "")


def foreign(policy: Policy, account: str) -> list[Claim]:
    """The same, and what somebody who administers another account can make of its principals as well."""

    def theirs(key: str) -> bool:
        whole = key in _SENT_WHOLE or key in _OWN_WHOLE or key == "aws:principalarn"
        return whole or key.startswith((*_SENT, *_OWN))

    return _claims(policy, theirs, account)


def claimed(requests: Iterable[Request], claims: Iterable[Claim]) -> Iterator[Request]:
    """Each request as it is, and with each claim."""
    claims = list(claims)
    for request in requests:
        yield request
        for claim in claims:
            yield replace(request, context={**request.context, **claim})


def outsiders(policy: Policy, account: str, template: Request) -> Iterator[Request]:
    """Requests of those whom an Allow names and who are not of the account: of another account of any
    organisation, known by a canonical id or to an identity provider, or a service on somebody's behalf."""
    for statement in policy.statements:
        named = statement.get("Principal")
        if statement["Effect"] != "Allow" or not isinstance(named, Mapping):
            continue
        for kind, given in named.items():
            for name in given if isinstance(given, list) else [given]:
                if isinstance(name, str) and name != "*" and _account(name) != (account or None):
                    yield _outsider(kind, name, template)


def _outsider(kind: str, name: str, template: Request) -> Request:
    context: dict[str, Any] = dict(template.context)
    if kind == "Service":
        for key in [key for key in context if key.startswith("aws:principal")]:
            del context[key]
        context |= {"aws:principalservicename": name, "aws:principalisawsservice": "true"}
        return replace(template, principal="*", context=context)
    account = _account(name)
    if account:
        arn = name if name.count(":") >= 5 else f"arn:aws:iam::{account}:root"
        context |= {"aws:principalaccount": account, "aws:principalarn": arn}
        return replace(template, principal=arn, context=context)
    return replace(template, principal=name, context=context)


def _account(name: str) -> str:
    parts = name.split(":")
    return parts[4] if len(parts) > 5 else name if name.isdecimal() else ""


def _claims(policy: Policy, theirs: Any, account: str) -> list[Claim]:
    found: list[Claim] = []
    for statement in policy.statements:
        claim: dict[str, str] = {}
        for keys in statement.get("Condition", {}).values():
            for key, values in keys.items():
                for value in values if isinstance(values, list) else [values]:
                    instance = _instance(str(value), key.lower(), account)
                    if theirs(key.lower()) and instance:
                        claim[key.lower()] = instance
        if claim:
            found.append(claim)
    every = {key: value for claim in found for key, value in claim.items()}
    return [*found[:_MOST], every] if every else []


def _instance(pattern: str, key: str, account: str) -> str:
    """A value that fits the pattern; of a principal, one of the account. Empty when there is none."""
    if key == "aws:principalarn":
        parts = pattern.split(":", 5)
        if pattern.startswith("*"):
            parts = ["arn", "aws", "iam", "", account, f"role/{pattern.strip('*').rpartition('/')[2] or 'x'}"]
        if len(parts) != 6 or not fits(parts[4], account):
            return ""
        parts[4] = account
        pattern = ":".join(parts)
    return pattern.replace("*", "x").replace("?", "x")
