"""The exported ledger: one JSON Lines file that ``verify`` checks without the server and without any key.

The first line is the header, then one line a record, then one a checkpoint, then the end::

    {"format":"ringwall-ledger-bundle","size":1042,"version":1,"vkey":"…"}
    {"body":"<base64 ciphertext or null>","event":{…},"hashes":"<hex>","index":0}
    {"checkpoint":"…","size":1042}
    {"end":true}

Every line is in the canonical form of RFC 8785, and a reader refuses any other spelling: no byte of the
file is without meaning, so none can change unseen. Text of people is in it only as ciphertext.
"""

import base64
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import orjson
import rfc8785

from ringwall.core import DataError

FORMAT = "ringwall-ledger-bundle"
VERSION = 1
MAX_LINE = 160 * 1024 * 1024
"""Longest line that a reader takes: above the largest record."""


def write_bundle(
    path: Path, vkey: str, size: int, rows: Iterator[tuple[bytes, bytes | None, bytes]], notes: Iterator[str]
) -> None:
    """``rows``: event, ciphertext and hashes of each record, in order. The file appears whole or not at all
    and is readable by its owner only."""
    draft = path.with_name(f".{path.name}.{os.urandom(8).hex()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            _write(file, {"format": FORMAT, "version": VERSION, "size": size, "vkey": vkey})
            for index, (event, body, hashes) in enumerate(rows):
                sealed = b"null" if body is None else b'"' + base64.b64encode(body) + b'"'
                head = b'{"body":' + sealed + b',"event":' + event
                file.write(head + f',"hashes":"{hashes.hex()}","index":{index}}}\n'.encode())
            for note in notes:
                _write(file, {"checkpoint": note})
            _write(file, {"end": True})
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _write(file: BinaryIO, line: dict[str, Any]) -> None:
    file.write(orjson.dumps(line, option=orjson.OPT_SORT_KEYS) + b"\n")


def read_lines(file: BinaryIO) -> Iterator[tuple[int, dict[str, Any] | DataError]]:
    """Line numbers (from 1) with what stands there, or why it can't be taken."""
    number = 0
    while raw := file.readline(MAX_LINE):
        number += 1
        yield number, _parsed(raw)


def _parsed(raw: bytes) -> dict[str, Any] | DataError:
    if not raw.endswith(b"\n"):
        return DataError("the line is cut off or too long")
    try:
        line = orjson.loads(raw)
        if not isinstance(line, dict):
            raise ValueError
        same = orjson.dumps(line, option=orjson.OPT_SORT_KEYS) + b"\n" == raw
        if not same and rfc8785.dumps(line) + b"\n" != raw:
            return DataError("the line is not in canonical form: it was changed")
    except (ValueError, TypeError, RecursionError):
        return DataError("the line is no JSON object: it was changed")
    return line
