"""Rows for a training set, from an uploaded file."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.stores.conftest import upload

ROWS = [
    {
        "messages": [
            {"role": "user", "content": f"How warm is lamp {n}?"},
            {"role": "assistant", "content": f"{n} K."},
        ]
    }
    for n in range(30)
]
LINES = "\n".join(map(json.dumps, ROWS))


@pytest.fixture
def sets(start: Callable[..., Any]) -> Any:
    return start(data={"collections": {"tuning": {"kind": "training", "contributors": ["editor"]}}})


def contribute(gateway: Any, subject: str, body: Any) -> Any:
    return gateway.post(body, subject, "/v1/collections/tuning/files")


def test_rows_become_a_version(sets: Any) -> None:
    file = upload(sets.client("editor-north"), LINES, "lamps.jsonl", purpose="fine-tune")
    got = contribute(
        sets, "editor-north", {"file_id": file.id, "licence": "CC0-1.0", "consent": "none needed"}
    )
    assert got.status_code == 201, got.text
    body = got.json()
    assert (body["status"], body["rows"], body["held_rows"]) == ("stored", 30, 0)
    records = list(sets.plant.training.records("tuning"))
    assert [dict(one.fields) for one in records] == ROWS
    assert {one.source.contributor for one in records} == {"editor-north"}
    assert {one.source.origin for one in records} == {"lamps.jsonl"}
    assert {one.source.licence for one in records} == {"CC0-1.0"}


def test_who_and_what_is_refused(sets: Any) -> None:
    client = sets.client("editor-north")
    good = upload(client, LINES, "lamps.jsonl", purpose="fine-tune")
    other = upload(client, LINES, "lamps.jsonl")
    table = upload(client, "a,b\n1,2\n", "lamps.csv", purpose="fine-tune")
    broken = upload(client, LINES + "\nnonsense", "broken.jsonl", purpose="fine-tune")
    terms = {"licence": "CC0-1.0"}
    for subject, file, status in (
        ("editor-south", good.id, 404),  # not theirs
        ("customer-north", good.id, 404),  # no contributor
        ("editor-north", other.id, 400),
        ("editor-north", table.id, 400),
        ("editor-north", broken.id, 400),
        ("editor-north", "file-0", 404),
    ):
        got = contribute(sets, subject, {"file_id": file, **terms})
        assert got.status_code == status, (subject, got.text)
        assert sets.record(got.headers["x-ringwall-decision"])
    assert (
        contribute(sets, "editor-north", {"file_id": good.id, "licence": "no such licence"}).status_code
        == 400
    )
    assert sets.post({"query": "lamp"}, "both", "/v1/vector_stores/tuning/search").status_code == 404
