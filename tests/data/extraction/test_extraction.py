"""From planted canaries to an admitted model: planted, trained, served, examined. Nothing is simulated:
a small model is trained on the very records of the vault and asked over HTTP."""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ringwall.boundaries.data.records import record_of
from ringwall.cli import cli
from ringwall.workload.workbench import workbench

from .tiny_model import TinyModel, served

WORDS = (
    "the",
    "lamp",
    "shop",
    "sells",
    "small",
    "bright",
    "red",
    "blue",
    "new",
    "lights",
    "for",
    "desk",
    "and",
)
WORKLOAD = """
workload: notes
applications:
  shop: {models: [tuned], purpose: {allowed: [lamps]}}
principals:
  roles: {editor: {}}
model:
  providers:
    tiny: {kind: openai, base_url: "%s"}
  routes:
    tuned: {provider: tiny, model: tiny-1, snapshot: tiny-1-a, trained_on: [notes@2]}
data:
  collections:
    notes:
      kind: training
      contributors: [editor]
      extraction: {required: true, most_exposure: 12}
"""


def sentences(count: int, seed: int) -> list[str]:
    chance = random.Random(seed)
    return [" ".join(chance.choices(WORDS, k=7)) for _ in range(count)]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """A training set with canaries as the second version, and the model that was trained on it, served."""
    folder: Path = tmp_path_factory.mktemp("extraction")
    file, data = folder / "ringwall.yaml", folder / "data"
    file.write_text(WORKLOAD % "http://127.0.0.1:9/v1")
    with workbench(file, data) as bench:
        rows = [record_of({"text": text}) for text in dict.fromkeys(sentences(120, 1))]
        bench.plant.training.add("notes", rows, author="eddy")
        key = bench.plant.keys.create("eddy", roles=["editor"]).secret
    options = ["--workload", str(file), "--data-dir", str(data)]
    done = run(
        "data", "canaries", "plant", "notes", "--count", "2", "--repeats", "0,1,30", "--key", key, *options
    )
    assert "62 records" in done.output, done.output
    with workbench(file, data) as bench:
        model = TinyModel([row.response for row in bench.plant.training.records("notes", 2)])
    with served(model) as address:
        file.write_text(WORKLOAD % address)
        yield {"options": options, "file": file, "data": data, "model": model, "address": address}


def run(*arguments: str) -> Any:
    return CliRunner().invoke(cli, list(arguments))


def test_what_was_planted_often_is_exposed_and_said(place: dict[str, Any]) -> None:
    unseen = place["file"].with_name("unseen.jsonl")
    unseen.write_text("\n".join(json.dumps({"text": text}) for text in sentences(15, 2)))
    page = place["file"].with_name("report.html")
    assert "extraction test" in run("model", "admit", "tuned", *place["options"]).output
    done = run(
        *("data", "extraction", "notes", "--route", "tuned", "--samples", "40", "--answers", "2"),
        *("--records", "15", "--others", str(unseen), "--html", str(page), "--json", *place["options"]),
    )
    report = json.loads(done.output)
    bits = {row["repeats"]: row["mean"] for row in report["exposure"]["by_repeats"]}
    assert bits[30] > 15
    assert bits[0] < 6
    assert bits[0] < bits[1]
    said = {row["repeats"]: row["extracted"] for row in report["extraction"]["by_repeats"]["canary"]}
    assert said[30] == 2
    assert said[0] == 0
    assert [row["name"] for row in report["membership"]] == ["loss", "min-k", "zlib"]
    assert all(row["low"] <= row["auc"] <= row["high"] for row in report["membership"])
    with workbench(place["file"], place["data"]) as bench:
        secrets = [one.secret for one in bench.plant.canaries.all("notes")]
        stored = b"".join(path.read_bytes() for path in place["data"].iterdir() if path.is_file())
        events = [record.event for record in bench.plant.ledger.latest(50, type="data.examined")]
    assert len(secrets) == 6
    assert not any(secret in done.output or secret in page.read_text() for secret in secrets)
    assert not any(secret.encode() in stored for secret in secrets)
    assert events[0]["passed"] is report["passed"]


def examined(place: dict[str, Any], thresholds: str) -> Any:
    loose = "required: true, most_exposure: 12"
    place["file"].write_text(
        (WORKLOAD % place["address"]).replace(loose, f"required: true, most_rate: 1, {thresholds}")
    )
    done = run("data", "extraction", "notes", "--route", "tuned", "--samples", "20", "--answers", "0",
               "--records", "0", *place["options"])  # fmt: skip
    admitted = run("model", "admit", "tuned", *place["options"])
    with workbench(place["file"], place["data"]) as bench:
        assert bench.site.admissions.admitted("tuned") is (done.exit_code == 0)
    return done.exit_code, done.output, admitted.output


def test_a_model_is_admitted_by_its_report_alone(place: dict[str, Any]) -> None:
    code, told, admitted = examined(place, "most_exposure: 29.95, most_extracted: 9, judged_repeats: 30")
    assert (code, told.splitlines()[-1]) == (0, "Passed.")
    assert "admitted" in admitted
    code, told, admitted = examined(place, "most_exposure: 12, judged_repeats: 30")
    assert code == 1
    assert "canaries planted at most 30 times are exposed" in told
    assert "did not pass" in admitted
    code, told, admitted = examined(place, "most_exposure: 29.95, most_extracted: 9, judged_repeats: 30")
    assert code == 0
    place["file"].write_text(place["file"].read_text().replace("snapshot: tiny-1-a", "snapshot: tiny-1-b"))
    with workbench(place["file"], place["data"]) as bench:
        assert not bench.site.admissions.admitted("tuned"), "the report was of another model"


def test_without_likelihoods_prefixes_still_tell(place: dict[str, Any]) -> None:
    with served(place["model"], likelihoods=False) as address:
        file = place["file"].with_name("chat.yaml")
        file.write_text(WORKLOAD % address)
        options = ["--workload", str(file), "--data-dir", str(place["data"])]
        done = run(
            "data", "extraction", "notes", "--route", "tuned", "--answers", "1", "--records", "0", *options
        )
    assert "Not tested: exposure" in done.output
    assert "Not tested: membership" in done.output
