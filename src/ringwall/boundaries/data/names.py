"""Names that the workload file gives: of roles, of collections."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field


def _plain_role(name: Any) -> Any:
    """``role:editor`` and ``editor`` are the same."""
    return name.removeprefix("role:") if isinstance(name, str) else name


Role = Annotated[str, BeforeValidator(_plain_role), Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.\-]{0,63}$")]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_\-]{0,63}$")]


def base(line: str) -> str:
    """The collection of a line of versions: ``handbook`` of the branch ``handbook~tidy``."""
    return line.partition("~")[0]
