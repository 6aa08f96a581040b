"""The one error of all sinks."""

from ringwall.core import RingwallError


class Unsafe(RingwallError):
    """The text must not reach its sink. The message tells its writer what to change."""

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(message)
        self.rule = rule
        """Which check refused it, such as ``table`` or ``traversal``."""
