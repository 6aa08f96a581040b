"""An allow-rule: one false alarm, exactly as it was, that shall not stop anything for a while.

What may be allowed, and how narrowly, is held here; ``allowances.py`` keeps the rules.
"""

import re
import time
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from ringwall.core import CrossingKind, DataError, Finding, Integrity, Label, Part, PartKind, new_id

ALLOWABLE = frozenset(
    {
        *("interface.injection", "interface.moderation", "interface.secrets", "interface.pii"),
        *("interface.links", "interface.code", "interface.sinks", "interface.topic", "interface.words"),
        *("interface.language", "interface.leak", "data.scan"),
    }
)
"""Controls that judge content. Those of authority, identity, budgets and containment, and the canary, which
nothing but a leak can show, are never among them."""
VALUES = frozenset({"interface.secrets", "interface.pii", "interface.links"})
"""Controls that find values: what they found is the narrowest thing to allow."""
HASH_ONLY = frozenset({"interface.secrets"})
SHORTEST_VALUE = 6
SHORTEST = 20
"""Characters of an allowed phrase, or of an allowed span that is no value."""
LONGEST_PHRASE = 2000
LONGEST_TEXT = 1_000_000
LONGEST_DAYS = 366
_DAY = 24 * 3600.0
_SEVERAL = "joined"
"""Begins the view of findings that lie across messages: the text of one of them is not what was found."""
_PERIOD = re.compile(r"([1-9][0-9]{0,3})(h|d|w)")
_HOURS = {"h": 1, "d": 24, "w": 168}


_SHOWN = (
    "id", "control", "rule", "cls", "application", "integrity", "owner", "reason", "by", "decision",
)  # fmt: skip


class Match(StrEnum):
    """What must be the same again, beside control, rule, application and integrity."""

    TEXT = "text"
    """The whole text of the part, by its hash."""
    SPAN = "span"
    """The characters that the finding marks, by their hash."""
    PHRASE = "phrase"
    """The finding lies inside this literal phrase."""


@dataclass(frozen=True, slots=True)
class Case:
    """What must from now on pass: the part in which the false alarm was, as the ledger has it."""

    kind: CrossingKind
    part: Part
    finding: Finding
    """With ``part`` 0."""
    application: str
    person: str
    """``tenant/subject`` of who wrote it: their key encrypts it, and erasing that key erases it."""


@dataclass(frozen=True, slots=True)
class AllowRule:
    """Times are seconds since the epoch, UTC."""

    id: str
    control: str
    rule: str
    """Rule id, or name of the learned model."""
    cls: str
    application: str
    integrity: str
    """Of the content: what a person may type is not what a document may say."""
    match: Match
    digest: str
    """Keyed hash of the text or span; of a phrase as well."""
    owner: str
    """Who answers for it."""
    reason: str
    by: str
    """Subject who added it."""
    decision: str
    """Where the false alarm was."""
    at: float
    expires: float
    person: str
    """Whose key encrypts the test case."""
    removed: float | None = None
    removed_by: str = ""

    @property
    def expires_at(self) -> str:
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.expires))

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        shown = {name: getattr(self, name) for name in _SHOWN}
        return {**shown, "match": str(self.match), "at": int(self.at), "expires_at": self.expires_at}

    def in_force(self, now: float) -> bool:
        return self.removed is None and now < self.expires

    def event(self, action: str) -> dict[str, Any]:
        """For the ledger; ``action`` is ``added`` or ``removed``. The reason, which a person wrote, belongs
        in the encrypted body."""
        return {
            "id": new_id("evt"),
            "type": "allow-rule",
            "at": time.time_ns() // 1000,
            "boundary": "organization",
            "action": action,
            "allow_rule": self.id,
            "control": self.control,
            "rule": self.rule,
            "application": self.application,
            "match": str(self.match),
            "decision": self.decision,
            "owner": self.owner,
            "expires": int(self.expires),
            "by": self.by if action == "added" else self.removed_by,
        }


