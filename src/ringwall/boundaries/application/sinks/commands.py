"""Commands that a model wrote: an argument vector of an allowed program, never a text for a shell."""

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..handling_settings import ProgramRules
from .characters import refuse_invisible
from .command_words import DANGEROUS, DASHLESS, INTERPRETERS, ONE_WORD, RUNNING, SCHEMES, WITH_SUBCOMMANDS
from .paths import check_path
from .unsafe import Unsafe

_LENGTH = 8192
_WORDS = 128
_META = frozenset(";&|<>$`()*?[\n\r")
"""What a shell gives a meaning outside of quotes."""
_META_QUOTED = frozenset("$`")
"""And between double quotes."""


@dataclass(frozen=True, slots=True)
class SafeCommand:
    """A program and its arguments, for ``subprocess.run(command.argv)`` with ``shell=False``."""

    argv: tuple[str, ...]

    @property
    def text(self) -> str:
        """The vector as one text: quoted so that a POSIX shell, if there is one after all, reads just
        these words."""
        return shlex.join(self.argv)


def problem_of(programs: Mapping[str, ProgramRules]) -> str:
    """What is wrong with the rules themselves; empty when nothing is. For a program whose arguments are
    code no rule would hold."""
    for name, rules in programs.items():
        plain = re.sub(r"[0-9.]+$", "", name.rsplit("/", 1)[-1].removesuffix(".exe"))
        if {plain.lower(), name.lower()} & INTERPRETERS:
            return f"{name} runs what its arguments say, so it can't be among the programs"
        if plain in WITH_SUBCOMMANDS and not rules.subcommands:
            return f"say which subcommands of {name} may be run"
        if running := sorted(rules.subcommands & RUNNING.get(plain, frozenset())):
            return f"{name} {running[0]} runs what its arguments say, so it can't be among the subcommands"
    return ""


def check_command(
    command: str | Sequence[str], programs: Mapping[str, ProgramRules], roots: Sequence[Path] = ()
) -> SafeCommand:
    """The argument vector. Raises Unsafe. ``roots``: where absolute paths among the arguments may lie."""
    words = _split(command) if isinstance(command, str) else list(command)
    if not words or len(words) > _WORDS or sum(map(len, words)) > _LENGTH:
        raise Unsafe("size", f"a command has 1 to {_WORDS} words")
    for word in words:
        refuse_invisible(word, allowed="\t\n")
    name, *arguments = words
    rules = programs.get(name)
    if rules is None:
        raise Unsafe("program", "this program is not allowed here")
    if rules.subcommands:
        if not arguments or arguments[0] not in rules.subcommands:
            raise Unsafe("subcommand", f"the first argument of {name} must be an allowed subcommand")
        _judged((name, arguments[0]), arguments[1:], rules, roots)
    else:
        _judged((name, ""), arguments, rules, roots)
    return SafeCommand(tuple(words))


def _split(text: str) -> list[str]:
    """The words, as a POSIX shell without expansions would see them. Raises Unsafe where it would do more
    than split."""
    if len(text) > _LENGTH:
        raise Unsafe("size", f"it is longer than {_LENGTH} characters")
    refuse_invisible(text, allowed="\t\n\r")
    if not _plain(text):
        raise Unsafe("shell", "no shell reads it: write one plain command, without pipes and expansions")
    try:
        return shlex.split(text, comments=False, posix=True)
    except ValueError:
        raise Unsafe("shell", "its quotes don't match") from None


def _plain(text: str) -> bool:
    """Whether a shell would find nothing but words and quotes in it."""
    quote = ""
    before = " "
    escaped = False
    for character in text:
        if escaped:
            escaped = False
        elif character == "\\" and quote != "'":
            escaped = True
        elif quote:
            if quote == '"' and character in _META_QUOTED:
                return False
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character in _META or (character in "~#" and before.isspace()):
            return False
        before = character
    return True


def _judged(
    program: tuple[str, str], arguments: Sequence[str], rules: ProgramRules, roots: Sequence[Path]
) -> None:
    operands_only = False
    ends = _ends_options(program[0], rules)
    for index, word in enumerate(arguments):
        if word == "--" and ends and not operands_only:
            operands_only = True
        elif word.startswith("-") and word != "-" and not operands_only:
            _option(program, word, rules)
            _value(word.partition("=")[2], roots)
            if not word.startswith("--"):  # with its value attached, perhaps behind other letters
                _value(word[2:], roots)
                _value(word[max(word.find("/"), 0) :], roots)
        elif index == 0 and program[0] in DASHLESS:
            _option(program, f"-{word}", rules)
        else:
            _value(word, roots)
            _value(word.partition("=")[2], roots)


def _ends_options(name: str, rules: ProgramRules) -> bool:
    """Whether ``--`` makes operands of what follows. ``find`` goes on with its expression, others start
    what follows."""
    if rules.options is not None:
        return "--" in rules.options
    return name in DANGEROUS and name not in ONE_WORD


def _option(program: tuple[str, str], word: str, rules: ProgramRules) -> None:
    name, option = program[0], word.partition("=")[0]
    short = not option.startswith("--")
    if rules.options is not None:
        if option in rules.options or (short and option[:2] in rules.options and option[2:].isdigit()):
            return
        raise Unsafe("option", f"this option of {name} is not allowed here")
    known = DANGEROUS.get(name)
    if known is None:
        raise Unsafe("option", f"no option of {name} is allowed here")
    if not (short and option[1:].isdigit()) and _hits(
        option, name, known | DANGEROUS.get(" ".join(program), frozenset())
    ):
        raise Unsafe("option", f"this option of {name} is not allowed here")


def _hits(option: str, name: str, denied: frozenset[str]) -> bool:
    """Whether it is, or holds, or may be short for a denied one."""
    if option in denied:
        return True
    if name in ONE_WORD:
        return False
    if option.startswith("--"):
        return any(one.startswith(option) for one in denied)
    return any(f"-{letter}" in denied for letter in option[1:])


def _value(value: str, roots: Sequence[Path]) -> None:
    """A path in it stays inside; an address in it is one that is only fetched."""
    value = value.lstrip("@=<")
    low = value.lower()
    if low.startswith(SCHEMES) or re.match(r"[a-z][a-z0-9+.-]{0,20}::", low) or re.search(r"(?:://|@)-", low):
        raise Unsafe("address", "an address of this kind is not allowed here")
    if value.startswith("~") or ".." in value.split("/"):
        raise Unsafe("path", "write paths below the working folder, without ~ and ..")
    if re.match(r"\\\\|[A-Za-z]:\\", value):
        raise Unsafe("path", "write paths with forward slashes, below the working folder")
    if low.startswith(("http://", "https://")):
        return
    for step in value.split(":"):  # ``host:/path``, ``format:/path``, ``/from:/to``
        if step.startswith("/"):
            if not roots:
                raise Unsafe("path", "an absolute path is not allowed here")
            check_path(step, roots, hidden=True)
