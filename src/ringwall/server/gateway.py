"""The running gateway: the current site, the ledger, and what every endpoint needs of them."""

import asyncio
import logging
import time
from pathlib import Path
from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response

from ringwall.boundaries.data.contribute import Contributions
from ringwall.boundaries.data.intake.judging import lean
from ringwall.boundaries.interface.guessing import Guessing
from ringwall.boundaries.interface.keys import KeyStore
from ringwall.core import (
    ANONYMOUS,
    Action,
    Boundary,
    Crossing,
    CrossingKind,
    Decision,
    Finding,
    Line,
    Mode,
    Principal,
    Status,
    UpstreamError,
    new_id,
    verdict,
)
from ringwall.wire.chat_request import ChatCall
from ringwall.wire.errors import WireError
from ringwall.workload.intake import contributions
from ringwall.workload.plant import Plant
from ringwall.workload.site import ApplicationSite, Site

from .authenticate import authenticate
from .recorder import Recorder
from .replies import error_response, turn_headers
from .turn.state import ENDPOINT, Turn

log = logging.getLogger("ringwall")

PROTOCOL = "interface.protocol"
"""The reading of the request itself: what is no proper request never reaches a control."""


class Standing(Protocol):
    """What a gateway stands on: ``workload.live.Live``, or the ground of a drill."""

    plant: Plant
    site: Site
    path: Path

    async def take_seeds(self) -> None: ...

    async def watch(self) -> None: ...

    async def close(self) -> None: ...


class Gateway:
    """One per process. ``site`` is replaced whole when the workload file changes."""

    def __init__(self, live: Standing) -> None:
        self.live = live
        self.recorder = Recorder(live.plant.ledger)
        self._tasks: set[asyncio.Future[None]] = set()

    @property
    def site(self) -> Site:
        return self.live.site

    @property
    def contributions(self) -> Contributions:
        """The way into the collections: every document is decided at the first application's gate."""
        return contributions(self.site, self.live.plant, self._decide)

    async def _decide(self, crossing: Crossing) -> Decision:
        decision = await self.site.application().gate.decide(crossing)
        await self.recorder.decision(decision, lean(crossing, decision), "")
        return decision

    @property
    def keys(self) -> KeyStore:
        return self.live.plant.keys

    @property
    def guessing(self) -> Guessing:
        return self.live.plant.guessing

    async def authenticate(self, request: Request, application: str = "") -> Principal:
        """The principal of the request's credential; ANONYMOUS without one. The route says which operation it
        must be good for. Raises WireError (401, 403, 429, 503)."""
        scope = getattr(request.state, "scope", None)
        return await authenticate(request, self.site.sign_in, self.guessing, scope, application)

    async def require_identity(self, app: ApplicationSite, principal: Principal) -> None:
        """A caller without a credential is turned away before its body is read: nothing dear is done for it.

        A credential is no detector: this holds in monitor mode as well. Raises WireError (401).
        """
        if principal.authenticated or app.application.anonymous or not app.careful:
            return
        turn = Turn(app, self.recorder, principal, ChatCall("", ()))
        await turn.decide(turn.crossing(CrossingKind.REQUEST, (), {"estimated_tokens": 0, "messages": 0}))
        await turn.committed()
        turn.settle()
        message = "A valid API key is needed: send it as a bearer token."
        raise WireError(401, message, "invalid_api_key", decision=turn.decision)

    async def failure(self, error: WireError | UpstreamError, turn: Turn) -> Response:
        """The client's answer to a turn that failed before its first byte; the ledger has it too."""
        await turn.committed()
        await self.note_failure(error, turn)
        if isinstance(error, UpstreamError):
            retry = getattr(error, "retry_after", None) or 0
            error = WireError(error.status, str(error), "upstream_failed", retry_after=retry)
        return error_response(error, turn_headers(turn))

    async def note_failure(self, error: WireError | UpstreamError, turn: Turn) -> None:
        """An upstream's failure goes on the ledger, once; a policy's refusal is there already."""
        if isinstance(error, UpstreamError) and not turn.failed:
            turn.failed = True
            await self.recorder.event(
                "upstream.failed",
                turn.principal.subject,
                turn.principal.tenant,
                application=turn.app.application.name,
                turn=turn.id,
                session=turn.session,
                route=turn.route,
                status=error.status,
                reason=str(error),
            )

    async def refused(self, error: WireError, principal: Principal = ANONYMOUS) -> Response:
        """Answer a request that never became a turn, with a decision of its own on the ledger (unless the
        error has one)."""
        if error.decision:
            return error_response(error, {"x-ringwall-decision": error.decision})
        crossing = Crossing(CrossingKind.REQUEST, principal, endpoint=ENDPOINT)
        decision = _protocol_decision(error, principal, self.site.version)
        await self.recorder.decision(decision, crossing, "")
        return error_response(error, {"x-ringwall-decision": decision.id})

    def keep(self, task: "asyncio.Future[None]") -> None:
        """Let a task run to its end whatever becomes of the request that began it."""
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def drain(self, seconds: float) -> None:
        """Wait for turns under way, at shutdown."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)

    def log_problem(self, sentence: str) -> None:
        """Something that an operator must mend; nothing confidential is in it."""
        log.error("%s", sentence)

    def log_fault(self, error: Exception) -> None:
        """A fault of our own: its type and place, never its content, which may hold a person's text."""
        place = error.__traceback__
        while place and place.tb_next:
            place = place.tb_next
        where = f"{place.tb_frame.f_globals.get('__name__')}:{place.tb_lineno}" if place else "unknown"
        log.error("fault: %s at %s", type(error).__name__, where)


def peer(request: Request) -> str:
    """The caller's network address."""
    return request.client.host if request.client else ""


def _protocol_decision(error: WireError, principal: Principal, policy: str) -> Decision:
    finding = Finding(PROTOCOL, error.detail or error.code or str(error.status), error.message)
    given = verdict(Action.BLOCK, error.message, [finding])
    line = Line(PROTOCOL, Boundary.INTERFACE, Status.EVALUATED, Mode.ENFORCE, given, Action.BLOCK)
    return Decision(
        id=new_id("dec"),
        at=time.time_ns() // 1000,
        kind=CrossingKind.REQUEST,
        application="",
        subject=principal.subject,
        tenant=principal.tenant,
        session="",
        endpoint=ENDPOINT,
        policy=policy,
        mode=Mode.ENFORCE,
        action=Action.BLOCK,
        would=Action.BLOCK,
        lines=(line,),
        joined=given,
        actor=principal.acted_by,
    )
