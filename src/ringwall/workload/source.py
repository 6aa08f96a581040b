"""YAML with places: every value knows its line and column, so that every complaint can name them.

Only the plain subset is read: no aliases (they can blow up), no custom tags, no duplicate keys; size and
depth are bounded.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from ringwall.core import ConfigError, Problem

MAX_BYTES = 1 << 20
MAX_DEPTH = 40
Path_ = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """A parsed file: its data, and where each value and key stands (1-based line and column)."""

    name: str
    data: Any
    values: Mapping[Path_, tuple[int, int]] = field(default_factory=dict)
    keys: Mapping[Path_, tuple[int, int]] = field(default_factory=dict)

    def problem(self, message: str, path: Path_, *, key: bool = False) -> Problem:
        """A complaint about the value (or the key) at ``path``, or at its nearest known parent."""
        places = self.keys if key else self.values
        while path and path not in places:
            path = path[:-1]
            places = self.values
        line, column = places.get(path, (1, 1))
        return Problem(message, self.name, line, column)


def read(path: Path) -> Source:
    """Read a YAML file. Raises ConfigError with the place of the first mistake."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ConfigError(Problem(f"can't be read: {error.strerror}", path.name)) from None
    return parse(raw, path.name)


def parse(raw: bytes, name: str) -> Source:
    """The same for bytes; ``name`` is used in messages."""
    if len(raw) > MAX_BYTES:
        raise ConfigError(Problem(f"is larger than {MAX_BYTES} bytes", name))
    try:
        loader = yaml.SafeLoader(raw.decode("utf-8-sig"))
        node = loader.get_single_node()
    except UnicodeDecodeError:
        raise ConfigError(Problem("is not UTF-8 text", name)) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise ConfigError(Problem(f"is not valid YAML: {error.problem}", name, *place)) from None
    except (yaml.YAMLError, ValueError) as error:
        raise ConfigError(Problem(f"is not valid YAML: {error}", name, 1, 1)) from None
    except RecursionError:
        raise ConfigError(Problem("is nested too deeply", name, 1, 1)) from None
    walk = _Walk(name, loader)
    data = {} if node is None else walk.value(node, ())
    return Source(name, data, walk.values, walk.keys)


class _Walk:
    def __init__(self, name: str, loader: yaml.SafeLoader) -> None:
        self.name = name
        self.loader = loader
        self.values: dict[Path_, tuple[int, int]] = {}
        self.keys: dict[Path_, tuple[int, int]] = {}
        self.seen: set[int] = set()

    def fail(self, message: str, node: yaml.Node) -> ConfigError:
        return ConfigError(Problem(message, self.name, node.start_mark.line + 1, node.start_mark.column + 1))

    def value(self, node: yaml.Node, path: Path_) -> Any:
        if id(node) in self.seen:
            raise self.fail("aliases are not read: write the value out", node)
        self.seen.add(id(node))
        if len(path) > MAX_DEPTH:
            raise self.fail(f"is nested deeper than {MAX_DEPTH} levels", node)
        self.values[path] = (node.start_mark.line + 1, node.start_mark.column + 1)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]
        return self._scalar(node)

    def _mapping(self, node: yaml.MappingNode, path: Path_) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value) if isinstance(key_node, yaml.ScalarNode) else None
            if key is None:
                raise self.fail("keys must be plain words", key_node)
            if key in data:
                raise self.fail(f"the key {key!r} stands here twice", key_node)
            self.keys[(*path, key)] = (key_node.start_mark.line + 1, key_node.start_mark.column + 1)
            data[key] = self.value(value_node, (*path, key))
        return data

    def _scalar(self, node: yaml.Node) -> Any:
        if node.tag == "tag:yaml.org,2002:timestamp":
            return node.value
        try:
            return self.loader.construct_object(node)
        except (yaml.YAMLError, ValueError, LookupError, OverflowError):  # what PyYAML raises for `!!bool x`
            raise self.fail("is a kind of value that is not read here", node) from None
