"""The ASGI application: routes, errors in the protocol's shape, start and stop."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from ringwall.boundaries.interface.scopes import Scope
from ringwall.core import ANONYMOUS, RingwallError
from ringwall.wire.errors import WireError
from ringwall.workload.entity_refresh import EntityRefresh

from .chat_endpoint import chat_completions
from .collections_endpoint import add_document
from .decisions_endpoint import report_false_alarm, show_decision
from .files.rows import contribute_rows
from .gateway import Gateway, Standing
from .hold_telling import HoldTelling
from .holds_endpoint import amend_hold, approve_hold, list_holds, refuse_hold, show_hold
from .mcp.endpoint import Hosts, mcp
from .models_endpoint import list_models, show_model
from .openapi import openapi
from .replies import error_response
from .retrieval.warming import warm
from .route_guard import RouteGuard
from .token_endpoint import exchange
from .vector_stores.routes import vector_store_routes

Endpoint = Callable[[Request], Awaitable[Response]]


def build(live: Standing, pages: Callable[[Gateway], Sequence[BaseRoute]] | None = None) -> Starlette:
    """The application on a live site. ``pages`` adds the console's routes. Raises ConfigError when the secret
    of a webhook, or a header for a source of known entities, is missing."""
    gateway = Gateway(live)
    telling = HoldTelling(gateway)
    entities = EntityRefresh(lambda: live.plant, lambda: live.site.entity_sources)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        await live.take_seeds()
        watcher = asyncio.ensure_future(live.watch())
        teller = asyncio.ensure_future(telling.run())
        refresher = asyncio.ensure_future(entities.run())
        warming = asyncio.ensure_future(warm(live.plant.index))
        await entities.tried()
        try:
            yield
        finally:
            watcher.cancel()
            teller.cancel()
            refresher.cancel()
            warming.cancel()
            await telling.close()
            await asyncio.wait([refresher])
            await gateway.drain(10)
            await app.state.mcp_hosts.close()
            await live.close()

    app = Starlette(
        routes=[*_api(), *(pages(gateway) if pages else ())],
        lifespan=lifespan,
        exception_handlers={404: _http_error, 405: _http_error},
    )
    app.state.gateway = gateway
    app.state.mcp_hosts = Hosts(gateway)
    app.add_middleware(RouteGuard, gateway=gateway)
    return app


def _api() -> list[BaseRoute]:
    routes: list[BaseRoute] = [
        Route("/oauth/token", _api_errors(exchange, Scope.EXCHANGE), methods=["POST"]),
        Route("/healthz", _healthz, methods=["GET"]),
        Route("/readyz", _readyz, methods=["GET"]),
        Route("/openapi.json", openapi, methods=["GET"]),
        Route(
            "/v1/ringwall/decisions/{id}", _api_errors(show_decision, Scope.READ_DECISIONS), methods=["GET"]
        ),
        Route(
            "/v1/ringwall/decisions/{id}/false-positive",
            _api_errors(report_false_alarm, Scope.CONSOLE),
            methods=["POST"],
        ),
        Route("/v1/ringwall/holds", _api_errors(list_holds, Scope.HOLDS), methods=["GET"]),
        Route("/v1/ringwall/holds/{id}", _api_errors(show_hold, Scope.HOLDS), methods=["GET"]),
        Route("/v1/ringwall/holds/{id}/approve", _api_errors(approve_hold, Scope.HOLDS), methods=["POST"]),
        Route("/v1/ringwall/holds/{id}/refuse", _api_errors(refuse_hold, Scope.HOLDS), methods=["POST"]),
        Route("/v1/ringwall/holds/{id}/amend", _api_errors(amend_hold, Scope.HOLDS), methods=["POST"]),
        Route(
            "/v1/collections/{collection}/documents",
            _api_errors(add_document, Scope.CONTRIBUTE),
            methods=["POST"],
        ),
        Route(
            "/v1/collections/{collection}/files",
            _api_errors(contribute_rows, Scope.CONTRIBUTE),
            methods=["POST"],
        ),
    ]
    routes += [
        Route(f"{prefix}/mcp/{{server}}", _api_errors(mcp, Scope.MCP), methods=["GET", "POST", "DELETE"])
        for prefix in ("", "/apps/{application}")
    ]
    routes += vector_store_routes(_api_errors)
    for prefix in ("/v1", "/apps/{application}/v1"):
        routes += [
            Route(f"{prefix}/chat/completions", _api_errors(chat_completions, Scope.CHAT), methods=["POST"]),
            Route(f"{prefix}/models", _api_errors(list_models, Scope.MODELS), methods=["GET"]),
            Route(f"{prefix}/models/{{model}}", _api_errors(show_model, Scope.MODELS), methods=["GET"]),
        ]
    return routes


def _api_errors(endpoint: Endpoint, scope: Scope | None = None) -> Endpoint:
    """Whatever goes wrong is answered in the API's own shape, with a decision on the ledger.

    ``scope`` is what a credential must be good for; without one, no limited credential opens the endpoint.
    """

    async def wrapped(request: Request) -> Response:
        gateway: Gateway = request.app.state.gateway
        request.state.scope = scope
        try:
            return await endpoint(request)
        except WireError as error:
            return await _refused(gateway, error, request)
        except RingwallError as error:
            return await _refused(gateway, WireError(400, str(error), "refused"), request)
        except Exception as error:  # noqa: BLE001 - the last line denies, whatever went wrong
            gateway.log_fault(error)
            failed = WireError(500, "The gateway failed; nothing was let through.", "internal_error")
            return await _refused(gateway, failed, request)

    return wrapped


async def _refused(gateway: Gateway, error: WireError, request: Request) -> Response:
    """Refused, and recorded; when it can't be recorded, refused all the same."""
    try:
        return await gateway.refused(error, getattr(request.state, "principal", ANONYMOUS))
    except Exception as fault:  # noqa: BLE001 - the last line denies, whatever went wrong
        gateway.log_fault(fault)
        closed = WireError(503, "Nothing can be recorded just now, so nothing passes.", "no_ledger")
        return error_response(closed)


async def _http_error(request: Request, error: Exception) -> Response:
    messages = {404: "There is no such page or endpoint.", 405: "This endpoint does not take that method."}
    status = getattr(error, "status_code", 404)
    wire = WireError(status, messages[status], "not_found")
    if request.url.path.startswith(("/v1/", "/apps/", "/mcp/")):
        return await _refused(request.app.state.gateway, wire, request)
    return error_response(wire, getattr(error, "headers", None))


async def _healthz(request: Request) -> Response:
    return PlainTextResponse("ok\n")


async def _readyz(request: Request) -> Response:
    """Ready when the ledger takes records: without it nothing may pass."""
    ready = request.app.state.gateway.live.plant.ready()
    return PlainTextResponse("ready\n" if ready else "not ready\n", 200 if ready else 503)
