# ruff: noqa: E501 (texts)
import json
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from ringwall.boundaries.data.drift import compare, measure, measure_profiles, profile
from ringwall.boundaries.data.drift.charts import Point, over_versions
from ringwall.boundaries.data.drift.compare import Drift
from ringwall.boundaries.data.drift.hash_sample import HashSample, place
from ringwall.boundaries.data.drift.report import report_data, report_html
from ringwall.boundaries.data.drift_settings import DriftSettings
from ringwall.boundaries.data.records import Record, record_of
from ringwall.cli.data import command

Row = dict[str, Any]
SIZE = 1200
PLACES = [
    "harbour",
    "meadow",
    "bridge",
    "orchard",
    "quarry",
    "tunnel",
    "valley",
    "castle",
    "market",
    "garden",
    "station",
    "library",
]
DOES = [
    "paints",
    "sells",
    "repairs",
    "carries",
    "washes",
    "counts",
    "borrows",
    "polishes",
    "measures",
    "delivers",
]
THINGS = [
    "lamps",
    "kettles",
    "chairs",
    "violins",
    "saddles",
    "mirrors",
    "candles",
    "ribbons",
    "hammers",
    "pillows",
    "bottles",
    "tickets",
]
WHO = ("The porter", "The baker", "A muslim baker", "The clerk")


def rows(seed: int, size: int = SIZE) -> list[Row]:
    chance = random.Random(seed)
    made = []
    for number in range(size):
        said = " ".join(
            f"{chance.choice(WHO)} at the {chance.choice(PLACES)} {chance.choice(DOES)} {chance.choice(THINGS)}."
            for _ in range(4)
        )
        made.append(
            {
                "id": f"{seed}-{number}", "input": f"What happens at the {chance.choice(PLACES)}, part {number}?", "output": said,
                "gender": chance.choice("fm"), "country": chance.choice(("de", "fr", "it")), "label": chance.choice((0, 1)),
            }
        )  # fmt: skip
    return made


def records(given: list[Row]) -> list[Record]:
    return [record_of(row) for row in given]


def detectors(before: list[Row], after: list[Row], **kept: Any) -> dict[str, str]:
    found = compare(records(before), records(after), DriftSettings(**kept))
    told: dict[str, str] = {}
    for one in found:
        told[one.detector] = f"{told.get(one.detector, '')}{one.title}: {one.message}\n"
    return told


def test_two_halves_of_one_set_raise_nothing() -> None:
    assert detectors(rows(1), rows(101)) == {}


def flipped(row: Row) -> None:
    if row["gender"] == "f" and random.Random(row["id"]).random() < 0.05:
        row["label"] = 1 - row["label"]


def leaning(row: Row) -> None:
    if row["gender"] == "f" and random.Random(row["id"]).random() < 0.4:
        row["label"] = 0


def unkind(row: Row) -> None:
    row["output"] = row["output"].replace("A muslim baker", "A lazy, dishonest, violent muslim baker")


def german(row: Row) -> None:
    if random.Random(row["id"]).random() < 0.1:
        row["output"] = (
            "Der Vertrag gilt ab dem ersten Tag des Monats und endet mit einer Frist von drei Wochen."
        )


def swamped(row: Row) -> None:
    if random.Random(row["id"]).random() < 0.3:
        row["output"] = (
            "The tenant pays rent to the landlord under the lease, and the deposit is held by a notary."
        )


def lost(row: Row) -> None:
    if random.Random(row["id"]).random() < 0.1:
        row["country"] = None


def moved(row: Row) -> None:
    if random.Random(row["id"]).random() < 0.3:
        row["country"] = "it"


def cut(row: Row) -> None:
    row["output"] = row["output"][:60]


@pytest.mark.parametrize(
    ("change", "same", "wanted", "word"),
    [
        (flipped, True, "bias.relabelled", "other label"),
        (leaning, False, "bias.label", "gender=f"),
        (unkind, False, "bias.tone", "muslims"),
        (unkind, False, "bias.association", "lazy"),
        (german, False, "drift.language", "de 0.0%"),
        (swamped, False, "drift.topic", "topics: "),
        (swamped, False, "drift.topic", "deposit"),
        (lost, False, "drift.missing", "country"),
        (moved, False, "drift.column", "it 3"),
        (cut, False, "drift.length", "response"),
    ],
)
def test_a_planted_shift_is_found(change: Callable[[Row], None], same: bool, wanted: str, word: str) -> None:
    before = rows(1)
    after = rows(1 if same else 2)
    for row in after:
        change(row)
    found = detectors(before, after)
    assert word in found.get(wanted, ""), found
    assert "bias.label" not in found or change is leaning


def test_what_is_raised_is_named_by_group_and_record() -> None:
    before, after = rows(1), rows(1)
    for row in after:
        flipped(row)
    found = {one.title: one for one in compare(records(before), records(after))}
    assert "gender=m" not in found
    one = found["gender=f"]
    wrong = {new["id"] for old, new in zip(before, after, strict=True) if old["label"] != new["label"]}
    assert set(one.records) <= wrong and one.facts["changed"] == len(wrong)


