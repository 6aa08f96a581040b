"""One multi-pattern pass over a text: Hyperscan finds candidates, RE2 confirms them with exact spans.

Hyperscan looks for a rule's anchors (``anchors.py``): literals one of which is in every match, so that few
rules are left. Every match of a rule lies within ``width`` of an anchor: in a long text RE2 reads the union
of those windows and finds the very matches that it would find in the whole. Patterns without a literal are
looked for behind a gate (``gates.py``). Without Hyperscan an RE2 set looks for the anchors, and RE2 reads
the whole text.
"""

import re
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import re2

from .analysis import analysed
from .checks import CHECKS, EXTENSIONS
from .compiled import Expression, database_of, hyperscan
from .finder import Finder, finder, options
from .gates import GATES
from .rules import AFTER, WORD, Rule

_MAX_REPORTS = 20_000
"""Reports of one pass, and one more for every 8 bytes: beyond, RE2 reads the whole text for what was seen."""
MAX_HITS = 500
"""Hits that every rule may have in one text, whatever others have."""
_PER_HIT, _PER_RULE = 4, 16
"""Bytes of text for each hit of all rules together; and beyond that for each hit of any rule, so that a
flood of one kind hides no other."""
_BLOCK = 2048
"""Bytes for which a gate is open or shut."""
_ACROSS = 32
"""Bytes that blocks overlap by: no gate is longer."""
_SHORT_TEXT = 16_384
"""Bytes up to which RE2 reads all of a text: finding the windows would cost more."""
_BYTES = 4
"""Bytes of a character, at most."""
_DIGITS = bytes(49 if 48 <= byte <= 57 else 48 for byte in range(256))
"""Makes ``1`` of every digit and ``0`` of the rest."""
_DIGIT = re.compile(rb"[0-9]")
_NEAR = _BYTES * (AFTER + WORD)
"""Bytes from the words of a rule to where its value begins, at most."""
_BRIDGE = 1024
"""Windows this near are run as one: RE2 reads on faster than Python starts it anew."""


class Hit(NamedTuple):
    """A rule that matched, in characters of the text that was scanned."""

    rule: Rule
    start: int
    end: int
    view: str = ""


Place = tuple[int, int, int]
"""The same as numbers: the place of the rule among those of the engine, start, end. A plain tuple, because
there are so many."""


class _Window(NamedTuple):
    """Bytes that RE2 is to read."""

    start: int
    stop: int
    last: int
    """No match ends beyond: the last look of the rule is there."""


@dataclass
class _Local(threading.local):
    scratch: dict[int, Any] = field(default_factory=dict)


