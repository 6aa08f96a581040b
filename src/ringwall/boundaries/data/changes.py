"""What differs between two versions, and how two lines of versions come together again."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias, TypeVar

from ringwall.core import DataError

V = TypeVar("V")
Side: TypeAlias = Literal["ours", "theirs"]
"""Of a conflict: the collection's, or the branch's."""
_NAMED = 10


@dataclass(frozen=True, slots=True)
class Difference:
    """Ids, in order."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    """In both, with different content."""

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)


@dataclass(frozen=True, slots=True)
class Touched:
    """Whose work differs between two versions."""

    came: frozenset[str] = frozenset()
    """Contributors of what is only in the later one."""
    gone: frozenset[str] = frozenset()
    """Contributors of what is only in the earlier one."""
    tenants: frozenset[str] = frozenset()
    """Of both."""


Check: TypeAlias = Callable[[Touched], None]
"""Raises DeniedError when somebody may not make a version that touches this."""


class ConflictError(DataError):
    """Collection and branch changed the same things differently: a person has to say which counts."""

    def __init__(self, branch: str, ids: tuple[str, ...]) -> None:
        named = ", ".join(repr(one) for one in ids[:_NAMED])
        more = f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else ""
        super().__init__(
            f"{branch} and its collection both changed {named}{more}, differently: say for each whether ours "
            "(the collection's) or theirs (the branch's) counts."
        )
        self.ids = ids


def merged(
    branch: str,
    ours: Mapping[str, V | None],
    theirs: Mapping[str, V | None],
    same: Callable[[V, V], bool],
    resolve: Mapping[str, Side],
) -> dict[str, V | None]:
    """What the collection has to take over. ``ours`` and ``theirs``: what changed since the version that
    both last had in common, None where something is gone. Raises ConflictError."""
    taken: dict[str, V | None] = {}
    conflicts = []
    for key, new in theirs.items():
        if key not in ours:
            taken[key] = new
            continue
        old = ours[key]
        if old is None or new is None:
            if old is new:
                continue
        elif same(old, new):
            continue
        side = resolve.get(key)
        if side is None:
            conflicts.append(key)
        elif side == "theirs":
            taken[key] = new
    if conflicts:
        raise ConflictError(branch, tuple(sorted(conflicts)))
    return taken
