"""``data.export`` and the way out: by whom, to where, with what in it; the whole of it or nothing."""

import asyncio
import base64
import hashlib
import json
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringwall.boundaries.data.export import CONTROL, Export, ExportSettings
from ringwall.boundaries.data.export_text import edited, parts_of
from ringwall.boundaries.data.exports import Exported, Exports
from ringwall.boundaries.data.records import Record, Source, record_of
from ringwall.boundaries.data.settings import DataSection
from ringwall.core import (
    Action,
    Crossing,
    CrossingKind,
    DataError,
    Decision,
    DeniedError,
    Edit,
    Gate,
    Mode,
    Part,
    PartKind,
    Post,
    Principal,
    untrusted,
)

BEA = Principal("bea", "shop", frozenset({"scientist"}), credential="key")
CASEY = Principal("casey", "shop", frozenset({"customer"}), credential="key")
MAIL = "write to anna.schmidt@example.org today"
TOKEN = "sk-ant-api03-" + "Zq7Rk2Vx9Lm4" * 8  # shaped like a credential, and none


def section(**more: Any) -> DataSection:
    return DataSection.model_validate(
        {
            "collections": {
                "tuning": {"exporters": ["scientist"], "sensitivity": ["internal"]},
                "mails": {"exporters": ["scientist"], "sensitivity": ["customer-pii"]},
            },
            "exports": {
                "lab": {"folder": "out/lab", "classes": ["internal"]},
                "vault": {"folder": "out/vault", "classes": ["internal", "customer-pii"]},
                "other": {"folder": "out/other", "classes": ["internal"], "collections": ["mails"]},
            },
            **more,
        }
    )


def write_lines(records: Iterable[Record], path: Path) -> None:
    """The rows themselves, one to a line."""
    with path.open("x") as file:
        file.writelines(json.dumps(dict(record.fields)) + "\n" for record in records)


class Rows:
    """A source that holds what a test says; None is a document that one may not read."""

    def __init__(self, rows: list[Any]) -> None:
        self.rows = rows
        self.read = 0

    def version(self, collection: str, number: int | None) -> Exported:
        if number not in (None, 3):
            raise DataError(f"Collection {collection} has no version {number}.")
        return Exported(collection, 3, "root", "chain")

    def records(self, version: Exported, principal: Principal) -> Iterator[Record | None]:
        for row in self.rows:
            self.read += 1
            yield row if row is None or isinstance(row, Record) else record_of(row)


class Way:
    """An export's surroundings, and all that was put on the ledger, in order."""

    def __init__(self, folder: Path, rows: list[Any], mode: Mode = Mode.ENFORCE, **settings: Any) -> None:
        self.folder = folder
        self.source = Rows(rows)
        self.events: list[Any] = []
        control = Export(ExportSettings.model_validate(settings), section())
        gate = Gate([Post(control)], mode=mode)

        async def decide(crossing: Crossing) -> Decision:
            decision = await gate.decide(crossing)
            self.events.append(decision)
            return decision

        async def note(event: Any) -> None:
            self.events.append((event["type"], self.left()))

        self.exports = Exports(
            section(), folder, folder / "aside", {"index": self.source}, {"jsonl": write_lines}, decide, note
        )

    def run(self, collection: str = "tuning", target: str = "lab", by: Principal = BEA, **more: Any) -> Any:
        return asyncio.run(self.exports.export(collection, by, target, **more))

    def left(self) -> list[str]:
        """Files outside of the data directory."""
        return sorted(path.name for path in (self.folder / "out").rglob("*") if path.is_file())


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_an_export(tmp_path: Path) -> None:
    way = Way(tmp_path, [{"text": f"row {number}"} for number in range(450)])
    receipt = way.run()
    assert lines(receipt.path) == [{"text": f"row {number}"} for number in range(450)]
    assert (receipt.records, receipt.withheld, receipt.redacted) == (450, 0, 0)
    assert receipt.path.parent == tmp_path / "out/lab"
    assert stat.S_IMODE(receipt.path.stat().st_mode) == 0o600
    manifest = json.loads((receipt.path.parent / f"{receipt.path.name}.manifest.json").read_text())
    assert manifest["sha256"] == receipt.sha256 == hashlib.sha256(receipt.path.read_bytes()).hexdigest()
    assert (manifest["collection"], manifest["version"], manifest["chain"]) == ("tuning", 3, "chain")
    assert not list((tmp_path / "aside").iterdir())
    *decisions, exporting, exported = way.events
    assert [decision.kind for decision in decisions] == [CrossingKind.EXPORT] * 4
    assert exporting == ("data.exporting", []), "on the ledger before the first byte leaves"
    assert exported[0] == "data.exported"
    assert len(exported[1]) == 2


