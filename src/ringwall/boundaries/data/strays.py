"""Blobs that nothing refers to: what a killed process, or a commit that was overtaken, left behind.

They hold nothing that a version has, and cost only their place. But whoever cuts versions off the database
makes strays of what those held: look for strays only in a vault that ``verify`` found sound.
"""

from collections.abc import Iterator

from ringwall.storage.blobs import BlobStore

from .lines import Lines
from .manifest import Entry
from .quarantine import Quarantine
from .training.entry import PackEntry
from .training.sets import TrainingSets
from .vault import Vault


def strays(vault: Vault, training: TrainingSets, quarantine: Quarantine, blobs: BlobStore) -> list[str]:
    """Digests of stored blobs that neither a version nor anything held refers to, in order; those included
    that a commit under way has not referred to yet. DataError when a manifest can't be read."""
    stored = list(blobs.names())  # first: what comes later is in use as far as anybody knows
    used = {bytes.fromhex(one) for one in quarantine.blobs()}
    for lines in (vault.lines, training.lines):
        used.update(bytes.fromhex(one) for one in _of(lines))
    return [one for one in stored if bytes.fromhex(one) not in used]


def _of(lines: Lines[Entry] | Lines[PackEntry]) -> Iterator[str]:
    for line in lines.versions.lines():
        for version in lines.versions.all(line):
            yield version.manifest
            yield from (shard.blob for shard in lines.tree(version).shards)
        yield from (entry.blob for entry in lines.ever(line))
