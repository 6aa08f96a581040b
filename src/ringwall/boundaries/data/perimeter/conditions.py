"""The ``Condition`` block of an IAM policy, as AWS evaluates it.

Sources: IAM User Guide, "IAM JSON policy elements: Condition operators" and "Multivalued context keys". Of
what is not known here (an operator, a variable without a value) nothing is concluded: the answer is None.
"""

import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from .wildcard import fits

Context = Mapping[str, str | Sequence[str]]
"""Condition keys in lower case, with one value or several."""

_VARIABLE = re.compile(r"\$\{([A-Za-z0-9:_/\-.]{1,100})(?:,\s{0,3}'([^'}]{0,200})')?\}")
_LITERAL = {"${*}": "*", "${?}": "?", "${$}": "$"}


def holds(block: Mapping[str, Mapping[str, object]], context: Context) -> bool | None:
    """Whether all conditions hold for a request. None when that can't be told: some hold, none fails, and at
    least one is of a kind that is not known here."""
    answers = [
        _one(operator, key.lower(), _listed(values), context)
        for operator, keys in block.items()
        for key, values in keys.items()
    ]
    if any(answer is False for answer in answers):
        return False
    return None if None in answers else True


def _one(operator: str, key: str, values: list[str], context: Context) -> bool | None:
    every, operator = _cut(operator, "ForAllValues:")
    some, operator = _cut(operator, "ForAnyValue:")
    optional = operator.lower().endswith("ifexists")
    name = operator[:-8].lower() if optional else operator.lower()
    if name == "null":
        absent = values[0].lower() if values else ""
        return (key not in context) == (absent == "true") if absent in ("true", "false") else None
    negated, test = _operator(name)
    if test is None:
        return None
    present = context.get(key)
    given = [present] if isinstance(present, str) else list(present or ())
    if not given:
        # Without the key: an IfExists holds, a negated operator holds, and so does "all of none".
        return optional or every or (negated and not some)
    wanted = [_filled(value, context) for value in values]
    if any(value is None for value in wanted):
        return None
    known = [value for value in wanted if value is not None]

    def matches(value: str) -> bool:
        """One value of the request against the list: any of them, or for a negated operator none."""
        found = any(test(pattern, value) for pattern in known)
        return not found if negated else found

    return any(map(matches, given)) if some else all(map(matches, given))


def _cut(operator: str, prefix: str) -> tuple[bool, str]:
    there = operator.lower().startswith(prefix.lower())
    return there, operator[len(prefix) :] if there else operator


def _operator(name: str) -> tuple[bool, Callable[[str, str], bool] | None]:
    """Whether it is negated, and the test of its positive form."""
    positive = {
        "stringnotequals": "stringequals",
        "stringnotequalsignorecase": "stringequalsignorecase",
        "stringnotlike": "stringlike",
        "arnnotequals": "arnequals",
        "arnnotlike": "arnlike",
        "notipaddress": "ipaddress",
        "numericnotequals": "numericequals",
        "datenotequals": "dateequals",
    }
    return name in positive, _TESTS.get(positive.get(name, name))


def _equal(pattern: str, value: str) -> bool:
    return _literal(pattern) == value


def _equal_fold(pattern: str, value: str) -> bool:
    return _literal(pattern).casefold() == value.casefold()


def _bool(pattern: str, value: str) -> bool:
    return pattern.lower() == value.lower()


def _arn(pattern: str, value: str) -> bool:
    """Part by part; the last part may hold colons."""
    ours, theirs = pattern.split(":", 5), value.split(":", 5)
    return len(ours) == len(theirs) == 6 and all(map(fits, ours, theirs))


def _address(pattern: str, value: str) -> bool:
    try:
        network = ipaddress.ip_network(pattern, strict=False)
        address = ipaddress.ip_address(value)
    except ValueError:
        return False
    return address.version == network.version and address in network


def _compared(
    read: Callable[[str], float], test: Callable[[float, float], bool]
) -> Callable[[str, str], bool]:
    def compare(pattern: str, value: str) -> bool:
        try:
            return test(read(value), read(pattern))
        except ValueError:
            return False

    return compare


def _moment(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        when = datetime.fromisoformat(text)
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()


_ORDER: Mapping[str, Callable[[float, float], bool]] = {
    "equals": lambda value, bound: value == bound,
    "lessthan": lambda value, bound: value < bound,
    "lessthanequals": lambda value, bound: value <= bound,
    "greaterthan": lambda value, bound: value > bound,
    "greaterthanequals": lambda value, bound: value >= bound,
}
_TESTS: Mapping[str, Callable[[str, str], bool]] = {
    "stringequals": _equal,
    "stringequalsignorecase": _equal_fold,
    "stringlike": fits,
    "bool": _bool,
    "binaryequals": _equal,
    "arnequals": _arn,
    "arnlike": _arn,
    "ipaddress": _address,
    **{f"numeric{name}": _compared(float, test) for name, test in _ORDER.items()},
    **{f"date{name}": _compared(_moment, test) for name, test in _ORDER.items()},
}


def _filled(value: str, context: Context) -> str | None:
    """With its variables replaced; None when one of them has no value."""
    missing = False

    def replaced(match: re.Match[str]) -> str:
        nonlocal missing
        found = context.get(match[1].lower(), match[2])
        if not isinstance(found, str):
            missing = True
            return ""
        return found

    filled = _VARIABLE.sub(replaced, value)
    return None if missing else filled


def _literal(pattern: str) -> str:
    for written, meant in _LITERAL.items():
        pattern = pattern.replace(written, meant)
    return pattern


def _listed(values: object) -> list[str]:
    given = values if isinstance(values, list) else [values]
    return [str(value).lower() if isinstance(value, bool) else str(value) for value in given]
