"""The chat page on the running gateway: a turn like any client's."""

from collections.abc import AsyncIterator, Sequence

from ringwall.core import Principal, UpstreamError
from ringwall.server.gateway import Gateway
from ringwall.server.turn.admit import admit
from ringwall.server.turn.background import Reader, carry_on
from ringwall.server.turn.converse import Calls, Finish, Text
from ringwall.server.turn.state import Turn
from ringwall.wire.chat_request import ChatCall
from ringwall.wire.errors import WireError

from .shown import ChatEvent, Delta, Failure, Final, Message

_FINISH = {"content_filter": "blocked"}


async def chat(
    gateway: Gateway,
    principal: Principal,
    application: str,
    session: str,
    messages: Sequence[Message],
    *,
    stream: bool,
) -> AsyncIterator[ChatEvent]:
    """See ``backend.Backend.chat``."""
    app = gateway.site.application(application)
    plain = tuple({"role": message.role, "content": message.content} for message in messages)
    call = ChatCall(app.application.models[0], plain, stream=stream)
    turn = Turn(app, gateway.recorder, principal, call)
    turn.route = call.model
    turn.session = app.sessions.find(principal, application, session, plain, turn.id)
    try:
        await admit(turn, depth=0)
    except (WireError, UpstreamError) as error:
        await gateway.failure(error, turn)
        turn.settle()
        yield Final(str(error), turn.id, "blocked")
        return
    reader = carry_on(gateway, turn)
    try:
        async for event in _events(turn, reader, stream):
            yield event
    finally:
        reader.leave()


async def _events(turn: Turn, reader: Reader, stream: bool) -> AsyncIterator[ChatEvent]:
    text: list[str] = []
    finish = "stop"
    async for heard in reader:
        match heard:
            case Text(piece):
                text.append(piece)
                if stream:
                    yield Delta(piece)
            case Finish(reason):
                finish = reason
            case Calls():
                text.append("This answer needs a tool that only an API client can run.")
            case WireError() | UpstreamError():
                if text:
                    yield Failure(f"The answer broke off. {heard}", turn.id)
                else:
                    yield Failure(str(heard), turn.id)
                return
    yield Final("".join(text), turn.id, _FINISH.get(finish, "held" if turn.held else "stop"))
