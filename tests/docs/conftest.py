"""The pages under test, and how a page's marked blocks become something that runs."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

_MARK = re.compile(
    r"<!-- (?P<verb>run|file|expect)(?:: (?P<how>[^\n]*?))?(?:\n(?P<hidden>.*?)\n-->| -->)"
    r"(?:\s*```\w*\n(?P<block>.*?)^```$)?",
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True)
class Step:
    """A marked place: ``run`` a block, write a ``file``, or ``expect`` a text in what was printed."""

    verb: str
    how: str
    text: str


@dataclass(frozen=True)
class Page:
    path: Path

    @property
    def name(self) -> str:
        return str(self.path.relative_to(ROOT))

    @property
    def text(self) -> str:
        return self.path.read_text("utf-8")

    def steps(self) -> Iterator[Step]:
        for found in _MARK.finditer(self.text):
            how = found["how"] or ""
            text = found["hidden"] if found["hidden"] is not None else found["block"] or ""
            assert text or how.startswith("setup"), f"{self.name}: a mark without a block: {found[0][:60]}"
            yield Step(found["verb"], how, text)


def pages() -> list[Page]:
    top = [ROOT / name for name in ("README.md", "CHANGELOG.md", "SECURITY.md")]
    return [Page(path) for path in (*top, *sorted((ROOT / "docs").rglob("*.md")))]


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "page" in metafunc.fixturenames:
        found = pages()
        metafunc.parametrize("page", found, ids=[page.name for page in found])
    if "runnable" in metafunc.fixturenames:
        found = [page for page in pages() if any(step.verb == "run" for step in page.steps())]
        metafunc.parametrize("runnable", found, ids=[page.name for page in found])


@pytest.fixture(scope="session")
def control_page() -> Page:
    return Page(ROOT / "docs/how-to/write-a-control.md")
