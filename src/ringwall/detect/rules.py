"""Rules as data: YAML files with examples that are their own tests.

A rule without a positive and a negative example, with an unbounded pattern, or with a pattern that RE2 does
not read, is refused when the file is loaded.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import re2
import yaml

from .checks import CHECKS, EXTENSIONS
from .width import UnboundedPattern, max_width

SECRETS = (
    "secrets-cloud",
    "secrets-models",
    "secrets-code",
    "secrets-services",
    "secrets-messages",
    "secrets-data",
    "secrets-money",
    "secrets-operations",
    "secrets-keys",
    "secrets-context",
)
FILES = (
    "injection",
    "jailbreak",
    "indirect",
    "languages",
    "moderation",
    *SECRETS,
    "pii",
    "identifiers",
    "people",
    "code",
    "output",
    "session",
)
SHARED = "fragments"
"""Pieces of patterns that every file may use."""
MAX_WIDTH = 4096
"""Characters. A rule that can match more is refused: a stream would have to hold that much back."""
NEAR = 96
AFTER = 80
"""Characters behind the words of a rule, or behind the value before, in which a value may begin."""
WORD = 64
"""Characters that the end of what is read for values moves by so that it does not cut a word."""
_FRAGMENT = re.compile(r"<<([a-z_]\w{0,20})>>")
_KEYS = {
    "id",
    "class",
    "family",
    "pattern",
    "score",
    "message",
    "positive",
    "negative",
    "case",
    "check",
    "group",
    "extend",
    "names",
    "reach",
    "unproven",
    "value",
    "whole",
}
_DEFAULTS = {"class", "family", "score", "case", "check", "group"}
"""What a file may set for all of its rules (``defaults:``)."""
_TOPMOST = re.compile(r"\\.|\[(?:\\.|[^\]\\])+\]|[()|]", re.DOTALL)
_NAME = re.compile(r"\S{2,32}")


class RuleError(ValueError):
    """A rule file can't be used; says which rule and why."""


@dataclass(frozen=True, slots=True)
class Rule:
    id: str
    cls: str
    """Class of its findings: ``injection``, ``jailbreak``, ``secret``, ``pii.email``, ``moderation.hate``…"""
    pattern: str
    score: float
    """0..1: how sure a hit alone makes one."""
    message: str
    positive: tuple[str, ...]
    negative: tuple[str, ...]
    family: str = ""
    """Rules of one family count once when scores are joined."""
    sensitive: bool = False
    """Whether upper and lower case differ."""
    check: str = ""
    """A function of ``checks.CHECKS`` that has the last word."""
    group: int = 0
    """Which group of the pattern is the finding (and what ``check`` sees)."""
    extend: str = ""
    """``token`` or ``pem``: the match is only the head, and the finding goes on to the end of the run
    (``checks.EXTENSIONS``)."""
    names: tuple[str, ...] = ()
    """Lower-case words, one of which is in the first word of every match: for a rule that looks at what
    stands before a value. A stream keeps them back until the value has come."""
    reach: int = NEAR
    """Characters from such a word to the value at most."""
    width: int = 0
    """Longest match, characters."""
    whole: bool = False
    """Whether the first pass looks for the pattern itself: for a rule whose literals are in every text."""
    value: "Value | None" = None
    """With this the pattern only announces, and the finding is a value near it (``near.py``)."""

    @property
    def regex(self) -> str:
        return self.form if self.sensitive else f"(?i){self.form}"

    @property
    def form(self) -> str:
        """What must be there for the rule to count: its pattern, as the first group together with the form of
        its value if that must follow at once."""
        follows = self.value and self.value.follows
        return f"({self.pattern})(?:{follows})" if follows else self.pattern

    @property
    def part(self) -> int:
        """Which group of ``form`` is the hit."""
        return 1 if self.value and self.value.follows else self.group

    @property
    def reach_of_form(self) -> int:
        """Longest match of ``form``, characters."""
        return self.width + (self.value.width if self.value and self.value.follows else 0)


@dataclass(frozen=True, slots=True)
class Value:
    """What counts near the words of a rule. ``check`` and ``group`` of such a rule are those of its value."""

    pattern: str
    check: str
    group: int
    width: int

    @property
    def follows(self) -> str:
        """The pattern without its ``^``, if it begins with one that holds for all of it."""
        return self.pattern[1:] if self.pattern.startswith("^") and not _branches(self.pattern) else ""


@cache
def _branches(pattern: str) -> bool:
    """Whether there is a ``|`` outside of groups and classes."""
    depth = 0
    for piece in _TOPMOST.findall(pattern):
        depth += (piece == "(") - (piece == ")")
        if piece == "|" and not depth:
            return True
    return False


def parse(text: str, name: str = "rules", shared: Mapping[str, str] | None = None) -> tuple[Rule, ...]:
    """Read one file. Raises RuleError with the id of the first rule that is no good."""
    entries = _loaded(text, name)
    if not isinstance(entries.get("rules"), list):
        raise RuleError(f"{name}: a list 'rules' is expected")
    defaults = entries.get("defaults") or {}
    if set(defaults) - _DEFAULTS:
        raise RuleError(f"{name}: unknown defaults {sorted(set(defaults) - _DEFAULTS)}")
    fragments = {**(shared or {}), **_fragments(entries)}
    return tuple(
        rule
        for entry in entries["rules"]
        for one in _with_unproven({**defaults, **entry} if isinstance(entry, dict) else entry)
        for rule in [_rule(one, name, fragments)]
    )


