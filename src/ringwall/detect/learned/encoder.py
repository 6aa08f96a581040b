"""The transformer tier: a small multilingual encoder on onnxruntime, an extra.

Only there when the packages of the extra ``transformer`` are installed; the weights come with Ringwall.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.resources import as_file, files
from importlib.util import find_spec
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

WINDOW, OVERLAP = 160, 32
"""Tokens of one look at a long text, and those that the next one shares with it."""
MOST_WINDOWS = 48
"""Looks at one text; beyond it they are spread evenly, with gaps."""
LONGEST = 60_000
"""Characters that are cut into tokens: the two ends of a longer text."""
_BATCH = 8
_PAD, _END = 1, 2


class Logits(NamedTuple):
    """Log odds of the worst window of a text."""

    attack: float
    """Of an attack against none."""
    jailbreak: float
    """Of a jailbreak against an injection, given that it is one."""
    harm: float
    """Of a harmful topic."""
    span: tuple[int, int]
    """The window, in characters of the text."""
    whole: bool = True
    """False when the text was too long to be read without gaps."""


EXTRA = "The transformer tier needs the extra: pip install 'ringwall[transformer]'."


def available() -> bool:
    """Whether the packages of the extra are installed."""
    return find_spec("onnxruntime") is not None and find_spec("tokenizers") is not None


@dataclass(frozen=True, slots=True)
class Encoder:
    """Thread-safe; each call uses one core."""

    session: Any
    words: Any
    prefixes: tuple[tuple[int, ...], tuple[int, ...]]
    """Tokens ahead of what somebody typed, and of text from outside, the start mark included."""

    def score(self, text: str, *, untrusted: bool = False) -> Logits:
        """Raises RuntimeError when the runtime fails."""
        looks, spans = self._looks(text, self.prefixes[untrusted])
        logits = np.concatenate([self._run(looks[at : at + _BATCH]) for at in range(0, len(looks), _BATCH)])
        high = logits[:, 1:3].max(1)
        odds = high + np.log1p(np.exp(logits[:, 1:3].min(1) - high)) - logits[:, 0]
        worst = int(odds.argmax())
        jailbreak = float(logits[worst, 2] - logits[worst, 1])
        whole = len(text) <= LONGEST and all(b >= c for (_, b), (c, _) in pairwise(spans))
        return Logits(float(odds[worst]), jailbreak, float(logits[:, 3].max()), spans[worst], whole)

    def _looks(self, text: str, prefix: Sequence[int]) -> tuple[list[list[int]], list[tuple[int, int]]]:
        """Token windows, and what they cover of the text."""
        cut = len(text) - LONGEST if len(text) > LONGEST else 0
        if cut:
            text = text[: LONGEST // 2] + text[-LONGEST // 2 :]
        if not text.isascii():
            text = text.encode("utf-8", "replace").decode()  # lone surrogates are no text to the tokenizer
        encoded = self.words.encode(text, add_special_tokens=False)
        body, room = encoded.ids, WINDOW - len(prefix) - 1
        if len(body) <= room:
            return [[*prefix, *body, _END]], [(0, len(text) + cut)]
        count = min(MOST_WINDOWS, -(-(len(body) - OVERLAP) // (room - OVERLAP)))
        length = min(room, -(-(len(body) + OVERLAP * (count - 1)) // count))  # alike, so that none is padded
        starts = [at * (len(body) - length) // (count - 1) for at in range(count)]
        offsets = encoded.offsets
        places = [(offsets[at][0], offsets[at + length - 1][1]) for at in starts]
        spans = [(a + cut * (a >= LONGEST // 2), b + cut * (b > LONGEST // 2)) for a, b in places]
        return [[*prefix, *body[at : at + length], _END] for at in starts], spans

    def _run(self, looks: Sequence[Sequence[int]]) -> Any:
        longest = max(map(len, looks))
        ids = np.full((len(looks), longest), _PAD, np.int64)
        for at, look in enumerate(looks):
            ids[at, : len(look)] = look
        return self.session.run(None, {"ids": ids, "mask": (ids != _PAD).astype(np.int64)})[0]


_LOADING = threading.Lock()


def encoder() -> Encoder:
    """The encoder that ships with Ringwall, loaded once. Raises LookupError without the extra."""
    with _LOADING:
        return _loaded()


@cache
def _loaded() -> Encoder:
    if not available():
        raise LookupError(EXTRA)
    runtime, tokenizers = import_module("onnxruntime"), import_module("tokenizers")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    weights = files(__package__) / "weights"
    with as_file(weights / "encoder.onnx") as path:
        session = runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    words = tokenizers.Tokenizer.from_str((weights / "tokenizer.json").read_text("utf-8"))
    prefixes = tuple(tuple(words.encode(text).ids[:-1]) for text in ("query: ", "passage: "))
    return Encoder(session, words, (prefixes[0], prefixes[1]))
