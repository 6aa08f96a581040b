"""``GET /v1/models``: the routes that a client of the application may ask for."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from ringwall.core import CrossingKind
from ringwall.wire.chat_request import ChatCall
from ringwall.wire.errors import WireError
from ringwall.workload.site import ApplicationSite

from .gateway import Gateway
from .replies import json_response, turn_headers
from .turn.state import Turn

_NO_CALL = ChatCall(model="", messages=())
_NOTHING: dict[str, Any] = {"estimated_tokens": 0, "depth": 0, "messages": 0}


async def list_models(request: Request) -> Response:
    app, headers = await _decided(request)
    data = [_model(name) for name in app.application.models]
    return json_response({"object": "list", "data": data}, headers=headers)


async def show_model(request: Request) -> Response:
    app, headers = await _decided(request)
    name = request.path_params["model"]
    if name not in app.application.models:
        raise WireError(404, f"There is no model {name[:64]!r} here.", "model_not_found", "model")
    return json_response(_model(name), headers=headers)


async def _decided(request: Request) -> tuple[ApplicationSite, dict[str, str]]:
    """The application, when the gate lets the principal ask; the headers of the answer."""
    gateway: Gateway = request.app.state.gateway
    app = gateway.site.application(request.path_params.get("application", ""))
    principal = await gateway.authenticate(request, app.application.name)
    turn = Turn(app, gateway.recorder, principal, _NO_CALL, endpoint="models")
    decision = await turn.decide(turn.crossing(CrossingKind.REQUEST, (), _NOTHING))
    await turn.committed()
    turn.settle()
    turn.refuse_if_stopped(decision)
    return app, turn_headers(turn)


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "ringwall"}
