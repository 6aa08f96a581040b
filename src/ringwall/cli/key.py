"""``ringwall key``: API keys."""

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .options import data_dir_option, json_option, show_json, show_table, site_options, workload_option

if TYPE_CHECKING:
    from ringwall.boundaries.interface.keys import KeyInfo


@click.group("key")
def command() -> None:
    """Make, list, rotate and revoke API keys."""


@command.command("create")
@click.option("--subject", required=True, help="Stable id of the person or process.")
@click.option("--role", "roles", multiple=True, help="A role of the workload file; may be repeated.")
@click.option("--tenant", default="default", show_default=True)
@click.option("--attribute", "attributes", multiple=True, metavar="NAME=VALUE", help="A fact for policies.")
@click.option("--application", "applications", multiple=True, help="Good for this one only; may be repeated.")
@click.option("--scope", "scopes", multiple=True, help="Good for this operation only; may be repeated.")
@click.option(
    "--days", type=click.IntRange(1, 3650), help="Days until it expires; left out: as the workload says."
)
@site_options
def create(
    subject: str,
    roles: tuple[str, ...],
    tenant: str,
    attributes: tuple[str, ...],
    applications: tuple[str, ...],
    scopes: tuple[str, ...],
    days: int | None,
    workload: Path,
    data_dir: Path,
    as_json: bool,
) -> None:
    """Make a key. Its secret is printed this once and kept nowhere."""
    from ringwall.workload.workbench import workbench

    pairs = dict(_pair(item) for item in attributes)
    with workbench(workload, data_dir) as bench:
        for name in applications:
            bench.site.application(name)
        made = bench.plant.keys.create(
            subject,
            roles,
            tenant,
            pairs,
            applications=applications,
            scopes=scopes or None,
            expires=_end(days),
        )
        bench.plant.note("key.created", subject, tenant, key=made.id, by="command line")
    if as_json:
        show_json({"id": made.id, "key": made.secret, "subject": subject, "roles": roles, "tenant": tenant})
    else:
        click.echo(made.secret)


@command.command("list")
@click.option(
    "--expiring", is_flag=True, help="Only keys that end soon: `api_keys.warn_days` of the workload."
)
@click.option("--within", type=click.IntRange(1, 3650), help="Days that count as soon, with --expiring.")
@site_options
def list_(expiring: bool, within: int | None, workload: Path, data_dir: Path, as_json: bool) -> None:
    """List all keys ever made, without their secrets."""
    from ringwall.workload.workbench import workbench

    with workbench(workload, data_dir) as bench:
        keys = bench.plant.keys.list()
        soon = within or bench.workload.interface.identity.api_keys.warn_days
    now = time.time()
    if expiring or within:
        keys = [key for key in keys if key.near_expiry(now, soon * 86_400)]
    if as_json:
        show_json([_described(key) for key in keys])
        return
    rows = [
        (
            key.id,
            key.subject,
            key.tenant,
            ",".join(key.roles),
            "all" if key.scopes is None else ",".join(key.scopes),
            _state(key, now),
            _day(key.expires),
            _day(key.used),
        )
        for key in keys
    ]
    show_table(rows, ("id", "subject", "tenant", "roles", "scopes", "state", "expires", "used"))


@command.command("rotate")
@click.argument("key_id", metavar="ID")
@click.option("--overlap", metavar="TIME", help="How long the old secret stays good: 24h, 30min, 7d or 0.")
@click.option(
    "--days", type=click.IntRange(1, 3650), help="Days until the key expires; left out: its life begins anew."
)
@site_options
def rotate(
    key_id: str, overlap: str | None, days: int | None, workload: Path, data_dir: Path, as_json: bool
) -> None:
    """Give a key a new secret, printed this once. The old one stays good until the overlap ends."""
    from ringwall.workload.workbench import workbench

    seconds = None if overlap is None else _seconds(overlap)
    with workbench(workload, data_dir) as bench:
        made, info = bench.plant.keys.rotate(key_id, overlap_s=seconds, expires=_end(days))
        bench.plant.note("key.rotated", info.subject, info.tenant, key=info.id, by="command line")
    if as_json:
        show_json(
            {"id": made.id, "key": made.secret, "old_until": info.overlap_until, "expires": info.expires}
        )
    else:
        click.echo(made.secret)
        click.echo(f"The old secret is good until {_minute(info.overlap_until)}.", err=True)


@command.command("revoke")
@click.argument("key_id", metavar="ID")
@workload_option
@data_dir_option
@json_option
def revoke(key_id: str, workload: Path, data_dir: Path, as_json: bool) -> None:
    """End a key. It stops working with the next request, also on a running server."""
    from ringwall.workload.workbench import workbench

    with workbench(workload, data_dir) as bench:
        key = bench.plant.keys.revoke(key_id)
        bench.plant.note("key.revoked", key.subject, key.tenant, key=key.id, by="command line")
    if as_json:
        show_json({"id": key.id, "subject": key.subject, "revoked": key.revoked})
    else:
        click.echo(f"The key of {key.subject} is revoked.")


def _pair(item: str) -> tuple[str, str]:
    name, equals, value = item.partition("=")
    if not equals or not name:
        raise click.UsageError(f"write --attribute as NAME=VALUE, not {item!r}")
    return name, value


def _described(key: "KeyInfo") -> dict[str, object]:
    return {
        "id": key.id,
        "subject": key.subject,
        "tenant": key.tenant,
        "roles": key.roles,
        "attributes": dict(key.attributes),
        "applications": key.applications,
        "scopes": key.scopes,
        "created": key.created,
        "expires": key.expires,
        "revoked": key.revoked,
        "rotated": key.rotated,
        "overlap_until": key.overlap_until,
        "used": key.used,
    }


def _state(key: "KeyInfo", now: float) -> str:
    if key.revoked is not None:
        return "revoked"
    return "expired" if key.expires is not None and key.expires <= now else "valid"


def _end(days: int | None) -> float | None:
    return time.time() + days * 86_400 if days else None


def _seconds(written: str) -> float:
    match = re.fullmatch(r"(\d{1,6})(s|min|h|d)|0", written)
    if match is None:
        raise click.UsageError(f"write a time as 24h, 30min, 7d or 0, not {written!r}")
    return int(match[1]) * {"s": 1.0, "min": 60.0, "h": 3600.0, "d": 86_400.0}[match[2]] if match[1] else 0.0


def _day(at: float | None) -> str:
    return "never" if at is None else time.strftime("%Y-%m-%d", time.gmtime(at))


def _minute(at: float | None) -> str:
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(at or 0))
