"""Run by its path in a new process: bounds on what a started server may take, then the server itself.

Imports nothing of Ringwall, so that it starts at once.
"""

import os
import signal
import sys

_FILES = 1024
_PARENT_DEATH_SIGNAL = 1
"""``PR_SET_PDEATHSIG`` of prctl(2)."""


def main(arguments: list[str]) -> None:
    """``MEGABYTES COMMAND [ARGUMENT…]``. Does not return."""
    try:
        import resource  # noqa: PLC0415 - not there on every platform
    except ImportError:
        pass
    else:
        # RLIMIT_DATA and not RLIMIT_AS: runtimes reserve far more addresses than they use.
        memory = int(arguments[0]) << 20
        for what, most in (
            (resource.RLIMIT_DATA, memory),
            (resource.RLIMIT_NOFILE, _FILES),
            (resource.RLIMIT_CORE, 0),
        ):
            hard = resource.getrlimit(what)[1]
            bound = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.setrlimit(what, (bound, bound))
    if sys.platform == "linux":  # a gateway that is killed cleans nothing up
        import ctypes  # noqa: PLC0415

        ctypes.CDLL(None).prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    os.execvp(arguments[1], arguments[1:])  # noqa: S606 - no shell, and the operator named the program


if __name__ == "__main__":
    main(sys.argv[1:])
