"""What becomes of a call that is not made: a text for the model, or an error for the program."""

from ringwall.core import DeniedError, RingwallError

NO_TEXT = "[withheld: it is no text, and nothing else is looked into here]"
"""What the model is told in place of a part of a result that no control here reads."""


class Refusal(str):
    """What the model is told in place of a result: what was refused and why, in a form that it can act on."""

    decision: str
    """Id of the decision on the ledger."""
    hold: str
    """Id of the hold that a person decides about, or decided; empty when no person can lift it."""
    waits: bool
    """Whether the person's decision is still to come."""

    def __new__(cls, text: str, *, decision: str = "", hold: str = "", waits: bool = False) -> "Refusal":
        made = super().__new__(cls, text)
        made.decision, made.hold, made.waits = decision, hold, waits
        return made

    def error(self) -> DeniedError:
        """The same as an error."""
        return (
            HeldError(str(self), self.decision, self.hold)
            if self.waits
            else DeniedError(str(self), self.decision)
        )


class HeldError(DeniedError):
    """A call waits for a person. Made again once it was approved, the same call goes through."""

    def __init__(self, message: str, decision_id: str, hold: str) -> None:
        super().__init__(message, decision_id)
        self.hold = hold


class NoSessionError(RingwallError):
    """A guarded tool was called outside of any session: nobody is accountable, so it is not called."""

    def __init__(self, tool: str) -> None:
        super().__init__(
            f"{tool} was called outside of a session: call it inside `with wall.session(principal):`, "
            "or guard it with session.guard_tool."
        )
