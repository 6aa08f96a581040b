"""A gateway of its own process for one workload, over the scripted model."""

import json
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import yaml

DETECTORS = ("injection", "moderation", "session", "leak", "links", "sinks", "code")
"""Controls that judge what a text means. In monitor mode with ``authority``: then only authority stands.
(A gateway that enforces does not start with nothing at all that looks at tool results: secrets and hidden
characters stay.)"""


def workload(
    name: str, suite: Mapping[str, Any], tools: Mapping[str, Mapping[str, Any]], *, authority: bool
) -> dict[str, Any]:
    """The workload file of a suite: its own facts, the manifests that the suite's tools declare, default
    policies."""
    declared = {tool: {**manifest, **suite["tools"][tool]} for tool, manifest in tools.items()}
    watched = {f"interface.{control}": {"mode": "monitor"} for control in DETECTORS}
    return {
        "workload": name,
        "applications": {"agent": {"roles": ["user"], "tools": sorted(declared)}},
        "principals": {
            "roles": {"user": {}, "approver": {"console": True, "may_approve": sorted(declared)}},
            "starter_keys": [
                {"subject": "user", "roles": ["user"]},
                {"subject": "boss", "roles": ["approver"]},
            ],
        },
        "interface": {
            "quotas": {"requests": "1000000/min", "tokens": "1000000k/min"},
            "controls": watched if authority else {},
        },
        "application": {
            "tools": declared,
            "private": suite.get("private", []),
            "known_entities": suite.get("known_entities", {}),
            **suite.get("application", {}),
        },
    }


class Gateway:
    """Up for the length of a ``with`` block."""

    def __init__(self, python: str, description: Mapping[str, Any], upstream: str) -> None:
        self._python = python
        self._description = description
        self._upstream = upstream
        self.base_url = ""
        self.keys: dict[str, str] = {}

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="ringwall-replay-")
        folder = Path(self._folder.name)
        file = folder / "ringwall.yaml"
        file.write_text(yaml.safe_dump(dict(self._description), sort_keys=False, allow_unicode=True))
        command: Sequence[str] = (
            *(
                self._python,
                "-m",
                "ringwall",
                "up",
                "--workload",
                str(file),
                "--data-dir",
                str(folder / "data"),
            ),
            *("--port", "0", "--print-key", "--upstream", self._upstream),
        )
        self._log = (folder / "log").open("w")
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self._log, text=True)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit((folder / "log").read_text())
        told = json.loads(line)
        self.base_url, self.keys = told["base_url"], told["keys"]
        self.url = told["url"]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.wait(30)
        self._log.close()
        self._folder.cleanup()
