"""Who asks for what of a vector store: a turn of its own for readers, a principal for contributors."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from ringwall.boundaries.data.settings import CollectionSettings
from ringwall.core import Principal
from ringwall.wire.chat_request import ChatCall
from ringwall.wire.errors import WireError

from ..gateway import Gateway
from ..retrieval.search import no_store
from ..turn.state import Turn

ENDPOINT = "vector_stores"


async def reading(request: Request, answer: Callable[[Turn], Awaitable[Response]]) -> Response:
    """Answer within a turn; what its gate refuses is told with that decision, what is no proper request with
    one of its own."""
    gateway: Gateway = request.app.state.gateway
    app = gateway.site.application(request.path_params.get("application", ""))
    principal = await gateway.authenticate(request, app.application.name)
    await gateway.require_identity(app, principal)
    turn = Turn(app, gateway.recorder, principal, ChatCall("", ()), endpoint=ENDPOINT)
    token = request.headers.get("x-ringwall-session", "") or turn.id
    turn.session = app.sessions.find(principal, app.application.name, token, (), turn.id)
    try:
        return await answer(turn)
    except WireError as error:
        if not turn.decision or error.status in (400, 404):
            await turn.committed()
            raise
        return await gateway.failure(error, turn)
    finally:
        turn.settle()


async def contributing(request: Request) -> tuple[Gateway, Principal, str, CollectionSettings]:
    """The collection that the caller may contribute to. Raises WireError (401, 403, 404).

    As everywhere, roles of the collection decide, not those of an application; an application's own address
    narrows it to that application's collections.
    """
    gateway: Gateway = request.app.state.gateway
    application = request.path_params.get("application", "")
    site = gateway.site.application(application)
    principal = await gateway.authenticate(request, application)
    if not principal.authenticated:
        raise WireError(401, "A valid API key is needed: send it as a bearer token.", "invalid_api_key")
    name = request.path_params["store"]
    settings = gateway.site.workload.data.collections.get(name)
    if settings is None or settings.kind != "index":
        raise no_store(name)
    if application and name not in site.application.collections:
        raise no_store(name)
    if principal.roles.isdisjoint(settings.contributors):
        if principal.roles.isdisjoint(settings.readers):
            raise no_store(name)
        raise WireError(403, "You may read this vector store, not contribute to it.", "not_contributor")
    return gateway, principal, name, settings
