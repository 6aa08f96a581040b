"""Where data may be taken to, as the workload file says."""

from pathlib import Path

from ringwall.core import Settings


class ExportTarget(Settings):
    """A place that exports go to. There is no other."""

    folder: Path
    """Folder on this machine, relative to the workload file; nothing is ever overwritten in it."""
    classes: tuple[str, ...] = ()
    """Data classes that may go there. Empty: only what has none."""
    collections: tuple[str, ...] = ()
    """The only collections that may go there; empty: any."""
