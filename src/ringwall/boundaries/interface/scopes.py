"""What a credential may be good for: the operations of the gateway, by name."""

from collections.abc import Iterable
from enum import StrEnum

from ringwall.core import ConfigError, Problem


class Scope(StrEnum):
    """One operation. A credential that names scopes is good for those alone."""

    CHAT = "chat"
    """Talk to an application."""
    MCP = "mcp"
    """Use the tools of MCP servers through an application."""
    MODELS = "models"
    """List an application's models."""
    CONTRIBUTE = "contribute"
    """Upload files and put documents into collections."""
    RETRIEVE = "retrieve"
    """Search the collections of an application, and read what is found."""
    EXPORT = "export"
    """Take data out of collections."""
    REVEAL = "reveal"
    """See what the tokens of collections stand for, as far as one's roles go."""
    KEY_KEEPING = "token-keys"
    """Rotate and erase the keys of tokens, as far as one's roles go."""
    READ_DECISIONS = "read-decisions"
    """Read decisions from the ledger: one's own, and all with a role for the console."""
    HOLDS = "holds"
    """Look at held tool calls and decide about them, as far as one's roles go."""
    CONSOLE = "console"
    """Sign in to the chat page and the console."""
    EXCHANGE = "exchange"
    """Act on behalf of a user; needs a service rule of the workload file as well."""


def check_scopes(scopes: Iterable[str]) -> tuple[str, ...]:
    """The scopes, each once. Raises ConfigError for one that there is none."""
    named = tuple(dict.fromkeys(map(str, scopes)))
    known = {scope.value for scope in Scope}
    if unknown := [name for name in named if name not in known]:
        listed = ", ".join(sorted(known))
        raise ConfigError(Problem(f"unknown scope {unknown[0][:64]!r}: known are {listed}"))
    return named
