"""``ringwall report``: what is known of the defences, mapped to OWASP and CSF."""

from pathlib import Path
from typing import Any

import click

from .options import show_json, show_table, site_options


@click.command("report")
@site_options
def command(workload: Path, data_dir: Path, as_json: bool) -> None:
    """Coverage of the OWASP Top 10 for LLM applications (2023, 2025) and of NIST CSF 2.0, from evidence."""
    from ringwall.workload.posture import control_coverage, threat_status
    from ringwall.workload.workbench import workbench

    with workbench(workload, data_dir) as bench:
        coverage = control_coverage(bench.site, bench.plant)
        threats = threat_status(bench.site, bench.plant, bench.loaded.folder)
        name, version = bench.workload.workload, bench.site.version
    if as_json:
        show_json(
            {
                "workload": name,
                "version": version,
                "owasp": [_row(row) for row in coverage.owasp],
                "csf": [_row(row) for row in coverage.csf],
                "csf_functions": [
                    {"id": letters, "title": title, "named": named, "of": total}
                    for letters, title, named, total in coverage.csf_functions
                ],
                "threats": [{"id": row.threat.id, "status": str(row.status)} for row in threats],
            }
        )
        return
    click.echo(f"{name}, configuration {version}\n")
    show_table(
        [(row.id, str(row.status), row.title, str(len(row.controls))) for row in coverage.owasp],
        ("OWASP", "status", "title", "controls"),
    )
    click.echo()
    show_table(
        [(letters, title, f"{named} of {total}") for letters, title, named, total in coverage.csf_functions],
        ("CSF", "function", "subcategories with a control"),
    )
    click.echo("\nOne proven control covers an item here; how deep the defence is, the drill measures.")


def _row(row: Any) -> dict[str, Any]:
    return {
        "id": row.id,
        "title": row.title,
        "status": str(row.status),
        "controls": [{"control": one.control, "status": str(one.status)} for one in row.controls],
        "related": row.related,
    }
