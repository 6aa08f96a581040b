"""What a collection asks of a contribution: who, through which program, under what terms, seen by whom."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from ringwall.core import Settings

from .intake.licences import known
from .names import Role

Licence = Annotated[str, AfterValidator(known)]
"""An SPDX expression."""
Process = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.:@/\-]{0,199}$")]


class SeedTerms(Settings):
    """What the operator says of the files of the seed folder that say nothing themselves."""

    licence: Licence | Literal[""] = ""
    """SPDX expression; empty: not stated."""
    consent: str = Field(default="", max_length=1000)
    """On what ground the persons in them agreed, or why none is needed."""


class IntakeSettings(Settings):
    """The rules of one collection's way in. Each is a fact to the policies of ``data.policy`` as well."""

    approvers: tuple[Role, ...] = ()
    """Roles that may decide on what waits in quarantine. Empty: the contributors."""
    two_person: bool = False
    """Whether everything waits until a second person, of an approver role, has released it, and nobody alone
    approves, takes out or brings back what they made or brought themselves."""
    approvals: int = Field(default=1, ge=1, le=5)
    """How many persons of an approver role have to say that a version is good before it is approved. With
    ``two_person``, somebody whose own work is new in it counts only beside another."""
    licences: tuple[Licence, ...] = ()
    """SPDX expressions that are taken. Empty: any, which training sets must be given all the same. A licence
    that is no SPDX expression (``LicenseRef-...`` for one of your own) is always refused."""
    consent: Literal["optional", "required"] = "optional"
    """Whether a contribution has to say on what ground the persons in it agreed, or why none is needed."""
    signed: Literal["optional", "required"] = "optional"
    """Whether a contribution needs a signature by a key of ``data.signers``. One that is given is always
    checked."""
    processes: tuple[Process, ...] = ()
    """Programs through which contributions are taken: names of ``data.jobs``, or credentials as the ledger
    names them (the id of an API key). Empty: any."""
    blocked_rows: Literal["refuse", "leave_out"] = "refuse"
    """What a row that a control blocks does to its contribution: refuses it whole, or is left out of it."""
    max_file_bytes: int = Field(default=10_000_000, ge=1, le=50_000_000)
    """Largest document that is no text file, in bytes. The text in it counts against ``max_bytes``."""
    max_rows: int = Field(default=2_000_000, ge=1, le=100_000_000)
    """Most rows of one contribution to a training set."""
    seed_terms: SeedTerms = SeedTerms()
    """Terms of the files of the seed folder."""
