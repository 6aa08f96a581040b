"""Which store a process has: chosen at the start, kept, and never another one for the same data directory."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from ringwall.boundaries.data.store_settings import StoreSettings
from ringwall.core import ConfigError, DataError
from ringwall.storage.s3_blobs import S3Blobs
from ringwall.storage.s3_client import S3Place
from ringwall.workload.compose import Overrides
from ringwall.workload.live import Live, rehearse
from ringwall.workload.plant import Plant
from ringwall.workload.workbench import workbench

KEYS = "workload: shop\napplications: {assistant: {roles: [user], collections: [handbook]}}\n"


def settings(place: S3Place, **more: Any) -> dict[str, Any]:
    return {
        "kind": "s3", "bucket": place.bucket, "prefix": place.prefix, "region": place.region,
        "endpoint": place.endpoint, **more,
    }  # fmt: skip


@pytest.fixture
def file(tmp_path: Path) -> Any:
    def write(store: dict[str, Any] | None, days: int = 0) -> Path:
        handbook = {"contributors": ["user"], "readers": ["user"], "lock_days": days}
        data: dict[str, Any] = {"collections": {"handbook": handbook}}
        if store:
            data["store"] = store
        path = tmp_path / "ringwall.yaml"
        content = {
            "workload": "shop",
            "principals": {"roles": {"user": {}}},
            "applications": {"assistant": {"roles": ["user"], "collections": ["handbook"]}},
            "model": {
                "providers": {"m": {"kind": "scripted"}},
                "routes": {"default": {"provider": "m", "model": "m"}},
            },
            "data": data,
        }
        path.write_text(yaml.safe_dump(content))
        return path

    return write


def test_blobs_go_to_the_bucket_locked_as_the_collections_say(
    file: Any, bucket: S3Place, tmp_path: Path
) -> None:
    path = file(settings(bucket, lock_days=2), days=40)
    with workbench(path, tmp_path / "data") as bench:
        assert isinstance(bench.plant.blobs, S3Blobs)
        digest = bench.plant.blobs.put(b"sealed")
        days = (
            bench.plant.blobs.locked_until(digest) / 1e6 - bench.plant.database.path.stat().st_mtime
        ) / 86400
        assert 39.9 < days < 40.1
    assert not list((tmp_path / "data").glob("blobs/??/??/*"))
    with workbench(path, tmp_path / "data") as bench:
        assert bench.plant.blobs.get(digest) == b"sealed"


def test_a_reload_does_not_swap_the_store(file: Any, bucket: S3Place, tmp_path: Path) -> None:
    path = file(None)
    live = Live(path, Plant(tmp_path / "data"), Overrides())
    try:
        version = live.site.version
        file(settings(bucket))
        assert not live.reload()
        assert live.site.version == version
        assert live.plant.ledger.latest(1)[0].event["type"] == "config.refused"
    finally:
        live.plant.close()
    with pytest.raises(ConfigError, match="restart it to change the store"):
        Live(path, Plant(tmp_path / "other"), Overrides())


def test_a_data_directory_keeps_its_store(file: Any, bucket: S3Place, tmp_path: Path) -> None:
    with workbench(file(settings(bucket)), tmp_path / "data"):
        pass
    with pytest.raises(DataError, match=r"another store \(s3://ringwall-[0-9a-f]+/vault/\)"):
        Plant(tmp_path / "data")
    plant = Plant(tmp_path / "local")
    plant.blobs.put(b"x")
    plant.close()
    with pytest.raises(DataError, match=r"another store \(local\)"):
        Plant(tmp_path / "local", store=StoreSettings.model_validate(settings(bucket)))


def test_a_bucket_that_can_not_be_relied_on_stops_the_start_and_binds_nothing(
    file: Any, bucket: S3Place, tmp_path: Path, s3: Any
) -> None:
    s3.put_bucket_versioning(Bucket=bucket.bucket, VersioningConfiguration={"Status": "Suspended"})
    with (
        pytest.raises(DataError, match="versioning is not on"),
        workbench(file(settings(bucket)), tmp_path / "d"),
    ):
        pass
    Plant(tmp_path / "d").close()


def test_a_rehearsal_writes_nowhere(file: Any, bucket: S3Place, s3: Any) -> None:
    rehearse(file(settings(bucket)))
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket.bucket)


@pytest.mark.parametrize(
    ("store", "told"),
    [
        ({"kind": "s3"}, "needs a bucket and a region"),
        ({"kind": "s3", "bucket": "b-1", "region": "eu-central-1", "endpoint": "http://s3.example"}, "https"),
        ({"kind": "s3", "bucket": "B", "region": "eu-central-1"}, "bucket"),
        ({"kind": "s3", "bucket": "b-1", "region": "eu-central-1", "prefix": "a/../b"}, "prefix"),
        ({"kind": "s3", "bucket": "b-1", "region": "eu-central-1", "lock": 3}, "unknown key 'lock'"),
        ({"bucket": "b-1"}, "write kind: s3"),
    ],
)
def test_mistakes_are_told_at_the_start(file: Any, store: dict[str, Any], told: str) -> None:
    from ringwall.workload.load import load

    with pytest.raises(ConfigError, match=told):
        load(file(store))
