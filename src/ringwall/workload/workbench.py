"""The workload at hand for a command: its stores open, its gates composed when they are needed."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from ringwall.boundaries.data.governing import Governing
from ringwall.boundaries.data.intake.policies import DataPolicies
from ringwall.boundaries.interface.principals import Roles

from .compose import Overrides, compose, put_stores_in_force
from .load import Loaded, load
from .plant import Plant
from .schema import Workload
from .site import Site


class Workbench:
    """For one command."""

    def __init__(self, loaded: Loaded, plant: Plant) -> None:
        self.loaded = loaded
        self.plant = plant

    @property
    def workload(self) -> Workload:
        """As its file says."""
        return self.loaded.workload

    @cached_property
    def data_policies(self) -> DataPolicies:
        """What Cedar says of contributions, releases and versions: without composing any gate. Raises
        ConfigError."""
        return DataPolicies.load(self.workload.data, self.loaded.folder)

    @cached_property
    def governing(self) -> Governing:
        """Merges, roll backs and approvals."""
        return Governing(self.workload.data, self.plant.vault, self.plant.training, self.data_policies)

    @cached_property
    def site(self) -> Site:
        """Composed at first use, which compiles all detectors: for a command that judges something. Raises
        ConfigError."""
        return compose(self.loaded, self.plant, Overrides())


@contextmanager
def workbench(workload: Path, data_dir: Path) -> Iterator[Workbench]:
    """Open the data directory; a running server may have it open too.

    Raises ConfigError for an unusable workload file.
    """
    loaded = load(workload)
    plant = Plant(data_dir, store=loaded.workload.data.store)
    try:
        put_stores_in_force(loaded.workload, Roles(loaded.workload.principals), plant)
        yield Workbench(loaded, plant)
    finally:
        plant.close()
