"""Files that come with a request: read before the gate, passed on as the gate left them."""

from collections.abc import Iterable, Sequence
from typing import Any

from ringwall.core import Edit, PartKind
from ringwall.wire.attachments import Attachment, Place, Unalterable, sent_files
from ringwall.wire.chat_parts import Located, edited
from ringwall.wire.errors import WireError, invalid

from .state import Turn


def require_accepted(turn: Turn, kind: PartKind) -> None:
    """Raises WireError (400) for a kind of part that the application takes not. The text of files comes with
    them."""
    if kind is not PartKind.DOCUMENT and str(kind) not in turn.app.settings.accept:
        raise invalid(f"This application takes no {kind} parts in requests.", "messages")


async def attached(turn: Turn) -> dict[Place, Attachment]:
    """The files of the request, read one after the other. Raises WireError for what is none, and before
    anything is read where the application takes none or there are too many."""
    sent = sent_files(turn.call.messages)
    if len(sent) > turn.app.most_parts:
        raise WireError(413, "There are too many files in the request.", "interface.limits")
    for file in sent.values():
        if file.item["type"] == "image_url":
            require_accepted(turn, PartKind.IMAGE)
        elif "image" not in turn.app.settings.accept:
            require_accepted(turn, PartKind.FILE)
    reader, owner = turn.app.files, f"{turn.principal.tenant}/{turn.principal.subject}"
    return {
        place: Attachment(file, await reader.read(file.data, file.declared, owner), reader.settings)
        for place, file in sent.items()
    }


def passed_on(
    messages: Sequence[dict[str, Any]], located: Located, edits: Iterable[Edit]
) -> list[dict[str, Any]]:
    """The messages as the model gets them. Raises WireError (403) where a file would have to be changed and
    can't be."""
    try:
        return edited(messages, located, edits)
    except Unalterable:
        reason = "A file holds something that the policy of this application does not let through."
        raise WireError(403, reason, "interface.files") from None
