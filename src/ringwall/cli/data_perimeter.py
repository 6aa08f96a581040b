"""``ringwall data perimeter``: what AWS itself enforces around the object store."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ringwall.core import DataError

from .options import show_json, site_options

if TYPE_CHECKING:
    from ringwall.boundaries.data.perimeter import Check
    from ringwall.boundaries.data.settings import DataSection

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command("perimeter")
@click.option("--policy", type=_FILE, help="Check this bucket policy instead of asking AWS.")
@click.option("--endpoint-policy", type=_FILE, help="Check this policy of a VPC endpoint as well.")
@click.option("--bucket", default="", help="The bucket that --policy is for; left out: the store's own.")
@click.option("--keep", is_flag=True, help="Keep the outcome as evidence.")
@site_options
def perimeter(
    policy: Path | None,
    endpoint_policy: Path | None,
    bucket: str,
    keep: bool,
    workload: Path,
    data_dir: Path,
    as_json: bool,
) -> None:
    """Check that bucket and VPC endpoints keep data in.

    Exit code 1: a check failed, or could not be read.
    """
    from ringwall.boundaries.data.perimeter import State
    from ringwall.workload.load import load

    section = load(workload).workload.data
    checks = _checks(section, policy, endpoint_policy, bucket)
    if keep:
        _kept(checks, workload, data_dir)
    fine = all(one.state is State.PASSED for one in checks)
    if as_json:
        show_json({"ok": fine, "checks": [asdict(one) for one in checks]})
    else:
        for one in checks:
            click.echo(f"{one.state:<7} {one.id}: {one.found}")
            if one.advice:
                click.echo(f"        {one.advice}")
    sys.exit(0 if fine else 1)


def _checks(
    section: "DataSection", policy: Path | None, endpoint_policy: Path | None, bucket: str
) -> "list[Check]":
    from ringwall.boundaries.data.perimeter import endpoint_checks, policy_checks
    from ringwall.workload.perimeter import look, probes

    asked = probes(section, bucket)
    checks: list[Check] = []
    if policy:
        checks += policy_checks(_text(policy), asked)
    elif not endpoint_policy or section.store.kind == "s3":
        checks += look(section)
    if endpoint_policy:
        checks += endpoint_checks(_text(endpoint_policy), asked)
    return checks


def _kept(checks: "list[Check]", workload: Path, data_dir: Path) -> None:
    from ringwall.workload.perimeter import fact
    from ringwall.workload.posture import keep
    from ringwall.workload.workbench import workbench

    with workbench(workload, data_dir) as bench:
        keep(bench.plant, fact(checks))


def _text(path: Path) -> str:
    from ringwall.boundaries.data.perimeter.policy import LARGEST

    with path.open("rb") as file:
        raw = file.read(LARGEST + 1)
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise DataError(f"{path.name} is no text in UTF-8.") from None
