"""Rows in an object store are the same rows as in a folder."""

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from ringwall.boundaries.data.records import read_files, read_rows, row_objects
from ringwall.cli import cli
from ringwall.core import DataError
from ringwall.storage.s3_client import S3Place
from ringwall.storage.s3_source import S3Sources

WORKLOAD = """
workload: scans
applications: {{desk: {{}}}}
data:
  sources: [{{bucket: {bucket}, prefix: rows/, region: eu-central-1, endpoint: "{endpoint}"}}]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = [
        {"id": f"r{n}", "text": f"row {n} of jane.doe@example.org" if n == 7 else f"row {n}"}
        for n in range(30)
    ]
    folder = tmp_path / "rows"
    (folder / "in").mkdir(parents=True)
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "a.jsonl").write_text(lines, "utf-8")
    (folder / "b.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    (folder / "in" / "c.csv").write_text(
        "id,text\n" + "".join(f"{r['id']},{r['text']}\n" for r in rows), "utf-8"
    )
    pq.write_table(pa.Table.from_pylist(rows), folder / "in" / "d.parquet", row_group_size=7)
    (folder / "notes.md").write_text("no rows", "utf-8")
    return folder


@pytest.fixture
def place(folder: Path, bucket: S3Place, s3: Any) -> S3Place:
    for path in folder.rglob("*"):
        if path.is_file():
            key = f"rows/{path.relative_to(folder).as_posix()}"
            s3.put_object(Bucket=bucket.bucket, Key=key, Body=path.read_bytes())
    return S3Place(bucket.bucket, "rows/", bucket.region, bucket.endpoint)


def test_the_same_rows_as_in_the_folder(folder: Path, place: S3Place) -> None:
    with row_objects(S3Sources([place]), f"s3://{place.bucket}/rows/") as found:
        assert [one.name for one in found] == ["a.jsonl", "b.jsonl.gz", "in/c.csv", "in/d.parquet"]
        assert list(read_files(found)) == list(read_rows(folder))


def test_only_places_on_the_list_are_read(place: S3Place) -> None:
    with (
        pytest.raises(DataError, match="not on the list"),
        row_objects(S3Sources([place]), f"s3://{place.bucket}/else/"),
    ):
        pass
    with (
        pytest.raises(DataError, match="no object of rows"),
        row_objects(S3Sources([place]), f"s3://{place.bucket}/rows/x"),
    ):
        pass


def test_the_command_scans_an_object_store(place: S3Place, tmp_path: Path) -> None:
    workload = tmp_path / "ringwall.yaml"
    workload.write_text(WORKLOAD.format(bucket=place.bucket, endpoint=place.endpoint), "utf-8")
    arguments = [
        "data",
        "scan",
        f"s3://{place.bucket}/rows/",
        "--workload",
        str(workload),
        "--json",
        "--workers",
        "1",
    ]
    ran = CliRunner().invoke(cli, [*arguments, "--out", str(tmp_path / "out")])
    assert ran.exit_code == 1, ran.output
    told = json.loads(ran.stdout)
    assert (told["rows"], told["flagged"]) == (120, 4)
    assert told["classes"] == {"pii.email": 4}