def canonical(text: str) -> str:
    """The form that is hashed: composed characters, runs of white space as one blank. Nothing that a
    detector could tell apart otherwise is made the same."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def span_of(part: Part, finding: Finding) -> str:
    """The characters that a finding marks; nothing when it is about the whole part."""
    return part.text[finding.start : finding.end]


def in_phrase(text: str, finding: Finding, phrase: str) -> bool:
    """Whether the finding lies inside an occurrence of the phrase: to write the phrase somewhere else in a
    text helps nobody."""
    if not phrase or finding.end <= finding.start:
        return False
    at = text.find(phrase, max(0, finding.end - len(phrase)), finding.start + len(phrase))
    return at >= 0


def usual_match(finding: Finding) -> Match:
    """The narrowest that is of use."""
    value = finding.control in VALUES and finding.end - finding.start >= SHORTEST_VALUE
    return Match.SPAN if value else Match.TEXT


def check(case: Case, match: Match, phrase: str = "") -> None:
    """Raises DataError, with the reason, for what can't be allowed, or not in this way."""
    found = case.finding
    if found.control not in ALLOWABLE:
        raise DataError(f"{found.control} is no control of content: what it decides can't be allowed here.")
    if found.view.startswith(_SEVERAL):
        raise DataError("This finding lies across several messages: no text of one of them can allow it.")
    if len(case.part.text) > LONGEST_TEXT:
        raise DataError(f"A test case has at most {LONGEST_TEXT:,} characters.")
    if match is Match.PHRASE:
        _check_phrase(case, phrase)
    elif phrase:
        raise DataError("A phrase goes with the match 'phrase' only.")
    elif match is Match.SPAN:
        least = SHORTEST_VALUE if found.control in VALUES else SHORTEST
        if len(canonical(span_of(case.part, found))) < least:
            raise DataError(
                f"What was found is shorter than {least} characters: match the whole text instead."
            )
    elif not canonical(case.part.text):
        raise DataError("The text is empty: nothing narrow can be allowed.")


def _check_phrase(case: Case, phrase: str) -> None:
    found = case.finding
    if found.control in HASH_ONLY or found.cls == "secret":
        raise DataError("A credential can be allowed by its hash only: match the span or the text.")
    if len(canonical(phrase)) < SHORTEST or len(phrase) > LONGEST_PHRASE:
        raise DataError(f"A phrase has {SHORTEST} to {LONGEST_PHRASE} characters.")
    if not in_phrase(case.part.text, found, phrase):
        raise DataError("The finding does not lie inside this phrase, so the phrase would not allow it.")


def covers(finding: Finding, part: Part, rule: AllowRule) -> bool:
    """Whether control, rule and integrity are those of the allow-rule, and the finding one that can be
    allowed at all. The match remains to be compared."""
    return (
        finding.control == rule.control
        and finding.rule == rule.rule
        and finding.control in ALLOWABLE
        and str(part.label.integrity) == rule.integrity
        and not finding.view.startswith(_SEVERAL)
    )


def until(period: str, now: float) -> float:
    """When a period such as ``30d``, ``12h`` or ``8w`` from now is over. Raises DataError for one that is
    none, or longer than a year."""
    found = _PERIOD.fullmatch(period.strip())
    hours = int(found[1]) * _HOURS[found[2]] if found else 0
    if not 0 < hours <= LONGEST_DAYS * 24:
        raise DataError("An allow-rule must expire: give a period such as 12h, 30d or 8w, at most 366d.")
    return now + hours * 3600.0


def case_of(event: Mapping[str, Any], body: Mapping[str, Any], control: str, spot: Mapping[str, Any]) -> Case:
    """The case of one finding in a decision as it is on the ledger. Raises DataError when the record does not
    hold what is needed."""
    status = {str(line.get("control")): str(line.get("status")) for line in event.get("lines", ())}
    if status.get(control) != "evaluated":
        raise DataError(f"{control} could not judge this crossing: a failure is no false alarm.")
    parts = list(body.get("parts", ()))
    index = int(spot.get("part") or 0)
    if index >= len(parts):
        raise DataError("This finding is about no text: nothing narrow can be allowed.")
    found = Finding(
        control, str(spot["rule"]), "", 0, int(spot["start"]), int(spot["end"]),
        str(spot["class"]), float(spot["score"]), str(spot["view"]),
    )  # fmt: skip
    person = f"{event['tenant']}/{event['subject']}"
    kind = CrossingKind(str(event["kind"]))
    return Case(kind, part_of(parts[index]), found, str(event["application"]), person)


def part_of(stored: Mapping[str, Any]) -> Part:
    """A part as the ledger, or a test case, holds it. Its data and id in the protocol are not kept."""
    label = Label(
        Integrity[str(stored["integrity"]).upper()],
        frozenset(map(str, stored.get("sensitivity", ()))),
        frozenset(map(str, stored.get("origin", ()))),
    )
    return Part(
        PartKind(str(stored["kind"])),
        str(stored["text"]),
        label,
        str(stored.get("role", "")),
        str(stored.get("name", "")),
        MappingProxyType({}),
    )