@pytest.mark.parametrize(
    ("collection", "target", "by", "told"),
    [
        ("tuning", "lab", CASEY, "no exporter role"),
        ("tuning", "lab", Principal("bea", "shop", frozenset({"scientist"})), "no exporter role"),
        ("tuning", "nowhere", BEA, "no such target"),
        ("tuning", "other", BEA, "may not go to this target"),
        ("mails", "lab", BEA, "data class that may not go"),
    ],
)
def test_who_and_where_to_is_decided_before_anything_is_read(
    tmp_path: Path, collection: str, target: str, by: Principal, told: str
) -> None:
    way = Way(tmp_path, [{"text": "x"}])
    with pytest.raises(DeniedError, match=told) as denied:
        way.run(collection, target, by)
    assert denied.value.decision_id == way.events[-1].id
    assert way.source.read == 0
    assert not way.left()


@pytest.mark.parametrize("row", [{"text": MAIL}, {"messages": [{"role": "user", "content": TOKEN}]}])
def test_what_may_not_leave_in_the_last_row_stops_all_of_it(tmp_path: Path, row: Any) -> None:
    way = Way(tmp_path, [*({"text": f"row {number}"} for number in range(300)), row])
    with pytest.raises(DeniedError) as denied:
        way.run()
    assert "anna" not in str(denied.value)
    assert TOKEN not in str(denied.value)
    assert not way.left()
    assert not list((tmp_path / "aside").iterdir())


@pytest.mark.parametrize("encoded", [True, False])
def test_it_is_taken_out_when_so_set(tmp_path: Path, encoded: bool) -> None:
    rows = [
        {"id": "a", "text": MAIL, "n": 1},
        {"id": "b", "prompt": "key?", "completion": f"it is {TOKEN}"},
        {"id": "c", "card": 4111111111111111, "note": ["fine"]},
        {"id": "d", "text": "fine"},
    ]
    receipt = Way(tmp_path, rows, personal="redact", secrets="redact", encoded=encoded).run()
    found = lines(receipt.path)
    assert receipt.redacted == 3
    assert found[0] == {"id": "a", "text": "write to [personal:pii.email] today", "n": 1}
    assert TOKEN not in json.dumps(found)
    assert found[1]["prompt"] == "key?"
    assert found[2] == {"id": "c", "card": "[personal:pii.card]", "note": ["fine"]}
    assert found[3] == rows[3]


@pytest.mark.parametrize(
    "row",
    [
        {"text": "x", "anna.schmidt@example.org": 1},
        {"text": "x", "seen": [{"anna.schmidt@example.org": ""}]},
        record_of({"text": "x"}, Source(origin="mailto:anna.schmidt@example.org")),
        record_of({"text": "x"}, Source(consent="as anna.schmidt@example.org wrote")),
    ],
)
@pytest.mark.parametrize("how", ["block", "redact"])
def test_what_stands_beside_the_values_leaves_by_the_same_rule(tmp_path: Path, row: Any, how: str) -> None:
    way = Way(tmp_path, [{"text": "fine"}, row], personal=how)
    with pytest.raises(DeniedError) as denied:
        way.run()
    assert "anna" not in str(denied.value)
    assert not way.left()


def test_an_id_that_was_taken_out_is_out(tmp_path: Path) -> None:
    """The column ``id`` is written beside the fields."""
    way = Way(tmp_path, [{"id": "anna.schmidt@example.org", "text": "x"}, {"text": MAIL}], personal="redact")
    seen: list[str] = []

    def write(records: Iterable[Record], path: Path) -> None:
        seen.extend(record.id for record in records)
        path.write_text("x")

    way.exports._writers = {"jsonl": write}
    way.run()
    assert seen[0] == "[personal:pii.email]"
    assert seen[1] == record_of({"text": MAIL}).id, "an id that was made from the content tells nothing"


