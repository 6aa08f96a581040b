"""The threat model of a workload: ``threats.yaml`` in the grammar of Threat Composer.

A [source] [prerequisite] can [action], which leads to [impact], resulting in reduced [goals] of [assets].
A mitigation is the id of a control; no status stands in the file, it is derived from evidence
(``status.py``).
"""

import difflib
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BeforeValidator, Field, ValidationError, field_validator, model_validator

from ringwall.core import ConfigError, Problem, Settings

from .catalogue import STRIDE, TAGS

_MOST_BYTES = 1_048_576
_DEEPEST = 10
Clause = Annotated[str, Field(min_length=1, max_length=200)]
Names = Annotated[
    tuple[Clause, ...], BeforeValidator(lambda given: (given,) if isinstance(given, str) else given)
]
_STRIDE_NAMES = {name.lower(): letter for letter, name in STRIDE.items()}


class Threat(Settings):
    """One threat statement."""

    id: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.\-]{0,35}$")
    """Short id, such as ``T01``."""
    source: Clause
    """Who: ``customer``, ``supplier of a model``."""
    prerequisite: str = Field(default="", max_length=200)
    """What that one must have or be in: ``with a chat session``."""
    action: Clause
    """What that one can do."""
    impact: Clause
    """What this leads to at once."""
    goals: Names = ()
    """What is reduced: ``confidentiality``, ``integrity``, ``availability``."""
    assets: Names = ()
    """Of what."""
    stride: Names = ()
    """Letters or names of STRIDE."""
    tags: Names = ()
    """``id@edition`` of OWASP or ATLAS, such as ``LLM01@2025``."""
    mitigations: Names = ()
    """Ids of the controls that stand against it."""
    accepted: str = Field(default="", max_length=1000)
    """Why what remains is accepted, and by whom; empty: it is not."""

    @field_validator("stride")
    @classmethod
    def _letters(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        letters = tuple(_STRIDE_NAMES.get(name.lower(), name.upper()) for name in given)
        for letter in letters:
            if letter not in STRIDE:
                raise ValueError(f"{letter!r} is not of STRIDE: use the letters {', '.join(STRIDE)}")
        return tuple(dict.fromkeys(letters))

    @field_validator("tags")
    @classmethod
    def _known_tags(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        for tag in given:
            if tag not in TAGS:
                raise ValueError(f"unknown tag {tag!r}{nearest(tag, TAGS)}")
        return tuple(dict.fromkeys(given))

    @property
    def statement(self) -> str:
        """The threat as a sentence."""
        who = " ".join(filter(None, (self.source, self.prerequisite)))
        said = f"{who} can {self.action}, which leads to {self.impact}"
        if self.goals and self.assets:
            said += f", resulting in reduced {_listed(self.goals)} of {_listed(self.assets)}"
        elif self.assets:
            said += f", negatively impacting {_listed(self.assets)}"
        return said[:1].upper() + said[1:] + "."


class ThreatModel(Settings):
    """All threats of a workload."""

    threats: tuple[Threat, ...] = ()
    """The threats."""
    assumptions: tuple[Annotated[str, Field(min_length=1, max_length=1000)], ...] = ()
    """What is taken for granted."""

    @model_validator(mode="after")
    def _unique(self) -> "ThreatModel":
        ids = [threat.id for threat in self.threats]
        twice = sorted({name for name in ids if ids.count(name) > 1})
        if twice:
            raise ValueError(f"two threats have the id {twice[0]!r}")
        return self

    def unknown_controls(self, known: Collection[str]) -> list[tuple[int, int, str]]:
        """(threat, place among its mitigations, control id) of mitigations that are no control."""
        return [
            (at, place, control)
            for at, threat in enumerate(self.threats)
            for place, control in enumerate(threat.mitigations)
            if control not in known
        ]


def load_threats(path: Path, controls: Collection[str]) -> ThreatModel:
    """Read and check a threat model. Raises ConfigError that names every mistake with its line."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ConfigError(Problem(f"can't be read: {error.strerror}", path.name)) from None
    return parse_threats(raw, controls, file=path.name)


def parse_threats(raw: bytes, controls: Collection[str], *, file: str = "threats.yaml") -> ThreatModel:
    """The threat model of a YAML text. Raises ConfigError."""
    root, data = _yaml(raw, file)
    try:
        model = ThreatModel.model_validate(data)
    except ValidationError as error:
        raise ConfigError(*(_problem(dict(item), root, file) for item in error.errors())) from None
    unknown = model.unknown_controls(controls)
    if unknown:
        raise ConfigError(
            *(
                Problem(
                    f"unknown control {name!r}{nearest(name, controls)}",
                    file,
                    *_place(root, ("threats", at, "mitigations", place)),
                )
                for at, place, name in unknown
            )
        )
    return model


def nearest(name: str, known: Iterable[str]) -> str:
    """``: did you mean …?``, or nothing when no known name is near."""
    near = difflib.get_close_matches(name, sorted(known), 1)
    return f": did you mean {near[0]!r}?" if near else ""


def _yaml(raw: bytes, file: str) -> tuple[yaml.Node | None, object]:
    if len(raw) > _MOST_BYTES:
        raise ConfigError(Problem(f"is larger than {_MOST_BYTES} bytes", file))
    try:
        text = raw.decode("utf-8")
        depth = 0
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            # An alias lets a few lines stand for millions of threats, and is of no use here.
            if isinstance(event, yaml.AliasEvent):
                raise ConfigError(Problem("YAML aliases are not taken here: write it out", file))
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > _DEEPEST:
                raise ConfigError(Problem("is nested too deeply", file))
        return yaml.compose(text, Loader=yaml.SafeLoader), yaml.safe_load(text)
    except UnicodeDecodeError:
        raise ConfigError(Problem("is not UTF-8", file)) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        raise ConfigError(Problem(f"is not YAML: {error.problem}", file, *place)) from None
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a scalar that looks like an impossible date
        raise ConfigError(Problem(f"is not YAML: {error}", file)) from None


def _problem(error: dict[str, object], root: yaml.Node | None, file: str) -> Problem:
    where = error.get("loc", ())
    path = where if isinstance(where, tuple) else ()
    message = str(error.get("msg", "")).removeprefix("Value error, ")
    if error.get("type") == "extra_forbidden":
        key = str(path[-1])
        fields = Threat.model_fields if len(path) > 1 else ThreatModel.model_fields
        message = f"unknown key {key!r}{nearest(key, fields)}"
    elif error.get("type") == "missing":
        message = f"the key {str(path[-1])!r} is missing"
    return Problem(message, file, *_place(root, path))


def _place(node: yaml.Node | None, path: tuple[object, ...]) -> tuple[int, int]:
    """Line and column, 1-based, of what the path leads to, or of the last thing on the way to it."""
    for step in path:
        if isinstance(node, yaml.MappingNode):
            inside = next((value for key, value in node.value if key.value == step), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
            inside = node.value[step] if step < len(node.value) else None
        else:
            inside = None
        if inside is None:
            break
        node = inside
    return (node.start_mark.line + 1, node.start_mark.column + 1) if node is not None else (0, 0)


def _listed(names: tuple[str, ...]) -> str:
    if len(names) == 1:
        return names[0]
    return f"{', '.join(names[:-1])} and {names[-1]}"
