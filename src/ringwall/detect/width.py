"""How many characters a pattern can match at most.

Every bound of the engine follows from this number: the window that RE2 confirms a hit in, and what a stream
holds back. So a pattern without a bound (``*``, ``+``, ``{3,}``) is refused.
"""

import re
from typing import NoReturn

_REPEAT = re.compile(r"\{(\d+)(?:,(\d*))?\}")
_CLASS_NAME = re.compile(r"\[:\^?\w+:\]")
_GROUP_HEAD = re.compile(r"\?(?::|P?<\w+>|[imsU]+(?:-[imsU]+)?:)")
_FLAGS = re.compile(r"\?[imsU]+\)")
_ZERO = frozenset("bBAzZ")
_CODE = re.compile(r"x(?:\{[0-9A-Fa-f]+\}|[0-9A-Fa-f]{2})|[pP](?:\{\^?\w+\}|\w)|[0-7]{1,3}")


class UnboundedPattern(ValueError):
    """The pattern has no longest match, or uses syntax that has no known width."""


def max_width(pattern: str) -> int:
    """The longest match of an RE2 pattern, in characters. Raises UnboundedPattern."""
    reader = _Reader(pattern)
    width = reader.alternatives()
    if reader.at < len(pattern):
        reader.fail("unbalanced parenthesis")
    return width


class _Reader:
    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.at = 0

    def fail(self, why: str) -> NoReturn:
        raise UnboundedPattern(f"{why} at offset {self.at}")

    def alternatives(self) -> int:
        widest = self.sequence()
        while self.peek() == "|":
            self.at += 1
            widest = max(widest, self.sequence())
        return widest

    def sequence(self) -> int:
        total = 0
        while self.peek() not in ("", "|", ")"):
            total += self.atom() * self.repeat()
        return total

    def peek(self) -> str:
        return self.pattern[self.at : self.at + 1]

    def atom(self) -> int:
        char = self.peek()
        self.at += 1
        match char:
            case "(":
                return self.group()
            case "[":
                self.skip_class()
                return 1
            case "\\":
                return self.escape()
            case "^" | "$":
                return 0
            case "*" | "+":
                self.at -= 1
                self.fail("nothing to repeat")
            case _:
                pass
        return 1

    def escape(self) -> int:
        if self.peek() in _ZERO:
            self.at += 1
            return 0
        code = _CODE.match(self.pattern, self.at)
        if code:
            self.at = code.end()
        elif self.peek() == "":
            self.fail("trailing backslash")
        else:
            self.at += 1
        return 1

    def group(self) -> int:
        flags = _FLAGS.match(self.pattern, self.at)
        if flags:
            self.at = flags.end()
            return 0
        head = _GROUP_HEAD.match(self.pattern, self.at)
        if head:
            self.at = head.end()
        elif self.peek() == "?":
            self.fail("unknown group")
        width = self.alternatives()
        if self.peek() != ")":
            self.fail("missing )")
        self.at += 1
        return width

    def skip_class(self) -> None:
        if self.peek() == "^":
            self.at += 1
        if self.peek() == "]":
            self.at += 1
        while self.peek() != "]":
            named = _CLASS_NAME.match(self.pattern, self.at)
            if named:
                self.at = named.end()
                continue
            if self.peek() == "":
                self.fail("missing ]")
            self.at += 2 if self.peek() == "\\" else 1
        self.at += 1

    def repeat(self) -> int:
        """The factor of what follows an atom."""
        times = 1
        if self.peek() in ("*", "+"):
            self.fail("unbounded repeat")
        if self.peek() == "?":
            self.at += 1
        elif bounds := _REPEAT.match(self.pattern, self.at):
            low, high = bounds.groups()
            if high == "":
                self.fail("unbounded repeat")
            times = int(high or low)
            self.at = bounds.end()
        else:
            return 1
        if self.peek() == "?":  # lazy
            self.at += 1
        return times
