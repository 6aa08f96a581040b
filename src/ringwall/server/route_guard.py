"""The rules for single routes (``interface.routes``), ahead of routing, credentials and parsing."""

import asyncio
import math

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ringwall.boundaries.interface.guessing import network_of
from ringwall.boundaries.interface.route_rules import Refusal, Route
from ringwall.core import RingwallError
from ringwall.storage.counters import Counters
from ringwall.wire.errors import WireError

from .gateway import Gateway
from .replies import error_response

_BODY_S = 10.0


class RouteGuard:
    """Refuses in the API's error shape, with a decision on the ledger."""

    def __init__(self, app: ASGIApp, gateway: Gateway) -> None:
        self._app = app
        self._gateway = gateway

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        routes = self._gateway.site.routes if scope["type"] == "http" else ()
        fitting = [route for route in routes if route.fits(scope["path"])]
        if not fitting:
            await self._app(scope, receive, send)
            return
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            self._check_head(scope, fitting)
            bounded = _Body(receive, fitting, self._most_bytes)
            await bounded.check()
            await self._app(scope, bounded.receive, watched)
        except WireError as error:
            if started:
                raise
            await self._refuse(error, scope, receive, send)

    @property
    def _most_bytes(self) -> int:
        return self._gateway.site.workload.interface.limits.body_bytes

    def _check_head(self, scope: Scope, fitting: list[Route]) -> None:
        address = network_of((scope.get("client") or ("",))[0])
        rates = self._gateway.live.plant.route_rates
        headers: dict[str, list[str]] = {}
        for name, value in scope["headers"]:
            headers.setdefault(name.decode("latin-1"), []).append(value.decode("latin-1"))
        for route in fitting:
            _count(rates, route, address)
            if refusal := route.head(scope["method"], headers):
                raise _error(refusal, route)

    async def _refuse(self, error: WireError, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            answer = await self._gateway.refused(error)
        except RingwallError:
            answer = error_response(WireError(503, "Nothing can be recorded just now.", "no_ledger"))
        await answer(scope, receive, send)


def _count(rates: Counters, route: Route, address: str) -> None:
    rate = route.rate
    if rate is None:
        return
    key = f"{route.rule.path} {address}"
    taken = rates.reserve(key, 1, rate.amount, rate.window_s)
    if taken is None:
        wait = rates.retry_after(key, 1, rate.amount, rate.window_s)
        seconds = max(1, math.ceil(min(wait, rate.window_s)))
        message = f"Too many requests from this address: wait {seconds} s."
        raise WireError(429, message, "route_rate", retry_after=seconds, detail=route.name)
    rates.settle(taken, 1)


def _error(refusal: Refusal, route: Route) -> WireError:
    return WireError(refusal.status, refusal.message, refusal.code, detail=route.name)


class _Body:
    """The request's body: counted as it is read, or read ahead where a rule looks into it."""

    def __init__(self, receive: Receive, fitting: list[Route], most_bytes: int) -> None:
        self._receive = receive
        self._fitting = fitting
        self._size = 0
        bounds = [route.rule.max_body for route in fitting if route.rule.max_body is not None]
        self._most = min(bounds, default=None)
        self._ahead = most_bytes if self._most is None else self._most
        self._held: list[Message] = []

    async def check(self) -> None:
        """Read ahead and look, where there is a rule to do so. Raises WireError."""
        readers = [route for route in self._fitting if route.reads_body]
        if not readers:
            return
        try:
            body = await asyncio.wait_for(self._read(), _BODY_S)
        except TimeoutError:
            raise WireError(408, "The body did not come in time.", "body_timeout") from None
        for route in readers:
            if refusal := route.content(body):
                raise _error(refusal, route)

    async def _read(self) -> bytes:
        body = bytearray()
        while True:
            message = await self._receive()
            self._held.append(message)
            body += message.get("body", b"")
            if len(body) > self._ahead:
                raise WireError(413, f"The body is larger than {self._ahead} bytes.", "body_too_large")
            if message["type"] != "http.request" or not message.get("more_body"):
                return bytes(body)

    async def receive(self) -> Message:
        if self._held:
            return self._held.pop(0)
        message = await self._receive()
        if message["type"] == "http.request" and self._most is not None:
            self._size += len(message.get("body", b""))
            if self._size > self._most:
                raise WireError(413, f"The body is larger than {self._most} bytes.", "body_too_large")
        return message
