"""What the rule of a finding is, in words: a rule with its family, or a learned model."""

from collections.abc import Mapping
from functools import cache

from .learned import Tier
from .rules import builtin


def source_of(rule: str) -> str:
    """``rule ignore-previous of the family override``, ``model ngrams``; the name alone for a check that is
    no rule of ours."""
    if rule in set(Tier):
        return f"model {rule}"
    family = families().get(rule)
    if family is None:
        return rule
    return f"rule {rule} of the family {family}" if family and family != rule else f"rule {rule}"


@cache
def families() -> Mapping[str, str]:
    """Family by rule id, of all built-in rules."""
    return {rule.id: rule.family for rule in builtin()}
