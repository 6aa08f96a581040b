"""What is done about sensitive data that comes into a collection, as the workload file says it."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from ringwall.core import Settings
from ringwall.detect.batch import SECRETS
from ringwall.detect.personal import CLASSES

Deed = Literal["keep", "redact", "tokenize", "drop", "hold"]


class Handling(Settings):
    """What is done about one class of data."""

    action: Deed = "redact"
    """``redact``: the class's name stands in its place. ``tokenize``: a token does, which whoever holds a
    role of ``revealers`` can open. ``drop``: the row or document is refused. ``hold``: a person decides.
    ``keep``: nothing."""
    format: Literal["opaque", "same"] = "opaque"
    """Of a token. ``same``: digits for digits, with the same length and signs (FF1); a value with fewer than
    six digits to change gets an opaque one."""
    keep_last: int = Field(default=0, ge=0, le=8)
    """Last digits that stay as they are, with ``format: same``."""
    luhn: bool = False
    """Whether a token passes Luhn's check when what it stands for does, with ``format: same``."""
    random: bool = False
    """Whether the same value gets another token each time, so that rows can't be joined by it."""

    @model_validator(mode="after")
    def _fits(self) -> "Handling":
        if self.action != "tokenize" and self.model_fields_set - {"action"}:
            raise ValueError("format, keep_last, luhn and random are for action: tokenize")
        if self.format == "same" and self.random:
            raise ValueError("a random token can't have the format of its value: leave out random or format")
        if self.format == "opaque" and (self.keep_last or self.luhn):
            raise ValueError("keep_last and luhn are for format: same")
        return self


def _handling(given: Any) -> Any:
    """``pii.email: redact`` is short for ``pii.email: {action: redact}``."""
    return {"action": given} if isinstance(given, str) else given


class SensitiveSettings(Settings):
    """Sensitive data in one collection."""

    classes: dict[
        str, Annotated[Handling, BeforeValidator(_handling, json_schema_input_type=Handling | Deed)]
    ] = Field(default_factory=dict)
    """What is done, by class: ``pii.email``, ``pii.card``… or ``secret``."""
    otherwise: Annotated[Handling, BeforeValidator(_handling, json_schema_input_type=Handling | Deed)] = (
        Handling(action="keep")
    )
    """What is done about classes that are not named."""
    minimum: float = Field(default=0.5, ge=0.0, le=1.0)
    """Score from which a finding counts."""
    regions: tuple[str, ...] = Field(default=(), max_length=12)
    """Countries (ISO 3166) whose national way of writing phone numbers is read. Needs the extra ``pii``."""
    revealers: tuple[str, ...] = ()
    """Roles that may see what a token stands for. Empty: nobody."""
    token_keepers: tuple[str, ...] = ()
    """Roles that may rotate and erase the keys of tokens. Empty: nobody."""
    two_person: bool = False
    """Whether a second person of the same role has to agree before a token is opened or a key is erased. An
    erasure takes two in a collection with ``two_person`` of its own as well."""
    quasi_identifiers: tuple[str, ...] = Field(default=(), max_length=20)
    """Columns that together may single a person out. Empty: those whose names and values look like it."""
    confidential: tuple[str, ...] = Field(default=(), max_length=5)
    """Columns whose value must not follow from the quasi-identifiers (l-diversity)."""
    smallest_group: int = Field(default=5, ge=2, le=1000)
    """Rows that share their quasi-identifiers, at least; smaller groups are told."""

    @model_validator(mode="after")
    def _known(self) -> "SensitiveSettings":
        unknown = sorted(set(self.classes) - {*CLASSES, SECRETS})
        if unknown:
            raise ValueError(f"no class is called {', '.join(unknown)}: {', '.join((*CLASSES, SECRETS))}")
        return self

    def handling(self, cls: str) -> Handling:
        return self.classes.get(cls, self.otherwise)

    @property
    def idle(self) -> bool:
        """Whether everything is kept."""
        return all(one.action == "keep" for one in (*self.classes.values(), self.otherwise))
