"""Shapes of a message that attack by repetition or by pieces: made-up turns, and payloads to be put
together."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ringwall.detect import assess, scanner

_READ = 60_000
_TURN = re.compile(
    r"^[ \t>*#\[<|\-\d.]{0,8}(?:(user|human|question|customer|person|me|q)|(assistant|answer|ai|bot|"
    r"model|chatgpt|gpt|"
    r"claude|gemini|llama|response|you|a))[ \t\d*\]>|)]{0,6}[:>\]|](.{0,120})",
    re.IGNORECASE | re.MULTILINE,
)
_COMPLIES = re.compile(
    r"\W{0,4}(?:sure|of course|certainly|absolutely|here(?:'s| is| are)|yes|gladly|happy to|no "
    r"problem|step 1|first,? |"
    r"to (?:make|build|do|create|get)|you (?:can|should|need|will))",
    re.IGNORECASE,
)
FEWEST_SHOTS = 6
"""Made-up exchanges from which a message counts as many-shot."""

_ASSIGNED = re.compile(
    r"""\b([A-Za-z_]\w{0,15})\s{0,3}(?::=|=|\bis\b|\bbe\b|\bto\b|\bequals\b|:)\s{0,3}"""
    r"""(?:'([^'\n]{1,300})'|"([^"\n]{1,300})"|“([^”\n]{1,300})”|`([^`\n]{1,300})`|‘([^’\n]{1,300})’)"""
)
_NUMBERED = re.compile(
    r"\b(?:(?:part|piece|chunk|fragment|half|segment)\s{0,2}(?:#|no\.?|number)?\s{0,2}"
    r"(?:\d{1,2}|one|two|three|four|five|six|[a-h])?\s{0,2}(?:of\s{1,2}\d{1,2})?"
    r"|(?:remember|keep|store|save|memorize|memorise|note)\b[^:\n]{0,40})\s{0,2}(?::|=|\bis\b)\s{0,2}([^\n]{1,300})",
    re.IGNORECASE,
)
_EXPRESSION = re.compile(r"\b(\w{1,16})((?:\s{0,2}(?:\+|,|&|and|\.)\s{0,2}\w{1,16}){1,20})\b")
_NAME = re.compile(r"\w{1,16}")
MOST_PIECES = 40


@dataclass(frozen=True, slots=True)
class Shots:
    """A series of made-up exchanges."""

    count: int
    complies: float
    """Share of the made-up answers that open by doing what was asked."""
    harm: bool
    """Whether the series is about something that a model should not do."""

    @property
    def risk(self) -> float:
        """0 for a few; much for dozens that teach compliance with harm; little for an innocent transcript."""
        if self.count < FEWEST_SHOTS:
            return 0.0
        long = min(0.5, 0.06 + 0.025 * self.count)
        if not self.harm:
            return 0.5 * long
        return min(1.3, long * 2.2 * (1.6 if self.complies >= 0.4 else 1.0))


NO_SHOTS = Shots(0, 0.0, harm=False)


def shots_in(text: str) -> Shots:
    """Exchanges that are written out inside one message."""
    turns = list(_TURN.finditer(text, 0, _READ))
    if len(turns) < 2 * FEWEST_SHOTS:
        return NO_SHOTS
    answers = [turn.group(3) for turn in turns if turn.group(2)]
    count = min(len(answers), len(turns) - len(answers))
    return _shots(count, answers, text[:_READ])


def shots_of(asked: Sequence[str], answered: Sequence[str]) -> Shots:
    """Exchanges that a client sent as a history that this session never had."""
    count = min(len(asked), len(answered))
    if count < FEWEST_SHOTS:
        return NO_SHOTS
    return _shots(count, answered, "\n".join((*asked, *answered))[:_READ])


def _shots(count: int, answers: Sequence[str], text: str) -> Shots:
    if count < FEWEST_SHOTS:
        return NO_SHOTS
    complies = sum(bool(_COMPLIES.match(answer.strip())) for answer in answers) / max(1, len(answers))
    found = assess(text)
    hazards = [one for one in scanner().scan(text) if one.cls == "session.hazard"]
    harm = max(found.moderation, found.attack) >= 0.5 or len({one.family for one in hazards}) >= 2
    return Shots(count, complies, harm or len(hazards) > count // 3)


def pieces_in(text: str) -> list[tuple[str, str]]:
    """Pieces that a message lays aside, as (name, text); pieces of a numbered series have no name."""
    read = text[:_READ]
    found: list[tuple[int, str, str]] = []
    for one in _ASSIGNED.finditer(read):
        value = next(group for group in one.groups()[1:] if group is not None)
        found.append((one.start(), one.group(1).lower(), value))
    taken = [(at, at + len(name) + len(value)) for at, name, value in found]
    for one in _NUMBERED.finditer(read):
        if not any(low < one.end() and one.start() <= high for low, high in taken):
            found.append((one.start(), "", one.group(1).strip().strip("\"'“”`")))
    return [(name, value) for _, name, value in sorted(found)][:MOST_PIECES]


def assembled(pieces: Sequence[tuple[str, str]], request: str) -> Iterable[str]:
    """The texts that the pieces may make: in the order of the request's expression, or as they came."""
    named = {name: value for name, value in pieces if name}
    orders = [[value for _, value in pieces]]
    for expression in _EXPRESSION.finditer(request[:_READ]):
        names = [name.lower() for name in _NAME.findall(expression.group())]
        order = [named[name] for name in names if name in named]
        if len(order) > 1 and order not in orders:
            orders.append(order)
        if len(orders) > 4:
            break
    for order in orders:
        yield "".join(order)
        yield " ".join(piece.strip() for piece in order)
