"""Versions of documents and records from the command line, by people with keys of their own."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from ringwall.storage.blobs import LocalBlobs

WORKLOAD = """
workload: versions
principals:
  roles: {editor: {}, chief: {}}
model:
  providers: {here: {kind: extractive}}
  routes: {default: {provider: here}}
applications:
  assistant: {models: [default], collections: [handbook]}
data:
  exports: {out: {folder: ./out}}
  collections:
    tunes: {kind: training, contributors: [editor], approvers: [chief], exporters: [chief]}
    apart: {kind: training, contributors: [editor], approvers: [chief], exporters: [chief]}
    handbook: {contributors: [editor], readers: [editor], approvers: [chief]}
    guarded: {kind: training, contributors: [editor], approvers: [chief], two_person: true}
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("versions")


@pytest.fixture(scope="module")
def ringwall(command: Any, place: Path) -> Any:
    workload = place / "ringwall.yaml"
    workload.write_text(WORKLOAD)

    def run(*words: Any) -> Any:
        done = command(*words, "--workload", workload, "--data-dir", place / "data", "--json")
        assert "Traceback" not in done.err
        return done

    return run


@pytest.fixture(scope="module")
def keys(ringwall: Any) -> dict[str, str]:
    return {
        subject: ringwall("key", "create", "--subject", subject, "--role", role).json["key"]
        for subject, role in (("erin", "editor"), ("ezra", "editor"), ("cleo", "chief"))
    }


def rows(path: Path, **answers: str) -> Path:
    lines = [
        json.dumps({"id": key, "prompt": f"{key}?", "completion": said}) for key, said in answers.items()
    ]
    path.write_text("\n".join(lines))
    return path


def test_a_training_set_from_branch_to_approval(ringwall: Any, keys: Any, place: Path) -> None:
    def data(*words: Any, key: str = "erin", code: int = 0) -> Any:
        done = ringwall("data", *words, "--key", keys[key])
        assert done.code == code, done.err
        return done.json if done.out else None

    def looked(*words: Any, code: int = 0) -> Any:
        done = ringwall("data", *words)
        assert done.code == code, done.err
        return done.json

    terms = ("--licence", "MIT")
    data("add", "tunes", rows(place / "a.jsonl", a="one", b="one", c="one"), *terms)
    assert data("branch", "tunes", "tidy")["forked"] == "tunes@1"
    data("add", "tunes~tidy", rows(place / "b.jsonl", a="two", d="one"), *terms)
    data("add", "tunes~none", rows(place / "b.jsonl", a="two", d="one"), *terms, code=2)
    difference = looked("diff", "tunes", "1", "~tidy")
    assert (difference["added"], difference["changed"], difference["removed"]) == (["d"], ["a"], [])
    data("merge", "tunes~tidy", key="erin", code=1)
    data("add", "tunes", rows(place / "c.jsonl", a="three"), *terms, key="ezra")
    assert data("merge", "tunes~tidy", key="cleo", code=1)["conflicts"] == ["a"]
    assert data("merge", "tunes~tidy", "--theirs", "a", key="cleo")["version"]["merged"] == "tunes~tidy@2"
    shown = data("show", "tunes", "a")
    assert (shown["fields"]["completion"], shown["contributor"], shown["licence"]) == ("two", "erin", "MIT")
    assert shown["versions"] == ["tunes@1", "tunes@2", "tunes@3", "tunes~tidy@1", "tunes~tidy@2"]
    assert data("show", "tunes", "a", "--at", "1")["fields"]["completion"] == "one"
    assert data("rollback", "tunes", "1", key="cleo")["version"]["number"] == 4
    data("rollback", "tunes", "1", key="erin", code=1)
    data("approve", "tunes", "4", key="cleo", code=2)
    ringwall("data", "review", "tunes")
    assert data("approve", "tunes", "4", "--despite", key="cleo")["by"] == "cleo"
    told = looked("log", "tunes")
    assert told["branches"] == ["tunes~tidy"]
    assert next((row["number"], row["approved_by"]) for row in told["versions"]) == (4, "cleo")
    assert looked("verify")["ok"] is True
    (listed,) = [row for row in ringwall("data").json if row["collection"] == "tunes"]
    assert (listed["kind"], listed["version"], listed["items"], listed["branches"]) == ("training", 4, 3, 1)
    assert len(told["versions"]) == 4


def test_canaries_pass_no_second_person(ringwall: Any, keys: Any) -> None:
    """They are put past the controls, so not into what waits for somebody else, and not by any key."""
    plant = ("data", "canaries", "plant", "guarded", "--count", "1", "--repeats", "1")
    done = ringwall(*plant, "--key", keys["erin"])
    assert done.code == 1 and "second person" in done.err
    chats = ringwall("key", "create", "--subject", "ann", "--role", "editor", "--scope", "chat").json["key"]
    assert ringwall("data", "canaries", "plant", "tunes", "--key", chats).code == 2
    much = ("--count", "1000", "--repeats", ",".join(["10000"] * 50))
    assert ringwall("data", "canaries", "plant", "tunes", *much, "--key", keys["erin"]).code == 2


def test_a_document_is_shown_within_its_tenant(ringwall: Any, keys: Any, place: Path) -> None:
    made = ("key", "create", "--subject", "sue", "--role", "editor", "--tenant", "south")
    sue = ringwall(*made).json["key"]
    (place / "ours.md").write_text("Ours alone.")
    ringwall("data", "add", "handbook", place / "ours.md", "--key", keys["erin"])
    assert ringwall("data", "show", "handbook", "ours", "--key", keys["ezra"]).json["text"] == "Ours alone."
    theirs = ringwall("data", "show", "handbook", "ours", "--key", sue)
    assert theirs.code == 1 and "Ours" not in theirs.out + theirs.err


