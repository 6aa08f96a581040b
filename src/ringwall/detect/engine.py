"""One multi-pattern pass over a text: Hyperscan finds candidates, RE2 confirms them with exact spans.

What Hyperscan looks for is a rule's anchors (``anchors.py``): literals one of which is in every match. Every
match then lies within ``width`` of some report, so running RE2 over the union of those windows gives the very
matches that RE2 gives over the whole text, at a fraction of the cost. Without Hyperscan an RE2 set looks for
the anchors and RE2 runs the rules found over the whole text.
"""

import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import re2

from .anchors import anchors
from .checks import CHECKS, EXTENSIONS
from .rules import Rule

hyperscan: Any
try:
    hyperscan = import_module("hyperscan")
except ImportError:  # no wheel for this platform
    hyperscan = None

_MAX_REPORTS = 20_000
"""Reports of one pass, and one more for every 8 bytes: beyond, it is rescanned with one report a rule."""
MAX_HITS = 500
"""Hits of one rule in one text: an attacker gains nothing by more, and memory stays bounded."""
_SHORT = 3
_BRIDGE = 4096
"""Windows this near are run as one: RE2 reads on faster than Python starts it anew."""
_SPECIAL = frozenset("\\.+*?()|[]{}^$/-#&~ \t\n\r")


@dataclass(frozen=True, slots=True)
class Hit:
    """A rule that matched, in characters of the text that was scanned."""

    rule: Rule
    start: int
    end: int
    view: str = ""


@dataclass
class _Local(threading.local):
    scratch: dict[int, Any] = field(default_factory=dict)


class Engine:
    """Compiled rules. Thread-safe: every thread has its own Hyperscan scratch."""

    def __init__(self, rules: Sequence[Rule], *, use_hyperscan: bool = True) -> None:
        self.rules = tuple(rules)
        self.uses_hyperscan = bool(use_hyperscan and hyperscan is not None and rules)
        self._confirm: list[Any] = [None] * len(rules)
        self._local = _Local()
        self._lock = threading.Lock()
        self._compiled: dict[tuple[bool, bool], Any] = {}
        self._looks = _looks(self.rules)
        self._set: Any = None
        if rules and not self.uses_hyperscan:
            self._set = re2.Set.SearchSet(_options())
            for look in self._looks:
                self._set.Add(("" if look.sensitive else "(?i)") + look.pattern)
            self._set.Compile()

    def scan(self, text: str) -> list[Hit]:
        """All hits, ordered by place. Never raises for a hostile text; time is linear in its length."""
        if not text or not self.rules:
            return []
        data = _encoded(text)
        spans = self._windowed(data, len(data) == len(text)) if self.uses_hyperscan else self._whole(data)
        found = list(spans)
        return self._hits(text, data, found) if found else []

    def present(self, text: str) -> set[str]:
        """Ids of the rules of which an anchor is there. No spans, no checks: the cheapest question."""
        data = _encoded(text)
        return {self.rules[index].id for index in self._candidates(data)}

    def _candidates(self, data: bytes) -> dict[int, int]:
        """Rule -> end of its first anchor (0 where the pass gives no place)."""
        first: dict[int, int] = {}
        if not self.uses_hyperscan:
            for look in (self._set.Match(data) or ()) if self._set else ():
                for index in self._looks[look].rules:
                    first[index] = 0
            return first

        def report(look: int, _start: int, end: int, _flags: int, _context: object) -> None:
            for index in self._looks[look].rules:
                first.setdefault(index, end)

        for database in self._databases(data, dense=True):
            database.scan(data, match_event_handler=report, scratch=self._scratch(database))
        return first

    def _windowed(self, data: bytes, single: bool) -> Iterator[tuple[int, int, int]]:
        ends: dict[int, list[int]] = defaultdict(list)
        count, most = 0, _MAX_REPORTS + len(data) // 8

        def report(look: int, _start: int, end: int, _flags: int, _context: object) -> bool | None:
            nonlocal count
            count += 1
            ends[look].append(end)
            return True if count > most else None

        scale = 1 if single else 4
        try:
            for database in self._databases(data, dense=False):
                database.scan(data, match_event_handler=report, scratch=self._scratch(database))
        except hyperscan.ScanTerminated:
            for index, end in self._candidates(data).items():
                room = self.rules[index].width * scale
                yield from self._spans(index, data, end - room, len(data))
            return
        by_rule: dict[int, list[int]] = defaultdict(list)
        for look, places in ends.items():
            for index in self._looks[look].rules:
                by_rule[index].extend(places)
        for index, places in by_rule.items():
            room = self.rules[index].width * scale
            for start, stop in _windows(places, room):
                yield from self._spans(index, data, start, min(stop, len(data)))

    def _whole(self, data: bytes) -> Iterator[tuple[int, int, int]]:
        for index in sorted(self._candidates(data)):
            yield from self._spans(index, data, 0, len(data))

    def _spans(self, index: int, data: bytes, start: int, stop: int) -> Iterator[tuple[int, int, int]]:
        """Byte spans of one rule's matches, of its group."""
        rule, compiled = self.rules[index], self._confirm[index]
        if compiled is None:
            compiled = self._confirm[index] = re2.compile(rule.regex, _options())
        matches = compiled.finditer(data, _boundary(data, start), _boundary(data, stop))
        for count, match in enumerate(matches):
            if count >= MAX_HITS:
                return
            first, last = match.span(rule.group)
            if first >= 0:
                yield index, first, last

    def _hits(self, text: str, data: bytes, found: Sequence[tuple[int, int, int]]) -> list[Hit]:
        place = _places(data, found) if len(data) != len(text) else None
        hits = []
        for index, first, last in found:
            rule = self.rules[index]
            start, end = (place[first], place[last]) if place else (first, last)
            if rule.check and not CHECKS[rule.check](text[start:end]):
                continue
            if rule.extend:
                end = EXTENSIONS[rule.extend](text, end)
            hits.append(Hit(rule, start, end))
        hits.sort(key=lambda hit: (hit.start, hit.end, hit.rule.id))
        return hits

    def _databases(self, data: bytes, *, dense: bool) -> list[Any]:
        """ASCII anchors for every text; those of other scripts, slow to build, when needed."""
        wide = [False] if data.isascii() else [False, True]
        return [self._database(dense, one) for one in wide if any(look.wide is one for look in self._looks)]

    def _database(self, dense: bool, wide: bool) -> Any:
        known = self._compiled.get((dense, wide))
        if known is None:
            with self._lock:
                known = self._compiled.get((dense, wide)) or self._compile(dense, wide)
                self._compiled[dense, wide] = known
        return known

    def _compile(self, dense: bool, wide: bool) -> Any:
        base = hyperscan.HS_FLAG_SINGLEMATCH * dense | hyperscan.HS_FLAG_UTF8 * wide
        looks = [(index, look) for index, look in enumerate(self._looks) if look.wide is wide]
        database = hyperscan.Database()
        database.compile(
            expressions=[look.pattern.encode() for _, look in looks],
            ids=[index for index, _ in looks],
            flags=[base | (0 if look.sensitive else hyperscan.HS_FLAG_CASELESS) for _, look in looks],
        )
        return database

    def _scratch(self, database: Any) -> Any:
        known = self._local.scratch.get(id(database))
        if known is None:
            known = self._local.scratch[id(database)] = hyperscan.Scratch(database)
        return known


