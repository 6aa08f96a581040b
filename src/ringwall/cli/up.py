"""``ringwall up``: serve the workload."""

import socket
import sys
from pathlib import Path

import click
import orjson

from .options import data_dir_option, workload_option


@click.command("up")
@workload_option
@data_dir_option
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8080, show_default=True, help="Port to listen on; 0 takes a free one.")
@click.option(
    "--upstream", default="", help="Base URL of an OpenAI-compatible server to attach as the model."
)
@click.option(
    "--model",
    "model_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A local GGUF file to attach.",
)
@click.option("--print-key", is_flag=True, help="Print one JSON line with address and keys once it serves.")
@click.option("--fsync", is_flag=True, help="Survive a loss of power at each decision (slower).")
def command(
    workload: Path,
    data_dir: Path,
    host: str,
    port: int,
    upstream: str,
    model_file: Path | None,
    print_key: bool,
    fsync: bool,
) -> None:
    """Serve the workload: the API under /v1, the chat page and the console in the browser."""
    from ringwall.console.mount import pages
    from ringwall.server.app import build
    from ringwall.server.serve import run
    from ringwall.workload.compose import Overrides
    from ringwall.workload.live import Live
    from ringwall.workload.load import load
    from ringwall.workload.plant import Plant
    from ringwall.workload.starter_keys import starter_keys

    if upstream and model_file:
        raise click.UsageError("give --upstream or --model, not both")
    listener = _bind(host, port)
    try:
        plant = Plant(data_dir, fsync=fsync, store=load(workload).workload.data.store)
    except BaseException:
        listener.close()
        raise
    try:
        live = Live(workload, plant, Overrides(upstream=upstream, model_file=model_file))
    except BaseException:
        plant.close()
        listener.close()
        raise
    scheme = "https" if live.site.workload.interface.tls else "http"
    address = f"{scheme}://{_shown(host)}:{listener.getsockname()[1]}"
    keys = starter_keys(live.site, plant)

    def started() -> None:
        if print_key:
            first = next(iter(keys.values()), "")
            line = {"url": address, "base_url": f"{address}/v1", "key": first, "keys": keys}
            sys.stdout.buffer.write(orjson.dumps(line) + b"\n")
            sys.stdout.flush()
        else:
            _greet(address, keys)

    run(build(live, pages), listener, started)


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else each answer waits for an ACK, 40 ms
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise click.UsageError(f"can't listen on {host} port {port}: {error.strerror}") from None
    return listener


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _greet(address: str, keys: dict[str, str]) -> None:
    click.echo(f"Ringwall serves {address}  (chat and console in the browser, API at {address}/v1)", err=True)
    if keys:
        click.echo("New keys, shown this once (sign in with one, or use it as the API key):", err=True)
        for subject, secret in keys.items():
            click.echo(f"  {subject:<10} {secret}", err=True)
    else:
        click.echo("Keys were made at the first start; make more with `ringwall key create`.", err=True)
