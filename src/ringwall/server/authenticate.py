"""Who is calling: credentials off the request, a principal out of them, or a refusal that tells no more than
RFC 6750 does."""

import math

from starlette.requests import Request

from ringwall.boundaries.interface.guessing import Guessing
from ringwall.boundaries.interface.keys import key_id
from ringwall.boundaries.interface.scopes import Scope
from ringwall.boundaries.interface.sign_in.certificates import Certificates
from ringwall.boundaries.interface.sign_in.delegation import NotDelegated
from ringwall.boundaries.interface.sign_in.fetch import Unreachable
from ringwall.boundaries.interface.sign_in.jose import TokenRefused
from ringwall.boundaries.interface.sign_in.sign_in import Presented, SignIn
from ringwall.core import ANONYMOUS, Principal
from ringwall.wire.errors import WireError

from .http_protocol import CLIENT_CERTIFICATE

ON_BEHALF_OF = "x-ringwall-on-behalf-of"


async def authenticate(
    request: Request, sign_in: SignIn, guessing: Guessing, scope: Scope | None, application: str
) -> Principal:
    """The principal behind the request; ANONYMOUS when it carries no credential at all.

    ``scope`` is what the endpoint is for; None is an endpoint that no limited credential opens. Raises
    WireError: 401, 403, 429, or 503 when the credential can't be checked just now.
    """
    address = request.client.host if request.client else ""
    bearer = ""
    try:
        bearer = _one(request, "authorization")
        presented = Presented(
            _bearer(bearer), _certificate(request, sign_in.certificates, address), _user(request)
        )
        principal = await sign_in.principal(presented)
    except TokenRefused as refused:
        raise failed(guessing, address, _bearer_of(bearer), refused) from None
    except Unreachable:
        raise unreachable() from None
    except NotDelegated as refused:
        raise WireError(403, refused.message, refused.code, detail="delegation") from None
    if principal is None:
        return ANONYMOUS
    guessing.succeeded(address, principal.credential)
    request.state.principal = principal
    _check_grant(principal, scope, application)
    return principal


def failed(guessing: Guessing, address: str, secret: str, refused: TokenRefused) -> WireError:
    """The answer to a credential that is none: 401, or 429 after too many."""
    wait = math.ceil(guessing.failed(address, key_id(secret)))
    detail = f"credential: {refused.reason}"
    if wait:
        message = f"Too many wrong credentials: wait {wait} s."
        return WireError(429, message, "locked_out", retry_after=wait, detail=detail)
    token = "." in secret or not secret
    return WireError(
        401,
        "The credential is not valid." if token else "The API key is not known or no longer valid.",
        "invalid_token" if token else "invalid_api_key",
        challenge='error="invalid_token"',
        detail=detail,
    )


def unreachable() -> WireError:
    """Not the caller's fault, and no reason to let anybody in."""
    message = "The credential can't be checked just now: its issuer does not answer."
    return WireError(
        503, message, "issuer_unreachable", retry_after=10, detail="credential: issuer unreachable"
    )


def _check_grant(principal: Principal, scope: Scope | None, application: str) -> None:
    grant = principal.grant
    if scope is None:
        if grant.scopes is None and not grant.applications:
            return
    elif grant.allows(scope.value, application):
        return
    wanted = f', scope="{scope.value}"' if scope else ""
    raise WireError(
        403,
        "This credential is not good for that operation here.",
        "insufficient_scope",
        challenge=f'error="insufficient_scope"{wanted}',
    )


def _one(request: Request, name: str) -> str:
    """The header's value. Two of them are two claims about who is calling: none is believed."""
    given = request.headers.getlist(name)
    if len(given) > 1:
        raise TokenRefused("two headers")
    return given[0] if given else ""


def _bearer(header: str) -> str:
    if not header:
        return ""
    secret = _bearer_of(header)
    if not secret:
        raise TokenRefused("scheme")
    return secret


def _bearer_of(header: str) -> str:
    scheme, _, secret = header.partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else ""


def _user(request: Request) -> str:
    return _one(request, ON_BEHALF_OF)


def _certificate(request: Request, certificates: Certificates, address: str) -> bytes | None:
    """The caller's own certificate, as this listener verified it, or as a trusted proxy did."""
    own: bytes = request.scope.get("extensions", {}).get(CLIENT_CERTIFICATE, b"")
    told = certificates.of_proxy(address, request.headers.getlist("client-cert"))
    return own if told == b"" else told