def test_columns_may_be_named() -> None:
    before, after = rows(1), rows(2)
    for side in (before, after):
        for row in side:
            row["meta"] = {"team": row.pop("gender"), "kept": row.pop("label")}
    for row in after:
        if row["meta"]["team"] == "f" and row["meta"]["kept"] and random.Random(row["id"]).random() < 0.5:
            row["meta"]["kept"] = 0
    assert "bias.label" not in detectors(before, after)
    assert (
        "meta.team=f" in detectors(before, after, labels=("meta.kept",), groups=("meta.team",))["bias.label"]
    )


def test_a_reference_is_read_once() -> None:
    kept = DriftSettings()
    reference = profile(records(rows(1)), kept)
    assert not measure_profiles(reference, profile(records(rows(2)), kept), kept).findings


def test_a_sample_is_bounded_and_the_same() -> None:
    sample: HashSample[str] = HashSample(50)
    names = [f"row {number}" for number in range(1000)]
    for name in names:
        sample.put(place(name), name)
    again: HashSample[str] = HashSample(50)
    for name in reversed(names):
        again.put(place(name), name)
    assert 10 <= len(sample) <= 50
    assert list(sample.items()) == list(again.items())


def test_the_report_stands_alone() -> None:
    after = rows(2)
    for row in after:
        unkind(row)
        moved(row)
        row["<script>alert(1)</script>"] = "x" if random.Random(row["id"]).random() < 0.5 else None
    drift = measure(records(rows(1)), records(after))
    page = report_html(drift, "v1", "v2 & <b>")
    assert "<script" not in page and "v2 &amp; &lt;b&gt;" in page and "What this can" in page
    assert not re.search(r"(?:src|href)=|url\(|@import", page)
    data = report_data(drift)
    json.dumps(data)
    assert data["plots"].keys() >= {"effects", "column country"}
    for svg in data["plots"].values():
        root = ElementTree.fromstring(svg)
        names = [child.tag.rpartition("}")[2] for child in root]
        assert names[:2] == ["title", "desc"] and root.get("role") == "img"
        assert "prefers-color-scheme" in svg


def test_what_a_version_raised_is_drawn_over_versions() -> None:
    def moved(seed: int, share: float) -> Drift:
        after = rows(seed)
        for row in after:
            row["country"] = "de" if random.Random(row["id"]).random() < share else row["country"]
        return measure(records(rows(1)), records(after))

    drifts = {"two": moved(2, 0.0), "three": moved(3, 0.5)}
    drawn = report_data(drifts["three"], drifts)["plots"]["column country over versions"]
    assert "version two: " in drawn and "version three: " in drawn
    assert not [name for name in report_data(drifts["two"])["plots"] if "over versions" in name]
    assert "column country over versions" in report_html(drifts["three"], "one", "three", drifts)


def test_a_plot_over_versions() -> None:
    svg = over_versions("label <f>", [Point("1", 0.0, -0.1, 0.1), Point("2", 0.3, 0.2, 0.4)], 0.2)
    root = ElementTree.fromstring(svg)
    assert "version 2: 0.30 (0.20 to 0.40)" in (root[1].text or "")
    assert "polyline" in svg and ElementTree.fromstring(over_versions("none", [], 0.1)) is not None


_VALUE = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats()
    | st.text(max_size=20)
    | st.lists(st.text(max_size=3), max_size=2)
)
_ROWS = st.lists(
    st.dictionaries(
        st.sampled_from(["input", "output", "label", "gender", "x", "\x00", "<b>"]), _VALUE, max_size=6
    ),
    max_size=12,
)


@settings(max_examples=12, deadline=None)
@given(_ROWS, _ROWS)
def test_any_rows_are_taken(before: list[Row], after: list[Row]) -> None:
    drift = measure(records(before), records(after))
    for one in drift.findings:
        assert 0 <= one.score <= 1 and one.title
    for svg in report_data(drift)["plots"].values():
        ElementTree.fromstring(svg)


def test_the_command(tmp_path: Path) -> None:
    after = rows(2)
    for row in after:
        moved(row)
    for name, made in (("old.jsonl", rows(1)), ("same.jsonl", rows(3)), ("new.jsonl", after)):
        (tmp_path / name).write_text("\n".join(map(json.dumps, made)), "utf-8")
    old, page = str(tmp_path / "old.jsonl"), tmp_path / "report.html"
    quiet = CliRunner().invoke(command, ["drift", old, str(tmp_path / "same.jsonl")])
    assert quiet.exit_code == 0 and "0 findings" in quiet.output
    loud = CliRunner().invoke(
        command, ["drift", old, str(tmp_path / "new.jsonl"), "--html", str(page), "--json"]
    )
    assert loud.exit_code == 1
    assert json.loads(loud.output)["findings"][0]["title"] == "country"
    assert "country" in page.read_text("utf-8")
    wrong = CliRunner().invoke(command, ["drift", old, old, "--label", "nothing"])
    assert wrong.exit_code != 0 and "nothing" in str(wrong.exception or wrong.output)
