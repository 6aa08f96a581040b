"""``ringwall drill``: attack the workload's own defences and measure how many layers hold."""

import asyncio
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ringwall.boundaries.organization.drill import DrillResult, Progress, Scenario
    from ringwall.workload.load import Loaded

from .options import show_json, site_options


@click.command("drill")
@site_options
@click.option(
    "--quick", is_flag=True, help="One attack for each risk, a few innocent uses, one kind of fault."
)
@click.option(
    "--scenarios",
    type=click.Path(path_type=Path, file_okay=False),
    help="Other scenarios than those shipped.",
)
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), help="Write the report as a page.")
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write the JSON report to a file."
)
@click.option(
    "--evidence/--no-evidence", default=True, help="Keep the outcome as evidence in the data directory."
)
def command(
    workload: Path,
    data_dir: Path,
    as_json: bool,
    quick: bool,
    scenarios: Path | None,
    html: Path | None,
    output: Path | None,
    evidence: bool,
) -> None:
    """Drive attacks and innocent uses through a real listener on a throw-away copy of the workload.

    Tools that change something are not carried out. Exit code 1 when an attack reaches its goal with every
    control in place, or when something is worse than was derived.
    """
    import orjson

    from ringwall.boundaries.organization.drill import facts, load, to_html, to_json
    from ringwall.boundaries.organization.drill.report import summary
    from ringwall.workload.load import load as load_workload

    loaded = load_workload(workload)
    result = asyncio.run(_run(loaded, load(scenarios), quick))
    report = to_json(result)
    if output:
        output.write_bytes(orjson.dumps(report, option=orjson.OPT_INDENT_2))
    if html:
        html.write_text(to_html(result), "utf-8")
    if evidence:
        from ringwall.workload.posture import keep
        from ringwall.workload.workbench import workbench

        with workbench(workload, data_dir) as bench:
            for fact in facts(result, at=time.time_ns() // 1000):
                keep(bench.plant, fact)
    if as_json:
        show_json(report)
    else:
        click.echo(summary(result))
    broken_through = any(check.happened for check in result.enforced.values() if check.kind == "attack")
    worse = any(check.worse for check in result.disagreements)
    sys.exit(1 if broken_through or worse else 0)


async def _run(loaded: "Loaded", scenarios: "Sequence[Scenario]", quick: bool) -> "DrillResult":
    from ringwall.boundaries.organization.drill import drill
    from ringwall.server.drill.ground import drill_range

    async with drill_range(loaded) as ground:
        result = await drill(ground.start, scenarios, quick=quick, progress=_show)
    if sys.stderr.isatty():
        click.echo("", err=True)
    return result


def _show(progress: "Progress") -> None:
    if sys.stderr.isatty():
        line = f"\r{progress.done}/{progress.total}  {progress.experiment[:60]:<60}"
        click.echo(line, nl=False, err=True)