def test_what_somebody_encoded_is_read_as_well_if_not_switched_off(tmp_path: Path) -> None:
    rows = [{"text": base64.b64encode(f"the key is {TOKEN} and nothing else".encode()).decode()}]
    with pytest.raises(DeniedError, match="credential"):
        Way(tmp_path, rows).run()
    assert Way(tmp_path, rows, encoded=False).run().records == 1


def test_declared_personal_data_goes_where_its_class_may_go_and_credentials_nowhere(tmp_path: Path) -> None:
    declared = {"personal_classes": ["customer-pii"]}
    receipt = Way(tmp_path, [record_of({"text": MAIL}, sensitivity=["customer-pii"])], **declared).run(
        "mails", "vault"
    )
    assert lines(receipt.path) == [{"text": MAIL}]
    with pytest.raises(DeniedError, match="credential"):
        Way(tmp_path, [record_of({"text": TOKEN}, sensitivity=["customer-pii"])], **declared).run(
            "mails", "vault"
        )
    labelled = record_of({"text": "x"}, sensitivity=["customer-pii"])
    with pytest.raises(DeniedError, match="data class"):
        Way(tmp_path, [labelled], **declared).run("tuning", "lab")


def test_what_one_may_not_read_is_left_out_and_counted(tmp_path: Path) -> None:
    receipt = Way(tmp_path, [{"text": "a"}, None, {"text": "b"}]).run()
    assert (receipt.records, receipt.withheld) == (2, 1)
    assert lines(receipt.path) == [{"text": "a"}, {"text": "b"}]


def test_nothing_is_overwritten_and_an_empty_version_is_an_export(tmp_path: Path) -> None:
    way = Way(tmp_path, [])
    first, second = way.run(), way.run()
    assert first.path != second.path
    assert lines(first.path) == []
    assert len(way.left()) == 4


def test_a_reader_that_fails_leaves_nothing(tmp_path: Path) -> None:
    way = Way(tmp_path, [{"text": "a"}, None])
    way.source.rows = [{"text": "a"}, {"text": "deep", "x": _nested(40)}]
    with pytest.raises(DataError):
        way.run()
    assert not way.left()
    assert not list((tmp_path / "aside").iterdir())
    with pytest.raises(DataError, match="no version 9"):
        way.run(version=9)
    with pytest.raises(DataError, match="can't be exported as parquet"):
        way.run(form="parquet")
    with pytest.raises(DataError, match="no collection 'x'"):
        way.run("x")


def test_monitor_mode_makes_up_no_place(tmp_path: Path) -> None:
    way = Way(tmp_path, [{"text": "x"}], mode=Mode.MONITOR)
    with pytest.raises(DataError, match="no export target 'nowhere'"):
        way.run(target="nowhere")


def _nested(depth: int) -> Any:
    return [_nested(depth - 1)] if depth else 1


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=5), VALUES, max_size=4))
def test_parts_and_record_go_together(fields: dict[str, Any]) -> None:
    record = Record("r", fields)
    parts = parts_of(record, "tuning")
    assert edited(record, [[] for _ in parts]) == record
    gone = edited(record, [[Edit(index, 0, len(part.text), "[x]")] for index, part in enumerate(parts)])
    assert len(parts_of(gone, "tuning")) == len(parts)
    assert all(part.text.endswith("[x]") or not part.text for part in parts_of(gone, "tuning"))


async def test_the_control_believes_no_crossing(tmp_path: Path) -> None:
    gate = Gate([Post(CONTROL.build(ExportSettings(), _Services(section())))])
    part = Part(PartKind.DOCUMENT, "x", untrusted("record:r"), data={"collection": "mails"})
    for context in (
        {},
        {"collection": 5, "target": []},
        {"collection": "tuning", "target": "lab", "exporters": ["x"]},
    ):
        decision = await gate.decide(Crossing(CrossingKind.EXPORT, CASEY, (part,), context=context))
        assert decision.action is Action.BLOCK


class _Services:
    def __init__(self, section: DataSection) -> None:
        self.section = section

    def get(self, kind: type) -> Any:
        assert kind is DataSection
        return self.section