class Engine:
    """Compiled rules. Thread-safe: every thread has its own Hyperscan scratch."""

    def __init__(
        self,
        rules: Sequence[Rule],
        *,
        use_hyperscan: bool = True,
        short: int = _SHORT_TEXT,
        gates: bool = True,
    ) -> None:
        """``short``: bytes up to which a text is read whole. ``gates``: whether patterns without a literal
        are looked for behind gates alone, which pays where they are few beside the literals."""
        self._short = short
        self._gates = gates
        self.rules = tuple(rules)
        self.uses_hyperscan = bool(use_hyperscan and hyperscan is not None and rules)
        self._confirm: list[Finder | None] = [None] * len(rules)
        self._local = _Local()
        self._lock = threading.Lock()
        self._compiled: dict[str, Any] = {}
        self._looks, digits, self._hollow = analysed(self.rules)
        """The last: rules that may match nothing at all, and so once more where the last match ended."""
        self._unread: frozenset[int] = frozenset()
        """Looks that Hyperscan can't read."""
        self._always: frozenset[int] = frozenset()
        """Their rules, which RE2 looks for in all of a text."""
        self._reach = [rule.reach_of_form for rule in self.rules]
        self._parts = [rule.part for rule in self.rules]
        self._extended = frozenset(at for at, rule in enumerate(self.rules) if rule.extend)
        behind = [rule for look in self._looks if look.gated and gates for rule in look.rules]
        self._margin = max((4 * self._reach[index] + _ACROSS for index in behind), default=0)
        """Bytes on either side of an open gate in which a match may be."""
        self._digits = {at: _digits_within(self.rules[at]) for at in digits}
        """Bytes from an anchor of a rule within which a digit must be for a match to count."""
        self._set: Any = None
        if rules and not self.uses_hyperscan:
            self._set = re2.Set.SearchSet(options())
            for look in self._looks:
                self._set.Add(look.re2)
            self._set.Compile()

    def scan(self, text: str) -> list[Hit]:
        """All hits, ordered by place. Never raises for a hostile text; time is linear in its length."""
        hits = [Hit(self.rules[rule], start, end) for rule, start, end in self.places(text)]
        hits.sort(key=lambda hit: (hit.start, hit.end, hit.rule.id))
        return hits

    def places(self, text: str) -> list[Place]:
        """The same hits in the order of the rules, and nothing made for each but three numbers."""
        if not text or not self.rules:
            return []
        data = _encoded(text)
        room, least = len(data) // _PER_HIT, max(MAX_HITS, len(data) // _PER_RULE)
        found: list[Place] = []
        for index, windows in self._wanted(data, len(data) == len(text)):
            before = len(found)
            self._read(index, data, windows, max(least, room), found)
            room -= len(found) - before
        return self._in_characters(text, data, found) if found else found

    def present(self, text: str) -> set[str]:
        """Ids of the rules that could match, by their literals: the cheapest question."""
        return {self.rules[index].id for index in self._candidates(_encoded(text))}

    def _candidates(self, data: bytes) -> list[int]:
        """Rules of which an anchor is there."""
        seen: list[int] = []
        if self.uses_hyperscan:
            self._pass("once", data, lambda look, _start, _end, _flags, _context: seen.append(look))
        elif self._set:
            seen = self._set.Match(data) or []
        return sorted({*self._always, *(index for look in seen for index in self._looks[look].rules)})

    def _wanted(self, data: bytes, single: bool) -> Iterator[tuple[int, Iterable[_Window]]]:
        """Rules that could match, and where RE2 is to read. ``single``: every character is one byte."""
        size = len(data)
        everything = (_Window(0, size, size),)
        if not self.uses_hyperscan:
            yield from ((index, everything) for index in self._candidates(data))
            return
        ends, many = self._places(data)
        by_rule = self._near_digits(ends, b"" if many else data, single)
        for index in sorted({*by_rule, *self._always}):
            if many or index in self._always:
                yield index, everything
            elif size <= self._short:
                yield index, (_Window(0, size, max(by_rule[index])),)
            else:
                yield index, _windows(by_rule[index], self._reach[index], single)

    def _near_digits(
        self, ends: Mapping[int, list[int]], data: bytes, single: bool
    ) -> Mapping[int, list[int]]:
        """Places by rule, without those that have no digit where the rule needs one. Without ``data`` all."""
        by_rule: dict[int, list[int]] = {}
        marks = b""
        for look, places in ends.items():
            for index in self._looks[look].rules:
                reach = self._digits.get(index)
                near = places
                if data and reach is not None:
                    marks = marks or data.translate(_DIGITS)
                    reach = reach if not single else reach // _BYTES
                    near = [
                        at
                        for at in places
                        if marks.find(b"1", at - reach if at > reach else 0, at + reach) >= 0
                    ]
                if near:
                    by_rule[index] = by_rule[index] + near if index in by_rule else near
        return by_rule

    def _places(self, data: bytes) -> tuple[dict[int, list[int]], bool]:
        """Where looks end, and whether that is too often to tell: then places are missing, but no look."""
        ends: dict[int, list[int]] = defaultdict(list)
        count, most, offset = 0, _MAX_REPORTS + len(data) // 8, 0

        def report(look: int, _start: int, end: int, _flags: int, _context: object) -> None:
            nonlocal count
            count += 1
            if count < most or not ends[look]:
                ends[look].append(end + offset)

        self._pass("anchors", data, report)
        for start, stop in self._opened(data):
            offset = start
            self._pass("gated", data[start:stop], report)
        return ends, count >= most

    def _opened(self, data: bytes) -> Iterator[tuple[int, int]]:
        """The parts of the text in which looks behind a gate may match."""
        if not self._margin:
            return
        seen: list[int] = []
        start = stop = -1
        for at in range(0, len(data), _BLOCK):
            del seen[:]
            end = at + _BLOCK + _ACROSS
            self._pass("gates", data[at:end], lambda gate, *_rest: seen.append(gate))
            if not seen:
                continue
            if start >= 0 and at - self._margin > stop:
                yield start, stop
                start = -1
            start = start if start >= 0 else max(0, at - self._margin)
            stop = end + self._margin
        if start >= 0:
            yield start, stop

    def _pass(self, name: str, data: bytes, report: Callable[..., object]) -> None:
        database = self._database(name)
        if database is not None:
            database.scan(data, match_event_handler=report, scratch=self._scratch(database))

    def _read(
        self, index: int, data: bytes, windows: Iterable[_Window], most: int, found: list[Place]
    ) -> None:
        """Adds the matches of one rule, of its group, in bytes; so many at most."""
        rule, find = self.rules[index], self._confirm[index]
        if find is None:
            find = self._confirm[index] = finder(rule.regex)
        part = self._parts[index]
        check = CHECKS[rule.check] if rule.check and not rule.value else None
        beyond = _value_within(rule) if rule.value and index in self._digits else 0
        most += len(found)
        hollow = index in self._hollow
        for start, end, last in windows:
            at, stop = _boundary(data, start), _boundary(data, end)
            while at < last or (at == last and hollow):
                spans = find(data, at, stop)
                first, behind = spans[part]
                at = max(at + 1, spans[0][1])
                if spans[0][0] < 0:
                    break
                if first < 0:
                    continue
                if beyond and not _DIGIT.search(data, first - _NEAR if first > _NEAR else 0, behind + beyond):
                    continue
                if check is None or check(data[first:behind].decode("utf-8", "replace")):
                    found.append((index, first, behind))
                    if len(found) >= most:
                        return

    def _in_characters(self, text: str, data: bytes, found: list[Place]) -> list[Place]:
        """Of the text, and to the end of the run where only the head of a finding was looked for."""
        if len(data) != len(text):
            place = _places(data, found)
            found = [(index, place[first], place[end]) for index, first, end in found]
        if self._extended.isdisjoint([index for index, _, _ in found]):
            return found
        ends = {
            one: EXTENSIONS[self.rules[one[0]].extend](text, one[2])
            for one in found
            if one[0] in self._extended
        }
        return [(one[0], one[1], ends.get(one, one[2])) for one in found]

    def _database(self, name: str) -> Any:
        if name not in self._compiled:
            with self._lock:
                if name not in self._compiled:
                    self._compiled[name] = self._compile(name)
        return self._compiled[name]

    def _compile(self, name: str) -> Any:
        """``anchors`` reports every place of every look that has no gate, ``gated`` of the others, ``once`` a
        look at most once. None if there is nothing to look for."""
        if name == "gates":
            return database_of([(at, gate.pattern, 0) for at, gate in enumerate(GATES)], once=True)
        wanted = [
            (at, look.bytewise, 0 if look.sensitive else int(hyperscan.HS_FLAG_CASELESS))
            for at, look in enumerate(self._looks)
            if name == "once" or (look.gated and self._gates) == (name == "gated")
        ]
        try:
            return database_of(wanted, once=name == "once") if wanted else None
        except hyperscan.error:
            good = [one for one in wanted if self._looks[one[0]].literal or _compiles(one)]
        self._unread |= {one[0] for one in wanted} - {one[0] for one in good}
        self._always = frozenset(index for look in self._unread for index in self._looks[look].rules)
        return database_of(good, once=name == "once") if good else None

    def _scratch(self, database: Any) -> Any:
        known = self._local.scratch.get(id(database))
        if known is None:
            known = self._local.scratch[id(database)] = hyperscan.Scratch(database)
        return known


