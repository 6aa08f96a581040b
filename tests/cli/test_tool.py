"""``ringwall tool infer``, and the warning of ``ringwall check``."""

import json
from pathlib import Path
from shutil import copytree
from typing import Any

import yaml

MILD = "effect: fetch"


def milder(sample: Path, tmp_path: Path) -> Path:
    """The sample workload with its fetching declared as a look-up."""
    file = Path(copytree(sample.parent, tmp_path / "shop")) / sample.name
    text = sample.read_text("utf-8")
    assert MILD in text
    file.write_text(text.replace(MILD, "effect: read"), "utf-8")
    return file


def test_the_sample_declares_what_is_inferred(command: Any, sample: Path) -> None:
    done = command("tool", "infer", "--workload", sample, "--json")
    assert done.code == 0, done.err
    assert all(row["effect"] == row["declared"] and not row["milder"] for row in done.json)


def test_a_milder_declaration_is_marked_and_warned_of(command: Any, sample: Path, tmp_path: Path) -> None:
    file = milder(sample, tmp_path)
    done = command("tool", "infer", "--workload", file, "--json")
    assert done.code == 1
    assert [row["tool"] for row in done.json if row["milder"]] == ["fetch_page"]
    checked = command("check", "--workload", file, "--json")
    assert checked.code == 0
    assert ["fetch_page" in warning for warning in checked.json["warnings"]] == [True]


def test_a_servers_list_becomes_a_snippet(command: Any, tmp_path: Path) -> None:
    listed = tmp_path / "list.json"
    tool = {
        "name": "send_note",
        "description": "Sends \u202ea note.",
        "inputSchema": {"properties": {"to": {}}},
    }
    listed.write_text(json.dumps({"result": {"tools": [tool]}}))
    done = command("tool", "infer", listed, "--snippet", "--workload", tmp_path / "none.yaml")
    assert done.code == 0, done.err
    assert "\u202e" not in done.out
    pasted = yaml.safe_load(done.out)["application"]["tools"]["send_note"]
    assert (pasted["effect"], pasted["target"], pasted["description"]) == (
        "send",
        ["to"],
        tool["description"],
    )
