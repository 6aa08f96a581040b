"""The transformer tier: a small multilingual encoder on onnxruntime, an extra.

Only there when the packages of the extra ``transformer`` are installed; the weights come with Ringwall.
"""

import heapq
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.resources import as_file, files
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np

from .sentences import SHORTEST, Span, rise, sentences

WINDOW, OVERLAP = 160, 32
"""Tokens of one look at a long text, and those that the next one shares with it."""
MOST_WINDOWS = 48
"""Windows of one text that are read."""
LONGEST = 24_000
"""Characters of a text that is read as a whole; of a longer one sentences are read, those most in doubt."""
_SENTENCES, _PER_SENTENCE, _MOST_SENTENCES = 64, 1000, 512
"""Sentences of a long text that are read: so many, one more for so many characters, at most so many."""
_SUSPECTS, _SUSPECT = 12, 3.0
"""Parts of one text that get a second look, and the log odds from which they do."""
_AROUND = 240
"""Characters to both sides of the middle of a sentence that is read in its surroundings."""
_CHEAPER, _NEUTRAL = 0.5, 1.0
"""Weight of the cheaper detector's log odds in a second look, and those at which it says nothing."""
_BATCH = 8
_PAD, _END = 1, 2


class Look(NamedTuple):
    """Tokens of a part of a text, and the characters that it covers."""

    tokens: list[int]
    span: Span


class Logits(NamedTuple):
    """Log odds of the worst part of a text."""

    attack: float
    """Of an attack against none."""
    jailbreak: float
    """Of a jailbreak against an injection, given that it is one."""
    harm: float
    """Of a harmful topic."""
    span: Span
    """That part, in characters of the text: a window, or the sentence that was seen in it."""


Doubt = Callable[[str], float]
"""Log odds that a cheaper detector gives a piece of text. ``-inf``: it need not be read."""


EXTRA = "The transformer tier needs the extra: pip install 'ringwall[transformer]'."


def available() -> bool:
    """Whether the packages of the extra are installed."""
    return find_spec("onnxruntime") is not None and find_spec("tokenizers") is not None


def _neutral(_piece: str) -> float:
    return _NEUTRAL


