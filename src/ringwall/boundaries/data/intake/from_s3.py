"""Objects of an S3 prefix as files to contribute: copied next to nobody, read, and gone."""

import shutil
from collections.abc import Callable
from pathlib import Path

from ringwall.core import DataError
from ringwall.storage.s3_source import S3Sources, split_url

_MOST = 100_000
_CHUNK = 1 << 20


def copied(url: str, sources: S3Sources, folder: Path, told: Callable[[str], None]) -> list[tuple[Path, str]]:
    """Each object under ``s3://BUCKET/PREFIX`` as a file below ``folder``, with its whole address. ``told``
    hears how far it is. DataError when the place is not one of ``data.sources``, nothing is there, or a key
    can't be a path."""
    bucket, prefix = split_url(url)
    found: list[tuple[Path, str]] = []
    for item in sources.objects(url):
        if len(found) >= _MOST:
            raise DataError(f"{url} holds more than {_MOST} objects: name a longer prefix.")
        target = folder / _below(item.key, prefix)
        target.parent.mkdir(parents=True, exist_ok=True)
        with sources.open(url, item.key, item.etag) as source, target.open("xb") as file:
            shutil.copyfileobj(source, file, _CHUNK)
        found.append((target, f"s3://{bucket}/{item.key}"))
        told(f"{url}: {len(found):,} objects read")
    if not found:
        raise DataError(f"There is nothing under {url}.")
    return found


def _below(key: str, prefix: str) -> Path:
    """Where a key goes, relative to the prefix's last folder."""
    inside = key[prefix.rfind("/") + 1 :]
    steps = inside.split("/")
    if any(step in ("", ".", "..") or "\0" in step or "\\" in step or len(step) > 200 for step in steps):
        raise DataError(f"The key {key[:100]!r} can't be a file's path: rename the object.")
    return Path(*steps)
