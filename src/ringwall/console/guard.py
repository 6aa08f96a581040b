"""What stands between a browser and the pages: headers, cookies, origin and token checks, bounded bodies.

What a hostile site may try, and what answers it:
1. run script in a page      -> Content-Security-Policy without inline script; templates escape everything
2. frame a page              -> frame-ancestors 'none'
3. post a form               -> SameSite=Strict cookie, Sec-Fetch-Site or Origin, and a token
4. read an answer            -> Cross-Origin-Resource-Policy, no CORS headers at all
5. plant a session id        -> the id changes at sign-in, ``__Host-`` name under https
"""

import hmac
import secrets
from urllib.parse import parse_qs, urlsplit

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

BODY_LIMIT = 64 * 1024
CHAT_LIMIT = 1024 * 1024

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
SESSION_COOKIE = "ringwall_session"
FORM_COOKIE = "ringwall_form"


class Refused(Exception):
    """The request is not taken; ``sentence`` is for the person."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence


def secure(response: Response, *, cache: str = "no-store") -> Response:
    """The response with every security header."""
    for name, value in _HEADERS.items():
        response.headers[name] = value
    response.headers["Cache-Control"] = cache
    return response


def cookie(request: Request, name: str) -> str:
    """The cookie's value, or nothing. Under https only the ``__Host-`` name counts."""
    return request.cookies.get(_name(request, name), "")


def set_cookie(request: Request, response: Response, name: str, value: str) -> None:
    response.set_cookie(
        _name(request, name), value, path="/", secure=_https(request), httponly=True, samesite="strict"
    )


def drop_cookie(request: Request, response: Response, name: str) -> None:
    response.delete_cookie(
        _name(request, name), path="/", secure=_https(request), httponly=True, samesite="strict"
    )


def form_token(request: Request) -> str:
    """The token of the sign-in form: the browser's, or a new one (double submit: there is no session yet)."""
    held = cookie(request, FORM_COOKIE)
    return held if len(held) == 43 and held.isascii() else secrets.token_urlsafe(32)


def same_token(given: str, held: str) -> bool:
    """Constant-time; an empty token never matches."""
    return bool(held) and hmac.compare_digest(
        given.encode("utf-8", "replace"), held.encode("utf-8", "replace")
    )


def check_origin(request: Request) -> None:
    """Raises Refused unless the request comes from our own pages, as far as the browser says.

    Sec-Fetch-Site can't be set by a page. Browsers leave it out on plain http to another machine and then
    send ``Origin: null`` from pages with our referrer policy: there the token alone decides.
    """
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin", "null")
    if site is not None:
        ours = site == "same-origin"
    else:
        ours = origin == "null" or urlsplit(origin).netloc == request.headers.get("host", "")
    if not ours:
        raise Refused(
            403, "This form was sent from another site, so nothing was done. Start from the page here."
        )


async def read_body(request: Request, limit: int) -> bytes:
    """The body, at most ``limit`` bytes; raises Refused (413) beyond that, before reading it."""
    length = request.headers.get("content-length", "0")
    if not length.isdecimal() or int(length[:12]) > limit:
        raise _too_large(limit)
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > limit:
                raise _too_large(limit)
    except ClientDisconnect:
        raise Refused(400, "The connection ended before the request did.") from None
    return bytes(body)


async def read_form(request: Request) -> dict[str, str]:
    """Fields of an urlencoded form; the last value of a repeated field counts."""
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    body = await read_body(request, BODY_LIMIT)
    if body and kind != "application/x-www-form-urlencoded":
        raise Refused(415, "This form can't be read: send it as application/x-www-form-urlencoded.")
    try:
        fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=50)
    except ValueError:
        raise Refused(400, "This form has too many fields.") from None
    return {name: values[-1] for name, values in fields.items()}


def local_path(wanted: str) -> str:
    """A path of our own pages to go to after signing in; ``/`` for anything else."""
    if not wanted.startswith(("/chat/", "/console")) or not wanted.isascii() or not wanted.isprintable():
        return "/"
    parts = urlsplit(wanted)
    if parts.scheme or parts.netloc or "\\" in wanted or "//" in parts.path or ".." in parts.path:
        return "/"
    return wanted


def _too_large(limit: int) -> Refused:
    return Refused(413, f"This is too large: at most {limit // 1024} KiB can be sent at once.")


def _https(request: Request) -> bool:
    return request.url.scheme == "https"


def _name(request: Request, name: str) -> str:
    return f"__Host-{name}" if _https(request) else name
