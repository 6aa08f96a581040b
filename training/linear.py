"""The linear tier: logistic regression on hashed n-grams.

python -m training.linear --data DIR --out FILE.npz
"""

import argparse
import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from ringwall.detect.learned.features import BITS, Features, features, squeezed
from ringwall.detect.learned.ngram import STRIDE, WINDOW, Ngrams

from .dataset import training_rows
from .rows import Row, read

ROWS = 1 << BITS
EVEN = 1500
"""Rows of one source and label from which it weighs only as their root."""


def windows(text: str, most: int = 40) -> list[np.ndarray]:
    """Feature rows of each window of a text, cut as ``Ngrams`` cuts them."""
    data = squeezed(text[:20_000])
    found = features(data)
    if len(data) <= WINDOW + STRIDE:
        return [found.rows]
    return [_between(found, low, low + WINDOW) for low in range(0, len(data) - STRIDE, STRIDE)][:most]


def _between(found: Features, low: int, high: int) -> np.ndarray:
    return found.rows[(found.starts >= low) & (found.starts < high)]


def train(rows: Sequence[Row], *, epochs: int = 8, rate: float = 0.1, seed: int = 1) -> Ngrams:
    """Adagrad on the logistic loss. Of an attack the window counts that the last epoch found worst."""
    chance = random.Random(seed)
    torch.manual_seed(seed)
    cut = [windows(row.text) for row in rows]
    weights = _weights(rows)
    worst = [
        chance.randrange(len(of)) if row.kind == "untrusted" else 0 for row, of in zip(rows, cut, strict=True)
    ]
    table = torch.nn.EmbeddingBag(2 * ROWS, 1, mode="sum", sparse=True)
    torch.nn.init.zeros_(table.weight)
    bias = torch.nn.Parameter(torch.zeros(2))
    optimisers = [torch.optim.Adagrad([table.weight], lr=rate), torch.optim.Adam([bias], lr=0.02)]
    for _ in range(epochs):
        order = chance.sample(range(len(rows)), len(rows))
        for at in range(0, len(order), 128):
            looks, labels, shares, outside = [], [], [], []
            for index in order[at : at + 128]:
                row, of = rows[index], cut[index]
                some = [of[worst[index]]] if row.label else chance.sample(of, min(3, len(of)))
                for look in some:
                    looks.append(look)
                    labels.append(0.98 * row.label + 0.01)
                    shares.append(weights[index] / len(some) ** 0.5)
                    outside.append(row.kind == "untrusted")
            given = _forward(table, bias, looks, outside)
            losses = functional.binary_cross_entropy_with_logits(
                given, torch.tensor(labels), reduction="none"
            )
            for optimiser in optimisers:
                optimiser.zero_grad()
            (losses * torch.tensor(shares)).mean().backward()
            for optimiser in optimisers:
                optimiser.step()
        model = _model(table, bias)
        for index, (row, of) in enumerate(zip(rows, cut, strict=True)):
            if row.label and len(of) > 1:
                worst[index] = int(np.argmax([look_score(model, look, row.kind) for look in of]))
    return _model(table, bias)


def look_score(model: Ngrams, look: np.ndarray, kind: str) -> float:
    """Log odds of one window."""
    outside = kind == "untrusted"
    values = model.common[look].sum() + (model.outside[look].sum() if outside else 0)
    return float(values / max(1, len(look)) ** 0.5 + model.bias[outside])


def _weights(rows: Sequence[Row]) -> list[float]:
    """A large source weighs less a row; both labels weigh the same together."""
    counts = Counter((row.source, row.label) for row in rows)
    shares = [min(1.0, EVEN / counts[row.source, row.label]) ** 0.5 for row in rows]
    totals = [sum(s for s, row in zip(shares, rows, strict=True) if row.label == label) for label in (0, 1)]
    return [s * sum(totals) / (2 * totals[row.label]) for s, row in zip(shares, rows, strict=True)]


def _forward(
    table: torch.nn.EmbeddingBag, bias: torch.Tensor, looks: Sequence[np.ndarray], outside: Sequence[bool]
) -> torch.Tensor:
    indices, offsets, scales, at = [], [], [], 0
    for look, out in zip(looks, outside, strict=True):
        used = np.concatenate([look, look + ROWS]) if out else look
        offsets.append(at)
        indices.append(used)
        scales.append(np.full(len(used), 1 / max(1, len(look)) ** 0.5, np.float32))
        at += len(used)
    flat = torch.from_numpy(np.concatenate(indices))
    sums = table(flat, torch.tensor(offsets), per_sample_weights=torch.from_numpy(np.concatenate(scales)))
    return sums[:, 0] + bias[torch.tensor([int(out) for out in outside])]


def _model(table: torch.nn.EmbeddingBag, bias: torch.Tensor) -> Ngrams:
    weights, offsets = table.weight.detach().numpy()[:, 0], bias.detach().numpy()
    return Ngrams(weights[:ROWS].copy(), weights[ROWS:].copy(), (float(offsets[0]), float(offsets[1])))


def save(model: Ngrams, path: Path) -> None:
    """As signed bytes with one step a table."""
    stored = {"bias": np.array(model.bias, np.float32)}
    for name, table in (("common", model.common), ("outside", model.outside)):
        step = float(np.quantile(np.abs(table[table != 0]), 0.9995)) / 127
        stored[name] = np.clip(np.round(table / step), -127, 127).astype(np.int8)
        stored[f"{name}_step"] = np.float32(step)
    np.savez_compressed(path, **stored)


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--data", type=Path, required=True)
    options.add_argument("--out", type=Path, required=True)
    options.add_argument("--seed", type=int, default=1)
    given = options.parse_args()
    held = list(read(given.data / "injection-dev.jsonl.gz"))
    model = train(training_rows(given.data, but=held, seed=given.seed), seed=given.seed)
    save(model, given.out)


if __name__ == "__main__":
    main()
