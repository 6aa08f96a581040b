"""Phone numbers as people of a country write them, by the metadata of libphonenumber (extra ``pii``).

Without the extra only the rules are left: numbers with a country code, and numbers near words.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from .extras import imported
from .scanner import Sighting

MAX_CANDIDATES = 500
"""In one text; each costs some ten microseconds a region."""
MAX_REGIONS = 12
_CANDIDATE = re.compile(r"(?<![\w.,:/#=$€£-])[+(]{0,2}\d(?:[ ().\-/]{0,3}\d){5,15}(?![\w:-]|[.,]\d)")
_SEPARATED = re.compile(r"\d[ ().\-/]+\d")
_QUAD = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}$")
_DATE = re.compile(
    r"(?:19|20)\d\d[-./ ]\d{1,2}[-./ ]\d{1,2}(?:\D|$)"
    r"|\d{1,2}[-./ ]\d{1,2}[-./ ](?:19|20)?\d\d$"
)


def library() -> Any:
    """Raises MissingExtra."""
    return imported("phonenumbers", "pii", "Reading national phone numbers")


def known(regions: Sequence[str]) -> None:
    """Raises ValueError for a code that is no region, and for too many."""
    supported = library().SUPPORTED_REGIONS
    unknown = sorted(set(regions) - set(supported))
    if unknown:
        raise ValueError(f"no phone numbers are known for {', '.join(unknown)}")
    if len(regions) > MAX_REGIONS:
        raise ValueError(f"at most {MAX_REGIONS} regions, not {len(regions)}")


def phones(text: str, regions: Sequence[str]) -> Iterator[Sighting]:
    """Valid numbers of these regions. Digits without any sign between them are less sure."""
    lib = library()
    for count, found in enumerate(_CANDIDATE.finditer(text)):
        if count >= MAX_CANDIDATES:
            return
        digits = found.group()
        if _DATE.match(digits) or _QUAD.match(digits):
            continue
        region = next((code for code in regions if _valid(lib, digits, code)), "")
        if region:
            sure = "+" in digits or _SEPARATED.search(digits)
            yield Sighting(
                rule=f"phone-{region.lower()}",
                cls="pii.phone",
                family="phone-international",
                score=0.75 if sure else 0.45,
                message=f"A phone number ({region}).",
                start=found.start(),
                end=found.end(),
                view="",
                reading=digits,
            )


def _valid(lib: Any, digits: str, region: str) -> bool:
    try:
        number = lib.parse(digits, region)
    except lib.NumberParseException:
        return False
    if digits[0] == "+":
        return bool(lib.is_valid_number(number))
    trunk = lib.PhoneMetadata.metadata_for_region(region).national_prefix
    if trunk == "0" and not digits.lstrip("(").startswith("0"):
        return False  # people there write it, and without it too many figures would be numbers
    return bool(lib.is_valid_number_for_region(number, region))
