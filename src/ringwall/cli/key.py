"""``ringwall key``: API keys."""

import time
from pathlib import Path

import click

from .options import data_dir_option, json_option, show_json, show_table, site_options, workload_option


@click.group("key")
def command() -> None:
    """Make, list and revoke API keys."""


@command.command("create")
@click.option("--subject", required=True, help="Stable id of the person or process.")
@click.option("--role", "roles", multiple=True, help="A role of the workload file; may be repeated.")
@click.option("--tenant", default="default", show_default=True)
@click.option("--attribute", "attributes", multiple=True, metavar="NAME=VALUE", help="A fact for policies.")
@click.option("--application", default="", help="Good for this application only.")
@click.option("--days", type=click.IntRange(1, 3650), help="Days until it expires; left out: never.")
@site_options
def create(
    subject: str,
    roles: tuple[str, ...],
    tenant: str,
    attributes: tuple[str, ...],
    application: str,
    days: int | None,
    workload: Path,
    data_dir: Path,
    as_json: bool,
) -> None:
    """Make a key. Its secret is printed this once and kept nowhere."""
    from ringwall.workload.workbench import workbench

    pairs = dict(_pair(item) for item in attributes)
    expires = time.time() + days * 86_400 if days else None
    with workbench(workload, data_dir) as bench:
        made = bench.plant.keys.create(
            subject, roles, tenant, pairs, application=application, expires=expires
        )
        bench.plant.note("key.created", subject, tenant, key=made.id, by="command line")
    if as_json:
        show_json({"id": made.id, "key": made.secret, "subject": subject, "roles": roles, "tenant": tenant})
    else:
        click.echo(made.secret)


@command.command("list")
@site_options
def list_(workload: Path, data_dir: Path, as_json: bool) -> None:
    """List all keys ever made, without their secrets."""
    from ringwall.workload.workbench import workbench

    with workbench(workload, data_dir) as bench:
        keys = bench.plant.keys.list()
    if as_json:
        show_json(
            [
                {
                    "id": key.id,
                    "subject": key.subject,
                    "tenant": key.tenant,
                    "roles": key.roles,
                    "attributes": dict(key.attributes),
                    "application": key.application,
                    "created": key.created,
                    "expires": key.expires,
                    "revoked": key.revoked,
                }
                for key in keys
            ]
        )
        return
    rows = [
        (key.id, key.subject, key.tenant, ",".join(key.roles), "revoked" if key.revoked else "valid")
        for key in keys
    ]
    show_table(rows, ("id", "subject", "tenant", "roles", "state"))


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
