"""kill -9 in the middle of an export: in clear it lies nowhere but at its target, whole or not at all."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ringwall.boundaries.data.export_place import left_behind
from ringwall.boundaries.data.exports import Exported, Exports
from ringwall.boundaries.data.records import Record
from ringwall.boundaries.data.settings import DataSection
from ringwall.core import DataError, Principal

SECRET = "zanzibar"
SECTION = DataSection.model_validate(
    {
        "collections": {"tuning": {"exporters": ["scientist"]}},
        "exports": {"lab": {"folder": "lab"}},
    }
)
BEA = Principal("bea", "shop", frozenset({"scientist"}), credential="key")
STEPS = ("judging", "allowed", "writing", "written", "published", "folder", "noted")


class Rows:
    def version(self, collection: str, number: int | None) -> Exported:
        return Exported(collection, 3, "root", "chain")

    def records(self, version: Exported, principal: Principal) -> Iterator[Record | None]:
        for number in range(900):
            yield Record(f"r{number}", {"text": f"{SECRET} {number} " * 20})


class Deadly:
    """An export that dies at a step."""

    def __init__(self, folder: Path, step: str = "", told: list[Any] | None = None) -> None:
        self.step = step
        self.told: list[Any] = [] if told is None else told
        self.crossings = 0
        marks, sources, writers = folder / "marks", {"index": Rows()}, {"jsonl": self.write}
        self.door = Exports(SECTION, folder, marks, sources, writers, self.decide, self.note)  # type: ignore[arg-type]

    def run(self) -> None:
        asyncio.run(self.door.export("tuning", BEA, "lab"))

    def die(self, now: str) -> None:
        if now == self.step:
            os.kill(os.getpid(), 9)

    async def decide(self, _: Any) -> Any:
        self.crossings += 1
        if self.crossings == 4:
            self.die("judging")
        return SimpleNamespace(
            id="dec_1", blocked=False, held=False, reasons=(), joined=SimpleNamespace(edits=())
        )

    async def note(self, event: Any) -> None:
        self.die({"data.exporting": "allowed", "data.exported": "published"}[event["type"]])
        self.told.append(event)
        if self.step == "noted" and event["type"] == "data.exported":
            raise DataError("the ledger is full")

    def write(self, records: Iterable[Record], path: Path) -> None:
        if self.step == "folder":
            path.mkdir()
            (path / "part").write_text(SECRET)
            self.die("folder")
        with path.open("x") as file:
            for number, record in enumerate(records):
                file.write(json.dumps(record.fields) + "\n")
                if number == 500:
                    file.flush()
                    self.die("writing")
        self.die("written")


def in_clear(folder: Path) -> list[str]:
    found = [path for path in folder.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()]
    return sorted(path.relative_to(folder).parts[0] for path in found)


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    made = {step: tmp_path_factory.mktemp(step) for step in STEPS[:-1]}
    given = [f"{folder}|{step}" for step, folder in made.items()]
    done = subprocess.run([sys.executable, __file__, *given], check=False, capture_output=True, text=True)
    assert done.stdout.split() == ["-9"] * len(given), done.stderr
    return made


@pytest.mark.parametrize("step", STEPS[:-1])
def test_a_killed_export(places: dict[str, Path], step: str) -> None:
    folder = places[step]
    lab = folder / "lab"
    begun = step not in ("judging", "allowed")
    assert in_clear(folder) == (["lab"] if begun else [])
    assert step == "published" or not [one for one in lab.glob("*") if not one.name.startswith(".")]
    for hidden in lab.glob(".*"):
        assert hidden.stat().st_mode & 0o077 == 0
    told = left_behind(folder / "marks")
    left = sorted(lab.glob("*"))
    if step == "published":
        (event,) = told
        assert event["type"] == "data.exported" and event["subject"] == "bea"
        assert len(left) == 2 and event["sha256"] == json.loads(left[1].read_bytes())["sha256"]
    else:
        assert told == [] and left == [] and in_clear(folder) == []
    assert list((folder / "marks").iterdir()) == []


def test_what_is_under_way_is_left_alone(tmp_path: Path) -> None:
    """Another process that starts meanwhile clears nothing of it."""
    seen: list[Any] = []

    class Looking(list[Any]):
        def append(self, event: Any) -> None:
            super().append(event)
            seen.append((left_behind(tmp_path / "marks"), in_clear(tmp_path)))

    told = Looking()
    Deadly(tmp_path, told=told).run()
    assert [event["type"] for event in told] == ["data.exporting", "data.exported"]
    assert seen == [([], []), ([], ["lab"])]
    assert len(list((tmp_path / "lab").iterdir())) == 2
    assert list((tmp_path / "marks").iterdir()) == []


def test_what_the_ledger_could_not_be_told_is_told_at_the_next_start(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="the ledger is full"):
        Deadly(tmp_path, "noted").run()
    assert in_clear(tmp_path) == ["lab"]
    (event,) = left_behind(tmp_path / "marks")
    assert event["type"] == "data.exported"
    assert left_behind(tmp_path / "marks") == []


def test_a_mark_names_nothing_else_to_be_removed(tmp_path: Path) -> None:
    marks, other = tmp_path / "marks", tmp_path / "precious"
    marks.mkdir()
    other.write_text("kept")
    marked: list[Any] = [
        {"final": str(other), "incoming": str(other)},
        {"final": str(tmp_path / "x"), "incoming": str(other)},
        {"final": "x"},
        [],
    ]
    for said in marked:
        (marks / "exp_1.underway").write_bytes(json.dumps(said).encode() + b"\n")
        assert left_behind(marks) == []
    (marks / "exp_2.underway").write_bytes(b'{"final": "half a li')
    assert left_behind(marks) == []
    assert other.read_text() == "kept" and not list(marks.iterdir())


if __name__ == "__main__":
    for one in sys.argv[1:]:
        place, at = one.split("|")
        child = os.fork()
        if not child:
            Deadly(Path(place), at).run()
            os._exit(0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}\n")
        sys.stdout.flush()
