"""A small store of its own, made of what the collections hold, and damaged in every way."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

from ringwall.boundaries.data import Anchors, DataSection, DataStores, Document
from ringwall.boundaries.data.records import Record, Source
from ringwall.boundaries.data.tamper import Outcome, TamperDrill
from ringwall.core import Principal
from ringwall.ledger.envelope import Envelope, MasterKey
from ringwall.storage.database import Database

from .plant import Plant

_REVIEWER = Principal("drill reviewer", "default", frozenset({"reviewer"}), credential="drill")
_AUTHOR = "drill author"
_ROLES = ("reviewer",)


def drill(section: DataSection, plant: Plant, folder: Path, sample: int) -> Iterator[Outcome]:
    """Copy up to ``sample`` items of each collection into a store below ``folder``, with keys of its own;
    make versions, a branch, a merge, an approval and an erasure of each; then damage it object by object."""
    master = MasterKey.load(folder)
    database, envelope = Database(folder / "state.db"), Envelope(folder, master)
    try:

        def opened() -> DataStores:
            return DataStores.open(section, database, folder, envelope)

        stores = opened()
        for name, documents in _documents(section, plant, sample).items():
            _fill_documents(stores, name, documents)
        for name, records in _records(section, plant, sample).items():
            _fill_records(stores, name, records)
        approvals = {
            f"{one.collection}@{one.version}": (one.chain, one.by, one.at)
            for one in stores.vault.approvals.every()
        }
        assents = frozenset(one.said for one in stores.vault.approvals.every_assent())
        anchors = Anchors(stores.vault.lines.versions.heads(), approvals=approvals, assents=assents)
        stores.close()
        yield from TamperDrill(folder, opened, anchors).run()
    finally:
        database.close()
        envelope.close()


def _documents(section: DataSection, plant: Plant, sample: int) -> dict[str, list[Document]]:
    """Of the workload; made up where it has none."""
    found: dict[str, list[Document]] = {}
    erased = plant.vault.erased()
    for name, settings in section.collections.items():
        if settings.kind == "index":
            live = (one for one in plant.vault.manifest(name).tree if one.owner not in erased)
            some = [plant.vault.open(name, entry) for entry in islice(live, sample)]
            if len(some) > 2:
                found[name] = some
    made = [
        Document("drill", f"d{number}", f"Document {number}", f"Text {number}.", "", _AUTHOR, 1)
        for number in range(4)
    ]
    return found or {"drill": made}


def _records(section: DataSection, plant: Plant, sample: int) -> dict[str, list[Record]]:
    found: dict[str, list[Record]] = {}
    for name, settings in section.collections.items():
        if settings.kind == "training":
            some = list(islice(plant.training.records(name), sample))
            if len(some) > 2:
                found[name] = some
    made = [
        Record(f"r{number}", {"text": f"Row {number}."}, source=Source(contributor=_AUTHOR))
        for number in range(4)
    ]
    return found or {"drill-set": made}


def _fill_documents(stores: DataStores, name: str, documents: list[Document]) -> None:
    vault = stores.vault
    vault.commit(name, add=documents, author=_AUTHOR)
    revised = replace(documents[0], text=documents[0].text + " Revised.")
    vault.commit(name, add=[revised], author=_AUTHOR)
    vault.branch(name, "drill", author=_AUTHOR)
    vault.commit(f"{name}~drill", remove=[documents[1].id], author=_AUTHOR)
    vault.merge(f"{name}~drill", _REVIEWER, _ROLES)
    vault.approve(name, 2, _REVIEWER, _ROLES)
    vault.erase(name, documents[2].id, author=_AUTHOR)


def _fill_records(stores: DataStores, name: str, records: list[Record]) -> None:
    sets = stores.training
    sets.add(name, records, author=_AUTHOR)
    sets.add(name, [replace(records[0], fields={"text": "Revised."})], author=_AUTHOR)
    sets.branch(name, "drill", author=_AUTHOR)
    sets.remove(f"{name}~drill", [records[1].id], author=_AUTHOR)
    sets.merge(f"{name}~drill", _REVIEWER, _ROLES)
    sets.approve(name, 2, _REVIEWER, _ROLES)
    sets.erase(name, [records[2].id], author=_AUTHOR)
