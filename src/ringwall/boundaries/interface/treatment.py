"""What is done with a value of personal data."""

from collections.abc import Iterable, Mapping
from enum import IntEnum
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from .personal_data import EVERY
from .placeholders import kind_of


class Treatment(IntEnum):
    """From mild to strict: of several that apply to a value, the strictest is carried out."""

    ANNOTATE = 0
    """It passes and is on record."""
    PSEUDONYMISE = 1
    """``<EMAIL_1>``, the same for the same value in a session; put back into the answer."""
    ENCRYPT = 2
    """A token that opens under the key of its person; put back into the answer."""
    MASK = 3
    """Its last characters are left: ``•••• •••• •••• 1111``."""
    REPLACE = 4
    """``[EMAIL]``."""
    BLOCK = 5
    """What holds it is stopped."""

    @property
    def word(self) -> str:
        return self.name.lower()


def _read(names: Mapping[str, Treatment]) -> BeforeValidator:
    def read(written: Any) -> Any:
        if isinstance(written, Treatment):
            return written
        if isinstance(written, str) and written in names:
            return names[written]
        raise ValueError(f"use one of {', '.join(names)}")

    return BeforeValidator(read)


_WORD = PlainSerializer(lambda one: one.word, return_type=str)
_INCOMING = {one.word: one for one in Treatment}
_ANSWER = {one.word: one for one in (Treatment.ANNOTATE, Treatment.MASK, Treatment.REPLACE, Treatment.BLOCK)}
IncomingField = Annotated[
    Treatment, _read(_INCOMING), _WORD, WithJsonSchema({"type": "string", "enum": list(_INCOMING)})
]
"""For what goes to a model."""
AnswerField = Annotated[
    Treatment, _read(_ANSWER), _WORD, WithJsonSchema({"type": "string", "enum": list(_ANSWER)})
]
"""For what a model says: there is nobody to hide a placeholder's value from."""


class Treatments:
    """Which treatment applies to which finding."""

    def __init__(self, classes: Mapping[str, Treatment], answers: Mapping[str, Treatment]) -> None:
        self._classes = classes
        self._answers = {
            **{name: _for_answer(treatment) for name, treatment in classes.items()},
            **answers,
        }

    @property
    def names(self) -> frozenset[str]:
        return frozenset({*self._classes, *self._answers})

    def incoming(self, cls: str, data: Iterable[str] = ()) -> Treatment | None:
        """For a finding of this class in content of these data classes; None: nobody asked for it."""
        return _strictest(self._classes, cls, data)

    def answer(self, cls: str) -> Treatment | None:
        """For a value that the model itself wrote."""
        return _strictest(self._answers, cls, ())

    def barred(self, data: Iterable[str]) -> str:
        """The first of these data classes whose content goes to no model at all; empty when there is none."""
        return min((name for name in data if self._classes.get(name) is Treatment.BLOCK), default="")

    def stopping(self, classes: Iterable[str]) -> tuple[str, ...]:
        """Those of the classes whose values an answer may not show as they are."""
        given = ((cls, self.answer(cls)) for cls in classes)
        return tuple(cls for cls, one in given if one is not None and one > Treatment.ANNOTATE)


def _strictest(table: Mapping[str, Treatment], cls: str, data: Iterable[str]) -> Treatment | None:
    own = table.get(cls, table.get(EVERY))
    given = [table[name] for name in data if name in table]
    return max([*given, own] if own is not None else given, default=None)


def _for_answer(treatment: Treatment) -> Treatment:
    """What hides a value from the model has nothing to do in what the model says."""
    return Treatment.ANNOTATE if treatment in (Treatment.PSEUDONYMISE, Treatment.ENCRYPT) else treatment


def masked(value: str, keep: int) -> str:
    """Letters and digits dotted out, but the last ``keep``, and never more of them than a third."""
    places = [at for at, char in enumerate(value) if char.isalnum()]
    shown = min(keep, len(places) // 3)
    gone = frozenset(places[: len(places) - shown])
    return "".join("•" if at in gone else char for at, char in enumerate(value))


def replaced(cls: str) -> str:
    """The word in the place of a value that is gone."""
    return f"[{kind_of(cls)}]"
