"""The format of a scenario: an attack or an innocent use, as steps through the real listener.

Files are YAML: a mapping with one key ``scenarios`` that holds a list. Those that ship are package data
beside this module; ``ringwall drill --scenarios DIR`` reads others.
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, ValidationError, model_validator

from ringwall.core import ConfigError, Problem, Settings

from .goal import Goal
from .macros import expand

_THREAT = r"^(LLM(0[1-9]|10)@(2023|2025|2026)|ASI(0[1-9]|10)@2026|AML\.T\d{4}(\.\d{3})?@[\w.]+)$"


class Kind(StrEnum):
    ATTACK = "attack"
    BENIGN = "benign"


class Rule(Settings):
    """What the compromised model does: the first rule whose condition holds and whose call is to be made."""

    when: list[str] = Field(default_factory=list)
    """Texts that must all have reached the model; empty: it needs nobody to tell it. This is the *carrier*
    of the attack: whatever takes one of them out of the model's context has stopped it."""
    say: str = ""
    """Text of its answer. ``$system``, ``$results`` and ``$context`` stand for the system prompt, the results
    of tools, and everything that it was sent; ``$base64(system)`` for the encoded system prompt."""
    call: str = ""
    """Name of a tool to call."""
    arguments: Any = Field(default_factory=dict)
    """Arguments of the call; a string is sent as it is, valid JSON or not."""
    times: int = Field(default=1, ge=1)
    """How often it makes the call, one after the other."""

    @model_validator(mode="after")
    def _acts(self) -> "Rule":
        if not self.say and not self.call:
            raise ValueError("a rule says something or calls a tool")
        return self


class Chat(Settings):
    """A chat completions request."""

    messages: list[dict[str, Any]] = Field(min_length=1)
    """As the protocol has them."""
    model: str = "default"
    """Route that the client asks for."""
    stream: bool = False
    """Whether the answer is streamed."""
    tools: list[dict[str, Any]] = Field(default_factory=list)
    """Tools that the client declares and runs itself."""
    extra: dict[str, Any] = Field(default_factory=dict)
    """Further parameters of the request, such as ``logprobs``."""
    pad_kb: int = Field(default=0, ge=0, le=8192)
    """Kilobytes of filler put behind the last message."""
    chain: bool = False
    """Whether it comes from an agent that the answer before went to: it brings that answer's chain token."""


class Contribution(Settings):
    """A document that somebody wants to have in a collection."""

    collection: str = "handbook"
    """Name of the collection."""
    title: str
    """Title of the document."""
    text: str
    """Its Markdown text."""
    readers: list[str] = Field(default_factory=lambda: ["customer"])
    """Roles that may read it."""
    file: str = ""
    """A file name: the text is sent as that file, byte for byte, and who may read it is the collection's."""


class Raw(Settings):
    """Any other HTTP request."""

    method: Literal["GET", "POST", "PUT", "DELETE"] = "POST"
    """HTTP method."""
    path: str = Field(pattern=r"^/")
    """Path on the gateway."""
    body: str = ""
    """Body, sent as it is."""
    headers: dict[str, str] = Field(default_factory=dict)
    """Headers beside the credential."""


class Step(Settings):
    """Exactly one of ``chat``, ``contribute`` and ``http``."""

    chat: Chat | None = None
    """A chat completions request."""
    contribute: Contribution | None = None
    """A contribution to a collection."""
    http: Raw | None = None
    """Any other HTTP request."""
    principal: str | None = None
    """Subject that makes this request; empty: without a credential; left out: the scenario's."""
    times: int = Field(default=1, ge=1, le=1000)
    """How often it is sent, as fast as answers come."""
    judged: bool = True
    """False for a step that only prepares the scene of a benign scenario."""

    @model_validator(mode="after")
    def _one(self) -> "Step":
        if sum(option is not None for option in (self.chat, self.contribute, self.http)) != 1:
            raise ValueError("a step is exactly one of chat, contribute, http")
        return self


class Scenario(Settings):
    """One attack, or one innocent use."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{2,63}$")
    """Stable id: evidence refers to it."""
    title: str
    """One line for people."""
    kind: Kind = Kind.ATTACK
    """``attack`` or ``benign``."""
    threats: list[Annotated[str, Field(pattern=_THREAT)]] = Field(default_factory=list)
    """``id@edition`` of the risks that it exercises."""
    principal: str = "casey"
    """Subject that makes the requests: one of the workload's starter keys."""
    switched_off: list[str] = Field(default_factory=list)
    """Tools whose kill switch an operator has thrown before."""
    steps: list[Step] = Field(min_length=1)
    """In order."""
    model: list[Rule] = Field(default_factory=list)
    """What the compromised model does; empty: it answers harmlessly."""
    goal: Goal = Goal(served=True)
    """What the attack is after; what the benign user needs."""

    @model_validator(mode="after")
    def _whole(self) -> "Scenario":
        if self.kind is Kind.ATTACK and self.goal.served:
            raise ValueError(f"{self.id}: an attack needs a goal other than `served`")
        if self.kind is Kind.ATTACK and not self.threats:
            raise ValueError(f"{self.id}: an attack names the threats that it exercises")
        return self

    @property
    def carriers(self) -> tuple[str, ...]:
        """Texts that must reach the model for the attack to work."""
        return tuple(dict.fromkeys(text for rule in self.model for text in rule.when))


class _File(Settings):
    scenarios: list[Scenario]


def load(directory: Path | None = None) -> list[Scenario]:
    """The scenarios of a directory, or those that ship. Raises ConfigError that says what is wrong where."""
    if directory is None:
        shipped = resources.files(__package__).joinpath("scenarios")
        files = [(entry.name, entry.read_text("utf-8")) for entry in shipped.iterdir() if _yaml(entry.name)]
    else:
        files = [
            (path.name, path.read_text("utf-8")) for path in sorted(directory.iterdir()) if _yaml(path.name)
        ]
    scenarios = [one for name, text in sorted(files) for one in parse(text, name)]
    if repeated := _repeated(one.id for one in scenarios):
        raise ConfigError(Problem(f"two scenarios have the id {repeated!r}: give each its own"))
    if not scenarios:
        raise ConfigError(Problem("no scenarios found: put *.yaml files with a `scenarios` list there"))
    return scenarios


def parse(text: str, file: str = "") -> Sequence[Scenario]:
    """The scenarios of one file's text."""
    try:
        return _File.model_validate(expand(yaml.safe_load(text))).scenarios
    except yaml.YAMLError as error:
        raise ConfigError(Problem(f"not YAML: {error}", file)) from error
    except ValidationError as error:
        raise ConfigError(*(_problem(one, file) for one in error.errors())) from error
    except ValueError as error:
        raise ConfigError(Problem(str(error), file)) from error


def _problem(error: Any, file: str) -> Problem:
    place = ".".join(str(piece) for piece in error["loc"])
    return Problem(f"{place}: {error['msg']}", file)


def _yaml(name: str) -> bool:
    return name.endswith((".yaml", ".yml"))


def _repeated(ids: Iterable[str]) -> str:
    seen: set[str] = set()
    for one in ids:
        if one in seen:
            return one
        seen.add(one)
    return ""
