"""Which documents had their keys destroyed on purpose: noted under a mark that the database can't make up."""

from ringwall.storage.database import Database

from .canonical import canonical
from .keys import CollectionKeys
from .manifest import Entry
from .tree import Tree


class Erasures:
    """Thread-safe."""

    def __init__(self, db: Database, keys: CollectionKeys) -> None:
        """``db`` has the tables of versions."""
        self._db = db
        self._keys = keys

    def note(self, owner: str, name: str, at: int) -> None:
        """``name``: ``COLLECTION/DOCUMENT``; ``owner``: of the key that is about to be destroyed."""
        self._db.write(
            "INSERT OR IGNORE INTO data_erased VALUES (?, ?, ?, ?)",
            owner,
            name,
            at,
            self._mark(owner, name, at),
        )

    def owners(self) -> set[str]:
        """Of all keys that were destroyed."""
        return {row["owner"] for row in self._db.all("SELECT owner FROM data_erased")}

    def false(self) -> list[str]:
        """Documents that are noted as erased by somebody without the collection's secret."""
        return [
            row["name"]
            for row in self._db.all("SELECT * FROM data_erased ORDER BY name")
            if row["mark"] != self._mark(row["owner"], row["name"], row["at"])
        ]

    def without(self, tree: Tree[Entry]) -> Tree[Entry]:
        """A tree without documents whose keys were destroyed."""
        rows = self._db.all("SELECT owner, name FROM data_erased")
        owners = {row["owner"] for row in rows}
        names = {row["name"].partition("/")[2] for row in rows}
        held = [entry for name in names if (entry := tree.find(name)) and entry.owner in owners]
        return tree.changed((), [entry.id for entry in held])

    def _mark(self, owner: str, name: str, at: int) -> str:
        """Keyed hash: who can only write to the database can't make a document pass for erased."""
        said = canonical([owner, name, at])
        return self._keys.digest(name.partition("/")[0], "erased", said).hex()
