"""What making a version of a training set comes to."""

from dataclasses import dataclass
from typing import Any

from ..versions import Version


@dataclass(frozen=True, slots=True)
class RecordsCommit:
    """A version that was just made."""

    version: Version
    added: int = 0
    """Records that are new in it."""
    changed: int = 0
    """Records that took the place of one with the same id."""
    removed: int = 0
    unchanged: int = 0
    """Records that were given and that it held already."""
    contributors: tuple[str, ...] = ()
    contributions: tuple[str, ...] = ()

    def event(self) -> dict[str, Any]:
        """For the ledger: names, numbers and hashes; no id of a record, which may be a person's."""
        return self.version.event(
            kind="training",
            records_added=self.added,
            records_changed=self.changed,
            records_removed=self.removed,
            contributors=list(self.contributors),
            contributions=list(self.contributions),
        )
