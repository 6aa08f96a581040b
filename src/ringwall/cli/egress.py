"""``ringwall egress``: the egress list explained, exported, and served as a forward proxy."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ringwall.core import ConfigError, Problem

from .options import data_dir_option, json_option, show_json, workload_option

if TYPE_CHECKING:
    from ringwall.boundaries.application.egress_outbound import Outbound
    from ringwall.boundaries.application.egress_settings import EgressRule
    from ringwall.workload.load import Loaded

_HIDDEN = frozenset({"method", "path"})
"""What a tunnel doesn't show, so what no rule is missed by."""


@click.group("egress")
def command() -> None:
    """Limit what tools reach over the network."""


@command.command("check")
@click.argument("url")
@click.option("--tool", default="", help="The tool that asks; left out: none in particular.")
@click.option("--method", default="GET", show_default=True, help="CONNECT judges HOST:PORT as a tunnel.")
@click.option("--body-bytes", default=0, type=click.IntRange(0), help="Size of the body of the request.")
@workload_option
@json_option
def check(url: str, tool: str, method: str, body_bytes: int, workload: Path, as_json: bool) -> None:
    """Explain whether a request may go out. Nothing is sent, and no name is looked up.

    Exit code 0: it may. 1: it may not. 2: the workload file can't be used.
    """
    from ringwall.boundaries.application.egress_list import EgressList, misfits

    rules = _loaded(workload).workload.application.egress
    judge = EgressList(rules)
    tunnel = method.upper() == "CONNECT"
    given = judge.judge_tunnel(url, tool) if tunnel else judge.judge(url, method, tool, body_bytes)
    near = [
        (number, rule.host, [key for key in misfits(rule, given) if not tunnel or key not in _HIDDEN])
        for number, rule in enumerate(rules, 1)
    ]
    if as_json:
        show_json(
            {
                "allowed": not given.problem,
                "reason": given.problem,
                "rule": _number(rules, given),
                "request": given.facts(),
                "rules": [{"rule": number, "host": host, "misfits": keys} for number, host, keys in near],
            }
        )
    else:
        _explain(given, _number(rules, given), near)
    sys.exit(1 if given.problem else 0)


@command.command("export")
@click.option(
    "--format",
    "form",
    type=click.Choice(["suricata", "network-firewall"]),
    default="suricata",
    show_default=True,
    help="A file of rules, or a CloudFormation template with them.",
)
@workload_option
@json_option
def export(form: str, workload: Path, as_json: bool) -> None:
    """Write the egress list as rules for AWS Network Firewall (Suricata, strict order)."""
    from ringwall.boundaries.application.egress_export import network_firewall, suricata

    loaded = _loaded(workload)
    rules = loaded.workload.application.egress
    if form == "suricata" and not as_json:
        click.echo(suricata(rules), nl=False)
        return
    template = network_firewall(rules, loaded.workload.workload)
    if as_json:
        show_json(template)
        return
    click.echo(_yaml(template), nl=False)


@command.command("credential")
@click.argument("tool")
@click.option("--listen", default="127.0.0.1:3128", show_default=True, help="Where the proxy listens.")
@workload_option
@data_dir_option
def credential(tool: str, listen: str, workload: Path, data_dir: Path) -> None:
    """Print the proxy address of a tool, with its secret: for HTTP_PROXY and HTTPS_PROXY of its process."""
    from ringwall.ledger.master import MasterKey
    from ringwall.server.egress import proxy_secrets

    secrets = proxy_secrets(_loaded(workload).workload.application, MasterKey.load(data_dir))
    if tool not in secrets:
        known = ", ".join(sorted(secrets)) or "none"
        raise ConfigError(Problem(f"neither tools nor the egress list name {tool!r}; known: {known}"))
    host, port = _address(listen)
    shown = f"[{host}]" if ":" in host else host
    click.echo(f"http://{tool}:{secrets[tool]}@{shown}:{port}")


@command.command("serve")
@click.option(
    "--listen", default="127.0.0.1:3128", show_default=True, help="Address and port; port 0: a free one."
)
@click.option("--application", default="", help="Whose gate decides; left out: the first one's.")
@workload_option
@data_dir_option
def serve(listen: str, application: str, workload: Path, data_dir: Path) -> None:
    """Serve the egress list as a forward proxy, for whole processes.

    Each request and tunnel is a decision on the ledger. Stops on SIGINT and SIGTERM; reads the workload file
    once.
    """
    import asyncio

    from ringwall.server.egress import serve_proxy
    from ringwall.workload.workbench import workbench

    host, port = _address(listen)

    def started(taken: int) -> None:
        click.echo(f"The forward proxy listens on {host}:{taken}.", err=True)

    with workbench(workload, data_dir) as bench:
        try:
            asyncio.run(serve_proxy(bench, application, host, port, started))
        except OSError as error:
            raise click.UsageError(f"can't listen on {listen}: {error.strerror}") from None


def _yaml(template: dict[str, Any]) -> str:
    """The rules as a block, line by line, as they would be read."""
    import yaml

    class Dumper(yaml.SafeDumper):
        pass

    def text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
        style = "|" if "\n" in value else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style)

    Dumper.add_representer(str, text)
    return str(yaml.dump(template, Dumper=Dumper, sort_keys=False))


def _loaded(workload: Path) -> "Loaded":
    from ringwall.workload.load import load

    return load(workload)


def _address(listen: str) -> tuple[str, int]:
    host, _, port = listen.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65_535:
        raise click.UsageError("--listen needs an address and a port, such as 127.0.0.1:3128")
    return host.strip("[]"), int(port)


def _number(rules: "tuple[EgressRule, ...]", given: "Outbound") -> int:
    """1-based; 0 when no rule fits."""
    return rules.index(given.rule) + 1 if given.rule is not None else 0


def _explain(given: "Outbound", number: int, near: list[tuple[int, str, list[str]]]) -> None:
    if given.problem:
        click.echo(f"refused: {given.problem}")
    else:
        click.echo(f"allowed by rule {number} (application.egress[{number - 1}])")
    if not number and given.scheme:
        for one, host, keys in near:
            click.echo(f"  rule {one} ({host}): not its {', '.join(keys) or 'tunnel'}")
