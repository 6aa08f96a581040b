"""A gateway that can be put back to its start between two scenarios, and set up anew for each experiment."""

import asyncio
import itertools
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

from ringwall.boundaries.application.switches import ToolSwitches
from ringwall.boundaries.organization.drill.fault import BrokenControl
from ringwall.boundaries.organization.drill.observation import Call, Recorded
from ringwall.boundaries.organization.drill.target import Setup
from ringwall.core import Control, Declaration, Mode
from ringwall.workload.compose import Overrides, compose, put_in_force
from ringwall.workload.intake import take_seeds
from ringwall.workload.load import Loaded
from ringwall.workload.plant import Plant
from ringwall.workload.site import ApplicationSite, Site
from ringwall.workload.starter_keys import starter_keys

from ..app import build
from ..gateway import Gateway
from ..recorder import Recorder
from ..serve import server
from .model import CompromisedModel
from .tools import DrillTools
from .workload import PROVIDERS, UNADMITTED, under_drill

_NORMAL = Setup()


class Ground:
    """In the place of ``workload.live.Live``: owns plant and site, and replaces both at each reset."""

    def __init__(self, loaded: Loaded, folder: Path) -> None:
        self.path = loaded.path
        self._folder = folder
        self._runs = itertools.count()
        self._loaded = under_drill(loaded, folder / "tampered.gguf")
        (folder / "tampered.gguf").write_bytes(b"GGUF changed after approval")
        self.setup = _NORMAL
        self.keys: Mapping[str, str] = {}
        self.controls: tuple[Declaration, ...] = ()
        self.plant = Plant(folder / "template")
        self.site: Site = self._composed()

    async def prepare(self) -> None:
        """Fill the template that each reset copies: keys, seed documents, admissions."""
        self.controls = tuple(post.control.declaration for post in self.site.application().gate.posts)
        self.keys = starter_keys(self.site, self.plant)
        await take_seeds(self.site, self.plant, self.path.parent)
        for name in self.site.model.routes:
            if name != UNADMITTED:
                self.site.admissions.admit_route(name, "drill")
        self.site.admissions.revoke(UNADMITTED, "drill", "nobody admitted it")
        await self.close()
        await self._begin()

    async def restart(self) -> None:
        """Everything as it was after ``prepare``, under the present set-up. What is in force is open at every
        moment: tasks beside the requests look at it."""
        site, plant = self.site, self.plant
        await self._begin()
        await site.router.close()
        plant.close()
        await asyncio.to_thread(shutil.rmtree, plant.data_dir, ignore_errors=True)

    async def _begin(self) -> None:
        """On a copy of the template, which nobody has open."""
        folder = self._folder / f"run-{next(self._runs)}"
        await asyncio.to_thread(shutil.copytree, self._folder / "template", folder)
        self.plant = Plant(folder)
        self.site = self._composed()

    def _composed(self) -> Site:
        model = CompromisedModel(self.setup.scripts)
        site = compose(
            self._loaded,
            self.plant,
            Overrides(
                providers=dict.fromkeys(PROVIDERS, model),
                wrap=self._wrap,
                exhaustive=self.setup.exhaustive,
                mode=None if self.setup.enforce else Mode.MONITOR,
            ),
        )
        put_in_force(site, self.plant)
        return replace(site, applications={name: _dry(app) for name, app in site.applications.items()})

    def _wrap(self, control: Control) -> Control | None:
        name = control.declaration.id
        if name in self.setup.knocked_out:
            return None
        fault = self.setup.broken.get(name)
        return BrokenControl(control, fault, self.setup.deadline_s) if fault else control

    async def take_seeds(self) -> None:
        """They are in the template."""

    async def watch(self) -> None:
        """The file is not watched during a drill."""
        await asyncio.Event().wait()

    async def close(self) -> None:
        await self.site.router.close()
        self.plant.close()


def _dry(app: ApplicationSite) -> ApplicationSite:
    return replace(app, runner=DrillTools(app.runner, app.registry), careful=False)


class Range:
    """The listener, up for the whole drill; ``start`` gives the runner's targets."""

    def __init__(self, ground: Ground, base_url: str, reset: "_Reset") -> None:
        self._ground = ground
        self.base_url = base_url
        self._reset = reset

    @asynccontextmanager
    async def start(self, setup: Setup) -> AsyncIterator["Range"]:
        self._ground.setup = setup
        yield self

    @property
    def keys(self) -> Mapping[str, str]:
        return self._ground.keys

    @property
    def controls(self) -> Sequence[Declaration]:
        return self._ground.controls

    async def reset(self) -> None:
        await self._reset()

    async def switch_off(self, tool: str) -> None:
        ToolSwitches(self._ground.plant.database).disable(tool, reason="a drill", by="drill")

    async def decisions(self, turn: str) -> Sequence[Recorded]:
        ledger = self._ground.plant.ledger
        if turn.startswith("dec_"):
            found = ledger.find(turn)
            records = [found] if found else []
        else:
            records = list(reversed(ledger.latest(200, type="decision", match={"turn": turn})))
        return [Recorded(record.event, record.body or {}) for record in records]

    async def executed(self, turn: str) -> Sequence[Call]:
        """Calls whose effect left: one whose request out was stopped has reached nobody."""
        calls: list[Call] = []
        for record in reversed(self._ground.plant.ledger.latest(400, match={"turn": turn})):
            event = record.event
            if event["type"] == "tool.called":
                arguments = (record.body or {}).get("arguments", {})
                calls.append(Call(str(event["tool"]), arguments, executed=True))
            elif calls and event.get("kind") == "egress" and event["action"] in ("hold", "block"):
                calls.pop()
        return calls


class _Reset:
    def __init__(self, ground: Ground, gateway: Gateway) -> None:
        self._ground = ground
        self._gateway = gateway

    async def __call__(self) -> None:
        await self._gateway.drain(5)
        await self._ground.restart()
        self._gateway.recorder = Recorder(self._ground.plant.ledger)


@asynccontextmanager
async def drill_range(loaded: Loaded) -> AsyncIterator[Range]:
    """Bring up the listener over a throw-away data directory."""
    with tempfile.TemporaryDirectory(prefix="ringwall-drill-") as folder:
        ground = Ground(loaded, Path(folder))
        await ground.prepare()
        app = build(ground)
        listener = socket.create_server(("127.0.0.1", 0))
        up = asyncio.Event()
        running = server(app, up.set)
        serving = asyncio.ensure_future(running.serve(sockets=[listener]))
        try:
            await asyncio.wait_for(up.wait(), 30)
            address = f"http://127.0.0.1:{listener.getsockname()[1]}"
            yield Range(ground, address, _Reset(ground, app.state.gateway))
        finally:
            running.should_exit = True
            with suppress(asyncio.CancelledError):
                await serving
