"""The workload at hand for a command: composed but not serving."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .compose import Overrides, compose, put_in_force
from .load import Loaded, load
from .plant import Plant
from .site import Site


@dataclass(frozen=True, slots=True)
class Workbench:
    loaded: Loaded
    plant: Plant
    site: Site


@contextmanager
def workbench(workload: Path, data_dir: Path) -> Iterator[Workbench]:
    """Open the data directory (a running server may have it open too) and compose the workload.

    Raises ConfigError for an unusable workload file.
    """
    loaded = load(workload)
    plant = Plant(data_dir, store=loaded.workload.data.store)
    try:
        site = compose(loaded, plant, Overrides())
        put_in_force(site, plant)
        yield Workbench(loaded, plant, site)
    finally:
        plant.close()
