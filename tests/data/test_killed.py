"""kill -9 in the middle of commits: there is never a torn version."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ringwall.boundaries.data import CollectionSettings, DataSection, DataStores
from ringwall.core import Principal
from ringwall.ledger.envelope import Envelope, MasterKey
from ringwall.storage.database import Database

WRITER = """
import os, sys
from pathlib import Path
from ringwall.boundaries.data import Access, CollectionSettings, DataSection, DataStores, Document
from ringwall.ledger.envelope import Envelope, MasterKey
from ringwall.storage.database import Database

folder = Path(sys.argv[1])
section = DataSection(collections={"handbook": CollectionSettings(readers=("customer",))})
db, envelope = Database(folder / "state.db"), Envelope(folder, MasterKey.load(folder))
stores = DataStores.open(section, db, folder, envelope)
ME = os.getpid()
TEXT = "round {}-{} of document {} " * 40
for number in range(100_000):
    batch = [
        Document("handbook", f"d{i}", f"d{i}", TEXT.format(*[ME, number, i] * 40), "", "ed", 1, Access())
        for i in range(3)
    ]
    commit = stores.vault.commit("handbook", add=batch, author="ed")
    print(commit.version.number, flush=True)
"""

RECORDS = """
import os, sys
from pathlib import Path
from ringwall.boundaries.data import CollectionSettings, DataSection, DataStores
from ringwall.boundaries.data.records import Record
from ringwall.boundaries.data.training import pack, writing
from ringwall.ledger.envelope import Envelope, MasterKey
from ringwall.storage.database import Database

pack.MOST_RECORDS = writing.MOST_RECORDS = 16
folder = Path(sys.argv[1])
section = DataSection(collections={"tuning": CollectionSettings(kind="training")})
db, envelope = Database(folder / "state.db"), Envelope(folder, MasterKey.load(folder))
stores = DataStores.open(section, db, folder, envelope)
ME = os.getpid()
for number in range(100_000):
    batch = [Record(f"r{i}", {"text": f"{ME}-{number} row {i} " * 20}) for i in range(100)]
    commit = stores.training.add("tuning", batch, author="ed")
    print(commit.version.number, flush=True)
"""


@pytest.mark.parametrize("after", [1, 4, 9])
def test_a_killed_writer_leaves_a_whole_version(tmp_path: Path, after: int) -> None:
    for _ in range(2):  # the second writer goes on where the first one was killed
        acknowledged = killed(WRITER, tmp_path, after)
    db = Database(tmp_path / "state.db")
    envelope = Envelope(tmp_path, MasterKey.load(tmp_path))
    section = DataSection(collections={"handbook": CollectionSettings(readers=("customer",))})
    stores = DataStores.open(section, db, tmp_path, envelope)
    head = stores.vault.head("handbook")
    assert head and head.number >= acknowledged >= 2 * after
    assert stores.verify() == []
    for version in stores.vault.versions("handbook"):
        rounds = {
            stores.vault.document("handbook", f"d{i}", version.number).text.split()[1] for i in range(3)
        }
        assert len(rounds) == 1, f"version {version.number} mixes {rounds}"
    casey = Principal("casey", roles=frozenset({"customer"}), credential="k")
    found = stores.retriever.search(casey, ["handbook"], "round document", top_k=50)
    assert {chunk.document for chunk in found} == {"d0", "d1", "d2"}
    db.close()
    envelope.close()


@pytest.mark.parametrize("after", [1, 3])
def test_a_killed_writer_of_records_leaves_a_whole_version(tmp_path: Path, after: int) -> None:
    for _ in range(2):
        acknowledged = killed(RECORDS, tmp_path, after)
    db, envelope = Database(tmp_path / "state.db"), Envelope(tmp_path, MasterKey.load(tmp_path))
    section = DataSection(collections={"tuning": CollectionSettings(kind="training")})
    stores = DataStores.open(section, db, tmp_path, envelope)
    head = stores.training.versions.head("tuning")
    assert head
    assert head.number >= acknowledged >= 2 * after
    assert stores.verify() == []
    for version in stores.training.versions.all("tuning"):
        held = list(stores.training.records("tuning", version.number))
        assert {record.id for record in held} == {f"r{i}" for i in range(100)}
        rounds = {str(record.fields["text"]).split()[0] for record in held}
        assert len(rounds) == 1, f"version {version.number} mixes {rounds}"
    stores.close()
    db.close()
    envelope.close()


def killed(program: str, folder: Path, after: int) -> int:
    """Run a writer until it has said ``after`` versions, kill it; the last version that it said."""
    with subprocess.Popen(
        [sys.executable, "-c", program, str(folder)], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout
        said = [int(writer.stdout.readline()) for _ in range(after)]
        os.kill(writer.pid, signal.SIGKILL)
        return max([*said, *(int(line) for line in writer.stdout if line.endswith("\n"))])
