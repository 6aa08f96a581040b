"""Every control is put to the test by some attack of the drill, or it is written down here why not."""

from pathlib import Path

import aiohttp
import pytest

from ringwall.boundaries.organization.drill import Setup, load
from ringwall.boundaries.organization.drill.client import DrillClient
from ringwall.boundaries.organization.drill.matrix import Cell, row
from ringwall.boundaries.organization.drill.scenario import Kind
from ringwall.server.drill.ground import drill_range
from ringwall.workload.catalogue import catalogue
from ringwall.workload.load import load as load_workload

SAMPLE = Path(__file__).parents[2] / "examples/support-assistant/ringwall.yaml"
NOT_DRILLED = {
    "data.access": "the second line behind the store's own query, which hands it nothing to drop: tests/data",
    "data.export": "asked for at the command line, which the drill's client is not at: tests/data",
    "data.volume": "speaks after a volume that a single scenario does not reach: tests/data",
    "organization.containment": "speaks once a person has contained something: tests/organization",
}
"""Control id -> why no scenario of the drill makes it speak."""


@pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning")  # that size is the attack
async def test_every_control_reacts_to_an_attack() -> None:
    attacks = [one for one in load(None) if one.kind is Kind.ATTACK]
    setup = Setup(exhaustive=True, enforce=False, scripts={one.id: tuple(one.model) for one in attacks})
    spoke: set[str] = set()
    async with (
        drill_range(load_workload(SAMPLE)) as ground,
        ground.start(setup) as target,
        aiohttp.ClientSession() as session,
    ):
        client = DrillClient(target, session)
        for one in attacks:
            assert not client.missing(one), one.id
            cells = row(one, await client.run(one), catalogue().factories).cells
            spoke |= {name for name, entry in cells.items() if entry.cell in (Cell.STOPS, Cell.REACTS)}
    silent = set(catalogue().factories) - spoke
    assert silent == set(NOT_DRILLED)
    root = Path(__file__).parents[1]
    for name, why in NOT_DRILLED.items():
        tests = (root / why.rpartition("/")[2]).glob("test_*.py")
        assert any(name.rpartition(".")[2] in test.read_text("utf-8") for test in tests), name
