"""The store in a bucket, exports and the perimeter, as an operator uses them."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from ringwall.ledger import Ledger
from ringwall.storage.s3_client import S3Place
from ringwall.workload.workbench import workbench


@pytest.fixture
def site(tmp_path: Path, bucket: S3Place) -> Any:
    """``site(store)`` writes the workload; then its commands can be run."""
    (tmp_path / "documents").mkdir()

    def write(*, s3: bool, **data: Any) -> Path:
        handbook = {
            "contributors": ["editor"],
            "readers": ["editor"],
            "exporters": ["editor"],
            "sensitivity": ["internal"],
            "lock_days": 7,
        }
        section: dict[str, Any] = {
            "collections": {"handbook": handbook},
            "exports": {"lab": {"folder": "out", "classes": ["internal"]}},
            **data,
        }
        if s3:
            section["store"] = {
                "kind": "s3",
                "bucket": bucket.bucket,
                "prefix": "vault",
                "region": "eu-central-1",
                "endpoint": bucket.endpoint,
            }
        content = {
            "workload": "shop",
            "principals": {"roles": {"editor": {}}},
            "applications": {"assistant": {"roles": ["editor"], "collections": ["handbook"]}},
            "model": {
                "providers": {"m": {"kind": "scripted"}},
                "routes": {"default": {"provider": "m", "model": "m"}},
            },
            "data": section,
        }
        path = tmp_path / "ringwall.yaml"
        path.write_text(yaml.safe_dump(content))
        return path

    return write


@pytest.fixture
def run(command: Any, tmp_path: Path) -> Any:
    def call(*words: Any) -> Any:
        done = command(
            *words, "--workload", tmp_path / "ringwall.yaml", "--data-dir", tmp_path / "data", "--json"
        )
        assert "Traceback" not in done.err
        return done

    return call


def key_of(run: Any) -> str:
    return str(run("key", "create", "--subject", "bea", "--role", "editor").json["key"])


def test_from_the_data_directory_to_a_bucket_and_out_again(
    site: Any, run: Any, tmp_path: Path, bucket: S3Place, s3: Any
) -> None:
    site(s3=False)
    key = key_of(run)
    paper = tmp_path / "paper.md"
    paper.write_text("# Returns\n\nA lamp can be sent back for thirty days.\n")
    assert run("data", "add", "handbook", paper, "--key", key).code == 0

    site(s3=True)
    done = run("data", "verify")
    assert done.code == 2
    assert "ringwall data store move" in done.err
    moved = run("data", "store", "move").json
    assert moved["copied"] > 0
    assert run("data", "store", "status").json == {"store": moved["store"], "blobs": moved["copied"]}
    paper.write_text("# Returns\n\nA lamp can be sent back for sixty days.\n")
    assert run("data", "add", "handbook", paper, "--key", key).code == 0
    assert run("data", "verify").json == {"ok": True, "damages": [], "strays": 0}

    listed = s3.list_objects_v2(Bucket=bucket.bucket, Prefix="vault/")["Contents"]
    head = s3.head_object(Bucket=bucket.bucket, Key=listed[-1]["Key"])
    assert head["ObjectLockMode"] == "COMPLIANCE"
    for item in listed:
        s3.delete_object(Bucket=bucket.bucket, Key=item["Key"])
    assert run("data", "verify").code == 1
    assert run("data", "store", "restore").json == {"restored": len(listed), "lost": []}
    assert run("data", "verify").code == 0

    done = run("data", "export", "handbook", "lab", "--key", key)
    assert (done.code, done.json["records"], done.json["version"]) == (0, 1, 2)
    assert "sixty days" in Path(done.json["path"]).read_text()
    old = run("data", "export", "handbook", "lab", "--version", 1, "--key", key).json
    assert "thirty days" in Path(old["path"]).read_text()

    ledger = Ledger.open(tmp_path / "data")
    exported = ledger.latest(5, type="data.exported")
    assert [record.event["version"] for record in exported] == [1, 2]
    assert exported[1].event["sha256"] == done.json["sha256"]
    ledger.close()


def test_an_export_that_may_not_leave(site: Any, run: Any, tmp_path: Path) -> None:
    site(s3=False, exports={"lab": {"folder": "out", "classes": []}})
    key = key_of(run)
    paper = tmp_path / "paper.md"
    paper.write_text("# Returns\n\nA lamp can be sent back.\n")
    assert run("data", "add", "handbook", paper, "--key", key).code == 0
    done = run("data", "export", "handbook", "lab", "--key", key)
    assert done.code == 1
    assert done.json["status"] == "refused"
    assert not (tmp_path / "out").exists()
    assert run("data", "export", "handbook", "lab").code == 2
    bound = run("key", "create", "--subject", "cy", "--role", "editor", "--scope", "contribute").json["key"]
    assert run("data", "export", "handbook", "lab", "--key", bound).code == 2


def test_the_perimeter(site: Any, run: Any, tmp_path: Path, bucket: S3Place, s3: Any) -> None:
    site(s3=True, perimeter={"organization": "o-abcdefghij"})
    done = run("data", "perimeter")
    states = {one["id"]: one["state"] for one in done.json["checks"]}
    assert done.code == 1
    assert states == {
        "versioning": "passed",
        "object-lock": "passed",
        "default-lock": "failed",
        "public-access": "passed",
        "encryption": "failed",
        "policy": "failed",
    }
    everything = {"Principal": "*", "Action": "s3:*", "Resource": ["*"]}
    tls = {"Effect": "Deny", **everything, "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    org = {"StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-abcdefghij"}}
    policy = json.dumps({"Statement": [tls, {"Effect": "Deny", **everything, "Condition": org}]})
    s3.put_bucket_policy(Bucket=bucket.bucket, Policy=policy)
    states = {one["id"]: one["state"] for one in run("data", "perimeter", "--keep").json["checks"]}
    assert [states[name] for name in ("tls", "identity", "network")] == ["passed", "passed", "unread"]
    with workbench(tmp_path / "ringwall.yaml", tmp_path / "data") as bench:
        kept = bench.plant.evidence.latest()
    assert any("Perimeter of the object store: 7 of 10" in one.detail for one in kept)

    site(s3=False)
    file = tmp_path / "policy.json"
    file.write_text(policy)
    states = {one["id"]: one["state"] for one in run("data", "perimeter", "--policy", file).json["checks"]}
    assert states["tls"] == "passed"
    file.write_text("no policy")
    done = run("data", "perimeter", "--policy", file)
    assert (done.code, "no JSON" in done.err) == (2, True)
    assert "there is no bucket" in run("data", "perimeter").err
