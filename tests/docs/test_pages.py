"""Every page: its links lead somewhere, and it speaks of the project alone."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ringwall.core import CrossingKind, PartKind

_FENCE = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
_FOREIGN = re.compile(
    r"/(?:home|root|tmp|work|opt|Users)/|file://"
    r"|\b(?:pypi|pythonhosted|npmjs|crates|proxy\.golang|registry)\.(?:org|com|io)\b",
    re.IGNORECASE,
)


def _anchors(text: str) -> set[str]:
    headings = _HEADING.findall(_FENCE.sub("", text))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_links_resolve(page: Any) -> None:
    broken = []
    for target in _LINK.findall(_FENCE.sub("", page.text)):
        if target.startswith(("https://", "http://")):
            continue
        name, _, anchor = target.partition("#")
        path = (page.path.parent / name).resolve() if name else page.path
        if not path.exists() or (anchor and anchor not in _anchors(path.read_text("utf-8"))):
            broken.append(target)
    assert broken == []


def test_speaks_of_the_project_alone(page: Any) -> None:
    assert _FOREIGN.findall(page.text) == []


def test_headings_of_a_page_are_told_apart(page: Any) -> None:
    if page.path.name != "CHANGELOG.md":
        headings = _HEADING.findall(_FENCE.sub("", page.text))
        assert len(headings) == len(set(headings))


def test_foreign_words_are_recognised() -> None:
    assert _FOREIGN.search("see /home/someone/x") and _FOREIGN.search("from files.pythonhosted.org")


@pytest.mark.parametrize("folder", ["how-to", "reference", "adr"])
def test_every_page_is_in_an_index(root: Path, folder: str) -> None:
    index = root / "docs" / ("adr/README.md" if folder == "adr" else "README.md")
    linked = {
        (index.parent / target.partition("#")[0]).resolve() for target in _LINK.findall(index.read_text())
    }
    written = {path.resolve() for path in (root / "docs" / folder).glob("*.md")} - {index.resolve()}
    assert written - linked == set()


def test_generated_reference_is_fresh(root: Path) -> None:
    done = subprocess.run(
        [sys.executable, root / "scripts" / "docs", "--check"],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_map_of_the_tree_is_the_tree(root: Path) -> None:
    text = (root / "docs" / "architecture.md").read_text("utf-8")
    block = text.split("```")[1]
    drawn = [line.split()[0] for line in block.strip().splitlines()]
    there = sorted(
        f"src/ringwall/{path.parent.name}/" for path in (root / "src/ringwall").glob("*/__init__.py")
    )
    assert sorted(drawn) == there
    assert len(drawn) == 13


def test_layers_in_the_page_are_those_that_are_checked(root: Path) -> None:
    text = (root / "docs" / "architecture.md").read_text("utf-8")
    sentence = next(line for line in text.splitlines() if line.startswith("Imports run downward only"))
    drawn = [
        re.findall(r"`(\w+)`", step) for step in sentence.partition(":")[2].partition(".")[0].split("<-")
    ]
    config = (root / "pyproject.toml").read_text("utf-8").split("layers = [")[1].split("]")[0]
    layers = [re.findall(r"ringwall\.(\w+)", line) for line in config.splitlines() if "ringwall." in line]
    assert [sorted(step) for step in drawn] == [sorted(step) for step in reversed(layers)]


_READ = re.compile(r"""(?:context\.get\(|context\[|\bfact\(|_whole\([\w.]*context, )"(\w+)\"""")


def test_context_keys_that_controls_read_are_explained(root: Path) -> None:
    code = [path.read_text("utf-8") for path in (root / "src/ringwall/boundaries").glob("*/*.py")]
    read = {key for text in code for key in _READ.findall(text)}
    assert {"provenance", "admitted", "final"} <= read
    page = (root / "docs/reference/crossings.md").read_text("utf-8")
    assert {key for key in read if f"`{key}`" not in page} == set()


def test_crossings_and_parts_are_explained(root: Path) -> None:
    page = (root / "docs/reference/crossings.md").read_text("utf-8")
    for name in (*CrossingKind, *PartKind):
        assert f"`{name}`" in page
