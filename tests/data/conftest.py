from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ringwall.boundaries.data import Access, CollectionSettings, DataSection, DataStores, Document
from ringwall.core import Principal
from ringwall.ledger.envelope import Envelope, MasterKey
from ringwall.storage.database import Database

SECTION = DataSection(
    collections={
        "handbook": CollectionSettings(contributors=("editor",), readers=("customer",)),
        "internal": CollectionSettings(contributors=("editor",), readers=("agent",), isolate_tenants=False),
    }
)


@pytest.fixture
def section() -> DataSection:
    return SECTION


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "state.db")
    yield database
    database.close()


@pytest.fixture
def envelope(tmp_path: Path) -> Iterator[Envelope]:
    opened = Envelope(tmp_path, MasterKey.load(tmp_path))
    yield opened
    opened.close()


@pytest.fixture
def stores(section: DataSection, db: Database, envelope: Envelope, tmp_path: Path) -> Iterator[DataStores]:
    opened = DataStores.open(section, db, tmp_path, envelope)
    yield opened
    opened.close()


@pytest.fixture
def document() -> Callable[..., Document]:
    def make(name: str, text: str, *, tenant: str = "", contributor: str = "ed", **more: object) -> Document:
        made = Document("handbook", name, name.title(), text, f"{name}.md", contributor, 1, Access(tenant))
        return replace(made, **more)  # type: ignore[arg-type]

    return make


@pytest.fixture
def person() -> Callable[..., Principal]:
    def make(subject: str, *roles: str, tenant: str = "north", credential: str | None = None) -> Principal:
        own = f"key_{subject}" if credential is None else credential
        return Principal(subject, tenant, frozenset(roles), credential=own)

    return make