@dataclass(frozen=True, slots=True)
class _Look:
    """What the first pass looks for, and the rules that it may mean."""

    pattern: str
    sensitive: bool
    rules: tuple[int, ...]

    @property
    def wide(self) -> bool:
        return not self.pattern.isascii()


def _looks(rules: Sequence[Rule]) -> list[_Look]:
    wanted: dict[tuple[str, bool], list[int]] = defaultdict(list)
    for index, rule in enumerate(rules):
        literals = anchors(rule.pattern)
        if rule.sensitive and literals and min(map(len, literals)) <= _SHORT and rule.pattern.isascii():
            literals = frozenset()  # a short prefix is everywhere, and these patterns are small automata
        for literal in literals:
            wanted[_escaped(literal), False].append(index)
        if not literals:
            wanted[rule.pattern, rule.sensitive].append(index)
    return [_Look(pattern, sensitive, tuple(owners)) for (pattern, sensitive), owners in wanted.items()]


def _escaped(literal: str) -> str:
    return "".join(f"\\x{{{ord(char):x}}}" if char in _SPECIAL else char for char in literal)


def _encoded(text: str) -> bytes:
    """UTF-8, with the two letters outside ASCII that fold to an ASCII letter as that letter. Lone surrogates
    become ``?``. One character stays one character."""
    if not text.isascii():
        text = text.replace("\u212a", "k").replace("\u017f", "s")
    return text.encode("utf-8", "replace")


def _options() -> Any:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 64 << 20
    return options


def _windows(ends: list[int], room: int) -> Iterator[tuple[int, int]]:
    """Union of ``[end - room, end + room]``."""
    start = stop = -1
    for end in sorted(set(ends)):
        if start >= 0 and end - room <= stop + _BRIDGE:
            stop = end + room
            continue
        if start >= 0:
            yield start, stop
        start, stop = max(0, end - room), end + room
    if start >= 0:
        yield start, stop


def _boundary(data: bytes, at: int) -> int:
    """The nearest start of a character at or before ``at``."""
    at = min(max(0, at), len(data))
    while 0 < at < len(data) and data[at] & 0xC0 == 0x80:
        at -= 1
    return at


def _places(data: bytes, spans: Iterable[tuple[int, int, int]]) -> dict[int, int]:
    """Byte offset -> character offset, for the offsets of the spans."""
    wanted = sorted({at for _, first, last in spans for at in (first, last)})
    places: dict[int, int] = {}
    at = chars = 0
    for offset in wanted:
        chars += len(data[at:offset].decode("utf-8", "replace"))
        at = offset
        places[offset] = chars
    return places
