"""kill -9 in the middle of a release: what was held is stored and noted as that, or waits as it was."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ringwall.boundaries.data import Document, verify
from ringwall.boundaries.data.contribute import Contributions
from ringwall.boundaries.data.intake.held_rows import HeldRow
from ringwall.boundaries.data.intake.means import Means
from ringwall.boundaries.data.quarantine import Content, Held
from ringwall.boundaries.data.records import Record, Source
from ringwall.boundaries.data.settings import DataSection
from ringwall.core import DataError, Principal
from ringwall.workload.catch_up import catch_up
from ringwall.workload.data_anchors import anchors
from ringwall.workload.plant import Plant

SECTION = DataSection.model_validate(
    {
        "collections": {
            "tuning": {"kind": "training", "contributors": ["editor"], "approvers": ["reviewer"]},
            "handbook": {"contributors": ["editor"], "approvers": ["reviewer"]},
        }
    }
)
REX = Principal("rex", "north", frozenset({"reviewer"}), credential="key_rex")
STEPS = ("packs", "before", "inside", "after", "noted")
CASES = [*(("rows", step) for step in STEPS), ("document", "inside"), ("document", "after")]


def opened(folder: Path) -> Plant:
    plant = Plant(folder)
    plant.index.configure(SECTION.collections, SECTION.retrieval)
    return plant


def hold(plant: Plant, kind: str) -> Held:
    if kind == "document":
        document = Document("handbook", "d", "d", "a text", "", "ann", 1)
        return plant.quarantine.hold(Content(document, document), "dec_1", "mark")
    source = Source(contributor="ann", tenant="north")
    rows = [HeldRow(Record(f"r{n}", {"text": f"row {n}"}, source=source)) for n in range(40)]
    given = Held("", "tuning", "con_1", "ann", "north", "dec_1", 0, "quarantined", "", 0)
    return plant.quarantine.hold_rows(given, rows, ("a reason",), {})


def release(plant: Plant, held: str) -> None:
    async def decide(_: object) -> None:
        raise AssertionError("no crossing is judged again")

    async def note(event: object) -> None:
        await plant.ledger.append(event)  # type: ignore[arg-type]

    door = Contributions(
        *(SECTION, plant.database, plant.vault, plant.quarantine, decide),  # type: ignore[arg-type]
        note,
        Means(training=plant.training),
    )
    asyncio.run(door.release(held, REX))


def dying(folder: Path, held: str, step: str) -> None:
    """In a process of its own: dies at a step of the release."""
    plant = opened(folder)
    store = plant.training if plant.quarantine.find(held).rows else plant.vault
    versions, quarantine = store.lines.versions, plant.quarantine
    publish, decide = versions.publish, quarantine.decide

    def die(*_: object, **__: object) -> None:
        os.kill(os.getpid(), 9)

    def decided(*given: object, **more: object) -> None:
        decide(*given, **more)  # type: ignore[arg-type]
        die()

    def published(*given: object) -> None:
        publish(*given)  # type: ignore[arg-type]
        die()

    match step:
        case "packs":
            plant.blobs.put = die  # type: ignore[method-assign,assignment]
        case "before":
            versions.publish = die  # type: ignore[method-assign,assignment]
        case "inside":
            quarantine.decide = decided  # type: ignore[method-assign]
        case "after":
            versions.publish = published  # type: ignore[method-assign,assignment]
        case _:
            quarantine.told = die  # type: ignore[method-assign]
    release(plant, held)


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], tuple[Path, str]]:
    """A data directory for each step and kind, whose release was killed: by forks of one process, since each
    has to open its own files."""
    made = {}
    for kind, step in CASES:
        folder = tmp_path_factory.mktemp(f"{kind}-{step}")
        plant = opened(folder)
        made[kind, step] = folder, hold(plant, kind).id
        plant.close()
    given = [f"{folder}|{held}|{step}" for (_, step), (folder, held) in made.items()]
    done = subprocess.run([sys.executable, __file__, *given], check=False, capture_output=True, text=True)
    assert done.stdout.split() == ["-9"] * len(given), done.stderr
    return made


@pytest.mark.parametrize(("kind", "step"), CASES)
def test_a_killed_release(places: dict[tuple[str, str], tuple[Path, str]], step: str, kind: str) -> None:
    folder, held = places[kind, step]
    plant = opened(folder)
    collection = "tuning" if kind == "rows" else "handbook"
    store = plant.training if kind == "rows" else plant.vault
    head = store.lines.versions.head(collection)
    stored = step in ("after", "noted")
    found = plant.quarantine.find(held)
    assert (head is not None) == stored == (found.status == "stored")
    assert catch_up(plant) == 0, "whoever decided is given the time to say so"
    assert catch_up(plant, left=-1) == 2 * stored, "the version and the decision"
    assert catch_up(plant, left=-1) == 0
    if stored:
        assert head and (head.released, found.decided_by) == (held, "rex")
        with pytest.raises(DataError, match="already decided"):
            release(plant, held)
    else:
        release(plant, held)
        head = store.lines.versions.head(collection)
        assert head and head.released == held
    assert head.number == 1
    items = list(plant.training.records("tuning")) if kind == "rows" else plant.vault.manifest("handbook")
    assert len(items) == (40 if kind == "rows" else 1)
    (told,) = plant.ledger.latest(10, type="data.released")
    assert (told.event["held"], told.event["subject"]) == (held, "rex")
    assert verify(plant.vault, plant.index, anchors(plant.ledger), plant.training) == []
    plant.close()


def test_of_two_who_decide_one_is_told(tmp_path: Path) -> None:
    """Also when the other is faster while the rows are being stored."""
    plant = opened(tmp_path)
    held = hold(plant, "rows").id
    publish = plant.training.versions.publish

    def slow(*given: object) -> bool:
        plant.training.versions.publish = publish  # type: ignore[method-assign]
        plant.quarantine.decide(held, "rejected", "sue")
        return publish(*given)  # type: ignore[arg-type]

    plant.training.versions.publish = slow  # type: ignore[method-assign,assignment]
    with pytest.raises(DataError, match="already decided"):
        release(plant, held)
    assert plant.training.versions.head("tuning") is None
    assert plant.quarantine.find(held).status == "rejected"
    plant.close()


if __name__ == "__main__":
    for one in sys.argv[1:]:
        place, name, at = one.split("|")
        child = os.fork()
        if not child:
            dying(Path(place), name, at)
            os._exit(0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}\n")
        sys.stdout.flush()
