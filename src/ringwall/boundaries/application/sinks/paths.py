"""Paths that a model wrote: brought to their shortest form, which must lie below one of the roots.

The text is judged first, the file system only below the roots: a link is read one step at a time, and what
would leave the roots is refused before anything out there is touched.
"""

import os
import re
import stat
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .characters import refuse_invisible
from .unsafe import Unsafe

_LENGTH = 4096
_STEP = 255
_STEPS = 128
_LINKS = 40
_ESCAPED = re.compile(r"%(?:25){0,8}(?:2e|2f|5c|00|c0|c1|e0%80|f0%80|u[0-9a-f]{4})", re.IGNORECASE)
"""Percent signs that some later reader would turn into a dot, a slash or NUL, overlong UTF-8 included."""
_LOOKALIKES = frozenset(
    "\u2044\u2215\u29f8\u29f5\u29f9\u2216\u2571\u2572\ufe68\uff0f\uff3c\u2024\u2025\ufe52\uff0e"
)
_DEVICES = re.compile(
    r"(?:con|prn|aux|nul|conin\$|conout\$|clock\$|com[0-9\u00b9\u00b2\u00b3]|lpt[0-9\u00b9\u00b2\u00b3])",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class SafePath:
    """A path below a root."""

    path: str
    """Without ``.``, ``..`` and links: relative to the root where the text was relative, else absolute.
    ``./`` stands before a name that a program would read as an option."""
    root: str
    """The root that it lies in, absolute."""

    @property
    def absolute(self) -> str:
        if self.path == ".":
            return self.root
        return os.path.join(self.root, self.path.removeprefix("./"))  # noqa: PTH118  an absolute path stays as it is


def check_path(
    text: str, roots: Sequence[Path], *, follow: bool = True, hidden: bool = False, windows: bool = False
) -> SafePath:
    """The path in its shortest form. Raises Unsafe.

    ``follow``: read symbolic links, as this machine has them now; a link that is changed between this
    check and the use is the affair of whoever may write below the roots. Without it nothing is touched.
    Links in the roots themselves are the operator's.
    """
    _readable(text)
    if windows:
        _windows(text)
    absolute = text.startswith("/")
    for root in roots if absolute else roots[:1]:
        steps = _below(text, root)
        if steps is None:
            continue
        base = os.path.realpath(root) if follow else os.path.abspath(root)  # noqa: PTH100
        _named(steps, hidden=hidden)
        if follow:
            steps = _followed(base, steps)
            _named(steps, hidden=hidden)
        below = "/".join(steps)
        if not absolute and below:
            _readable(below)  # what is left must not begin as a home, a drive or a scheme does
            below = f"./{below}" if below.startswith("-") else below
        return SafePath(f"{base.rstrip('/')}/{below}".rstrip("/") or "/" if absolute else below or ".", base)
    raise Unsafe("outside", "it leads outside the folders that are allowed here")


def _readable(text: str) -> None:
    if not text or len(text) > _LENGTH:
        raise Unsafe("size", f"a path has 1 to {_LENGTH} characters")
    refuse_invisible(text)
    if "\\" in text:
        raise Unsafe("backslash", "write the path with forward slashes")
    if text.startswith("~"):
        raise Unsafe("home", "write the path without ~")
    if text.startswith("//") or re.match(r"[A-Za-z]:|[A-Za-z][A-Za-z0-9+.-]{1,20}:/", text):
        raise Unsafe("drive", "it names a drive, a host or a scheme, not a path")
    if _ESCAPED.search(text):
        raise Unsafe("escape", "write the path without percent escapes")
    if not text.isascii() and not _LOOKALIKES.isdisjoint(text):
        raise Unsafe("lookalike", "it holds a character that looks like part of a path")
    if not text.isascii():
        plain = unicodedata.normalize("NFKC", text)
        if plain.count("/") != text.count("/") or {".", ".."} & (
            set(plain.split("/")) - set(text.split("/"))
        ):
            raise Unsafe("lookalike", "it holds a character that looks like part of a path")


def _windows(text: str) -> None:
    for step in text.split("/"):
        if step in ("", ".", ".."):
            continue
        if set(step) & set('<>:"|?*'):
            raise Unsafe("windows", "it holds a character that Windows gives a meaning")
        if step[-1] in ". ":
            raise Unsafe("windows", "a name must not end in a dot or a space")
        if _DEVICES.fullmatch(step.split(".", 1)[0].rstrip()):
            raise Unsafe("windows", "it names a device of Windows")
        if re.search(r"~[0-9]", step):
            raise Unsafe("windows", "write the long form of the name")


def _below(text: str, root: Path) -> list[str] | None:
    """The steps from the root, by the text alone; None when it leads elsewhere."""
    steps = _shortened(text.split("/"))
    if steps is None or not text.startswith("/"):
        return steps
    for form in {os.path.abspath(root), os.path.realpath(root)}:  # noqa: PTH100
        base = [step for step in form.split("/") if step]
        if steps[: len(base)] == base:
            return steps[len(base) :]
    return None


def _shortened(given: Sequence[str]) -> list[str] | None:
    steps: list[str] = []
    for step in given:
        if step == "..":
            if not steps:
                return None
            steps.pop()
        elif step not in ("", "."):
            steps.append(step)
    return steps


def _named(steps: Sequence[str], *, hidden: bool) -> None:
    if len(steps) > _STEPS or any(len(step.encode()) > _STEP for step in steps):
        raise Unsafe("size", "the path, or a name in it, is too long")
    if not hidden and any(step.startswith(".") for step in steps):
        raise Unsafe("hidden", "it names a hidden file or folder")


def _followed(base: str, steps: Sequence[str]) -> list[str]:
    """The steps with every link replaced by where it leads, each looked at only once it is known to lie
    below ``base``."""
    root = [step for step in base.split("/") if step]
    done: list[str] = []
    waiting = list(reversed(steps))
    links = 0
    while waiting:
        step = waiting.pop()
        here = os.path.join(base, *done, step)  # noqa: PTH118
        target = _link(here)
        if target is None:
            done.append(step)
            continue
        links += 1
        whole = (
            _shortened(target.split("/"))
            if target.startswith("/")
            else _shortened([*root, *done, *target.split("/")])
        )
        if links > _LINKS or whole is None or whole[: len(root)] != root:
            raise Unsafe("outside", "it leads outside the folders that are allowed here")
        waiting += reversed(whole[len(root) :])
        done = []
    return done


def _link(path: str) -> str | None:
    """Where a symbolic link leads; None for anything else, and for what isn't there (yet)."""
    try:
        return os.readlink(path) if stat.S_ISLNK(os.lstat(path).st_mode) else None  # noqa: PTH115
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        raise Unsafe("outside", "it can't be looked up") from None
