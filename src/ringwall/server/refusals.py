"""What models and users are told of tool calls that were not made as they were asked for.

The sentences say what was refused and why, and what to do now. Reasons come from controls and policies, which
write them for this; which rule it was, and how near a call came to passing, is on the ledger alone.
"""

from collections.abc import Iterable

GO_ON = "Go on without this call, or tell the user that it can't be done."
USED = "Not done: its approval was used by another call. Ask the user whether it is to be done again."
WITHHELD = "The call was made, but its result was withheld by policy. Don't make it again; tell the user so."
STOPPED = "What this needs was refused several times, so it stops here."
_PERSON = "Not done: a person refused this call"


def denied(reasons: Iterable[str]) -> str:
    """For the model: no person can lift it."""
    reason = " ".join(reasons) or "Not allowed for this user."
    return f"Denied by policy: {reason} {GO_ON}"


def waits(hold_id: str, reason: str, *, own: bool) -> str:
    """For the model: a person decides. ``own``: the user may confirm it, by a request that is no message."""
    who = "the user's confirmation, outside of this conversation" if own else "the approval of a person"
    return (
        f"Not done: this call waits for {who} ({hold_id}). {reason} "
        "Tell the user so; do not try another way. Once approved, the same call will go through."
    )


def refused_by_person(hold_id: str) -> str:
    """For the model: it is settled."""
    return f"{_PERSON} ({hold_id}). Do not make it again and do not try another way. {GO_ON}"


def expired(hold_id: str) -> str:
    """For the model: nobody decided in time."""
    return (
        f"Not done: nobody approved this call in time ({hold_id}). Tell the user so; do not try another way."
    )


def erased(hold_id: str) -> str:
    return f"Not done: the approved arguments were erased ({hold_id}). {GO_ON}"


def changed(arguments: str) -> str:
    """For the model, ahead of the result."""
    return f"[A person changed this call before it was made. It was made with these arguments: {arguments}]\n"


def changed_for_client(tool: str) -> str:
    """For user and model, ahead of a call that the client makes."""
    return f"A person changed the call of {tool} before it was released."


def ended(refused: Iterable[tuple[str, str]]) -> str:
    """For the user, where refusals end the turn: tools, each with why."""
    lines = [f"- {tool}: {why}" for tool, why in refused]
    return "\n".join(["This stops here, because a step that it needs was not allowed:", *lines])
