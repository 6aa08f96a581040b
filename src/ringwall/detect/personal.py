"""Personal data in a text: the one call that controls make.

It joins the rules (``scanner.py``), phone numbers (extra ``pii``) and names and addresses by a small model
(extra ``ner``). What overlaps is resolved, and spans are those of the text as it came.
"""

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType

from . import ner as model
from . import phones
from .extras import MissingExtra
from .overlaps import resolved
from .scanner import RESPELLED, Scanner, Sighting, scanner

__all__ = ["CLASSES", "OVERLAP", "MissingExtra", "find", "require"]

CLASSES: Mapping[str, str] = MappingProxyType({
    "pii.email": "an e-mail address",
    "pii.phone": "a phone number",
    "pii.card": "a payment card number",
    "pii.iban": "an international bank account number",
    "pii.bank-account": "a bank's code, or a national account number",
    "pii.national-id": "a national identifier of a person",
    "pii.tax-id": "a tax number",
    "pii.health-id": "a health insurance or patient number",
    "pii.passport": "a passport number",
    "pii.driving-licence": "a driving licence number",
    "pii.vehicle": "a vehicle identification number",
    "pii.ip": "an IP address",
    "pii.mac": "a hardware address",
    "pii.crypto": "an address on a blockchain",
    "pii.birth-date": "a date of birth",
    "pii.age": "an age",
    "pii.name": "a person's name",
    "pii.address": "a postal address",
    "pii.location": "coordinates of a place",
    "pii.username": "a user name",
    "pii.url": "a web address that carries credentials",
})  # fmt: skip
"""What can be found, and what it is in words. Custom entities bring classes of their own."""
_UNFAITHFUL = RESPELLED | {"reversed", "reversed-words"}
OVERLAP = 640
"""Characters at the end of an unfinished text in which a finding may still begin, grow or change. What lies
before them is settled, but for names and addresses that the model finds."""


def find(
    text: str,
    classes: Collection[str] = tuple(CLASSES),
    *,
    minimum: float = 0.5,
    regions: Sequence[str] = (),
    ner: bool = False,
    extra: Sequence[Scanner] = (),
) -> list[Sighting]:
    """Personal data of these classes, ordered by place, disjoint.

    ``regions``: ISO 3166 codes of the countries whose national way of writing phone numbers is read; without
    any, only numbers with a country code are found. ``ner``: names and addresses by the model as well.
    ``extra``: custom entities (``custom.py``), all of whose classes count. Raises MissingExtra when regions
    or the model are asked for and the extra is not installed: call ``require`` once at the start.
    """
    wanted = frozenset(classes)
    found = [one for one in scanner().scan(text) if one.cls in CLASSES and _plain(one.view)]
    own = [one for more in extra for one in more.scan(text) if _plain(one.view)]
    found.extend(own)
    if regions and "pii.phone" in wanted:
        found.extend(phones.phones(text, regions))
    if ner:
        found.extend(model.entities(text))
    wanted |= {one.cls for one in own}
    # All classes compete before some are left out: an SSN is no phone number because nobody asked for SSNs.
    left = resolved((one for one in found if one.score >= minimum), text)
    return [one for one in left if one.cls in wanted]


def require(*, regions: Sequence[str] = (), ner: bool = False) -> None:
    """Raises MissingExtra, with the sentence that says what to install, if ``find`` could not be called with
    these; ValueError for a region that is none. Loads the model."""
    if regions:
        phones.known(regions)
    if ner:
        model.model()


def _plain(view: str) -> bool:
    """Not a reading that turns digits into letters or the order round: check digits would pass by chance."""
    return _UNFAITHFUL.isdisjoint(view.split("+"))
