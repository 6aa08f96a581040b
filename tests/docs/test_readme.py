"""The README's commands name what there is, and say what continuous integration does."""

import re
import shlex
import tomllib
from pathlib import Path
from xml.etree import ElementTree

import pytest

SHELL = re.compile(r"```sh\n(.*?)\n```", re.DOTALL)


@pytest.fixture(scope="module")
def commands(root: Path) -> list[str]:
    return SHELL.findall((root / "README.md").read_text("utf-8"))


def test_two_commands_of_one_line_each(commands: list[str]) -> None:
    assert len(commands) == 2
    assert all("\n" not in command for command in commands)
    assert "ringwall up" in commands[0] and commands[1].endswith("scripts/test")


def test_commands_name_files_that_exist(root: Path, commands: list[str]) -> None:
    named = [word for command in commands for word in shlex.split(command) if "/" in word]
    assert len(named) == 4
    for name in named:
        assert (root / name).is_file(), name


def test_continuous_integration_runs_the_second_command(root: Path, commands: list[str]) -> None:
    ci = re.sub(r" --quiet| --disable-pip-version-check", "", (root / ".ci/run").read_text("utf-8"))
    for step in commands[1].split(" && "):
        assert step in ci.splitlines()


def test_second_command_installs_what_it_builds_with(root: Path) -> None:
    """An editable build without isolation: the lock must bring the backend, and what that needs."""
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    locked = (root / "requirements/dev.lock").read_text("utf-8").splitlines()
    for wanted in (*project["build-system"]["requires"], "editables"):
        name = re.split(r"[<>=!~ ]", wanted)[0]
        assert any(line.startswith(f"{name}==") for line in locked), f"{name}: run scripts/lock"


def test_picture_is_well_formed_and_has_both_schemes(root: Path) -> None:
    readme = (root / "README.md").read_text("utf-8")
    found = re.search(r"!\[[^\]]+\]\((docs/[^)]+\.svg)\)", readme)
    assert found is not None
    picture = (root / found[1]).read_text("utf-8")
    names = [
        element.text for element in ElementTree.fromstring(picture).iter() if element.get("class") == "name"
    ]
    for boundary in ("interface", "application", "model", "data", "organization"):
        assert boundary in names
    assert "prefers-color-scheme: dark" in picture
    assert "<script" not in picture


def test_version_is_in_the_changelog(root: Path) -> None:
    from ringwall import __version__

    assert f"## [{__version__}]" in (root / "CHANGELOG.md").read_text("utf-8")
