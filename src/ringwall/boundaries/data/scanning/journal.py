"""How far a scan has come: its findings, and a checkpoint from which it goes on to the same bytes."""

import hashlib
import os
from collections import Counter
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import orjson

from ringwall.core import DataError

from ..records import RowSource
from .look import Looked

FINDINGS = "findings.jsonl"
SUMMARY = "summary.json"
_CHECKPOINT = "checkpoint.json"


class Journal:
    """A folder with the findings and the checkpoint. One scan writes to it at a time."""

    def __init__(
        self, folder: Path, files: Sequence[RowSource], *, decode: bool, restart: bool = False
    ) -> None:
        """Take up what an earlier scan of the same files left. DataError when it was of other files, or by
        another version: its findings would not be those of one scan."""
        self.folder = folder
        self.chunks = self.rows = self.unreadable = self.flagged = 0
        self.classes: Counter[str] = Counter()
        self.complete = False
        self._bytes = 0
        self._about = _about(files, decode)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._checkpoint = folder / _CHECKPOINT
        if restart:
            self._checkpoint.unlink(missing_ok=True)
        if self._checkpoint.exists():
            self._resume()
        descriptor = os.open(folder / FINDINGS, os.O_RDWR | os.O_CREAT, 0o600)
        self._findings = os.fdopen(descriptor, "r+b")
        if self._findings.seek(0, os.SEEK_END) < self._bytes:
            self._findings.close()
            raise DataError(f"{FINDINGS} in {folder.name} was shortened: begin anew with --restart.")
        self._findings.truncate(self._bytes)
        self._findings.seek(self._bytes)

    def add(self, looked: Looked) -> None:
        """Note what the next chunk showed; it counts once ``save`` returned."""
        self._findings.write(looked.lines)
        self._bytes += len(looked.lines)
        self.chunks += 1
        self.rows += looked.rows
        self.unreadable += looked.unreadable
        self.flagged += looked.flagged
        self.classes.update(looked.classes)

    def save(self, *, complete: bool = False) -> None:
        """Findings on the disk first, then the checkpoint that speaks of them, in one step."""
        self.complete = complete
        self._findings.flush()
        os.fsync(self._findings.fileno())
        _replace(self._checkpoint, {**self._state(), "about": self._about, "bytes": self._bytes})
        if complete:
            _replace(self.folder / SUMMARY, self.summary())

    def close(self) -> None:
        self._findings.close()

    def summary(self) -> dict[str, Any]:
        """For a report."""
        state = self._state()
        del state["chunks"]
        return state

    def _state(self) -> dict[str, Any]:
        return {
            "complete": self.complete,
            "chunks": self.chunks,
            "rows": self.rows,
            "unreadable": self.unreadable,
            "flagged": self.flagged,
            "classes": dict(sorted(self.classes.items())),
        }

    def _resume(self) -> None:
        try:
            state = orjson.loads(self._checkpoint.read_bytes())
            about = state["about"]
            self.chunks, self.rows, self.unreadable = state["chunks"], state["rows"], state["unreadable"]
            self.flagged, self._bytes, self.complete = state["flagged"], state["bytes"], state["complete"]
            self.classes = Counter(state["classes"])
        except (orjson.JSONDecodeError, KeyError, TypeError):
            raise DataError(
                f"{_CHECKPOINT} in {self.folder.name} is damaged: begin anew with --restart."
            ) from None
        if about != self._about:
            raise DataError(
                f"{self.folder.name} holds a scan of other files, or of these before they changed: name "
                "another folder with --out, or begin anew with --restart."
            )


def _about(files: Sequence[RowSource], decode: bool) -> str:
    """What a scan is of: names, sizes and times of the files, what is looked for, by which version."""
    told: list[Any] = [version("ringwall"), decode]
    for file in files:
        told.append([file.name, file.size, file.mark])
    return hashlib.sha256(orjson.dumps(told)).hexdigest()


def _replace(path: Path, value: dict[str, Any]) -> None:
    draft = path.with_suffix(".new")
    with draft.open("wb") as file:
        file.write(orjson.dumps(value, option=orjson.OPT_INDENT_2))
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
