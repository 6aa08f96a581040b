"""A resource policy (of a bucket, of a VPC endpoint), evaluated for one request.

What can't be told counts against safety: a Deny that may not match does not deny, an Allow that may match
allows. Source of the evaluation: IAM User Guide, "Policy evaluation logic" and "IAM JSON policy elements".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from ringwall.core import DataError

from .conditions import Context, holds
from .wildcard import fits

LARGEST = 65_536
"""Bytes of a policy; AWS takes 20 KB."""


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody asks of the service."""

    action: str
    """Such as ``s3:GetObject``."""
    resource: str
    """ARN."""
    principal: str = "*"
    """ARN; ``*`` for somebody without credentials."""
    context: Context = field(default_factory=dict)
    """Condition keys in lower case."""

    @property
    def account(self) -> str:
        parts = self.principal.split(":")
        return parts[4] if len(parts) > 5 else ""


@dataclass(frozen=True, slots=True)
class Policy:
    statements: tuple[Mapping[str, Any], ...]

    @classmethod
    def parse(cls, text: str | bytes) -> "Policy":
        """DataError for what is no policy."""
        if len(text) > LARGEST:
            raise DataError(f"The policy is longer than {LARGEST} bytes.")
        try:
            given = orjson.loads(text)
        except orjson.JSONDecodeError:
            raise DataError("The policy is no JSON.") from None
        statements = given.get("Statement") if isinstance(given, dict) else None
        listed = [statements] if isinstance(statements, dict) else statements
        if not isinstance(listed, list) or not all(map(_sound, listed)):
            raise DataError(
                "The policy is none: it has no list of statements with Effect, Action and Resource."
            )
        return cls(tuple(listed))

    def denies(self, request: Request) -> bool:
        """Whether a Deny surely matches."""
        return any(
            statement["Effect"] == "Deny" and _matches(statement, request) is True
            for statement in self.statements
        )

    def allows(self, request: Request) -> bool:
        """Whether an Allow may match, and no Deny surely does."""
        allowed = any(
            statement["Effect"] == "Allow" and _matches(statement, request) is not False
            for statement in self.statements
        )
        return allowed and not self.denies(request)


def _sound(statement: Any) -> bool:
    if not isinstance(statement, dict) or statement.get("Effect") not in ("Allow", "Deny"):
        return False
    if not any(isinstance(statement.get(name), str | list) for name in ("Action", "NotAction")):
        return False
    block = statement.get("Condition", {})
    return isinstance(block, dict) and all(isinstance(keys, dict) for keys in block.values())


def _matches(statement: Mapping[str, Any], request: Request) -> bool | None:
    if not _listed(statement, "Action", lambda pattern: fits(pattern.lower(), request.action.lower())):
        return False
    if not _listed(statement, "Resource", lambda pattern: fits(pattern, request.resource)):
        return False
    if not _principal(statement, request):
        return False
    return holds(statement.get("Condition", {}), request.context)


def _listed(statement: Mapping[str, Any], name: str, test: Any) -> bool:
    """The element, or its ``Not`` form; an endpoint policy may leave the resource out."""
    if f"Not{name}" in statement:
        return not any(map(test, _strings(statement[f"Not{name}"])))
    return any(map(test, _strings(statement.get(name, "*"))))


def _principal(statement: Mapping[str, Any], request: Request) -> bool:
    if "NotPrincipal" in statement:
        return not _named(statement["NotPrincipal"], request)
    return "Principal" not in statement or _named(statement["Principal"], request)


def _named(given: Any, request: Request) -> bool:
    if given == "*":
        return True
    if not isinstance(given, Mapping):
        return False
    others = [name for kind in ("CanonicalUser", "Federated") for name in _strings(given.get(kind, []))]
    return (
        any(_is(name, request) for name in _strings(given.get("AWS", [])))
        or request.principal in others
        or request.context.get("aws:principalservicename") in _strings(given.get("Service", []))
    )


def _is(name: str, request: Request) -> bool:
    if name in ("*", request.principal):
        return True
    whole = name.removesuffix(":root")
    account = name if name.isdecimal() else whole.rpartition(":")[2] if whole != name else ""
    return bool(account) and account == request.account


def _strings(given: Any) -> Sequence[str]:
    values = given if isinstance(given, list) else [given]
    return [value for value in values if isinstance(value, str)]
