"""Under what terms something is contributed."""

from dataclasses import dataclass

from ringwall.core import DataError

from .licences import known
from .statement import Signature

_LONGEST = 1000


@dataclass(frozen=True, slots=True)
class Terms:
    """Said by the contributor, and kept with every record and document of the contribution."""

    licence: str = ""
    """SPDX expression; empty: not stated."""
    consent: str = ""
    """On what ground the persons in it agreed, or why none is needed; empty: not stated."""
    origin: str = ""
    """Where it came from: URL, path, name of a survey. Empty: the file's name."""
    signature: Signature | None = None
    """Detached, over what is contributed."""


def checked(terms: Terms) -> Terms:
    """With the licence as SPDX writes it. DataError for a licence that SPDX does not know."""
    licence = terms.licence
    if licence:
        try:
            licence = known(licence)
        except ValueError as error:
            raise DataError(f"The licence is not known: {error}.") from None
    return Terms(licence, line(terms.consent, _LONGEST), line(terms.origin, 2 * _LONGEST), terms.signature)


def line(text: str, longest: int) -> str:
    """One printable line: what contributors say of themselves is shown to people beside the text."""
    return " ".join("".join(c if c.isprintable() else " " for c in text[: 4 * longest]).split())[:longest]