@dataclass(frozen=True, slots=True)
class Encoder:
    """Thread-safe; each call uses one core."""

    session: Any
    words: Any
    prefixes: tuple[tuple[int, ...], tuple[int, ...]]
    """Tokens ahead of what somebody typed, and of text from outside, the start mark included."""

    def score(self, text: str, *, untrusted: bool = False, doubt: Doubt = _neutral, among: int = 1) -> Logits:
        """Of a text of one window, what the model says of it. Of a longer one from outside every suspect
        part is looked at twice, as a sentence and in its surroundings, and both count: among hundreds of
        windows some innocent one always reads like an order. ``among`` how many readings of it that are
        looked at. Raises RuntimeError when the runtime fails."""
        if not text.isascii():
            text = text.encode("utf-8", "replace").decode()  # lone surrogates are no text to the tokenizer
        if len(text) > LONGEST:
            return self._of_sentences(text, untrusted, doubt, among)
        looks = self._windows(text, untrusted)
        if len(looks) > MOST_WINDOWS:
            looks = heapq.nlargest(MOST_WINDOWS, looks, key=lambda look: doubt(text[slice(*look.span)]))
        seen = self._seen(looks)
        if not untrusted or len(looks) == 1:
            return _worst(seen)
        suspects = _suspects(seen)
        within = [sentences(text, *window.span) for window in suspects]
        spans = sorted({span for some in within for span in some})
        closer = dict(zip(spans, self._read(text, spans, untrusted), strict=True))
        pairs = [
            (window, closer[span]) for window, some in zip(suspects, within, strict=True) for span in some
        ]
        return _twice(text, seen, pairs, doubt, rise(among * len(text)))

    def _of_sentences(self, text: str, untrusted: bool, doubt: Doubt, among: int) -> Logits:
        most = min(_MOST_SENTENCES, _SENTENCES + len(text) // _PER_SENTENCE)
        doubts = heapq.nlargest(most, ((doubt(text[low:high]), low, high) for low, high in sentences(text)))
        spans = [(low, high) for odds, low, high in doubts if odds > -np.inf] or [(0, SHORTEST)]
        seen = self._read(text, spans, untrusted)
        suspects = _suspects(seen)
        middles = [sum(one.span) // 2 for one in suspects]
        around = [(max(0, at - _AROUND), at + _AROUND) for at in middles]
        windows = self._read(text, around, untrusted)
        pairs = list(zip(windows, suspects, strict=True))
        return _twice(text, seen, pairs, doubt, rise(among * len(text)))

    def _read(self, text: str, spans: Sequence[Span], untrusted: bool) -> list[Logits]:
        """Each of these parts, as far as it fits a window."""
        prefix = self.prefixes[untrusted]
        room = WINDOW - len(prefix) - 1
        encoded = self.words.encode_batch([text[low:high] for low, high in spans], add_special_tokens=False)
        return self._seen(
            [Look([*prefix, *one.ids[:room], _END], span) for one, span in zip(encoded, spans, strict=True)]
        )

    def _windows(self, text: str, untrusted: bool) -> list[Look]:
        """All of a text, in windows that overlap."""
        prefix = self.prefixes[untrusted]
        encoded = self.words.encode(text, add_special_tokens=False)
        body, room = encoded.ids, WINDOW - len(prefix) - 1
        if len(body) <= room:
            return [Look([*prefix, *body, _END], (0, len(text)))]
        count = -(-(len(body) - OVERLAP) // (room - OVERLAP))
        length = min(room, -(-(len(body) + OVERLAP * (count - 1)) // count))  # alike, so that none is padded
        starts = [at * (len(body) - length) // (count - 1) for at in range(count)]
        offsets = encoded.offsets
        return [
            Look(
                [*prefix, *body[at : at + length], _END],
                (offsets[at][0], offsets[at + length - 1][1]),
            )
            for at in starts
        ]

    def _seen(self, looks: Sequence[Look]) -> list[Logits]:
        """In the order of the looks; run are those of like length together, so that little is padded."""
        if not looks:
            return []
        order = sorted(range(len(looks)), key=lambda at: len(looks[at].tokens))
        runs = [
            self._run([looks[at].tokens for at in order[low : low + _BATCH]])
            for low in range(0, len(order), _BATCH)
        ]
        logits = np.concatenate(runs)[np.argsort(order)].astype(np.float64)
        high = logits[:, 1:3].max(1)
        odds = high + np.log1p(np.exp(logits[:, 1:3].min(1) - high)) - logits[:, 0]
        return [
            Logits(float(attack), float(row[2] - row[1]), float(row[3]), look.span)
            for attack, row, look in zip(odds, logits, looks, strict=True)
        ]

    def _run(self, looks: Sequence[Sequence[int]]) -> Any:
        longest = max(map(len, looks))
        ids = np.full((len(looks), longest), _PAD, np.int64)
        for at, look in enumerate(looks):
            ids[at, : len(look)] = look
        return self.session.run(None, {"ids": ids, "mask": (ids != _PAD).astype(np.int64)})[0]


def _worst(seen: Sequence[Logits]) -> Logits:
    worst = max(seen, key=lambda one: one.attack)
    return worst._replace(harm=max(one.harm for one in seen))


def _suspects(seen: Sequence[Logits]) -> list[Logits]:
    return heapq.nlargest(
        _SUSPECTS, (one for one in seen if one.attack > _SUSPECT), key=lambda one: one.attack
    )


def _twice(
    text: str, seen: Sequence[Logits], pairs: Sequence[tuple[Logits, Logits]], doubt: Doubt, raised: float
) -> Logits:
    """The worst of what was seen. Of suspects the window, the sentence and the cheaper detector must agree;
    and a longer text has more chances to look bad, so that the bar rises with the logarithm of its length."""
    clear = [one for one in seen if one.attack <= _SUSPECT]
    judged = [
        sentence._replace(
            attack=(window.attack + sentence.attack) / 2
            + _CHEAPER * (doubt(text[slice(*sentence.span)]) - _NEUTRAL)
            - raised
        )
        for window, sentence in pairs
    ]
    return _worst([*clear, *judged] or seen)


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
