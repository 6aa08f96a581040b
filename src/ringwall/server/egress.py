"""The egress list as a forward proxy: each request and tunnel decided at an application's gate."""

import asyncio
import base64
import signal
from collections.abc import Callable

from ringwall.boundaries.application.egress import Egress, Outbound
from ringwall.boundaries.application.egress_crossing import egress_crossing, let_out
from ringwall.boundaries.application.egress_proxy import EgressProxy
from ringwall.boundaries.application.settings import ApplicationSection
from ringwall.core import Gate, Principal
from ringwall.ledger.master import MasterKey
from ringwall.workload.workbench import Workbench

from .recorder import Recorder

_CREDENTIAL = "egress-proxy"


def proxy_secrets(section: ApplicationSection, master: MasterKey) -> dict[str, str]:
    """The secret of every tool that the workload or its egress list names. Derived, so never stored: another
    master key is another secret."""
    tools = {*section.tools, *(tool for rule in section.egress for tool in rule.tools)}
    return {
        tool: base64.urlsafe_b64encode(master.derive(f"egress proxy {tool}")).decode().rstrip("=")
        for tool in sorted(tools)
    }


class ProxyGate:
    """``Decide`` for a proxy: the process is its own principal, named after its tool."""

    def __init__(self, gate: Gate, recorder: Recorder) -> None:
        self._gate = gate
        self._recorder = recorder

    async def __call__(self, outbound: Outbound) -> None:
        """Raises EgressRefused."""
        principal = Principal(f"tool:{outbound.tool}", credential=_CREDENTIAL)
        crossing = egress_crossing(outbound, principal, application=self._gate.application)
        decision = await self._gate.decide(crossing)
        await self._recorder.decision(decision, crossing, "")
        let_out(decision)


async def serve_proxy(
    bench: Workbench, application: str, host: str, port: int, started: Callable[[int], None]
) -> None:
    """Until SIGINT or SIGTERM. ``started`` is called with the port. Raises OSError when it can't listen,
    WireError for an application that is not there."""
    section = bench.loaded.workload.application
    decide = ProxyGate(bench.site.application(application).gate, Recorder(bench.plant.ledger))
    egress = Egress(section.egress)
    proxy = EgressProxy(egress, proxy_secrets(section, bench.plant.master), decide=decide)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    try:
        await proxy.start(host, port)
        started(proxy.port)
        await stop.wait()
    finally:
        await proxy.close()
        await egress.close()
