"""One multi-pattern pass over a text: Hyperscan finds candidates, RE2 confirms them with exact spans.

Hyperscan looks for a rule's anchors (``anchors.py``): literals one of which is in every match, so that few
rules are left. Every match of a rule lies within ``width`` of an anchor: in a long text RE2 reads the union
of those windows and finds the very matches that it would find in the whole. Without Hyperscan an RE2 set
looks for the anchors, and RE2 reads the whole text.
"""

import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from itertools import islice
from typing import Any

import re2

from .checks import CHECKS, EXTENSIONS
from .looks import Look, looks
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
_SHORT_TEXT = 16_384
"""Bytes up to which RE2 reads all of a text: finding the windows would cost more."""
_BRIDGE = 1024
"""Windows this near are run as one: RE2 reads on faster than Python starts it anew."""


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

    def __init__(
        self, rules: Sequence[Rule], *, use_hyperscan: bool = True, short: int = _SHORT_TEXT
    ) -> None:
        """``short``: bytes up to which a text is read whole."""
        self._short = short
        self.rules = tuple(rules)
        self.uses_hyperscan = bool(use_hyperscan and hyperscan is not None and rules)
        self._confirm: list[Any] = [None] * len(rules)
        self._local = _Local()
        self._lock = threading.Lock()
        self._compiled: dict[str, Any] = {}
        self._looks = looks(self.rules)
        self._always: frozenset[int] = frozenset()
        """Rules that only RE2 can read."""
        self._set: Any = None
        if rules and not self.uses_hyperscan:
            self._set = re2.Set.SearchSet(_options())
            for look in self._looks:
                self._set.Add(look.re2)
            self._set.Compile()

    def scan(self, text: str) -> list[Hit]:
        """All hits, ordered by place. Never raises for a hostile text; time is linear in its length."""
        if not text or not self.rules:
            return []
        data = _encoded(text)
        if self.uses_hyperscan and len(data) > self._short:
            found = list(self._windowed(data, len(data) == len(text)))
        else:
            found = list(self._whole(data))
        return self._hits(text, data, found) if found else []

    def present(self, text: str) -> set[str]:
        """Ids of the rules that could match, by their literals: the cheapest question."""
        return {self.rules[index].id for index in self._candidates(_encoded(text))}

    def _candidates(self, data: bytes) -> list[int]:
        """Rules of which an anchor is there."""
        seen: list[int] = []
        if self.uses_hyperscan:

            def report(look: int, _start: int, _end: int, _flags: int, _context: object) -> None:
                seen.append(look)

            database = self._database("candidates")
            database.scan(data, match_event_handler=report, scratch=self._scratch(database))
        elif self._set:
            seen = self._set.Match(data) or []
        return sorted({*self._always, *(index for look in seen for index in self._looks[look].rules)})

    def _windowed(self, data: bytes, single: bool) -> Iterator[tuple[int, int, int]]:
        """Only the neighbourhood of an anchor is read by RE2."""
        ends: dict[int, list[int]] = defaultdict(list)
        count, most = 0, _MAX_REPORTS + len(data) // 8

        def report(look: int, _start: int, end: int, _flags: int, _context: object) -> bool | None:
            nonlocal count
            count += 1
            ends[look].append(end)
            return True if count > most else None

        try:
            database = self._database("anchors")
            database.scan(data, match_event_handler=report, scratch=self._scratch(database))
        except hyperscan.ScanTerminated:
            yield from self._whole(data)
            return
        by_rule: dict[int, list[int]] = defaultdict(list)
        for look, places in ends.items():
            for index in self._looks[look].rules:
                by_rule[index].extend(places)
        for index in sorted({*by_rule, *self._always}):
            room = self.rules[index].width * (1 if single else 4)
            windows: Iterable[tuple[int, int]] = [(0, len(data))]
            if index not in self._always:
                windows = _windows(by_rule[index], room)
            spans = (span for window in windows for span in self._spans(index, data, *window))
            yield from islice(spans, MAX_HITS)

    def _whole(self, data: bytes) -> Iterator[tuple[int, int, int]]:
        for index in self._candidates(data):
            yield from islice(self._spans(index, data, 0, len(data)), MAX_HITS)

    def _spans(self, index: int, data: bytes, start: int, stop: int) -> Iterator[tuple[int, int, int]]:
        """Byte spans of one rule's matches, of its group."""
        rule, compiled = self.rules[index], self._confirm[index]
        if compiled is None:
            compiled = self._confirm[index] = re2.compile(rule.regex, _options())
        whole = start <= 0 and stop >= len(data)
        places = () if whole else (_boundary(data, start), _boundary(data, stop))
        for match in compiled.finditer(data, *places):
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

    def _database(self, name: str) -> Any:
        known = self._compiled.get(name)
        if known is None:
            with self._lock:
                known = self._compiled.get(name) or self._compile(name)
                self._compiled[name] = known
        return known

    def _compile(self, name: str) -> Any:
        """``anchors`` reports every place of every look, ``candidates`` a look at most once."""
        once = hyperscan.HS_FLAG_SINGLEMATCH if name == "candidates" else 0
        wanted = list(enumerate(self._looks))
        try:
            return _database(wanted, once)
        except hyperscan.error:
            good = [(at, look) for at, look in wanted if look.literal or _compiles(look)]
        lost = {self._looks[at] for at, _ in wanted} - {look for _, look in good}
        self._always = frozenset(index for look in lost for index in look.rules)
        return _database(good, once)

    def _scratch(self, database: Any) -> Any:
        known = self._local.scratch.get(id(database))
        if known is None:
            known = self._local.scratch[id(database)] = hyperscan.Scratch(database)
        return known


def _database(wanted: Sequence[tuple[int, Look]], once: int) -> Any:
    caseless = int(hyperscan.HS_FLAG_CASELESS)
    database = hyperscan.Database()
    database.compile(
        expressions=[look.bytewise for _, look in wanted],
        ids=[at for at, _ in wanted],
        flags=[(0 if look.sensitive else caseless) | once for _, look in wanted],
    )
    return database


def _compiles(look: Look) -> bool:
    try:
        _database([(0, look)], 0)
    except hyperscan.error:
        return False
    return True


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
