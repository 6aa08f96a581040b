"""Who runs a command of ``ringwall data``: what is done to data is done by somebody."""

from typing import Any

import click

from ringwall.boundaries.interface.scopes import Scope
from ringwall.core import IdentityError, Principal
from ringwall.workload.workbench import Workbench


def key_option(function: Any) -> Any:
    """``--key``, or the environment's ``RINGWALL_KEY``."""
    return click.option("--key", envvar="RINGWALL_KEY", help="Your own API key (or RINGWALL_KEY).")(function)


def person(bench: Workbench, key: str | None) -> Principal:
    """The principal of an API key that may contribute. IdentityError for any other."""
    principal = bench.plant.keys.verify(key) if key else None
    if principal is None or not principal.grant.allows(Scope.CONTRIBUTE):
        raise IdentityError(
            "Give your own API key with --key or in RINGWALL_KEY: documents have a contributor."
        )
    return principal
