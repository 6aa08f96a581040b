"""The guarded HTTP client in the hands of one tool, on whatever thread or event loop that tool runs."""

from collections.abc import Mapping
from typing import Any

from ringwall.boundaries.application.egress_answer import Fetched
from ringwall.boundaries.application.egress_client import ToolEgress

from .portal import Portal


class WayOut:
    """What a tool of the gateway is given as ``egress``, for tools of a program: they fetch with the same
    call. Every request is decided and on the ledger before it leaves."""

    def __init__(self, portal: Portal, egress: ToolEgress) -> None:
        self._portal = portal
        self._egress = egress

    async def fetch(
        self,
        url: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Fetched:
        """The answer to one request. Raises EgressRefused for what the list does not permit, UpstreamError
        when it fails."""
        request = self._egress.fetch(url, method=method, headers=headers, body=body)
        return await self._portal.arun(request)

    def fetch_now(self, url: str, **request: Any) -> Fetched:
        """``fetch`` for synchronous tools."""
        return self._portal.run(self._egress.fetch(url, **request))
