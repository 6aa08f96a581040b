"""Style sheets: rules that hold on a screen, and which elements they are for (CSS Syntax 3, Selectors 4).

What a rule can't be decided by while a page is read from its start (``:last-child``, ``:has()``) counts as
given; what needs somebody to do something (``:hover``, ``:checked``) as not.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

_SHEETS = 1_000_000
"""Characters of all style sheets together."""
_RULES = 5000
_HEAD = 2000
_HEADS = 500_000
"""Characters of selectors that are read, each as often as rules in rules repeat it."""
_VALUE = 1000
"""Characters of a value: what is longer is a picture in its address."""
BUDGET = 200_000
"""Comparisons of elements with rules."""
_WIDTH, _HEIGHT = 1280.0, 800.0
"""The window that media queries are asked about."""
_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
_ESCAPE = re.compile(r"\\(?:([0-9a-fA-F]{1,6})[ \t\n]?|(.))", re.DOTALL)
_SIMPLE = re.compile(
    r"""(?P<kind>[.#])(?P<name>[\w\-\u0080-\uffff]{1,128})
    |\[\s{0,9}(?P<attr>[\w\-|]{1,64})\s{0,9}(?:(?P<op>[~|^$*]?=)\s{0,9}(?P<value>"[^"]{0,300}"|'[^']{0,300}'|[^\]\s]{1,300})\s{0,9}[isIS]?\s{0,9})?\]
    |(?P<element>::[\w\-]{1,64})
    |:(?P<pseudo>[\w\-]{1,64})(?P<open>\()?
    |(?P<tag>[A-Za-z][\w\-]{0,64}|\*)
    |(?P<join>\s{0,99}[>+~]\s{0,99}|\s{1,99})""",
    re.VERBOSE,
)
_ASIDE = frozenset({"before", "after", "first-line", "first-letter"})
_DONE = frozenset(
    {
        *("hover", "focus", "active", "visited", "target", "checked", "disabled", "focus-within", "invalid"),
        *("focus-visible", "empty", "indeterminate", "fullscreen", "autofill", "read-only", "open"),
    }
)
_SIGNS = re.compile(r"[{};]|\"(?:[^\"\\\n]|\\.){0,5000}\"|'(?:[^'\\\n]|\\.){0,5000}'")
_FEATURE = re.compile(
    r"\(\s{0,9}((?:min-|max-)?(?:width|height))\s{0,9}(:|[<>]=?)\s{0,9}([\d.]{1,9})(px|r?em)?"
)
_NEVER = re.compile(
    r"prefers-color-scheme\s{0,9}:\s{0,9}dark|prefers-reduced-motion(?!\s{0,9}:\s{0,9}no)|orientation\s{0,9}:\s{0,9}portrait"
    r"|forced-colors\s{0,9}:\s{0,9}active|hover\s{0,9}:\s{0,9}none|pointer\s{0,9}:\s{0,9}coarse|prefers-contrast(?!\s{0,9}:\s{0,9}no)"
)


@dataclass(eq=False, slots=True)
class Node:
    """An element as far as selectors ask about it."""

    tag: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    parent: "Node | None" = None
    before: "Node | None" = None
    """The element in front of it, in the same parent."""
    place: int = 1
    """Which child of its parent it is."""
    classes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Test:
    kind: str
    name: str
    value: str = ""
    inner: tuple["Selector", ...] = ()


@dataclass(frozen=True, slots=True)
class Selector:
    """Compound selectors, the last one first, each with what joins it to the one in front of it."""

    parts: tuple[tuple[tuple[_Test, ...], str], ...]
    weight: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Rule:
    selector: Selector
    declarations: tuple[tuple[str, str, bool], ...]
    """Property, value, whether ``!important``."""
    order: int
    cost: int = 1
    """What it takes to apply it, in comparisons, about."""


class Sheet:
    """The rules of all style sheets of a page."""

    def __init__(self, rules: Sequence[Rule] = (), budget: int = BUDGET, *, cut: bool = False) -> None:
        """``cut``: there are more rules than these."""
        self._keyed: dict[str, list[Rule]] = {}
        self._cut = cut
        self.budget = budget
        """Comparisons that are left; a page that asks for more is not followed any further."""
        for rule in rules:
            self._keyed.setdefault(_key(rule.selector), []).append(rule)

    @property
    def whole(self) -> bool:
        """Whether all rules were followed so far."""
        return self.budget > 0 and not self._cut

    def rules(self, node: Node) -> list[Rule]:
        """Those for this element, the strongest last."""
        if not self._keyed:
            return []
        keys = ["*", node.tag, "#" + node.attributes.get("id", ""), *("." + one for one in node.classes)]
        found: list[Rule] = []
        for key in keys:
            for rule in self._keyed.get(key, ()):
                if self.budget <= 0:
                    break
                if self._fits(rule.selector, node):
                    self.budget -= rule.cost
                    found.append(rule)
        return sorted(found, key=lambda rule: (rule.selector.weight, rule.order))

    def _fits(self, selector: Selector, node: Node, at: int = 0) -> bool:
        tests, join = selector.parts[at]
        self.budget -= 1 + len(tests) // 4
        if self.budget <= 0:
            return False
        if not all(self._holds(test, node) for test in tests):
            return False
        if at + 1 == len(selector.parts):
            return True
        step: Node | None = node
        for _ in range(64):
            step = (step.before if join in "+~" else step.parent) if step else None
            if step is None:
                return False
            if self._fits(selector, step, at + 1):
                return True
            if join in ">+":
                return False
        return False

    def _holds(self, test: _Test, node: Node) -> bool:
        if test.kind == "tag":
            return test.name in ("*", node.tag)
        if test.kind == ".":
            return test.name in node.classes
        if test.kind == "#":
            return node.attributes.get("id") == test.name
        if test.kind == "[":
            self.budget -= len(node.attributes.get(test.name, "")) // 128
            return self.budget > 0 and _attribute(test, node)
        return self._pseudo(test, node)

    def _pseudo(self, test: _Test, node: Node) -> bool:
        name = test.name
        if name in ("not", "is", "where", "matches", "-webkit-any"):
            return any(self._fits(inner, node) for inner in test.inner) is (name != "not")
        if name in ("link", "any-link"):
            return "href" in node.attributes
        if name == "root":
            return node.tag == "html" or node.parent is None
        if name == "first-child" or (name == "nth-child" and test.value.strip() == "1"):
            return node.place == 1
        if name == "nth-child" and test.value.strip().isdigit():
            return node.place == int(test.value.strip()[:6])
        return name not in _DONE


def _attribute(test: _Test, node: Node) -> bool:
    if test.name not in node.attributes:
        return False
    operator, _, wanted = test.value.partition(" ")
    have = node.attributes[test.name]
    if not operator:
        return True
    if operator == "=":
        return have == wanted
    if not wanted:
        return False
    return {
        "~=": wanted in have.split(),
        "|=": have == wanted or have.startswith(wanted + "-"),
        "^=": have.startswith(wanted),
        "$=": have.endswith(wanted),
        "*=": wanted in have,
    }[operator]


def parse_sheets(sources: Sequence[str], budget: int = BUDGET) -> Sheet:
    """Rules that hold on a screen of usual size. Linear in the length of the sources."""
    rules: list[Rule] = []
    left, heads = _SHEETS, _HEADS
    for source in sources:
        blocks = _Blocks()
        blocks.read(_COMMENT.sub(" ", source[:left]))
        left -= len(source)
        for head, body in blocks.found:
            if left < 0 or heads < 0 or len(rules) >= _RULES:
                return Sheet(rules, budget, cut=True)
            declarations = declared(body)
            heads -= len(head)
            cost = len(declarations) // 4 + sum(len(value) for _, value, _ in declarations) // 32
            for written in _split(head, ",") if declarations else ():
                selector = _selector(written.strip())
                if selector is not None:
                    rules.append(Rule(selector, declarations, len(rules), cost))
    return Sheet(rules, budget, cut=left < 0)


def declared(body: str) -> tuple[tuple[str, str, bool], ...]:
    """The declarations of a rule or of a ``style`` attribute."""
    found = []
    for part in _split(_COMMENT.sub("", body[:20_000]), ";")[:300]:
        name, colon, value = part.partition(":")
        if not colon:
            continue
        plain, mark, _ = value.partition("!")
        name = unescaped(name.strip())
        name = name if name.startswith("--") else name.lower()
        found.append((name[:100], unescaped(plain.strip()[:_VALUE]).lower(), bool(mark)))
    return tuple(found)


def unescaped(text: str) -> str:
    """CSS escapes resolved."""

    def letter(found: re.Match[str]) -> str:
        number = int(found[1], 16) if found[1] else 0
        return chr(number) if 0 < number < 0x110000 and not 0xD800 <= number < 0xE000 else found[2] or ""

    return _ESCAPE.sub(letter, text) if "\\" in text else text


class _Blocks:
    """Heads and bodies of the rules, those inside of conditions that hold too; a rule in a rule is told with
    the head of both."""

    def __init__(self) -> None:
        self._rules: list[str] = []
        """Of each open block: the head of the rule that it is in, or is."""
        self._dead = 0
        """Depth of the outermost block that does not hold; 0: all hold."""
        self.found: list[tuple[str, str]] = []

    @property
    def _rule(self) -> str:
        return self._rules[-1] if self._rules else ""

    def read(self, source: str) -> None:
        start = 0
        for found in _SIGNS.finditer(source):
            sign = found.group()
            if sign == "{" and len(self._rules) < 50:
                self._opened(source[start : found.start()])
            elif sign == "}":
                self._closed(source[start : found.start()])
            elif sign != ";" or self._rule:
                continue
            start = found.end()
        if self._rules:  # a sheet may end before its last brace
            self._closed(source[start:])

    def _opened(self, text: str) -> None:
        told, _, head = text.rpartition(";")
        head, outer = head.strip()[:_HEAD] or " ", self._rule
        self._tell(told)
        if head.startswith("@"):
            self._rules.append(outer)
            if not self._dead and not _condition(head):
                self._dead = len(self._rules)
            return
        if outer:
            head = head.replace("&", outer, 20) if "&" in head else f"{outer} {head}"
        self._rules.append(head[:_HEAD])

    def _closed(self, text: str) -> None:
        self._tell(text)
        if self._dead == len(self._rules):
            self._dead = 0
        if self._rules:
            self._rules.pop()

    def _tell(self, text: str) -> None:
        if self._rule and text.strip() and not self._dead:
            self.found.append((self._rule, text))


def _condition(head: str) -> bool:
    """Whether what is inside holds on a screen."""
    name, _, query = head[1:].lower().partition(" ")
    name, bracket, rest = name.partition("(")
    query = bracket + rest + " " + query
    if name == "media":
        return any(_medium(one) for one in _split(query, ","))
    if name == "supports":
        return not query.strip().startswith("not")
    return name in ("layer", "container", "scope", "document", "starting-style")


def _medium(query: str) -> bool:
    words = query.strip().split(None, 2)
    negated = bool(words) and words[0] == "not"
    kind = next((word for word in words[:2] if word not in ("not", "only")), "all")
    holds = kind.startswith("(") or kind in ("all", "screen")
    holds = holds and not _NEVER.search(query)
    for name, sign, number, unit in _FEATURE.findall(query):
        size = float(number.rstrip(".") or 0) * (16 if unit.endswith("em") else 1) if _plain(number) else 0
        have = _WIDTH if name.endswith("width") else _HEIGHT
        least = name.startswith("min-") or sign.startswith(">")
        holds = holds and (have >= size if least else have <= size)
    return holds is not negated


def _plain(number: str) -> bool:
    return number.count(".") <= 1 and number != "."


def _split(text: str, sign: str) -> list[str]:
    """At the sign, but not inside brackets or quotes."""
    found, depth, start, quote = [], 0, 0, ""
    for at, letter in enumerate(text):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "\"'":
            quote = letter
        elif letter in "([":
            depth += 1
        elif letter in ")]":
            depth = max(0, depth - 1)
        elif letter == sign and not depth:
            found.append(text[start:at])
            start = at + 1
    return [*found, text[start:]]


def _selector(text: str, nested: int = 0) -> Selector | None:
    """None for what is no selector of elements, or none that is understood."""
    text = unescaped(text)
    if not text or len(text) > 1000 or nested > 3:
        return None
    parts: list[tuple[list[_Test], str]] = [([], "")]
    ids = classes = tags = at = 0
    while at < len(text):
        found = _SIMPLE.match(text, at)
        if found is None or found["element"] or (found["pseudo"] or "").lower() in _ASIDE:
            return None
        at = found.end()
        test: _Test | None = None
        if found["join"]:
            join = found["join"].strip() or " "
            parts[-1] = (parts[-1][0], join)
            parts.append(([], ""))
        elif found["kind"]:
            test = _Test(found["kind"], found["name"])
        elif found["attr"]:
            value = (found["value"] or "").strip("\"'")
            test = _Test("[", found["attr"].lower(), f"{found['op']} {value}" if found["op"] else "")
        elif found["pseudo"]:
            inside, at = _brackets(text, at) if found["open"] else ("", at)
            inner = [_selector(one.strip(), nested + 1) for one in _split(inside, ",")] if inside else []
            test = _Test(":", found["pseudo"].lower(), inside, tuple(one for one in inner if one is not None))
        else:
            test = _Test("tag", found["tag"].lower())
        if test is not None:
            parts[-1][0].append(test)
            ids += test.kind == "#"
            classes += test.kind in ".[:"
            tags += test.kind == "tag" and test.name != "*"
    if not parts[-1][0] or len(parts) > 12:
        return None
    joined = [(tuple(tests), parts[index - 1][1] if index else "") for index, (tests, _) in enumerate(parts)]
    return Selector(tuple(reversed(joined)), (ids, classes, tags))


def _brackets(text: str, at: int) -> tuple[str, int]:
    depth = 1
    for end in range(at, len(text)):
        depth += (text[end] == "(") - (text[end] == ")")
        if not depth:
            return text[at:end], end + 1
    return text[at:], len(text)


def _key(selector: Selector) -> str:
    """What an element has to have to be looked at."""
    tests = selector.parts[0][0]
    for kind in ("#", "."):
        for test in tests:
            if test.kind == kind:
                return kind + test.name
    return next((test.name for test in tests if test.kind == "tag"), "*")
