"""``ringwall threats``: the threat model, with status derived from evidence."""

import sys
from pathlib import Path

import click

from .options import show_json, site_options


@click.group("threats", invoke_without_command=True)
@site_options
@click.pass_context
def command(context: click.Context, workload: Path, data_dir: Path, as_json: bool) -> None:
    """Show every threat with its status: proven, degraded, stale, asserted, broken or none."""
    if context.invoked_subcommand:
        return
    from ringwall.workload.posture import threat_status
    from ringwall.workload.workbench import workbench

    with workbench(workload, data_dir) as bench:
        rows = threat_status(bench.site, bench.plant, bench.loaded.folder)
    if as_json:
        show_json(
            [
                {
                    "id": row.threat.id,
                    "statement": row.threat.statement,
                    "tags": row.threat.tags,
                    "stride": row.threat.stride,
                    "status": str(row.status),
                    "why": row.why,
                    "controls": [
                        {"control": one.control, "status": str(one.status), "why": one.why}
                        for one in row.controls
                    ],
                }
                for row in rows
            ]
        )
        return
    for row in rows:
        click.echo(f"{row.threat.id:<8} {row.status!s:<9} {row.threat.statement}")
        click.echo(f"         {row.why}")


@command.command("export")
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False))
@site_options
def export(path: Path, workload: Path, data_dir: Path, as_json: bool) -> None:
    """Write the threat model as a Threat Composer file (.tc.json)."""
    import orjson

    from ringwall.boundaries.organization.composer import export_composer
    from ringwall.workload.posture import declarations, threat_model, threat_status
    from ringwall.workload.workbench import workbench

    with workbench(workload, data_dir) as bench:
        model = threat_model(bench.site, bench.loaded.folder)
        rows = threat_status(bench.site, bench.plant, bench.loaded.folder)
        composed = export_composer(bench.workload.workload, model, rows, declarations(bench.site))
    path.write_bytes(orjson.dumps(composed, option=orjson.OPT_INDENT_2))
    if as_json:
        show_json({"path": str(path), "threats": len(rows)})
    else:
        click.echo(f"{len(rows)} threats written to {path}")
    sys.exit(0)
