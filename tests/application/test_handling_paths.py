"""Paths that a model wrote, on a real file system with a secret beside the root."""

import contextlib
import itertools
import os
import string
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringwall import safe

SECRET = "the secret"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("paths")
    root = base / "data"
    for folder in ("a/b/c", "docs", ".git", "my files", "übung"):
        (root / folder).mkdir(parents=True)
    for file in (
        "a/b/c/x.txt",
        "docs/report.pdf",
        "my files/Plan 2.txt",
        "übung/größe.txt",
        ".env",
        ".git/config",
    ):
        (root / file).write_text("fine", "utf-8")
    (base / "secret.txt").write_text(SECRET, "utf-8")
    (base / "data-other").mkdir()
    (base / "data-other" / "x.txt").write_text(SECRET, "utf-8")
    links = {
        "inside": "a/b",
        "docs/up": "../a",
        "absolute": str(root / "docs"),
        "out": "..",
        "file-out": "../secret.txt",
        "passwd": "/etc/passwd",
        "a/away": "../../secret.txt",
        "loop": "loop",
        "ping": "pong",
        "pong": "ping",
        "chain": "docs/up/b",
        "chain-out": "inside/../../out",
        "env": ".env",
        "slash": "/",
        "self": ".",
        "double": "self/self/out/secret.txt",
        "through": "inside/../../../secret.txt",
    }
    for name, target in links.items():
        (root / name).symlink_to(target)
    (base / "alias").symlink_to(root)
    return root


TRAVERSALS = [
    pattern.replace("S", slash).replace("D", dots)
    for pattern in (
        "DSsecret.txt",
        "DSDSDSDSDSDSDSDSetcSpasswd",
        "aSDSDSsecret.txt",
        "docsSDSDSdata-otherSx.txt",
        "SetcSpasswd",
        "./DSsecret.txt",
        "aSbSDSDSDSsecret.txt",
        "DSdataSDSsecret.txt",
        "D",
        "DS",
        "aSDSDS",
    )
    for slash in (
        "/",
        "\\",
        "//",
        "/./",
        "%2f",
        "%2F",
        "%5c",
        "%252f",
        "\u2215",
        "\u2044",
        "\uff0f",
        "\uff3c",
        "%c0%af",
        "%c0%2f",
        "%e0%80%af",
        "%u2215",
        "\x00/",
        "/\x00",
    )
    for dots in (
        "..",
        "%2e%2e",
        "%2E.",
        ".%2e",
        "%252e%252e",
        "\u2024\u2024",
        "\uff0e\uff0e",
        "\ufe52\ufe52",
        "%c0%ae%c0%ae",
        "\u2025",
    )
]
OTHERS = [
    "/etc/passwd",
    "/",
    "//etc/passwd",
    "///etc/passwd",
    "\\\\server\\share\\x",
    "//server/share/x",
    "\\\\?\\C:\\x",
    "\\\\.\\pipe\\x",
    "C:\\Windows\\win.ini",
    "C:/Windows/win.ini",
    "c:x",
    "file:///etc/passwd",
    "file:/etc/passwd",
    "http://x.example/y",
    "~",
    "~/x",
    "~root/.ssh/id_rsa",
    "a.txt\0.png",
    "a\nb",
    "a\rb",
    "a\x1b[2Jb",
    "a\u202etxt.exe",
    "a\u200b/b",
    "x" * 5000,
    "a/" * 2500,
    "",
    "\ud800",
    "%00",
    "a%00.png",
    "/proc/self/environ",
    "/dev/stdin",
    "out",
    "out/secret.txt",
    "file-out",
    "passwd",
    "a/away",
    "loop",
    "ping",
    "chain-out/secret.txt",
    "double",
    "through",
    "slash/etc/passwd",
    "self/out/secret.txt",
    "inside/../../out/secret.txt",
    ".env",
    ".git/config",
    "env",
    "a/../.env",
    "x" * 300,
    "ü" * 200,
    "docs/report.pdf/../../../secret.txt",
    "..\u2215secret.txt",
]


@pytest.mark.parametrize("follow", [True, False])
def test_no_attack_leaves_the_root(root: Path, follow: bool) -> None:
    links = (
        "out",
        "file-out",
        "passwd",
        "a/away",
        "loop",
        "ping",
        "chain",
        "double",
        "through",
        "slash",
        "self",
        "inside",
        "env",
    )
    for text in [
        *TRAVERSALS,
        *OTHERS,
        *(f"{root}/{one}" for one in OTHERS if one),
        f"{root}-other/x.txt",
        str(root.parent),
    ]:
        if not follow and (text.startswith(links) or text.removeprefix(f"{root}/").startswith(links)):
            continue  # what links do can't be known by the text
        try:
            made = safe.path(text, [root], follow=follow)
        except safe.Unsafe:
            continue
        real = Path(os.path.realpath(made.absolute))
        assert real.is_relative_to(root), text
        assert ".." not in made.path.split("/")


