"""``POST /oauth/token``: OAuth 2.0 token exchange (RFC 8693), for services that act on behalf of a user.

The service proves itself as at every endpoint (key, token or client certificate); what it sends is the user's
token. It gets a short-lived token whose principal is the user. Errors have the shape of RFC 6749.
"""

import time
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from ringwall.boundaries.interface.sign_in.delegation import NotDelegated
from ringwall.boundaries.interface.sign_in.fetch import Unreachable
from ringwall.boundaries.interface.sign_in.issuers import Verified
from ringwall.boundaries.interface.sign_in.jose import TokenRefused
from ringwall.core import ANONYMOUS, Grant, Principal
from ringwall.wire.errors import WireError

from .authenticate import failed, unreachable
from .gateway import Gateway, peer
from .replies import json_response

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 - a name, no secret
_TYPES = frozenset({ACCESS_TOKEN, "urn:ietf:params:oauth:token-type:jwt"})
_MOST_BYTES = 32 * 1024
_CODES = {401: "invalid_client", 403: "unauthorized_client", 429: "temporarily_unavailable"}
_OWN_CODES = frozenset({"invalid_target", "invalid_scope", "unsupported_grant_type"})
_KEPT_HEADERS = ("x-ringwall-decision", "retry-after", "www-authenticate")


async def exchange(request: Request) -> Response:
    """A token for the user, in the hands of the service that asks."""
    gateway: Gateway = request.app.state.gateway
    try:
        return await _exchanged(gateway, request)
    except WireError as error:
        refused = await gateway.refused(error, getattr(request.state, "principal", ANONYMOUS))
        if error.code in _OWN_CODES:
            code = error.code
        else:
            code = _CODES.get(error.status, "invalid_request" if error.status < 500 else "server_error")
        kept = {name: refused.headers[name] for name in _KEPT_HEADERS if name in refused.headers}
        return json_response({"error": code, "error_description": error.message}, error.status, kept)


async def _exchanged(gateway: Gateway, request: Request) -> Response:
    actor = await gateway.authenticate(request)
    if not actor.authenticated:
        raise WireError(401, "The service must prove itself: send its credential as a bearer token.")
    fields = _once(await _form(request))
    sign_in = gateway.site.sign_in
    user = await _user(gateway, request, fields["subject_token"])
    try:
        grant = sign_in.delegation.grant(
            user.principal, actor, fields.get("audience", "").split(), fields.get("scope", "").split()
        )
    except NotDelegated as refused:
        status = 403 if refused.code == "unauthorized_client" else 400
        raise WireError(status, refused.message, refused.code, detail="delegation") from None
    now = time.time()
    expires = min(now + sign_in.delegation.lifetime_s, user.expires)
    token = sign_in.tokens.issue(user.principal, actor, grant, expires)
    await _note(gateway, user.principal, actor, grant)
    return json_response(
        {
            "access_token": token,
            "issued_token_type": ACCESS_TOKEN,
            "token_type": "Bearer",
            "expires_in": max(0, int(expires - now)),
            "scope": " ".join(sorted(grant.scopes or ())),
        }
    )


async def _note(gateway: Gateway, user: Principal, actor: Principal, grant: Grant) -> None:
    await gateway.recorder.event(
        "token.exchanged",
        user.subject,
        user.tenant,
        actor=f"{actor.tenant}/{actor.subject}",
        credential=actor.credential,
        applications=sorted(grant.applications),
    )


async def _user(gateway: Gateway, request: Request, token: str) -> Verified:
    """Whom the service speaks for. Raises WireError."""
    try:
        return await gateway.site.sign_in.verified(token)
    except TokenRefused as refused:
        answer = failed(gateway.guessing, peer(request), token, refused)
        if answer.status == 429:
            raise answer from None
        raise WireError(400, "The subject token is not valid.", detail=answer.detail) from None
    except Unreachable:
        raise unreachable() from None


def _once(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """The parameters that count, checked. Unknown ones are passed over (RFC 6749, 3.2)."""
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise WireError(400, "A parameter stands twice.")
    if fields.get("grant_type") != GRANT_TYPE:
        raise WireError(400, f"The grant type taken here is {GRANT_TYPE}.", "unsupported_grant_type")
    if fields.get("subject_token_type") not in _TYPES or not fields.get("subject_token"):
        raise WireError(400, f"Send subject_token, and as subject_token_type {ACCESS_TOKEN}.")
    if fields.get("requested_token_type", ACCESS_TOKEN) not in _TYPES:
        raise WireError(400, f"The only token type issued is {ACCESS_TOKEN}.")
    if "actor_token" in fields:
        raise WireError(400, "The actor is the service that asks: leave actor_token out.")
    return fields


async def _form(request: Request) -> list[tuple[str, str]]:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise WireError(400, "Send the parameters as application/x-www-form-urlencoded.")
    body = bytearray()
    try:
        async for piece in request.stream():
            body += piece
            if len(body) > _MOST_BYTES:
                raise WireError(413, f"The body is larger than {_MOST_BYTES} bytes.")
    except ClientDisconnect:
        raise WireError(400, "The connection closed before the body was complete.") from None
    try:
        return parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=30)
    except ValueError:
        raise WireError(400, "The parameters can't be read.") from None
