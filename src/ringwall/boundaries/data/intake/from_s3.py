"""Objects of an S3 prefix as documents to contribute: read one at a time, and never put on the disk."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO

from ringwall.core import DataError
from ringwall.storage.s3_source import S3Sources, split_url

_MOST = 100_000


@dataclass(frozen=True, slots=True)
class Remote:
    """One object."""

    name: str
    """Relative to the prefix's last folder."""
    address: str
    open: Callable[[], BinaryIO]


def documents(url: str, sources: S3Sources) -> list[Remote]:
    """Each object under ``s3://BUCKET/PREFIX``, in the order of keys. DataError when the place is not one of
    ``data.sources``, nothing is there, or a key can't be a path."""
    bucket, prefix = split_url(url)
    found: list[Remote] = []
    for item in sources.objects(url):
        if len(found) >= _MOST:
            raise DataError(f"{url} holds more than {_MOST} objects: name a longer prefix.")
        opened = partial(sources.open, url, item.key, item.etag)
        found.append(Remote(_below(item.key, prefix), f"s3://{bucket}/{item.key}", opened))
    if not found:
        raise DataError(f"There is nothing under {url}.")
    return found


def _below(key: str, prefix: str) -> str:
    """What an object is called, relative to the prefix's last folder."""
    inside = key[prefix.rfind("/") + 1 :]
    steps = inside.split("/")
    if any(step in ("", ".", "..") or "\0" in step or "\\" in step or len(step) > 200 for step in steps):
        raise DataError(f"The key {key[:100]!r} can't be a file's path: rename the object.")
    return inside
