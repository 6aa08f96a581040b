"""Hyperscan databases: compiled, which takes seconds for thousands of expressions, or as kept from before.

A database is kept for the expressions, the library and the processor that it was compiled for; for any other
it has another key. It is code to Hyperscan, which checks little of it: see ``kept.py`` for what is trusted.
"""

import platform
from collections.abc import Sequence
from functools import cache
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from time import thread_time
from typing import Any

from . import kept

hyperscan: Any
try:
    hyperscan = import_module("hyperscan")
except ImportError:  # no wheel for this platform
    hyperscan = None

_KIND = "patterns"
_WORTH = 0.03
"""Seconds: what compiles faster is not kept."""
_CPU = frozenset({"vendor_id", "cpu family", "model", "flags", "CPU implementer", "CPU part", "Features"})
"""What ``/proc/cpuinfo`` tells of what code a processor runs."""

Expression = tuple[int, bytes, int]
"""Number, expression, flags."""


def database_of(wanted: Sequence[Expression], *, once: bool) -> Any:
    """A database in block mode. ``once``: each expression reports at most one match. Raises
    ``hyperscan.error`` for an expression that Hyperscan can't read."""
    always = int(hyperscan.HS_FLAG_SINGLEMATCH) if once else 0
    wanted = [(at, expression, flags | always) for at, expression, flags in wanted]
    machine = _machine()
    key = _key(wanted, machine) if machine else b""
    if key:
        known = _thawed(kept.get(_KIND, key))
        if known is not None:
            return known
    start = thread_time()
    made = _compiled(wanted)
    if key and thread_time() - start > _WORTH:
        kept.put(_KIND, key, hyperscan.dumpb(made))
    return made


def _compiled(wanted: Sequence[Expression]) -> Any:
    made = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    numbers, expressions, flags = zip(*wanted, strict=True)
    made.compile(expressions=expressions, ids=numbers, flags=flags)
    return made


def _thawed(data: bytes | None) -> Any:
    if data is None:
        return None
    try:
        return hyperscan.loadb(data, hyperscan.HS_MODE_BLOCK)
    except hyperscan.error:  # of another build of the library after all
        return None


def _key(wanted: Sequence[Expression], machine: bytes) -> bytes:
    digest = sha256(machine)
    for number, expression, flags in wanted:
        digest.update(b"%d %d %d:%b" % (number, flags, len(expression), expression))
    return digest.digest()


@cache
def _machine() -> bytes:
    """Digest of the library and the processor; empty where that is not told, and nothing is kept."""
    try:
        library = import_module("hyperscan._hs_ext")
        about = Path(str(library.__file__)).stat()
        with Path("/proc/cpuinfo").open("rb") as file:
            lines = file.read(1 << 16).decode("utf-8", "replace").split("\n\n", 1)[0].splitlines()
    except (ImportError, OSError):
        return b""
    cpu = [line for line in lines if line.split(":", 1)[0].strip() in _CPU]
    if not cpu:
        return b""
    known = (hyperscan.__version__, library.__version__, about.st_size, about.st_mtime_ns, platform.machine())
    return sha256("\n".join([*map(str, known), *cpu]).encode()).digest()
