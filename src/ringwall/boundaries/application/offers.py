"""Which tools are worth offering: those of which some call by this principal could be permitted.

A tool is offered before anybody knows the arguments, so the policies are asked without ``context``, each
changed so that it can only let more through:

1. A permit keeps its scope and those of its conditions that do not read ``context``; the others are taken as
   met. ``when`` is taken apart at its ``&&``, ``unless`` at its ``||``: each piece is a condition of its own.
2. A forbid that reads ``context`` anywhere is left out; one that doesn't forbids every call, so it stays.
3. Holds are left out: a person may approve.

So what is not permitted here is permitted to no call, whatever its arguments, labels and approvals.
"""

from collections.abc import Iterator, Mapping
from typing import Any

_CONTEXT = {"Var": "context"}


def offer_form(policy: Mapping[str, Any], *, hold: bool) -> dict[str, Any] | None:
    """The policy, in Cedar's JSON form, as an offer is judged by it; None: it has no say there."""
    if hold:
        return None
    conditions = [piece for condition in policy.get("conditions", ()) for piece in _pieces(condition)]
    free = [piece for piece in conditions if not _reads_context(piece["body"])]
    if policy["effect"] == "forbid" and len(free) < len(conditions):
        return None
    return {**policy, "conditions": free}


def _pieces(condition: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    kind, body = condition["kind"], condition["body"]
    joint = (
        body.get("&&" if kind == "when" else "||") if isinstance(body, Mapping) and len(body) == 1 else None
    )
    if joint is None:
        yield {"kind": kind, "body": body}
        return
    for side in ("left", "right"):
        yield from _pieces({"kind": kind, "body": joint[side]})


def _reads_context(node: Any) -> bool:
    if node == _CONTEXT:
        return True
    inner = node.values() if isinstance(node, Mapping) else node if isinstance(node, list) else ()
    return any(map(_reads_context, inner))
