"""How ``interface.pii`` is set, and what a turn does with placeholders outside of its gates."""

from dataclasses import dataclass, replace

from pydantic import Field

from ringwall.core import Part, Settings
from ringwall.detect.personal import CLASSES

from .personal_data import ClassName
from .pseudonyms import Place, Pseudonyms
from .revealing import Revealer
from .treatment import AnswerField, IncomingField


class PiiSettings(Settings):
    """What is done with personal data. Without ``classes`` nothing is looked for."""

    classes: dict[ClassName, IncomingField] = Field(default_factory=dict)
    """Class -> ``block``, ``replace``, ``mask``, ``encrypt``, ``pseudonymise`` or ``annotate``, for what goes
    to the model. Classes are ``pii`` for all, ``pii.email`` and the like, or a data class of the workload,
    which stands for all personal data in its content."""
    answers: dict[ClassName, AnswerField] = Field(default_factory=dict)
    """The same for what the model itself says, where it differs: ``block``, ``replace``, ``mask`` or
    ``annotate``. ``pseudonymise`` and ``encrypt`` leave it as it is."""
    restore: bool = True
    """Put the values of placeholders back into answers, and into calls that the client runs."""
    tools: tuple[str, ...] = ()
    """Tools run by the gateway that are given the values of placeholders in their arguments. Others are given
    the placeholders."""
    keep: int = Field(default=4, ge=0, le=16)
    """Characters that ``mask`` leaves, and never more than a third."""


@dataclass(frozen=True, slots=True)
class Hiding:
    """Placeholders in calls, in what authority is derived from, and in what the gateway tells a model."""

    revealer: Revealer
    restore: bool
    tools: frozenset[str]

    @classmethod
    def of(cls, settings: PiiSettings, vault: Pseudonyms) -> "Hiding":
        revealer = Revealer(vault, tuple(CLASSES) if settings.classes else ())
        return cls(revealer, settings.restore, frozenset(settings.tools))

    def arguments(self, place: Place | None, tool: str, arguments: str, *, here: bool) -> str:
        """The arguments of a call as it is to be judged and made. ``here``: the gateway runs the tool, and it
        gets to see values only if it is named for that; a client is given what its answers hold anyway."""
        given = tool in self.tools if here else self.restore
        return self.revealer.text(place, arguments) if given else arguments

    def content(self, place: Place | None, part: Part) -> Part:
        """What the model was shown, with the values that it was not: authority follows those."""
        text = self.revealer.text(place, part.text)
        return part if text == part.text else replace(part, text=text)

    def reply(self, place: Place | None, text: str) -> str:
        """What the gateway tells the model of a call, less the values."""
        return self.revealer.hidden(place, text)
