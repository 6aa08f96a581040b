"""The trained encoder as INT8 ONNX.

    python -m training.export --model DIR --out DIR
"""

import argparse
import shutil
import tempfile
from pathlib import Path

import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.transformers import optimizer
from transformers import BertConfig, BertModel

from .encoder import LAYERS, Detector


def restored(state: dict[str, torch.Tensor]) -> Detector:
    """The model of a saved state."""
    rows, width = state["encoder.embeddings.word_embeddings.weight"].shape
    config = BertConfig(
        vocab_size=rows, hidden_size=width, num_hidden_layers=LAYERS, num_attention_heads=12, intermediate_size=1536,
        max_position_embeddings=512, layer_norm_eps=1e-12, pad_token_id=1, attn_implementation="eager",
        type_vocab_size=state["encoder.embeddings.token_type_embeddings.weight"].shape[0],
    )  # fmt: skip
    model = Detector(BertModel(config, add_pooling_layer=False))
    model.load_state_dict(state)
    return model.eval()


def export(model: Detector, path: Path) -> None:
    """Fused for BERT, weights as signed bytes a channel, activations quantised as they come."""
    example = torch.randint(5, 1000, (2, 32))
    axes = {"ids": {0: "batch", 1: "tokens"}, "mask": {0: "batch", 1: "tokens"}, "logits": {0: "batch"}}
    with tempfile.TemporaryDirectory() as folder:
        plain, fused = Path(folder) / "plain.onnx", Path(folder) / "fused.onnx"
        torch.onnx.export(
            model, (example, torch.ones_like(example)), str(plain), input_names=["ids", "mask"], output_names=["logits"],
            dynamic_axes=axes, opset_version=17, dynamo=False,
        )  # fmt: skip
        optimizer.optimize_model(str(plain), model_type="bert", num_heads=12, hidden_size=384, opt_level=0).save_model_to_file(str(fused))
        quantize_dynamic(str(fused), str(path), weight_type=QuantType.QInt8, per_channel=True, extra_options={"DefaultTensorType": 1})


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--model", type=Path, required=True)
    options.add_argument("--out", type=Path, required=True)
    given = options.parse_args()
    export(restored(torch.load(given.model / "model.pt", weights_only=True)), given.out / "encoder.onnx")
    shutil.copy(given.model / "tokenizer.json", given.out / "tokenizer.json")


if __name__ == "__main__":
    main()
