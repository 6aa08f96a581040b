"""Base of every part of the workload file, and what a control is built from."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

from pydantic import BaseModel, ConfigDict

from .control import Control

T = TypeVar("T")


class Settings(BaseModel):
    """Immutable; unknown keys are refused. Every field has a description, which the reference prints."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    def named_files(self) -> tuple[str, ...]:
        """Paths of the files that these settings name, relative to the workload file: part of the
        configuration, so that a change of one is a reload and another policy version."""
        return ()


@dataclass(frozen=True, slots=True)
class WorkloadFolder:
    """Where the workload file lies. Offered to control factories through ``Services``."""

    path: Path


class NoSettings(Settings):
    """For a control that has nothing to set."""


class Services:
    """What the composition root offers to control factories, found by type.

    ``services.get(KeyStore)`` gives the one KeyStore of this application's gate.
    """

    def __init__(self, *instances: object) -> None:
        self._by_type: dict[type, object] = {type(instance): instance for instance in instances}

    def with_(self, *instances: object) -> "Services":
        """A copy that also offers these."""
        return Services(*self._by_type.values(), *instances)

    def get(self, kind: type[T]) -> T:
        """The instance of exactly this type. Raises LookupError when the workload has none."""
        try:
            return cast(T, self._by_type[kind])
        except KeyError:
            raise LookupError(f"no {kind.__name__} is composed") from None


@dataclass(frozen=True, slots=True)
class ControlFactory:
    """The value of an entry point in the group ``ringwall.controls``."""

    id: str
    settings: type[Settings]
    """Schema of the control's own block in the workload file. Every field has a default."""
    build: Callable[[Any, Services], Control]
    """``build(settings, services)``; ``settings`` is an instance of the class above."""
