"""The same scan on Ray Data, for corpora beyond one machine. Ray is the extra ``ray``."""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from itertools import islice
from typing import Any

import orjson

from ringwall.core import DataError

from ..records import Chunk
from .look import Looked, look

_ROUND = 256  # chunks given to the cluster at a time: what is lost when the driver dies


def on_ray(chunks: Iterable[Chunk], decode: bool = False) -> Iterator[Looked]:
    """On the cluster that ``RAY_ADDRESS`` names, else on this machine. Files have to be reachable under the
    same path from every node. DataError when Ray is not installed, or a task fails for good."""
    ray = _ray()
    source = iter(chunks)
    while batch := list(islice(source, _ROUND)):
        items = [{"chunk": at, "decode": decode, **asdict(one)} for at, one in enumerate(batch)]
        try:
            data = ray.data.from_items(items, override_num_blocks=len(items)).map(_look_row)
            found = {row["chunk"]: row for row in data.iter_rows()}
        except ray.exceptions.RayError as error:
            raise DataError(f"The scan on Ray failed ({type(error).__name__}): see its log.") from None
        yield from (_looked(found[at]) for at in range(len(batch)))


def _look_row(row: dict[str, Any]) -> dict[str, Any]:
    at, decode = row.pop("chunk"), row.pop("decode")
    told = look(Chunk(**row), decode)
    counts = orjson.dumps(dict(told.classes)).decode()
    return {"chunk": at, **{**asdict(told), "classes": counts}}


def _looked(row: dict[str, Any]) -> Looked:
    values = {name: row[name] for name in ("rows", "unreadable", "flagged", "lines")}
    return Looked(**values, classes=Counter(orjson.loads(row["classes"])))


def _ray() -> Any:
    try:
        import ray  # noqa: PLC0415 - an extra
        import ray.data  # noqa: PLC0415
    except ImportError:
        raise DataError("--engine ray needs an extra: pip install 'ringwall[ray]'.") from None
    if not ray.is_initialized():
        try:
            ray.init(log_to_driver=False, logging_level=logging.ERROR, include_dashboard=False)
        except Exception as error:  # noqa: BLE001 - Ray raises all sorts, the bare class among them
            why = str(error).partition("\n")[0].partition(". ")[0][:200]
            raise DataError(f"Ray did not start ({why}): try again, or look at its log.") from None
        ray.data.DataContext.get_current().enable_progress_bars = False
        logging.getLogger("ray.data").setLevel(logging.ERROR)
    return ray
