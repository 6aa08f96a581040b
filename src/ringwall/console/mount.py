"""All pages on a running gateway."""

from collections.abc import Sequence

from starlette.routing import BaseRoute

from ringwall.server.gateway import Gateway

from .routes import routes
from .runtime import GatewayBackend


def pages(gateway: Gateway) -> Sequence[BaseRoute]:
    """All pages on a running gateway."""
    return routes(GatewayBackend(gateway))
