"""Rendering, and the frame around every page handler: who asks, may they, did they mean to."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from ringwall.core import Boundary, Principal, RingwallError

from .backend import Backend
from .guard import SESSION_COOKIE, Refused, check_origin, cookie, drop_cookie, read_form, secure
from .marking import reveal, reveal_chat
from .present import ACTION_WORD, BOUNDARY_MEANING, milliseconds, when
from .sessions import Session, SessionStore

_logger = logging.getLogger("ringwall.console")

HERE = Path(__file__).parent
ABSENT = "There is nothing at this address. It may have been mistyped, or what was here is gone."
BROKEN = "Something went wrong on the server. It was logged; try again, and tell an operator if it stays."
_TITLES = {
    400: "This can't be read",
    401: "Signed out",
    403: "Not allowed",
    404: "Not found",
    409: "Not now",
    413: "Too large",
    415: "This can't be read",
    429: "Too many tries",
}


@dataclass(slots=True)
class Visit:
    """One request of a signed-in person."""

    request: Request
    backend: Backend
    session: Session
    key: str
    """The session's id."""
    principal: Principal
    operator: bool
    """Whether the principal may use the console."""
    form: Mapping[str, str] = field(default_factory=dict)


Handler = Callable[[Visit], Awaitable[Response]]
Endpoint = Callable[[Request], Awaitable[Response]]


def _finalize(value: Any) -> Any:
    """Runs on every value that a template prints: hostile characters are shown, never obeyed."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return reveal(value)
    return value


def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"ms": milliseconds, "when": when, "chat": reveal_chat, "url": _url}
    made.globals |= {"WORD": ACTION_WORD, "BOUNDARIES": list(Boundary), "MEANING": BOUNDARY_MEANING}
    return made


def _url(value: str) -> str:
    return quote(str(value).encode("utf-8", "replace"), safe="")


_TEMPLATES = _environment()


def render(template: str, visit: Visit | None = None, status: int = 200, **values: Any) -> HTMLResponse:
    """A page. ``visit`` gives it the navigation of a signed-in person."""
    page = _TEMPLATES.get_template(template).render(visit=visit, **values)
    return HTMLResponse(page, status)


def error_page(status: int, sentence: str, visit: Visit | None = None) -> Response:
    """A page in the style of the others that says what happened and what to do; no internals."""
    title = _TITLES.get(status, "Something went wrong")
    return secure(render("error.html", visit, status, title=title, sentence=sentence))


class Frame:
    """Wraps handlers. A page redirects a stranger to the sign-in form; an API answers 401 as JSON."""

    def __init__(self, backend: Backend, sessions: SessionStore) -> None:
        self.backend = backend
        self.sessions = sessions

    def page(self, handler: Handler, *, operator: bool = False) -> Endpoint:
        return self._wrap(handler, operator=operator, api=False, touch=True)

    def api(self, handler: Handler, *, operator: bool = False, touch: bool = True) -> Endpoint:
        return self._wrap(handler, operator=operator, api=True, touch=touch)

    def open(self, handler: Endpoint) -> Endpoint:
        """For the pages that need no session."""

        async def endpoint(request: Request) -> Response:
            return await _shielded(lambda: handler(request), api=False)

        return endpoint

    async def visit(self, request: Request, *, touch: bool = True) -> Visit | None:
        """Who asks, with rights as they stand now; None for a stranger."""
        key = cookie(request, SESSION_COOKIE)
        session = self.sessions.find(key, touch=touch) if key else None
        if session is None:
            return None
        principal = await self.backend.renew(session.principal)
        if principal is None or principal.subject != session.principal.subject:
            self.sessions.end(key)
            return None
        session.principal = principal
        allowed = self.backend.may_use_console(principal)
        return Visit(request, self.backend, session, key, principal, allowed)

    def _wrap(self, handler: Handler, *, operator: bool, api: bool, touch: bool) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            visit: Visit | None = None

            async def answer() -> Response:
                nonlocal visit
                visit = await self.visit(request, touch=touch)
                if visit is None:
                    return _stranger(request, api)
                if operator and not visit.operator:
                    raise Refused(
                        403, "Your roles don't include the console. Ask an operator if you need it."
                    )
                if request.method == "POST":
                    await _meant(visit, api)
                return await handler(visit)

            return await _shielded(answer, api=api, visit=lambda: visit)

        return endpoint


async def _meant(visit: Visit, api: bool) -> None:
    """The person, not another site, sent this; raises Refused otherwise."""
    check_origin(visit.request)
    if api:
        token = visit.request.headers.get("x-csrf-token", "")
    else:
        visit.form = await read_form(visit.request)
        token = visit.form.get("csrf", "")
    if not visit.session.accepts(token):
        raise Refused(
            403, "This form is out of date, so nothing was done. Go back, reload the page, try again."
        )


async def _shielded(
    answer: Callable[[], Awaitable[Response]],
    *,
    api: bool,
    visit: Callable[[], Visit | None] = lambda: None,
) -> Response:
    try:
        return secure(await answer())
    except Refused as refused:
        status, sentence = refused.status, refused.sentence
    except RingwallError as error:
        status, sentence = 503, str(error)
    except Exception:
        _logger.exception("a console page failed")
        status, sentence = 500, BROKEN
    if api:
        return secure(JSONResponse({"error": reveal(sentence)}, status))
    return error_page(status, sentence, visit())


def _stranger(request: Request, api: bool) -> Response:
    if api:
        return JSONResponse({"error": "You are signed out. Sign in again."}, 401)
    there = request.url.path if request.method == "GET" else "/"
    answer = RedirectResponse("/login?" + urlencode({"next": there}), 303)
    drop_cookie(request, answer, SESSION_COOKIE)
    return answer
