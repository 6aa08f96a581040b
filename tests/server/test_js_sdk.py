"""The official JavaScript SDK works unchanged. Skipped where Node.js or the package can't be had."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent / "js"


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The script beside an installation of the pinned package."""
    if not shutil.which("node") or not shutil.which("npm"):
        pytest.skip("Node.js is not installed")
    folder = tmp_path_factory.mktemp("js")
    for path in HERE.iterdir():
        if path.is_file():
            shutil.copy(path, folder)
    install = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1"]
    try:
        done = subprocess.run(install, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip("the package registry does not answer")
    if done.returncode:
        pytest.skip("the package can't be installed: " + done.stderr[-200:])
    return folder / "chat.mjs"


def test_the_lock_file_names_no_host() -> None:
    lock = json.loads((HERE / "package-lock.json").read_text("utf-8"))
    packages = [package for name, package in lock["packages"].items() if name]
    assert packages
    assert all("resolved" not in package and package["integrity"] for package in packages)


def test_chat_stream_tools_and_errors(
    gateway: Any, model_server: Any, said: Any, behave: Any, script: Path
) -> None:
    call = said("", ("note", '{"about": "lamps"}'))
    model_server.says(said("A warm one."), said("A warm one, in pieces."), call, said("Noted."), call)
    model_server.says(behave.status(500))
    tool = json.dumps(gateway.live.site.application().registry.get("note").openai())
    done = subprocess.run(
        ["node", str(script), f"{gateway.url}/v1", gateway.keys["casey"], tool],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
        env={**os.environ, "NO_PROXY": "127.0.0.1"},
    )
    assert done.returncode == 0, done.stderr
    out = json.loads(done.stdout)
    assert out["chat"] == "A warm one."
    assert out["usage"] == out["streamUsage"] == 16
    assert gateway.record(out["decision"])
    assert out["stream"] == "A warm one, in pieces."
    assert out["tool"]["name"] == "note"
    assert json.loads(out["tool"]["arguments"]) == json.loads(out["runner"]) == {"about": "lamps"}
    assert out["final"] == "Noted."
    assert out["models"] == ["default"]
    assert out["errors"] == {
        "key": ["AuthenticationError", 401, "invalid_api_key", True],
        "blocked": ["PermissionDeniedError", 403, "interface.injection", True],
        "streamBlocked": ["PermissionDeniedError", 403, "interface.injection", True],
        "model": ["NotFoundError", 404, "model_not_found", True],
        "shape": ["BadRequestError", 400, "invalid_request", True],
        "upstream": ["InternalServerError", 502, "upstream_failed", True],
    }
