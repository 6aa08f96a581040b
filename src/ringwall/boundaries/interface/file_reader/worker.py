"""The process that reads one file: a task on standard input, a reading on standard output, then its end."""

import sys

import msgspec

from ringwall.detect.files import read_file

from .confine import forbid, leave_network, limit
from .ocr import recogniser
from .task import Task


def main() -> None:
    task = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Task)
    _warm(task)
    limit(task.memory, task.seconds)
    leave_network()
    forbid(task.engine)
    ocr = recogniser(task.engine, task.languages) if task.engine else None
    reading = read_file(task.data, task.declared, task.limits, ocr, frozenset(task.accept))
    sys.stdout.buffer.write(msgspec.msgpack.encode(reading))


def _warm(task: Task) -> None:
    """Decoders of pictures are loaded before anything is forbidden."""
    if task.engine or "image" in task.accept:
        from PIL import Image  # noqa: PLC0415 - an extra

        Image.init()


if __name__ == "__main__":
    main()