def test_every_traversal_and_trick_is_refused(root: Path) -> None:
    """But for those that come back inside on their way."""
    for text in [*TRAVERSALS, *OTHERS]:
        try:
            made = safe.path(text, [root])
        except safe.Unsafe as unsafe:
            assert SECRET not in str(unsafe)
            assert str(root) not in str(unsafe)
            continue
        assert made.absolute.startswith(str(root)), text
        assert not Path(made.absolute).is_file(), text


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("docs/report.pdf", "docs/report.pdf"),
        ("./docs//report.pdf", "docs/report.pdf"),
        ("docs/../a/b", "a/b"),
        (".", "."),
        ("a/b/c/x.txt", "a/b/c/x.txt"),
        ("my files/Plan 2.txt", "my files/Plan 2.txt"),
        ("übung/größe.txt", "übung/größe.txt"),
        ("inside/c/x.txt", "a/b/c/x.txt"),
        ("docs/up/b/c", "a/b/c"),
        ("absolute/report.pdf", "docs/report.pdf"),
        ("chain", "a/b"),
        ("new/file.txt", "new/file.txt"),
        ("a/b/", "a/b"),
        ("self/self/docs", "docs"),
        ("50% off & more (1).txt", "50% off & more (1).txt"),
        ("x..y", "x..y"),
        ("notes…final.md", "notes…final.md"),
        ("日本語：メモ.txt", "日本語：メモ.txt"),
        ("ab:c", "ab:c"),
        ("a+b=c,d;e@f#g!.txt", "a+b=c,d;e@f#g!.txt"),
        ("100%25.txt", "100%25.txt"),
        ("docs/…/x", "docs/…/x"),
        ("a~b", "a~b"),
        ("Makefile", "Makefile"),
        ("src/app.test.ts", "src/app.test.ts"),
    ],
)
def test_honest_paths_come_out_in_their_shortest_form(root: Path, text: str, made: str) -> None:
    given = safe.path(text, [root])
    assert (given.path, given.root) == (made, str(root))
    absolute = safe.path(f"{root}/{text}", [root])
    assert absolute.path == (f"{root}/{made}" if made != "." else str(root))
    assert safe.path(given.path, [root]) == given


def test_roots(root: Path) -> None:
    other = root.parent / "data-other"
    assert safe.path(str(other / "x.txt"), [root, other]).root == str(other)
    assert safe.path("x.txt", [root, other]).root == str(root)
    assert safe.path(f"{root.parent}/alias/docs", [root.parent / "alias"]).path == f"{root}/docs"
    assert safe.path(f"{root}/docs", [root.parent / "alias"]).path == f"{root}/docs"
    assert safe.path(".env", [root], hidden=True).path == ".env"
    assert safe.path("env", [root], hidden=True).path == ".env"
    with pytest.raises(safe.Unsafe):
        safe.path(str(other / "x.txt"), [root])
    with pytest.raises(ValueError, match="at least one root"):
        safe.path("x", [])


def test_what_lies_outside_is_not_touched(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even looked at: whether a file is there is nobody's business."""
    touched: list[str] = []
    for name in ("lstat", "readlink", "stat"):
        real = getattr(os, name)

        def watched(path: object, *args: object, real: object = real, **more: object) -> object:
            touched.append(os.fspath(path))  # type: ignore[call-overload]
            return real(path, *args, **more)  # type: ignore[operator]

        monkeypatch.setattr(os, name, watched)
    for text in [*OTHERS, *TRAVERSALS[::7]]:
        touched.clear()
        with contextlib.suppress(safe.Unsafe):
            safe.path(text, [root])
        within = [one for one in touched if not str(root).startswith(one)]  # the way to the root itself
        assert all(one.startswith(f"{root}/") for one in within), text


WINDOWS = [
    "con",
    "CON.txt",
    "docs/nul",
    "aux.c",
    "com1",
    "LPT9.log",
    "com\u00b9",
    "conin$",
    "a.",
    "a ",
    "a./b",
    "a /b",
    "a:b",
    "a::$DATA",
    "x.txt:hidden",
    "a*b",
    "a?b",
    "a|b",
    'a"b',
    "a<b",
    "PROGRA~1/x",
    "CON .txt",
]


def test_windows_names_are_refused_where_they_matter(root: Path) -> None:
    for text in WINDOWS:
        with pytest.raises(safe.Unsafe):
            safe.path(text, [root], windows=True)
    for text in (
        "console.log",
        "docs/auxiliary.txt",
        "com10",
        "a.b.c",
        "my file",
        "nullable.cs",
        "../data/x".removeprefix("../data/"),
    ):
        assert safe.path(text, [root], windows=True).path == text


_STEPS = st.sampled_from(
    [
        "..",
        ".",
        "",
        "a",
        "b",
        "docs",
        "up",
        "inside",
        "out",
        "self",
        "loop",
        "chain",
        "absolute",
        "env",
        ".env",
        "x.txt",
        "secret.txt",
        "/",
        "\\",
        "%2e",
        "~",
        "C:",
        "\u2215",
        "\0",
        "...",
        " ",
        "file-out",
        "double",
        "through",
    ],
)


@settings(max_examples=250, deadline=None)
@given(st.lists(_STEPS, max_size=12), st.sampled_from(["/", "//", ""]), st.booleans())
def test_any_steps_stay_inside(root: Path, steps: list[str], between: str, absolute: bool) -> None:
    text = between.join(steps)
    text = f"{root}/{text}" if absolute else text
    try:
        made = safe.path(text, [root])
    except safe.Unsafe:
        return
    assert Path(os.path.realpath(made.absolute)).is_relative_to(root)
    assert os.path.realpath(made.absolute) == made.absolute
    assert safe.path(made.path, [root]) == made


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_refused_or_stays_inside(root: Path, text: str) -> None:
    for follow, windows in itertools.product((True, False), repeat=2):
        try:
            made = safe.path(text, [root], follow=follow, windows=windows)
        except safe.Unsafe:
            continue
        assert made.absolute.startswith(str(root))
        assert not set(made.path) & (set(string.whitespace) - {" "} | {"\\", "\0"})


def test_a_name_that_reads_as_an_option_is_written_as_a_path(root: Path) -> None:
    for text in ("-rf", "./-rf", ".//-rf", "a/../-rf"):
        made = safe.path(text, [root])
        assert made.path == "./-rf" and made.absolute == f"{os.path.realpath(root)}/-rf"
        assert safe.path(made.path, [root]) == made
