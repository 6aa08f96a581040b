"""The ``ringwall`` command. Each command is a module of this package, imported when it runs."""

import sys
from importlib import import_module

import click

from ringwall import __version__
from ringwall.core import ConfigError, DeniedError, RingwallError

_COMMANDS = (
    "up", "init", "check", "schema", "key", "scan", "calibrate", "drill", "decision", "allow", "hold",
    "policy", "tool", "mcp", "egress", "ledger", "data", "master-key", "model", "threats", "evidence",
    "report", "contain",
)  # fmt: skip


class _Lazy(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = import_module(f"ringwall.cli.{cmd_name.replace('-', '_')}").command
        return command


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="ringwall")
def cli() -> None:
    """Defence in depth for applications built on large language models."""


def main() -> None:
    """Entry point. Exit codes: 0 done, 1 the answer is no (a check failed, or somebody may not), 2 it could
    not be asked (wrong use, a file that can't be used), 130 interrupted."""
    try:
        cli(standalone_mode=False)
    except click.exceptions.Abort:
        click.echo("Stopped.", err=True)
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except click.exceptions.Exit as error:
        sys.exit(error.exit_code)
    except ConfigError as error:
        for problem in error.problems:
            click.echo(f"error: {problem}", err=True)
        sys.exit(2)
    except DeniedError as error:
        decision = f" ({error.decision_id})" if error.decision_id else ""
        click.echo(f"error: {error}{decision}", err=True)
        sys.exit(1)
    except RingwallError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(2)
    except BrokenPipeError:
        sys.exit(0)
