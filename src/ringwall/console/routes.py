"""All addresses of the console and the chat."""

from collections.abc import Callable
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from . import allowing, chat, confirming, holding, operate, quarantine, reviewing, servers, switching
from .backend import Backend
from .guard import secure
from .pages import HERE, Endpoint, Frame
from .sessions import SessionStore
from .signing_in import SignIn

Wrap = Callable[..., Endpoint]


class Assets(StaticFiles):
    """Script and style of the pages: revalidated at each use, so that an upgrade shows at once."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory=directory)

    async def get_response(self, path: str, scope: Scope) -> Response:
        try:
            answer = await super().get_response(path, scope)
        except HTTPException as error:
            answer = PlainTextResponse("There is no such file.", error.status_code)
        return secure(answer, cache="no-cache")


def routes(backend: Backend, sessions: SessionStore | None = None) -> list[BaseRoute]:
    """Everything under ``/``, ``/login``, ``/logout``, ``/chat``, ``/console`` and ``/assets``."""
    frame = Frame(backend, SessionStore() if sessions is None else sessions)
    sign_in = SignIn(frame)
    page, api, post = frame.page, frame.api, ["POST"]
    return [
        Route("/", page(sign_in.home)),
        Route("/login", frame.open(sign_in.form)),
        Route("/login", frame.open(sign_in.submit), methods=post),
        Route("/logout", page(sign_in.sign_out), methods=post),
        Route("/chat", page(sign_in.first_chat)),
        Route("/chat/{application}", page(chat.show)),
        Route("/chat/{application}", page(chat.ask), methods=post),
        Route("/chat/{application}/turn", api(chat.stream), methods=post),
        Route("/chat/{application}/turns/{turn}", api(chat.panel)),
        Route("/chat/{application}/holds", api(confirming.show)),
        Route("/chat/{application}/holds/{id}/confirm", page(confirming.confirm), methods=post),
        Route("/chat/{application}/holds/{id}/refuse", page(confirming.refuse), methods=post),
        Route("/console", page(operate.overview, operator=True)),
        Route("/console/decisions", page(operate.feed, operator=True)),
        Route("/console/decisions.json", api(operate.feed_json, operator=True, touch=False)),
        Route("/console/decisions/{id}", page(operate.one, operator=True)),
        Route("/console/decisions/{id}/false-positive", page(allowing.report, operator=True), methods=post),
        Route("/console/allowances", page(allowing.show, operator=True)),
        Route("/console/allowances/{id}/remove", page(allowing.remove, operator=True), methods=post),
        Route("/console/holds", page(holding.show, operator=True)),
        Route("/console/holds/{id}", page(holding.one, operator=True)),
        Route("/console/holds/{id}/approve", page(holding.approve, operator=True), methods=post),
        Route("/console/holds/{id}/refuse", page(holding.refuse, operator=True), methods=post),
        Route("/console/holds/{id}/amend", page(holding.amend, operator=True), methods=post),
        *_quarantine(page, api),
        Route("/console/tools", page(switching.show, operator=True)),
        Route("/console/tools/off", page(switching.off, operator=True), methods=post),
        Route("/console/tools/on", page(switching.on, operator=True), methods=post),
        Route("/console/servers", page(servers.show, operator=True)),
        Route("/console/servers/{id}/look", page(servers.look, operator=True), methods=post),
        Route("/console/servers/{id}/tools", page(servers.decide, operator=True), methods=post),
        Route("/console/data", page(reviewing.show, operator=True)),
        Route("/console/data/{id}", page(reviewing.one, operator=True)),
        Route("/console/data/{id}/review", page(reviewing.review, operator=True), methods=post),
        Route("/console/data/{id}/approve", page(reviewing.approve, operator=True), methods=post),
        Route("/console/threats", page(operate.threats, operator=True)),
        Route("/console/api/boundaries", api(operate.boundaries_json, operator=True)),
        Route("/console/api/decisions", api(operate.feed_json, operator=True)),
        Route("/console/api/decisions/{id}", api(operate.one_json, operator=True)),
        Route("/console/api/decisions/{id}/proof", api(operate.proof_json, operator=True)),
        Route("/console/api/turns/{id}", api(operate.turn_json, operator=True)),
        Route("/console/api/holds", api(holding.show_json, operator=True)),
        Route("/console/api/allowances", api(allowing.show_json, operator=True)),
        Route("/console/api/tools", api(switching.show_json, operator=True)),
        Route("/console/api/servers", api(servers.show_json, operator=True)),
        Route("/console/api/data", api(reviewing.show_json, operator=True)),
        Route("/console/api/threats", api(operate.threats_json, operator=True)),
        Route("/console/api/{rest:path}", api(operate.nowhere, operator=True)),
        Route("/console/{rest:path}", page(operate.nowhere)),
        Route("/chat/{rest:path}", page(operate.nowhere)),
        Mount("/assets", Assets(HERE / "static"), name="assets"),
    ]


def _quarantine(page: Wrap, api: Wrap) -> list[BaseRoute]:
    place, post = "/console/quarantine", ["POST"]
    return [
        Route(place, page(quarantine.show, operator=True)),
        Route(f"{place}/{{id}}", page(quarantine.one, operator=True)),
        Route(f"{place}/{{id}}/release", page(quarantine.release, operator=True), methods=post),
        Route(f"{place}/{{id}}/reject", page(quarantine.reject, operator=True), methods=post),
        Route("/console/api/quarantine", api(quarantine.show_json, operator=True)),
    ]
