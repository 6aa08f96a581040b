"""The error shape of the OpenAI API, which its SDKs turn into typed exceptions."""

from dataclasses import dataclass
from typing import Any

from ringwall.core import RingwallError

_TYPES = {
    401: "authentication_error",
    403: "policy_violation",
    429: "rate_limit_exceeded",
}


@dataclass
class WireError(RingwallError):
    """An answer that is an error. ``message`` is one sentence for the developer who reads it."""

    status: int
    message: str
    code: str = ""
    param: str | None = None
    retry_after: int = 0
    """Seconds; 0 when waiting does not help."""
    decision: str = ""
    """Id of the decision behind it, when there is one already."""
    challenge: str = ""
    """Parameters of ``WWW-Authenticate`` (RFC 6750), beside the scheme."""
    detail: str = ""
    """What was wrong, for the ledger alone: the caller must not learn which part of a credential failed."""

    def __post_init__(self) -> None:
        super().__init__(self.message)

    def body(self) -> dict[str, Any]:
        return {
            "error": {
                "message": self.message,
                "type": _TYPES.get(
                    self.status, "server_error" if self.status >= 500 else "invalid_request_error"
                ),
                "param": self.param,
                "code": self.code or None,
            }
        }


def invalid(message: str, param: str) -> WireError:
    """The request does not follow the protocol."""
    return WireError(400, message, "invalid_request", param)