def _loaded(text: str, name: str) -> dict[str, Any]:
    try:
        entries = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe loaders
    except yaml.YAMLError as error:
        raise RuleError(f"{name}: not YAML: {error}") from None
    if not isinstance(entries, dict):
        raise RuleError(f"{name}: a mapping is expected")
    return entries


def _fragments(entries: Mapping[str, Any]) -> dict[str, str]:
    return {str(key): str(value) for key, value in (entries.get("fragments") or {}).items()}


def _with_unproven(entry: Any) -> list[Any]:
    """A rule whose check is a proof may say what a string is worth that has the form but not the proof: a
    second rule, with a lower score and examples of its own."""
    if not isinstance(entry, dict) or not isinstance(entry.get("unproven"), dict):
        return [entry]
    proven = {key: value for key, value in entry.items() if key != "unproven"}
    name = f"{entry.get('id')}-unproven"
    family = entry.get("family", entry.get("id"))
    return [
        proven,
        {
            **proven,
            "id": name,
            "family": family,
            "check": f"unproven-{entry.get('check')}",
            **entry["unproven"],
        },
    ]


def _rule(entry: Any, name: str, fragments: Mapping[str, str]) -> Rule:
    if not isinstance(entry, dict) or not isinstance(entry.get("id"), str):
        raise RuleError(f"{name}: a rule without an id")
    where = f"{name}: {entry['id']}"
    unknown = set(entry) - _KEYS
    if unknown:
        raise RuleError(f"{where}: unknown keys {sorted(unknown)}")
    for key in ("class", "pattern", "score", "message", "positive", "negative"):
        if not entry.get(key):
            raise RuleError(f"{where}: '{key}' is missing")
    names = _names(entry, where)
    own = {**fragments, "names": f"(?:{'|'.join(map(re.escape, names))})"} if names else fragments
    pattern = _filled(str(entry["pattern"]), own, where)
    check = str(entry.get("check", ""))
    if check and check not in CHECKS:
        raise RuleError(f"{where}: no check named '{check}'")
    extend = str(entry.get("extend", ""))
    if extend and extend not in EXTENSIONS:
        raise RuleError(f"{where}: nothing extends by '{extend}'")
    score = float(entry["score"])
    if not 0 < score <= 1:
        raise RuleError(f"{where}: the score must lie in 0..1")
    group = int(entry.get("group", 0))
    value = None
    if entry.get("value"):
        form = _filled(str(entry["value"]), fragments, where)
        value, check, group = Value(form, check, group, _width(form, where)), "", 0
    return Rule(
        id=entry["id"],
        cls=str(entry["class"]),
        pattern=pattern,
        score=score,
        message=str(entry["message"]),
        positive=tuple(_example(text) for text in entry["positive"]),
        negative=tuple(_example(text) for text in entry["negative"]),
        family=str(entry.get("family", entry["id"])),
        sensitive=entry.get("case") == "sensitive",
        check=check,
        group=group,
        extend=extend,
        names=names,
        reach=int(entry.get("reach", NEAR)),
        width=_width(pattern, where),
        whole=entry.get("whole") is True,
        value=value,
    )


def _names(entry: Mapping[str, Any], where: str) -> tuple[str, ...]:
    names = tuple(map(str, entry.get("names") or ()))
    bad = [name for name in names if name != name.lower() or not _NAME.fullmatch(name)]
    if bad:
        raise RuleError(f"{where}: a name is 2 to 32 lower-case characters without blanks, not {bad}")
    return names


def _filled(pattern: str, fragments: Mapping[str, str], where: str) -> str:
    """``<<name>>`` stands for a fragment; fragments may use each other."""
    for _ in range(4):
        pattern, count = _FRAGMENT.subn(lambda found: fragments.get(found[1], found[0]), pattern)
        if not count:
            break
    left = next(
        (found[1] for found in _FRAGMENT.finditer(pattern) if found[1] == "_" or found[1] in fragments), ""
    )
    if left:
        raise RuleError(f"{where}: fragment '{left}' is not there or holds itself")
    return pattern


def _example(text: object) -> str:
    """Examples of credentials are broken by ``~``, so that repository scanners pass over them."""
    return str(text).replace("~", "").replace("\\x7E", "~")


def _width(pattern: str, where: str) -> int:
    try:
        width = max_width(pattern)
        re2.compile(pattern, _quiet())
    except UnboundedPattern as error:
        raise RuleError(f"{where}: {error}") from None
    except re2.error as error:
        raise RuleError(f"{where}: RE2 does not read the pattern: {error}") from None
    if width > MAX_WIDTH:
        raise RuleError(f"{where}: can match {width} characters, at most {MAX_WIDTH} are allowed")
    return width


def _quiet() -> Any:
    options = re2.Options()
    options.log_errors = False
    return options


@cache
def builtin() -> tuple[Rule, ...]:
    """The rules that ship with Ringwall, in file order. Ids are unique."""
    folder = files(__package__) / "rules"
    shared = _fragments(_loaded((folder / f"{SHARED}.yaml").read_text("utf-8"), SHARED))
    rules = tuple(
        rule for name in FILES for rule in parse((folder / f"{name}.yaml").read_text("utf-8"), name, shared)
    )
    seen: set[str] = set()
    for rule in rules:
        if rule.id in seen:
            raise RuleError(f"two rules with the id {rule.id}")
        seen.add(rule.id)
    return rules
