"""Signing in and out. An API key is exchanged for a session; it is never stored."""

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from ringwall.core import IdentityError

from .guard import (
    FORM_COOKIE,
    SESSION_COOKIE,
    Refused,
    check_origin,
    cookie,
    drop_cookie,
    form_token,
    local_path,
    read_form,
    same_token,
    set_cookie,
)
from .pages import Frame, Visit, render

_MAX_SECRET = 4096


class SignIn:
    def __init__(self, frame: Frame) -> None:
        self._frame = frame

    async def form(self, request: Request) -> Response:
        if await self._frame.visit(request) is not None:
            return RedirectResponse(local_path(request.query_params.get("next", "")), 303)
        return self._page(request, request.query_params.get("next", ""))

    async def submit(self, request: Request) -> Response:
        check_origin(request)
        fields = await read_form(request)
        wanted = fields.get("next", "")
        if not same_token(fields.get("csrf", ""), cookie(request, FORM_COOKIE)):
            return self._page(request, wanted, "The form was out of date. Enter the key once more.", 403)
        secret = fields.get("key", "").strip()
        if not 0 < len(secret) <= _MAX_SECRET:
            return self._page(request, wanted, "Enter an API key.", 400)
        address = request.client.host if request.client else ""
        try:
            principal = await self._frame.backend.sign_in(secret, address)
        except IdentityError as error:
            return self._page(request, wanted, str(error), 429)
        if principal is None:
            sentence = "This key isn't known here, or it was revoked. Check it, or ask an operator for one."
            return self._page(request, wanted, sentence, 401)
        self._frame.sessions.end(cookie(request, SESSION_COOKIE))
        answer = RedirectResponse(local_path(wanted), 303)
        set_cookie(request, answer, SESSION_COOKIE, self._frame.sessions.begin(principal))
        drop_cookie(request, answer, FORM_COOKIE)
        return answer

    async def sign_out(self, visit: Visit) -> Response:
        self._frame.sessions.end(visit.key)
        answer = RedirectResponse("/login", 303)
        drop_cookie(visit.request, answer, SESSION_COOKIE)
        return answer

    async def home(self, visit: Visit) -> Response:
        """To the console for those who may use it, else to the first chat."""
        if visit.operator:
            return RedirectResponse("/console", 303)
        return await self.first_chat(visit)

    async def first_chat(self, visit: Visit) -> Response:
        applications = await visit.backend.applications(visit.principal)
        if not applications:
            raise Refused(403, "Your roles give you no application to talk to. Ask an operator for one.")
        return RedirectResponse(f"/chat/{quote(applications[0].name, safe='')}", 303)

    def _page(self, request: Request, wanted: str, problem: str = "", status: int = 200) -> Response:
        token = form_token(request)
        values = {"csrf": token, "next": local_path(wanted), "problem": problem}
        answer = render("login.html", None, status, **values)
        set_cookie(request, answer, FORM_COOKIE, token)
        return answer
