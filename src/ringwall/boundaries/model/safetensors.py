"""safetensors: a length, a JSON header, the tensors. Checked as strictly as its own loader does.

After the format's specification: offsets in range, no overlaps, no holes, nothing after the last tensor.
"""

from typing import Any, BinaryIO, TypeGuard

import orjson

from .reading import Malformed, Reader

_MAX_HEADER = 100_000_000
_MAX_TENSORS = 262_144
_BITS = {
    "BOOL": 8,
    "U8": 8,
    "I8": 8,
    "F8_E4M3": 8,
    "F8_E5M2": 8,
    "F8_E8M0": 8,
    "I16": 16,
    "U16": 16,
    "F16": 16,
    "BF16": 16,
    "I32": 32,
    "U32": 32,
    "F32": 32,
    "I64": 64,
    "U64": 64,
    "F64": 64,
    "C64": 64,
}


def check_safetensors(file: BinaryIO, size: int) -> list[str]:
    """Notes. Raises Malformed when the structure is not sound."""
    reader = Reader(file, size)
    length = reader.u64("the header length")
    if length > _MAX_HEADER:
        raise Malformed(f"the header is {length} bytes long, more than {_MAX_HEADER}")
    header = _header(reader.take(length, "the header"))
    tensors = [_span(spec) for name, spec in header.items() if name != "__metadata__"]
    if len(tensors) > _MAX_TENSORS:
        raise Malformed(f"it declares {len(tensors)} tensors, more than {_MAX_TENSORS}")
    end = 0
    for start, stop in sorted(tensors):
        if start != end:
            raise Malformed("tensors overlap" if start < end else "there is a hole between tensors")
        end = stop
    if end != size - reader.at:
        inside = end < size - reader.at
        raise Malformed("there is something after the last tensor" if inside else "a tensor lies outside it")
    return []


def _header(raw: bytes) -> dict[str, Any]:
    try:
        header = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise Malformed("the header is no JSON") from None
    if not isinstance(header, dict):
        raise Malformed("the header is no JSON object")
    metadata = header.get("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise Malformed("the metadata are no texts by name")
    return header


def _span(spec: Any) -> tuple[int, int]:
    if not isinstance(spec, dict):
        raise Malformed("a tensor is no object")
    shape, offsets, bits = spec.get("shape"), spec.get("data_offsets"), _BITS.get(str(spec.get("dtype")))
    if bits is None:
        raise Malformed("a tensor has an unknown type")
    if not _counts(shape) or not _counts(offsets) or len(offsets) != 2:
        raise Malformed("a tensor has no valid shape or offsets")
    weights = 1
    for extent in shape:
        weights *= extent
        if weights > 2**63 - 1:
            raise Malformed("a tensor's extents overflow")
    start, stop = offsets
    if start > stop or (stop - start) * 8 != weights * bits:
        raise Malformed("a tensor's offsets don't fit its shape")
    return start, stop


def _counts(value: Any) -> TypeGuard[list[int]]:
    return isinstance(value, list) and all(
        isinstance(item, int) and not isinstance(item, bool) and item >= 0 for item in value
    )
