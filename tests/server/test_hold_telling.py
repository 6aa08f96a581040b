"""The teller of holds stands on what is in force, also where the whole plant is replaced under it."""

import asyncio
from pathlib import Path

import pytest

from ringwall.server import hold_telling
from ringwall.server.drill.ground import Ground
from ringwall.server.gateway import Gateway
from ringwall.server.hold_telling import HoldTelling
from ringwall.workload.load import load

SAMPLE = Path(__file__).parents[2] / "examples" / "support-assistant" / "ringwall.yaml"


async def test_a_plant_that_is_replaced_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hold_telling, "LOOK_S", 0.001)
    faults: list[Exception] = []
    monkeypatch.setattr(Gateway, "log_fault", lambda self, error: faults.append(error))
    ground = Ground(load(SAMPLE), tmp_path)
    await ground.prepare()
    telling = HoldTelling(Gateway(ground))
    running = asyncio.ensure_future(telling.run())
    try:
        await ground.restart()
        await asyncio.sleep(0.05)
    finally:
        running.cancel()
        await telling.close()
        await ground.close()
    assert faults == []
