"""Who runs a command of ``ringwall data``: what is done to data is done by somebody."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ringwall.boundaries.interface.scopes import Scope
from ringwall.core import IdentityError, Principal
from ringwall.workload.workbench import Workbench, workbench

if TYPE_CHECKING:
    from ringwall.boundaries.data import Contributions

T = TypeVar("T")


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


def with_person(
    workload: Path,
    data_dir: Path,
    key: str | None,
    run: Callable[["Contributions", Principal], Awaitable[T]],
    *,
    judging: bool = True,
) -> T:
    """Run something at the way into the collections, as the person whose key it is. ``judging``: something
    comes in, so that the gate is needed."""
    from ringwall.workload.intake import contributions, past_the_gate

    async def awaited(work: Awaitable[T]) -> T:
        return await work

    with workbench(workload, data_dir) as bench:
        by = person(bench, key)
        door = contributions(bench.site, bench.plant) if judging else past_the_gate(bench)
        return asyncio.run(awaited(run(door, by)))
