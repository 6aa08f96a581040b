"""Text in pictures, by tesseract: a program of its own, without a shell, under the limits of its caller."""

import csv
import io
import subprocess
from collections.abc import Callable
from typing import Any

from ringwall.detect.files import Refused

_SURE = 55.0
"""Least confidence, of 100, of a word that counts."""
_SECONDS = 30


def recogniser(engine: str, languages: str) -> Callable[[Any], str]:
    """Reads a ``PIL.Image.Image``: its lines, without words that tesseract itself is not sure of."""

    def read(picture: Any) -> str:
        out = io.BytesIO()
        picture.save(out, "PPM")
        arguments = [engine, "stdin", "stdout", "-l", languages, "--psm", "11", "tsv"]
        try:
            done = subprocess.run(
                arguments, input=out.getvalue(), capture_output=True, timeout=_SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            raise Refused("time") from None
        if done.returncode != 0:
            raise Refused("ocr")
        return _lines(done.stdout.decode("utf-8", "replace"))

    return read


def _lines(table: str) -> str:
    lines: dict[tuple[str, ...], list[str]] = {}
    for row in csv.DictReader(io.StringIO(table), delimiter="\t", quoting=csv.QUOTE_NONE):
        word = (row.get("text") or "").strip()
        try:
            sure = float(row.get("conf") or -1) >= _SURE
        except ValueError:
            continue
        if word and sure:
            lines.setdefault(
                tuple(str(row.get(key)) for key in ("block_num", "par_num", "line_num")), []
            ).append(word)
    return "\n".join(" ".join(words) for words in lines.values())