def test_tenants_are_apart_in_rows_too(ringwall: Any, keys: Any, place: Path) -> None:
    make = ("key", "create", "--tenant", "south", "--role")
    editor = ringwall(*make, "editor", "--subject", "sam").json["key"]
    chief = ringwall(*make, "chief", "--subject", "sol").json["key"]
    ringwall(
        "data", "add", "apart", rows(place / "n.jsonl", n="north"), "--licence", "MIT", "--key", keys["erin"]
    )
    ringwall("data", "add", "apart", rows(place / "s.jsonl", s="south"), "--licence", "MIT", "--key", editor)
    for words in (
        ("show", "apart", "n"),
        ("diff", "apart", "1", "2"),
        ("rollback", "apart", "1"),
        ("remove", "apart", "s"),
        ("erase", "apart", "s", "--yes"),
        ("purge", "sam", "--yes"),
        ("blast-radius", "apart/s"),
    ):
        other = chief if words == ("show", "apart", "n") else keys["cleo"]
        done = ringwall("data", *words, "--key", other)
        assert (done.code, done.err[:7]) == (1, "error: "), words
        assert not done.out
    done = ringwall("data", "export", "apart", "out", "--key", chief)
    assert (done.json["records"], done.json["withheld"]) == (1, 1)
    assert "north" not in Path(done.json["path"]).read_text()
    taken = ringwall(
        "data", "add", "apart", rows(place / "n.jsonl", n="mine"), "--licence", "MIT", "--key", editor
    )
    assert taken.code == 2 and "another tenant" in taken.err
    purged = ringwall("data", "purge", "sam", "--yes", "--key", chief)
    (told,) = purged.json
    assert (told["version"], told["plan"]["current"]) == (3, ["s"])
    assert [line.split()[0] for line in told["left"]] == ["1", "Version"]


@pytest.mark.parametrize("form", ["jsonl", "parquet", "delta"])
def test_an_export_is_verified(ringwall: Any, keys: Any, place: Path, form: str) -> None:
    ringwall(
        "data",
        "add",
        "tunes",
        rows(place / f"{form}.jsonl", x=form),
        "--licence",
        "MIT",
        "--key",
        keys["erin"],
    )
    done = ringwall("data", "export", "tunes", "out", "--format", form, "--key", keys["cleo"])
    assert done.code == 0, done.err
    path = Path(done.json["path"])
    done = ringwall("data", "verify-export", path)
    assert (done.code, done.json["ok"]) == (0, True), done.out
    beside = path.with_name(path.name + ".manifest.json")
    said = json.loads(beside.read_bytes())
    beside.write_text(json.dumps({**said, "export": "exp_other"}))
    assert ringwall("data", "verify-export", path).code == 1
    beside.write_text(json.dumps({**said, "records": 2}))
    assert ringwall("data", "verify-export", path).code == 1


def test_the_drill_finds_every_damage(ringwall: Any) -> None:
    done = ringwall("data", "tamper-drill", "--sample", "3")
    assert (done.code, done.json["ok"]) == (0, True), [c for c in done.json["cases"] if not c["located"]]
    assert len(done.json["cases"]) > 200


def test_mistakes(ringwall: Any, keys: Any) -> None:
    for words in (("log", "nothing"), ("diff", "tunes", "1", "~none"), ("diff", "tunes", "yesterday")):
        done = ringwall("data", *words)
        assert done.code == 2
        assert done.err.startswith("error: ")
    assert ringwall("data", "show", "tunes", "a").code == 2


def test_the_ledger_grew_from_a_checkpoint_kept_elsewhere(ringwall: Any, keys: Any, place: Path) -> None:
    kept = place / "checkpoint.txt"
    kept.write_text(ringwall("ledger", "checkpoint").json["checkpoint"])
    ringwall("key", "create", "--subject", "late", "--role", "editor")
    told = ringwall("ledger", "verify", "--since", kept).json
    assert told["ok"] and told["since"] < told["size"]
    assert ringwall("data", "verify", "--since", kept).json["ok"]
    note = kept.read_text()
    kept.write_text(note.replace(note.splitlines()[2], "A" * 43 + "="))
    done = ringwall("data", "verify", "--since", kept)
    assert (done.code, done.json["damages"][0]["collection"]) == (1, "the ledger")
    kept.write_text("no checkpoint")
    assert ringwall("ledger", "verify", "--since", kept).code == 2


def test_blobs_that_nothing_refers_to_go_when_they_are_old(ringwall: Any, place: Path) -> None:
    blobs = LocalBlobs(place / "data/blobs")
    before, strays = set(blobs.names()), ringwall("data", "verify").json["strays"]
    digest = blobs.put(b"left by a killed writer")
    assert ringwall("data", "verify").json == {"ok": True, "damages": [], "strays": strays + 1}
    assert ringwall("data", "store", "sweep").json == {"removed": 0, "left": strays + 1}
    (path,) = (place / "data/blobs").glob(f"??/??/{digest}")
    os.utime(path, (1, 1))
    assert ringwall("data", "store", "sweep").json == {"removed": 1, "left": strays}
    assert set(blobs.names()) == before
    damaged = next((place / "data/blobs").glob("??/??/*"))
    damaged.chmod(0o600)
    damaged.write_bytes(b"")
    assert ringwall("data", "store", "sweep").code == 2
