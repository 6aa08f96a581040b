"""The target of an export: written there under another name, then renamed; and what a killed one left there.

Each export under way has a *mark* in the data directory: a locked file that says what the export may leave
behind, and what the ledger has to be told once it is whole. The lock goes with the process. So a mark that
can be locked is that of an export that died: what is half there goes, what is whole the ledger is told of.
"""

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

from ringwall.core import DataError

_ENDING, _NEW = ".underway", ".new"
_STALE_S = 3600.0
_INCOMING = re.compile(r"\.[^/\0]{1,200}\.incoming\Z")
_LARGEST = 1_000_000


class Place:
    """Where one export goes."""

    def __init__(self, folder: Path, name: str) -> None:
        self.final = folder / name
        self.manifest = folder / f"{name}.manifest.json"
        self._incoming = folder / f".{name}.incoming"

    @contextmanager
    def marked(self, marks: Path, export: str) -> Iterator["Mark"]:
        """The export is under way until this ends, one way or another."""
        marks.mkdir(parents=True, exist_ok=True, mode=0o700)
        mark = Mark(marks / f"{export}{_ENDING}", {"final": str(self.final), "incoming": str(self._incoming)})
        try:
            yield mark
            mark.done()
        finally:
            _remove(self._incoming)
            if not self.final.exists():
                mark.done()
            mark.close()

    def write(self, writer: Callable[[Path], Any]) -> tuple[str, int]:
        """Have it written into a folder of its own there, which nobody else can open; SHA-256 and bytes."""
        try:
            self.final.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._incoming.mkdir(mode=0o700)
            made = self._incoming / self.final.name
            writer(made)
            made.chmod(0o700 if made.is_dir() else 0o600)
            return measured(made)
        except OSError as error:
            raise _unwritten(error) from None

    def publish(self, facts: Mapping[str, Any]) -> Path:
        """The manifest, then the name: nothing is overwritten, nothing is half there."""
        try:
            descriptor = os.open(self.manifest, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(orjson.dumps(facts, option=orjson.OPT_INDENT_2) + b"\n")
            (self._incoming / self.final.name).rename(self.final)
        except OSError as error:
            raise _unwritten(error) from None
        return self.final


class Mark:
    """Of one export under way. Nothing of what is exported is in it."""

    def __init__(self, path: Path, facts: Mapping[str, str]) -> None:
        self._path = path
        made = path.with_suffix(_NEW)  # not looked at before it is locked
        self._file = made.open("xb")
        fcntl.flock(self._file, fcntl.LOCK_EX)
        self._say(facts)
        made.rename(path)

    def whole(self, event: Mapping[str, Any]) -> None:
        """From now on all of it may be there: what the ledger has to be told then."""
        self._say(event)

    def done(self) -> None:
        """Nothing is left to do about it. Where the ledger could not be told, that is left to the next
        start."""
        self._path.unlink(missing_ok=True)

    def close(self) -> None:
        self._file.close()

    def _say(self, what: Mapping[str, Any]) -> None:
        self._file.write(orjson.dumps(what) + b"\n")
        self._file.flush()


def left_behind(marks: Path) -> list[dict[str, Any]]:
    """Clear away what exports left whose process is gone. The events of those that are whole all the same,
    for the ledger."""
    told = []
    for path in sorted(marks.iterdir()) if marks.is_dir() else ():
        if path.is_dir():  # of a version of this product that staged exports here
            shutil.rmtree(path, ignore_errors=True)
            continue
        if path.suffix == _NEW and time.time() - path.stat().st_mtime > _STALE_S:
            path.unlink(missing_ok=True)  # it died before it had begun
        if path.suffix != _ENDING:
            continue
        with contextlib.suppress(OSError), path.open("rb") as file:  # it ended meanwhile, or is still locked
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            told += _cleared(file.read(_LARGEST))
            path.unlink(missing_ok=True)
    return told


def _cleared(mark: bytes) -> list[dict[str, Any]]:
    lines = mark.split(b"\n")[:-1]  # what comes after the last line's end is half a line
    try:
        said: list[dict[str, Any]] = [orjson.loads(line) for line in lines]
        final, incoming = (Path(said[0][name]) for name in ("final", "incoming"))
    except (ValueError, KeyError, TypeError, IndexError):
        return []
    if not _INCOMING.match(incoming.name) or incoming.name != f".{final.name}.incoming":
        return []
    _remove(incoming)
    if final.exists():
        return said[1:2]
    final.with_name(f"{final.name}.manifest.json").unlink(missing_ok=True)
    return []


def _remove(path: Path) -> None:
    shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)


def _unwritten(error: OSError) -> DataError:
    return DataError(f"The export can't be written to its target ({error.strerror}).")


def measured(made: Path) -> tuple[str, int]:
    """SHA-256 and bytes of an export; of a folder: over the names and hashes of its files."""
    if made.is_file():
        with made.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest(), made.stat().st_size
    whole, size = hashlib.sha256(), 0
    for path in sorted(made.rglob("*")):
        if path.is_file():
            digest, length = measured(path)
            whole.update(f"{path.relative_to(made).as_posix()}\0{digest}\n".encode())
            size += length
    return whole.hexdigest(), size
