"""The control of "Write a control": its test passes, it is found as an installed package, and it works."""

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]
WORKLOAD = """
workload: codenames
applications: {assistant: {roles: [user]}}
principals: {roles: {user: {}}}
interface:
  controls:
    interface.codenames: {names: [Firefly, Night Owl]}
"""
STREAM = """
import asyncio
import sys
from pathlib import Path

from ringwall.core import MODEL, Crossing, CrossingKind, Part, PartKind, Principal
from ringwall.server.response_guard import ResponseGuard
from ringwall.workload.compose import Overrides, compose
from ringwall.workload.load import load
from ringwall.workload.plant import Plant


def crossing(pending, before, final):
    part = Part(PartKind.TEXT, pending, MODEL, "assistant")
    context = {"stream": True, "final": final, "before": before}
    return Crossing(CrossingKind.RESPONSE, Principal("casey"), (part,), streaming=True, context=context)


async def main(gate):
    guard = ResponseGuard(gate, crossing)
    out = ""
    for letter in "The lamp Night Owl comes in May, the Firefly later.":
        out += (await guard.feed(letter)).text
    return out + (await guard.finish()).text


plant = Plant(Path("data"))
site = compose(load(Path("ringwall.yaml")), plant, Overrides())
sys.stdout.write(asyncio.run(main(site.application().gate)))
plant.close()
"""


@pytest.fixture
def run(control_page: Any, tmp_path: Path) -> Run:
    """Runs Python where the page's package is installed: its files, with the metadata that an installer would
    make of its pyproject.toml."""
    for step in control_page.steps():
        if step.verb == "file":
            path = tmp_path / step.how
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(step.text, "utf-8")
    project = tomllib.loads((tmp_path / "pyproject.toml").read_text("utf-8"))["project"]
    info = tmp_path / "src" / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir()
    about = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    (info / "METADATA").write_text(about, "utf-8")
    entries = project["entry-points"]["ringwall.controls"].items()
    listed = "".join(f"{name} = {value}\n" for name, value in entries)
    (info / "entry_points.txt").write_text(f"[ringwall.controls]\n{listed}", "utf-8")
    (tmp_path / "ringwall.yaml").write_text(WORKLOAD, "utf-8")

    def python(*arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(tmp_path / "src")},
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )

    return python


def test_its_own_test_passes(run: Run) -> None:
    done = run("-m", "pytest", "-q", "-p", "no:cacheprovider", "tests")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "6 passed" in done.stdout


def test_it_is_listed_for_every_response(run: Run) -> None:
    done = run("-m", "ringwall", "check", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    cells = [cell for cell in json.loads(done.stdout)["matrix"] if cell["direction"] == "response"]
    assert len(cells) == 2
    assert all("interface.codenames" in cell["controls"] for cell in cells)


def test_a_wrong_setting_is_refused_with_its_place(run: Run, tmp_path: Path) -> None:
    (tmp_path / "ringwall.yaml").write_text(WORKLOAD.replace("{names:", "{name:"), "utf-8")
    done = run("-m", "ringwall", "check")
    assert done.returncode == 2
    assert "ringwall.yaml:7:" in done.stderr and "did you mean 'names'" in done.stderr


def test_a_name_that_is_split_over_a_stream_does_not_leave(run: Run) -> None:
    done = run("-c", STREAM)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "The lamp [unreleased] comes in May, the [unreleased] later."


def test_the_generated_reference_keeps_to_what_comes_with_ringwall(run: Run, root: Path) -> None:
    done = run(str(root / "scripts/docs"), "--check")
    assert done.returncode == 0, done.stderr