def _compiles(wanted: Expression) -> bool:
    try:
        database_of([wanted], once=False)
    except hyperscan.error:
        return False
    return True


def _digits_within(rule: Rule) -> int:
    return _BYTES * rule.width + (_value_within(rule) if rule.value else 0)


def _value_within(rule: Rule) -> int:
    """Bytes behind the words of a rule in which its value may stand."""
    return _NEAR + (_BYTES * rule.value.width if rule.value else 0)


def _encoded(text: str) -> bytes:
    """UTF-8, with the two letters outside ASCII that fold to an ASCII letter as that letter. Lone surrogates
    become ``?``. One character stays one character."""
    if not text.isascii():
        text = text.replace("\u212a", "k").replace("\u017f", "s")
    return text.encode("utf-8", "replace")


def _windows(ends: list[int], width: int, single: bool) -> Iterator[_Window]:
    """Union of what is within ``width`` characters of these places."""
    start = stop = last = -1
    room = width if single else _BYTES * width
    for end in sorted(set(ends)):
        first = end - room if end > room else 0
        if stop >= 0 and first <= stop + _BRIDGE:
            start, stop, last = start if start < first else first, end + room, end
            continue
        if stop >= 0:
            yield _Window(start, stop, last)
        start, stop, last = first, end + room, end
    if stop >= 0:
        yield _Window(start, stop, last)


def _boundary(data: bytes, at: int) -> int:
    """The nearest start of a character at or before ``at``."""
    if at <= 0 or at >= len(data):
        return 0 if at <= 0 else len(data)
    while at and data[at] & 0xC0 == 0x80:
        at -= 1
    return at


def _places(data: bytes, spans: Iterable[Place]) -> dict[int, int]:
    """Byte offset -> character offset, for the offsets of the spans."""
    wanted = sorted({at for _, first, last in spans for at in (first, last)})
    places: dict[int, int] = {}
    at = chars = 0
    for offset in wanted:
        chars += len(data[at:offset].decode("utf-8", "replace"))
        at = offset
        places[offset] = chars
    return places
