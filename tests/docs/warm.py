"""The command, loaded once: a process that forks for every ``ringwall …`` of a page.

The pages call the command some sixty times, and most of what each call costs is loading. What is called is
the same ``main``, in a process of its own with the caller's arguments, folder, environment and streams.
``up`` is started as a reader starts it.
"""

import json
import os
import signal
import socket
import sys
from pathlib import Path

_MOST = 1 << 20


def ask(place: str, arguments: list[str]) -> int:
    """Have the command run by the process that listens there; its exit code."""
    call = json.dumps({"arguments": arguments, "folder": str(Path.cwd()), "environment": dict(os.environ)})
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(place)
        socket.send_fds(line, [call.encode()], [0, 1, 2])
        line.shutdown(socket.SHUT_WR)
        told = line.recv(16)
        return int(told) if told else 70


def serve(place: str) -> None:
    """Until it is killed."""
    from ringwall.cli import main  # noqa: F401 - what all commands share is loaded before it forks
    from ringwall.detect import scanner
    from ringwall.detect.batch import batches
    from ringwall.workload.live import Live  # noqa: F401

    scanner().scan("Caf\u00e9 aGVsbG8gd29ybGQsIGhlbGxv")
    batches().find(["1"])
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(place)
        listener.listen()
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while True:
            line, _ = listener.accept()
            if not os.fork():
                listener.close()
                _run(line)
            line.close()


def _run(line: socket.socket) -> None:
    """In the fork: never returns."""
    code = 70
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        told, streams, _, _ = socket.recv_fds(line, _MOST, 3)
        while more := line.recv(_MOST):
            told += more
        call = json.loads(told)
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
        os.chdir(call["folder"])
        os.environ.clear()
        os.environ.update(call["environment"])
        sys.argv = ["ringwall", *call["arguments"]]
        code = _code()
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        line.send(str(code).encode())
        os._exit(0)


def _code() -> int:
    from ringwall.cli import main

    try:
        main()
    except SystemExit as end:
        if isinstance(end.code, str):
            sys.stderr.write(end.code + "\n")
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def shim(folder: Path, place: str) -> None:
    """A ``ringwall`` for the search path, ahead of the real one."""
    real = Path(sys.executable).parent / "ringwall"
    script = folder / "ringwall"
    script.write_text(
        f'#!/bin/sh\n[ "$1" != up ] || exec "{real}" "$@"\n'
        f'exec "{sys.executable}" -S "{__file__}" "{place}" "$@"\n'
    )
    script.chmod(0o755)


if __name__ == "__main__":
    if len(sys.argv) == 2:
        serve(sys.argv[1])
    sys.exit(ask(sys.argv[1], sys.argv[2:]))
