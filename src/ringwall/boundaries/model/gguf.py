"""GGUF, walked from end to end within bounds, before a C++ parser gets to see it.

After the specification in ggml's ``docs/gguf.md`` (versions 2 and 3, little-endian). Memory-safety faults in
loaders came from counts, lengths and offsets that nobody held against the file: each is, here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO

from .chat_template import inspect_template
from .reading import Malformed, Reader

_MAX_KEYS = 65_536
_MAX_TENSORS = 262_144
_MAX_KEY = 65_535
_MAX_STRING = 4 * 1024 * 1024
_MAX_ELEMENTS = 16_777_216
_MAX_DEPTH = 2
_MAX_TENSOR_NAME = 64
_MAX_DIMENSIONS = 4
_MAX_PRODUCT = 2**63 - 1
_SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
"""Bytes of each scalar value type; 8 is a string, 9 an array."""
_STRING, _ARRAY, _UINT32 = 8, 9, 4

_BLOCKS: Mapping[int, tuple[int, int]] = {
    0: (1, 4),
    1: (1, 2),
    2: (32, 18),
    3: (32, 20),
    6: (32, 22),
    7: (32, 24),
    8: (32, 34),
    9: (32, 36),
    10: (256, 84),
    11: (256, 110),
    12: (256, 144),
    13: (256, 176),
    14: (256, 210),
    15: (256, 292),
    16: (256, 66),
    17: (256, 74),
    18: (256, 98),
    19: (256, 50),
    20: (32, 18),
    21: (256, 110),
    22: (256, 82),
    23: (256, 136),
    24: (1, 1),
    25: (1, 2),
    26: (1, 4),
    27: (1, 8),
    28: (1, 8),
    29: (256, 56),
    30: (1, 2),
    34: (256, 54),
    35: (256, 66),
    39: (32, 17),
}
"""ggml tensor type to (weights in a block, bytes of a block)."""


@dataclass(frozen=True, slots=True)
class _Tensor:
    name: str
    offset: int
    size: int | None
    """Bytes; None for a type that is not known here."""


def check_gguf(file: BinaryIO, size: int) -> tuple[list[str], list[str]]:
    """(refusals, notes) about the content. Raises Malformed when the structure is not sound."""
    reader = Reader(file, size)
    if reader.take(4, "the magic number") != b"GGUF":
        raise Malformed("it does not begin with GGUF")
    version = reader.u32("the version")
    if version not in (2, 3):
        raise Malformed(f"version {version} is not supported")
    tensors, keys = reader.u64("the tensor count"), reader.u64("the key count")
    if tensors > _MAX_TENSORS:
        raise Malformed(f"it declares {tensors} tensors, more than {_MAX_TENSORS}")
    if keys > _MAX_KEYS:
        raise Malformed(f"it declares {keys} keys, more than {_MAX_KEYS}")
    templates, alignment = _keys(reader, keys)
    notes = _tensors(reader, tensors, alignment, size)
    refusals: list[str] = []
    for name, template in templates.items():
        verdict = inspect_template(template)
        refusals.extend(f"The chat template '{name}' {what}." for what in verdict.refusals)
        notes.extend(f"The chat template '{name}' {what}." for what in verdict.notes)
    return refusals, notes


def _keys(reader: Reader, count: int) -> tuple[dict[str, str], int]:
    """Chat templates by key, and the alignment."""
    templates: dict[str, str] = {}
    alignment = 32
    seen: set[str] = set()
    for _ in range(count):
        key = reader.text(_MAX_KEY, "a key")
        if key in seen:
            raise Malformed("a key occurs twice")
        seen.add(key)
        kind = reader.u32("a value type")
        if kind == _STRING and key.startswith("tokenizer.chat_template"):
            templates[key] = reader.text(_MAX_STRING, "a chat template")
        elif key == "general.alignment":
            if kind != _UINT32:
                raise Malformed("the alignment is no 32-bit number")
            alignment = reader.u32("the alignment")
        else:
            _skip_value(reader, kind, 0)
    if not 8 <= alignment <= 65_536 or alignment & (alignment - 1):
        raise Malformed(f"the alignment {alignment} is no power of two from 8 to 65536")
    return templates, alignment


def _skip_value(reader: Reader, kind: int, depth: int) -> None:
    if kind in _SIZES:
        reader.skip(_SIZES[kind], "a value")
    elif kind == _STRING:
        reader.skip_text(_MAX_STRING, "a text value")
    elif kind == _ARRAY:
        _skip_array(reader, depth)
    else:
        raise Malformed(f"a value has the unknown type {kind}")


def _skip_array(reader: Reader, depth: int) -> None:
    if depth >= _MAX_DEPTH:
        raise Malformed("arrays are nested too deeply")
    kind, count = reader.u32("an array type"), reader.u64("an array length")
    if count > _MAX_ELEMENTS:
        raise Malformed(f"an array declares {count} elements, more than {_MAX_ELEMENTS}")
    if kind in _SIZES:
        reader.skip(_SIZES[kind] * count, "an array")
        return
    for _ in range(count):
        _skip_value(reader, kind, depth + 1)


def _tensors(reader: Reader, count: int, alignment: int, size: int) -> list[str]:
    """Notes. Every tensor must lie inside the file, aligned, and overlap no other."""
    found = [_tensor(reader) for _ in range(count)]
    if len({tensor.name for tensor in found}) != len(found):
        raise Malformed("a tensor name occurs twice")
    start = -(-reader.at // alignment) * alignment
    end = start
    notes: list[str] = []
    unknown = False
    for tensor in sorted(found, key=lambda tensor: tensor.offset):
        if tensor.offset % alignment:
            raise Malformed("a tensor is not aligned")
        begin = start + tensor.offset
        if begin < end:
            raise Malformed("two tensors overlap")
        if begin + (tensor.size or 0) > size:
            raise Malformed("a tensor lies outside the file")
        end = begin + (tensor.size or 1)
        unknown = unknown or tensor.size is None
    if unknown:
        notes.append(
            "It has tensors of a type whose size is not known here: only their offsets were checked."
        )
    elif size > max(-(-end // alignment) * alignment, reader.at):
        raise Malformed("there is something after the last tensor")
    return notes


def _tensor(reader: Reader) -> _Tensor:
    name = reader.text(_MAX_TENSOR_NAME, "a tensor name")
    dimensions = reader.u32("a tensor's dimensions")
    if not 1 <= dimensions <= _MAX_DIMENSIONS:
        raise Malformed(f"a tensor has {dimensions} dimensions")
    weights, first = 1, 1
    for index in range(dimensions):
        extent = reader.u64("a tensor's extent")
        if extent == 0:
            raise Malformed("a tensor is empty")
        first = extent if index == 0 else first
        weights *= extent
        if weights > _MAX_PRODUCT:
            raise Malformed("a tensor's extents overflow")
    kind, offset = reader.u32("a tensor type"), reader.u64("a tensor offset")
    block = _BLOCKS.get(kind)
    if block is None:
        return _Tensor(name, offset, None)
    if first % block[0]:
        raise Malformed("a tensor's rows are no whole number of blocks")
    return _Tensor(name, offset, weights // block[0] * block[1])
