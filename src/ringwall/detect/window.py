"""Some of the rules over the windows of a stream: what matched, and where a match may be under way."""

from collections import defaultdict
from collections.abc import Sequence
from functools import cache

from .confusables import plain
from .engine import Engine, Hit
from .heads import heads
from .rules import Rule, builtin

_KEY = 3
"""Characters by which heads are looked up."""
_ROOM = 2
"""Characters beyond the longest match: what stands on either side may decide whether it is one."""


class RuleWindow:
    """Thread-safe. Reads a text as it came and with look-alikes folded, not decoded: what is encoded harms
    nobody who reads it."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.engine = Engine(rules)
        self.reach = max((rule.width for rule in rules), default=0) + _ROOM
        """Characters that the longest match of these rules and what decides on it can have."""
        rooms: dict[str, int] = defaultdict(int)
        for rule in rules:
            for head in heads(rule.pattern):
                rooms[head] = max(rooms[head], rule.width + _ROOM)
        self._always = rooms.pop("", 0)
        self._longest = max(map(len, rooms), default=0)
        self._parts = frozenset(head[:end] for head in rooms for end in range(1, len(head)))
        self._heads: dict[str, list[tuple[str, int]]] = defaultdict(list)
        for head, room in rooms.items():
            self._heads[head[:_KEY]].append((head, room))
        self._keys = sorted({len(key) for key in self._heads})

    def scan(self, text: str, before: str = "") -> list[Hit]:
        """Matches that end in the text, ordered by place, with offsets into it. ``before`` is what went ahead
        of it; a match that begins there starts at 0."""
        ahead = before[-self.reach :]
        whole = ahead + text
        found = {(hit.rule.id, hit.start, hit.end): hit for hit in self.engine.scan(whole)}
        if not whole.isascii():
            folded, places = _folded(whole)
            for hit in self.engine.scan(folded) if folded != whole else ():
                start, end = places[hit.start], places[hit.end - 1] + 1
                found.setdefault((hit.rule.id, start, end), Hit(hit.rule, start, end, "unicode"))
        cut = len(ahead)
        moved = [
            hit._replace(start=max(0, hit.start - cut), end=hit.end - cut)
            for hit in found.values()
            if hit.end > cut
        ]
        return sorted(moved, key=lambda hit: (hit.start, hit.end, hit.rule.id))

    def hold_from(self, text: str) -> int:
        """Offset of the first character that an unfinished match could start at."""
        low = max(0, len(text) - 3 * self.reach)
        hold = self._under_way(text[low:])
        if not text.isascii():
            folded, places = _folded(text[low:])
            at = self._under_way(folded)
            hold = min(hold, places[at] if at < len(places) else len(text) - low)
        return low + min(hold, max(0, len(text) - low - self._always) if self._always else hold)

    def _under_way(self, text: str) -> int:
        low = "".join(char.lower() if len(char.lower()) == 1 else char for char in text)
        for at in range(max(0, len(low) - self.reach), len(low)):
            for size in self._keys:
                for head, room in self._heads.get(low[at : at + size], ()):
                    if len(low) - at <= room and low.startswith(head, at):
                        return min(at, self._part(low))
        return self._part(low)

    def _part(self, low: str) -> int:
        """Where the longest part of a head begins that the text ends with."""
        for size in range(min(self._longest, len(low)), 0, -1):
            if low[-size:] in self._parts:
                return len(low) - size
        return len(low)


def _folded(text: str) -> tuple[str, list[int]]:
    """The text as a reader sees it, and the place of each of its characters."""
    out: list[str] = []
    places: list[int] = []
    for at, char in enumerate(text):
        for one in plain(char):
            out.append(one)
            places.append(at)
    return "".join(out), places


@cache
def window(*classes: str) -> RuleWindow:
    """The built-in rules of these classes and of those below them (``code`` takes in ``code.python``)."""
    wanted = [
        rule
        for rule in builtin()
        if any(rule.cls == one or rule.cls.startswith(f"{one}.") for one in classes)
    ]
    return RuleWindow(wanted)
