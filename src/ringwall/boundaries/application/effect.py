"""What a tool does to the world. Policies and limits speak of effects, never of verbs in names."""

from enum import StrEnum


class Effect(StrEnum):
    READ = "read"
    """Looks something up inside the workload."""
    WRITE = "write"
    """Changes data inside the workload."""
    SEND = "send"
    """Puts content before somebody: mail, message, post."""
    PAY = "pay"
    """Moves money or value."""
    DELETE = "delete"
    """Destroys what can't be brought back at once."""
    FETCH = "fetch"
    """Reads from an address outside: also a way out, since the address can carry data."""
    EXECUTE = "execute"
    """Runs code, a command or a query in another system."""
