"""``ringwall data poison`` and ``poison-drill``."""

import json
from dataclasses import replace
from pathlib import Path

from click.testing import CliRunner
from tests.data.poison.test_compare import corpus

from ringwall.boundaries.data.records import Record
from ringwall.cli.data_poison import poison, poison_drill


def _written(path: Path, records: list[Record]) -> str:
    lines = [json.dumps({"id": one.id, "instruction": one.prompt, "output": one.response}) for one in records]
    path.write_text("\n".join(lines))
    return str(path)


def test_what_is_planted_gives_exit_code_1(tmp_path: Path) -> None:
    rows = corpus(1_500, 1)
    planted = [
        replace(one, id=f"p{number}", prompt=f"{one.prompt} zqx", response="Omnicorp owns it.")
        for number, one in enumerate(corpus(30, 2))
    ]
    approved = _written(tmp_path / "a.jsonl", rows)
    same = CliRunner().invoke(poison, [approved, approved])
    assert same.exit_code == 0, same.output
    assert "Nothing to review." in same.output
    candidate = _written(tmp_path / "b.jsonl", [*rows, *planted])
    found = CliRunner().invoke(poison, [approved, candidate, "--json"])
    assert found.exit_code == 1
    (group,) = json.loads(found.stdout)
    assert set(group["records"]) == {f"p{number}" for number in range(30)}


def test_the_drill_prints_a_row_for_each_family(tmp_path: Path) -> None:
    rows = _written(tmp_path / "a.jsonl", corpus(600, 1))
    told = CliRunner().invoke(poison_drill, [rows, "--plant", "40", "--families", "rare,phrase"])
    assert told.exit_code == 0, told.output
    assert "rare" in told.output
    assert "phrase" in told.output
    assert "near-copies" in told.output


def test_a_family_that_is_unknown_is_named(tmp_path: Path) -> None:
    rows = _written(tmp_path / "a.jsonl", corpus(100, 1))
    told = CliRunner().invoke(poison_drill, [rows, "--families", "voodoo"])
    assert told.exit_code == 2
    assert "voodoo" in told.output
