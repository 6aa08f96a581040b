"""Labelled texts: read, filtered by licence, without near copies."""

import gzip
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

NOT_PERMISSIVE = frozenset({"unclear", "research only", "CC-BY-SA-4.0"})
"""Rows that may check a model and never train one that ships."""
_UNTRUSTED = ("bipia:", "injecagent:")
"""Sources whose texts are documents and tool results."""
_LETTERS = re.compile(r"[\W\d_]+")


@dataclass(frozen=True, slots=True)
class Row:
    text: str
    label: int
    """1 attack, 0 benign."""
    source: str
    licence: str
    kind: str = "user"
    """``user``: what somebody typed; ``untrusted``: a document or tool result."""
    lang: str = ""


def read(path: Path) -> Iterator[Row]:
    """Rows of a gzipped JSON-lines file with ``text``, ``label``, ``source``, ``licence``."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            kind = "untrusted" if row["source"].startswith(_UNTRUSTED) else "user"
            yield Row(row["text"], row["label"], row["source"], row["licence"], kind)


def permissive(rows: Iterable[Row]) -> list[Row]:
    """Those that may train what ships."""
    return [row for row in rows if row.licence not in NOT_PERMISSIVE]


def distinct(rows: Iterable[Row], but: Iterable[Row] = ()) -> list[Row]:
    """Without rows whose letters are those of an earlier row, or of a row in ``but`` (what a model is tested on)."""
    seen = {_key(row) for row in but}
    out = []
    for row in rows:
        key = _key(row)
        if key[0] and key not in seen:
            seen.add(key)
            out.append(row)
    return out


def _key(row: Row) -> tuple[str, str]:
    return _LETTERS.sub("", row.text.lower())[:400], row.kind
