"""Custom entities: what only this organisation knows to be personal, by rule or by list.

Rules have the form of the built-in files and pass the same tests: examples, RE2, a bounded width.
"""

import re
from collections.abc import Iterable, Sequence

from .engine import Engine
from .rules import Rule, RuleError, parse
from .scanner import Scanner

MAX_RULES = 500
MAX_WORDS = 20_000
MAX_WORD = 100
"""Characters of an entry of a list."""
_TOGETHER = 40
"""Entries of one rule: as many as the first pass can look for as literals."""
_BLANK = re.compile(r"\s+")


def custom_rules(text: str, name: str = "custom") -> tuple[Rule, ...]:
    """Rules of a YAML text. Raises RuleError: too many, a bad rule, or examples that are not proved."""
    rules = parse(text, name)
    if len(rules) > MAX_RULES:
        raise RuleError(f"{name}: {len(rules)} rules, at most {MAX_RULES} are allowed")
    scan = Scanner(Engine(rules)).scan
    for rule in rules:
        for example in rule.positive:
            if rule.id not in {one.rule for one in scan(example)}:
                raise RuleError(f"{name}: {rule.id}: a positive example is not found")
        for example in rule.negative:
            if rule.id in {one.rule for one in scan(example)}:
                raise RuleError(f"{name}: {rule.id}: a negative example is found")
    return rules


def word_list(id: str, words: Iterable[str], cls: str, message: str, score: float = 0.9) -> tuple[Rule, ...]:  # noqa: A002
    """Rules that find these words and phrases, in any case, whatever blanks are between their words.

    Raises RuleError for an empty list, and for one that is too long or holds too long an entry.
    """
    entries = sorted(
        {_BLANK.sub(" ", word.strip()) for word in words} - {""}, key=lambda one: (-len(one), one)
    )
    if not entries:
        raise RuleError(f"{id}: the list is empty")
    if len(entries) > MAX_WORDS:
        raise RuleError(f"{id}: {len(entries)} entries, at most {MAX_WORDS} are allowed")
    if len(entries[0]) > MAX_WORD:
        raise RuleError(f"{id}: an entry has {len(entries[0])} characters, at most {MAX_WORD} are allowed")
    parts = [entries[at : at + _TOGETHER] for at in range(0, len(entries), _TOGETHER)]
    return tuple(
        Rule(
            id=id,
            cls=cls,
            pattern="|".join(map(_phrase, part)),
            score=score,
            message=message,
            positive=(),
            negative=(),
            family=id,
            width=max(map(len, part)) + 3 * max(entry.count(" ") for entry in part),
        )
        for part in parts
    )


def custom_scanner(rules: Sequence[Rule]) -> Scanner:
    """Compile once, keep, and hand to ``personal.find``."""
    return Scanner(Engine(rules))


def _phrase(entry: str) -> str:
    """``\\b`` knows ASCII letters alone; other edges stay open."""
    body = r"\s{1,4}".join("".join(map(_literal, word)) for word in entry.split(" "))
    first = r"\b" if _ascii_word(entry[0]) else ""
    last = r"\b" if _ascii_word(entry[-1]) else ""
    return first + body + last


def _literal(char: str) -> str:
    return char if char.isalnum() else f"\\x{{{ord(char):x}}}"


def _ascii_word(char: str) -> bool:
    return char.isascii() and char.isalnum()
