"""The chat page, and beside it what each boundary did to a turn."""

import json
import logging
import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any
from urllib.parse import quote

from starlette.responses import RedirectResponse, Response, StreamingResponse

from ringwall.core import RingwallError

from .guard import CHAT_LIMIT, Refused, read_body
from .held import view
from .pages import ABSENT, BROKEN, Visit, render
from .present import Card, cards
from .sessions import Conversation, Exchange
from .shown import ApplicationInfo, ChatEvent, Delta, Failure, Final, Message

_logger = logging.getLogger("ringwall.console")

MAX_QUESTION = 32_000
MAX_MESSAGES = 200
_ID = re.compile(r"[A-Za-z0-9_.:-]{1,80}\Z")
_BUSY = "The answer before this one is still being written. Wait for it, then ask again."
_LOST = "This conversation is over (the server was restarted, or it was too long ago). Start a new one."


async def show(visit: Visit) -> Response:
    """The page, with the conversation so far and the panel of its last turn."""
    offered = await visit.backend.applications(visit.principal)
    chosen = _choose(list(offered), visit)
    chat = _conversation(visit, chosen.name, visit.request.query_params.get("c", ""))
    turn = chat.exchanges[-1].turn if chat.exchanges else ""
    return render(
        "chat.html",
        visit,
        application=chosen,
        applications=offered,
        chat=chat,
        cards=await _cards(visit, turn) if turn else [],
        own=[view(hold) for hold in await visit.backend.own_holds(visit.principal, chosen.name)],
        told=visit.session.take_flash(),
        max_question=MAX_QUESTION,
    )


async def ask(visit: Visit) -> Response:
    """The form without JavaScript: answers when the whole answer is there."""
    chosen = await application_of(visit)
    chat = _conversation(visit, chosen.name, visit.form.get("c", ""))
    question = visit.form.get("suggestion") or visit.form.get("message", "")
    _check_question(question)
    problem = ""
    async for event in turn_events(visit, chat, chat.messages(question), stream=False):
        if isinstance(event, Failure):
            problem = event.message
    if problem:
        visit.session.flash = ("problem", problem)
    return RedirectResponse(f"/chat/{quote(chosen.name, safe='')}?c={chat.id}#latest", 303)


async def stream(visit: Visit) -> Response:
    """For the page's script: ``{messages, session}`` in, one JSON event a line out.

    Only the last message counts: what was said before is taken from here, so that no browser can put words
    into the assistant's mouth.
    """
    chosen = await application_of(visit)
    question, wanted = _read(await read_body(visit.request, CHAT_LIMIT))
    chat = _conversation(visit, chosen.name, wanted)
    if chat.busy:
        raise Refused(409, _BUSY)
    messages = chat.messages(question)

    async def lines() -> AsyncIterator[str]:
        async with aclosing(turn_events(visit, chat, messages, stream=True)) as events:
            async for event in events:
                yield json.dumps(_wire(event)) + "\n"

    return StreamingResponse(lines(), media_type="application/x-ndjson")


async def panel(visit: Visit) -> Response:
    """The five cards of one turn, as a piece of HTML."""
    turn = visit.request.path_params["turn"]
    found = await _cards(visit, turn) if _ID.match(turn) else []
    if not found:
        raise Refused(404, "Nothing is on record for this turn.")
    return render("panel.html", visit, cards=found)


async def turn_events(
    visit: Visit, chat: Conversation, messages: list[Message], *, stream: bool
) -> AsyncGenerator[ChatEvent]:
    """The turn's events; keeps the exchange. A failure of the runtime ends it with a sentence."""
    if chat.busy:
        yield Failure(_BUSY)
        return
    chat.busy = True
    events = visit.backend.chat(visit.principal, chat.application, chat.id, messages, stream=stream)
    try:
        async for event in events:
            if isinstance(event, Final):
                chat.keep(Exchange(messages[-1].content, event.text, event.turn, event.finish))
            yield event
    except RingwallError as error:
        yield Failure(str(error))
    except Exception:
        _logger.exception("a turn failed")
        yield Failure(BROKEN)
    finally:
        chat.busy = False
        if isinstance(events, AsyncGenerator):  # closed now, not when it is collected: it may hold things
            await events.aclose()


async def _cards(visit: Visit, turn: str) -> list[Card]:
    """Nothing for a turn of somebody else, unless an operator asks."""
    records = await visit.backend.turn(turn)
    who = visit.principal
    if not visit.operator and any(
        record.event.get("subject") != who.subject or record.event.get("tenant") != who.tenant
        for record in records
    ):
        return []
    return cards(records, operator=visit.operator) if records else []


async def application_of(visit: Visit) -> ApplicationInfo:
    return _choose(list(await visit.backend.applications(visit.principal)), visit)


def _choose(offered: list[ApplicationInfo], visit: Visit) -> ApplicationInfo:
    """The one in the path; unknown and not allowed look the same."""
    wanted = visit.request.path_params["application"]
    for application in offered:
        if application.name == wanted:
            return application
    raise Refused(404, ABSENT)


def _conversation(visit: Visit, application: str, wanted: str) -> Conversation:
    try:
        return visit.session.conversation(application, wanted)
    except LookupError:
        raise Refused(409, _LOST) from None


def _check_question(question: str) -> None:
    if not question.strip():
        raise Refused(400, "Write a message first.")
    if len(question) > MAX_QUESTION:
        raise Refused(413, f"This message is too long: at most {MAX_QUESTION:,} characters.")


def _read(body: bytes) -> tuple[str, str]:
    """The new message and the conversation's id."""
    try:
        given = json.loads(body)
        messages = [_message(entry) for entry in given["messages"]]
        session = given["session"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Refused(400, "This is no chat turn: send {messages: [{role, content}], session}.") from None
    if not isinstance(session, str) or not session or not 0 < len(messages) <= MAX_MESSAGES:
        raise Refused(400, f"A chat turn needs a session and 1 to {MAX_MESSAGES} messages.")
    if messages[-1].role != "user":
        raise Refused(400, "The last message must be the user's.")
    _check_question(messages[-1].content)
    return messages[-1].content, session


def _message(entry: Any) -> Message:
    role, content = entry["role"], entry["content"]
    if role not in ("user", "assistant") or not isinstance(content, str):
        raise ValueError(role)
    return Message(role, content)


def _wire(event: ChatEvent) -> dict[str, str]:
    match event:
        case Delta(text=delta):
            return {"type": "delta", "text": delta}
        case Final(text=whole, turn=turn, finish=finish):
            return {"type": "final", "text": whole, "turn": turn, "finish": finish}
        case Failure(message=message, turn=turn):
            return {"type": "error", "message": message, "turn": turn}
