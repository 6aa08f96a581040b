"""Joins the tiers: logistic regression on what each says of texts that none of them was trained on.

    python -m training.calibrate --data DIR [--write]

Prints, for both sets of tiers, recall at 1% false positives by source, each source left out of the fit in turn. The
logistic regression is fitted with both labels of equal weight; then each kind of text is shifted so that of the innocent texts
(held-out ones, and instructions with their answers that no model was trained on) ``SPARED`` lie below ``BAR``, the default
threshold of the control: attacks are rare, and a user who is stopped for nothing switches a defence off.
"""

import argparse
import gzip
import json
import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from ringwall.detect import assess
from ringwall.detect.learned import Tier, best_tier, opinion

from .rows import Row, read

WEIGHTS = Path(__file__).parent.parent / "src/ringwall/detect/learned/weights"
RATE = 0.01
BAR, SPARED = 0.75, 0.995
CHECKING = ("codealpaca", "alpaca_eval")
"""Sources of instructions that train nothing."""


def columns(rows: Sequence[Row]) -> np.ndarray:
    """Per row: n-grams, signatures, encoder, and 1 for text from outside."""
    tier = best_tier()
    out = []
    for at, row in enumerate(rows):
        outside = row.kind == "untrusted"
        found = opinion(row.text, untrusted=outside, tier=tier)
        simple = found if tier is Tier.NGRAMS else opinion(row.text, untrusted=outside, tier=Tier.NGRAMS)
        encoder = found.encoder.attack if found.encoder else 0.0
        out.append((simple.ngrams, assess(row.text).attack, encoder, float(outside)))
        if at % 500 == 499:
            print(f"{at + 1} of {len(rows)}", flush=True)
    return np.array(out, np.float32)


def innocent(folder: Path, most: int = 1000) -> list[Row]:
    """Requests, and answers as documents, of sources that train nothing."""
    rows = []
    with gzip.open(folder / "instructions.jsonl.gz", "rt", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            if row["source"] in CHECKING:
                rows += [
                    Row(row["input"], 0, row["source"], row["licence"], "user"),
                    Row(row["output"], 0, row["source"], row["licence"], "untrusted"),
                ]
    chance = random.Random(3)
    kinds = ("user", "untrusted")
    return [
        row
        for kind in kinds
        for row in chance.sample([one for one in rows if one.kind == kind and one.text.strip()], most)
    ]


def shifted(weights: np.ndarray, of: np.ndarray, used: Sequence[int]) -> dict[str, list[float]]:
    """Bias and weights by kind, so that ``SPARED`` of these innocent texts score less than ``BAR``."""
    out = {}
    for kind, outside in (("user", 0), ("untrusted", 1)):
        given = score(of[of[:, 3] == outside], weights, used)
        bias = weights[0] + outside * weights[1] + np.log(BAR / (1 - BAR)) - np.quantile(given, SPARED)
        out[kind] = [round(float(value), 4) for value in (bias, *weights[2:])]
    return out


def fit(of: np.ndarray, rows: Sequence[Row], used: Sequence[int]) -> np.ndarray:
    """Bias, bias of text from outside, and a weight for each used column; weights are not negative."""
    labels = torch.tensor([float(row.label) for row in rows])
    counts = Counter((row.source, row.label) for row in rows)
    shares = torch.tensor([counts[row.source, row.label] ** -0.5 for row in rows])
    for label in (0.0, 1.0):
        shares[labels == label] /= shares[labels == label].sum()
    columns_ = torch.tensor(of[:, [3, *used]])
    free = torch.zeros(2 + len(used), requires_grad=True)
    optimiser = torch.optim.LBFGS([free], max_iter=200)

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        weights = functional.softplus(free[2:])
        given = free[0] + columns_[:, 0] * free[1] + columns_[:, 1:] @ weights
        value = (
            functional.binary_cross_entropy_with_logits(given, labels, reduction="none") * shares
        ).sum() + 1e-3 * weights.square().sum()
        value.backward()
        return value

    optimiser.step(loss)
    found = free.detach()
    return np.concatenate([found[:2].numpy(), functional.softplus(found[2:]).numpy()])


def score(of: np.ndarray, weights: np.ndarray, used: Sequence[int]) -> np.ndarray:
    return weights[0] + of[:, 3] * weights[1] + of[:, list(used)] @ weights[2:]


def report(of: np.ndarray, rows: Sequence[Row], used: Sequence[int]) -> dict[str, float]:
    """Recall by attack source at ``RATE`` false positives over all benign rows; the source is not in the fit."""
    labels = np.array([row.label for row in rows])
    sources = sorted({row.source for row in rows if row.label})
    recalls = {}
    for source in sources:
        kept = [i for i, row in enumerate(rows) if row.source != source]
        weights = fit(of[kept], [rows[i] for i in kept], used)
        given = score(of, weights, used)
        bar = np.quantile(given[labels == 0], 1 - RATE)
        recalls[source] = float(
            np.mean([given[i] > bar for i, row in enumerate(rows) if row.source == source and row.label])
        )
    return recalls


def false_alarms(of: np.ndarray, rows: Sequence[Row], used: Sequence[int]) -> dict[str, float]:
    """Share of each benign source above the bar of 1% over all."""
    given = score(of, fit(of, rows, used), used)
    labels = np.array([row.label for row in rows])
    bar = np.quantile(given[labels == 0], 1 - RATE)
    sources = sorted({row.source for row in rows if not row.label})
    return {
        s: float(np.mean([given[i] > bar for i, row in enumerate(rows) if row.source == s and not row.label]))
        for s in sources
    }


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--data", type=Path, required=True)
    options.add_argument("--write", action="store_true")
    given = options.parse_args()
    rows = list(read(given.data / "injection-dev.jsonl.gz"))
    of = columns(rows)
    spared = np.concatenate([of[[not row.label for row in rows]], columns(innocent(given.data))])
    stored = {}
    sets = {"signatures": [1], "ngrams": [0, 1]} | (
        {"encoder": [0, 1, 2]} if best_tier() is Tier.ENCODER else {}
    )
    for name, used in sets.items():
        recalls = report(of, rows, used)
        print(f"\n{name}: macro recall at 1% false positives {np.mean(list(recalls.values())):.3f}")
        print({source: round(value, 2) for source, value in recalls.items()})
        print(
            "false alarms:",
            {source: round(value, 3) for source, value in false_alarms(of, rows, used).items() if value},
        )
        if name != "signatures":
            stored[name] = shifted(fit(of, rows, used), spared, used)
            print("weights:", stored[name])
            for kind, outside in (("user", 0.0), ("untrusted", 1.0)):
                mine = [i for i, row in enumerate(rows) if (row.kind == "untrusted") == bool(outside)]
                bias, *rest = stored[name][kind]
                over = bias + of[:, list(used)] @ np.array(rest) >= np.log(BAR / (1 - BAR))
                for label in (1, 0):
                    print(
                        f"{kind}, label {label}: {np.mean([over[i] for i in mine if rows[i].label == label]):.3f} over the default threshold"
                    )
    if given.write:
        (WEIGHTS / "calibration.json").write_text(json.dumps(stored, indent=1) + "\n")


if __name__ == "__main__":
    main()
