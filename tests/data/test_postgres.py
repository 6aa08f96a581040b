"""The PostgreSQL store against a real server: access lists, tampered queries, roles with too much."""

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringwall.boundaries.data import Access, CollectionSettings, Document
from ringwall.boundaries.data.keys import CollectionKeys
from ringwall.boundaries.data.retrieval.asker import Asker
from ringwall.boundaries.data.retrieval.postgres.claims import Claims
from ringwall.boundaries.data.retrieval.postgres.link import tls_of
from ringwall.boundaries.data.retrieval.postgres.queries import BEGUN_AND_PID
from ringwall.boundaries.data.retrieval.postgres.store import PostgresStore
from ringwall.boundaries.data.retrieval.settings import RetrievalSettings
from ringwall.core import ConfigError, DataError, Principal
from ringwall.ledger.envelope import Envelope, MasterKey
from ringwall.storage.database import Database

KEY = b"k" * 32
RETRIEVAL = RetrievalSettings(
    kind="postgres", url_env="T_OWNER", reader_url_env="T_READER", similarity=0, timeout_s=30
)
HANDBOOK = CollectionSettings(readers=("customer",), search="hybrid")
PLAIN = CollectionSettings(readers=("customer",))
EVERYBODY = Access()
TABLES = ("document", "passage", "code", "vector")


def doc(
    name: str,
    text: str,
    access: Access = EVERYBODY,
    collection: str = "handbook",
    revision: int = 1,
) -> Document:
    return Document(collection, name, name, text, "notes.md", "ed", 1, access, revision=revision)


class Bench:
    """A store on a database of its own, with what tests need to attack it."""

    def __init__(self, urls: Any, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.urls = urls
        monkeypatch.setenv("T_OWNER", urls.owner)
        monkeypatch.setenv("T_READER", urls.reader)
        self.db = Database(folder / "state.db")
        self.envelope = Envelope(folder, MasterKey.load(folder))
        self.keys = CollectionKeys(self.db, self.envelope)
        self.store = self.open()
        self.revision = 0

    def open(self, key: bytes = KEY) -> PostgresStore:
        return PostgresStore(RETRIEVAL, self.envelope, self.keys, key)

    def put(self, *documents: Document, collection: str = "handbook") -> None:
        made = [self.store.prepare(document, f"own_{document.id}") for document in documents]
        self.store.apply(collection, made, [])

    def close(self) -> None:
        self.store.close()
        self.envelope.close()
        self.db.close()

    def sql(self, statement: str, *values: object, role: str = "owner") -> list[Any]:
        async def asked() -> list[Any]:
            connection = await asyncpg.connect(getattr(self.urls, role))
            try:
                return list(await connection.fetch(statement, *values))
            finally:
                await connection.close()

        return asyncio.run(asked())


@pytest.fixture(scope="module")
def bench(postgres_server: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with pytest.MonkeyPatch.context() as patch:
        made = Bench(postgres_server.database(), tmp_path_factory.mktemp("bench"), patch)
        made.store.configure({"handbook": HANDBOOK, "plain": PLAIN}, RETRIEVAL)
        made.put(
            doc("pets", "Dogs and cats are welcome in our guest rooms."),
            doc("money", "The invoice is due within thirty days of receipt."),
            doc("margins", "Dogs cost us forty percent margin.", Access("", frozenset({"manager"}))),
            doc(
                "amy", "The dogs of Amy stay in room nine.", Access("north", frozenset(), frozenset({"amy"}))
            ),
            doc("south", "Dogs are taxed in the south.", Access("south")),
        )
        yield made
        made.close()


def names(bench: Bench, who: Principal, query: str = "dogs", top_k: int = 50) -> set[str]:
    return {chunk.document for chunk in bench.store.search(who, ["handbook"], query, top_k)}


def test_words_and_meaning_find_what_may_be_read(bench: Bench, person: Callable[..., Principal]) -> None:
    casey = person("casey", "customer")
    assert names(bench, casey) == {"pets", "money"}
    assert bench.store.search(casey, ["handbook"], "may I bring my puppy", 1)[0].document == "pets"
    chunk = bench.store.search(casey, ["handbook"], "invoice", 1)[0]
    assert (chunk.document, chunk.contributor, chunk.origin) == ("money", "ed", "notes.md")
    assert names(bench, person("mo", "customer", "manager")) == {"pets", "money", "margins"}
    assert names(bench, person("amy", "customer")) == {"pets", "money", "amy"}
    assert names(bench, person("sue", "customer", tenant="south")) == {"pets", "money", "south"}
    assert names(bench, person("amy", "customer", credential="")) == {"pets", "money"}
    assert names(bench, person("eve", "editor")) == set()


def test_a_revision_replaces_and_missing_names_what_differs(
    bench: Bench, person: Callable[..., Principal]
) -> None:
    casey = person("casey", "customer")
    bench.put(doc("hours", "Open from nine.", collection="plain"), collection="plain")
    assert [c.version for c in bench.store.search(casey, ["plain"], "open")] == [1]
    bench.put(doc("hours", "Open at midnight.", collection="plain", revision=2), collection="plain")
    assert [c.version for c in bench.store.search(casey, ["plain"], "open midnight")] == [2]
    assert bench.store.search(casey, ["plain"], "nine") == []
    held = {("handbook", name): 1 for name in bench.store.indexed("handbook")}
    assert bench.store.missing({**held, ("plain", "hours"): 2}) == []
    assert bench.store.missing({**held, ("plain", "hours"): 1}) == ["plain/hours"]
    bench.store.apply("plain", [], ["hours"])
    assert bench.store.missing({**held, ("plain", "hours"): 2}) == ["plain/hours"]


def test_a_passage_put_in_another_row_is_refused(bench: Bench, person: Callable[..., Principal]) -> None:
    bench.put(doc("one", "First words.", collection="plain"), collection="plain")
    bench.sql(
        "UPDATE ringwall.passage SET sealed = (SELECT sealed FROM ringwall.passage ORDER BY id LIMIT 1) "
        "WHERE document IN (SELECT id FROM ringwall.document WHERE document = 'one')"
    )
    with pytest.raises(DataError, match="document:plain/one"):
        bench.store.search(person("casey", "customer"), ["plain"], "first words")
    bench.store.apply("plain", [], ["one"])


def test_the_database_holds_no_word_and_no_vector_of_the_model(bench: Bench) -> None:
    words = bench.sql("SELECT words::text AS words FROM ringwall.words")
    assert all("dog" not in row["words"] for row in words)
    from ringwall.detect.embed import embedder

    plain = embedder().embed(["pets\nDogs and cats are welcome in our guest rooms."])[0]
    vectors = bench.sql("SELECT vector::text AS vector FROM ringwall.vector")
    for row in vectors:
        kept = [float(one) for one in row["vector"].strip("[]").split(",")]
        assert abs(sum(a * b for a, b in zip(plain, kept, strict=True))) < 0.4


# What an attacker may run in the reader's session, with an honest claim of Casey or with none.
TAMPERED = [
    "SELECT class FROM ringwall.{table} WHERE false OR true",
    "SELECT class FROM ringwall.{table} UNION ALL SELECT class FROM ringwall.{table}",
    "SELECT class FROM ONLY ringwall.{table}",
    "SELECT class FROM ringwall.{table} WHERE class NOT IN (SELECT unnest(ringwall.permitted()))",
    "WITH t AS MATERIALIZED (SELECT * FROM ringwall.{table}) SELECT class FROM t",
    "SELECT (SELECT class FROM ringwall.{table} ORDER BY class DESC LIMIT 1) AS class",
    "SELECT class FROM ringwall.{table} TABLESAMPLE SYSTEM (100)",
    "SELECT t.class FROM ringwall.{table} t JOIN LATERAL (SELECT 1 AS one) l ON true",
    "SELECT class FROM (SELECT class, row_number() OVER () AS n FROM ringwall.{table}) t",
    "SELECT (x.t).class FROM (SELECT t FROM ringwall.{table} t) x",
    "TABLE ringwall.{table}",
]


async def _session(bench: Bench, asker: Asker | None, key: bytes = KEY, **forged: Any) -> Any:
    """A reader's connection in a transaction with a claim; ``forged`` changes what the claim is bound to."""
    connection = await asyncpg.connect(bench.urls.reader)
    await connection.execute("BEGIN")
    if asker is not None:
        row = await connection.fetchrow(BEGUN_AND_PID)
        bound = {"pid": row["pid"], "begun": row["begun"], **forged}
        claim = Claims(key).made(asker, ["handbook", "plain"], **bound)
        await connection.execute("SELECT set_config('ringwall.claim', $1, true)", claim)
    return connection


CASEY = Asker(("customer",), "north", "casey")
MANAGER = Asker(("customer", "manager"), "north", "mo")


def classes_of(bench: Bench, *documents: str) -> set[int]:
    rows = bench.sql("SELECT class FROM ringwall.document WHERE document = ANY ($1::text[])", list(documents))
    return {row["class"] for row in rows}


def attack(bench: Bench, asker: Asker | None, *statements: str, **forged: Any) -> list[Any]:
    """What the last statement gives."""

    async def run() -> list[Any]:
        connection = await _session(bench, asker, **forged)
        try:
            for statement in statements[:-1]:
                await connection.execute(statement)
            return list(await connection.fetch(statements[-1]))
        finally:
            await connection.close()

    return asyncio.run(run())


@pytest.mark.parametrize("table", TABLES)
def test_tampered_queries_see_what_the_claim_admits_and_nothing_else(bench: Bench, table: str) -> None:
    allowed = classes_of(bench, "pets", "money")
    seen: set[int] = set()
    for statement in TAMPERED:
        query = statement.format(table=table)
        assert [row for row in attack(bench, None, query) if row["class"] is not None] == [], query
        for row in attack(bench, CASEY, query):
            assert row["class"] in allowed, query
            seen.add(row["class"])
    assert seen == allowed


CLAIMED = "SELECT document FROM ringwall.document"


def forged_claims(bench: Bench) -> dict[str, str]:
    async def of_another_session() -> str:
        connection = await _session(bench, MANAGER)
        claim = await connection.fetchval("SELECT current_setting('ringwall.claim')")
        await connection.close()
        return str(claim)

    honest = asyncio.run(of_another_session())
    mac, body = honest.split(".", 1)
    return {
        "stolen": honest,
        "no mac": body,
        "empty mac": "." + body,
        "zero mac": "0" * 64 + "." + body,
        "upper mac": mac.upper() + "." + body,
        "changed body": mac + "." + body.replace("north", "south"),
        "longer body": honest + " ",
        "own key": Claims(b"guess").made(MANAGER, ["handbook"], 1, 1),
        "no json": mac + ".{",
        "empty": "",
        "long": "a" * 300_000,
    }


def test_a_claim_can_not_be_forged_kept_or_taken_along(bench: Bench) -> None:
    assert {row["document"] for row in attack(bench, MANAGER, CLAIMED)} >= {"margins", "pets"}
    for what, claim in forged_claims(bench).items():
        quoted = claim.replace("'", "''")
        for how in (
            f"SET ringwall.claim = '{quoted}'",
            f"SELECT set_config('ringwall.claim', '{quoted}', false)",
        ):
            assert attack(bench, None, how, CLAIMED) == [], what
    assert attack(bench, MANAGER, CLAIMED, key=b"x" * 32) == []
    assert attack(bench, MANAGER, CLAIMED, pid=1) == []
    assert attack(bench, MANAGER, CLAIMED, begun=int(time.time() * 1e6)) == []


def test_a_claim_ends_with_its_transaction(bench: Bench) -> None:
    async def run() -> list[list[Any]]:
        connection = await _session(bench, MANAGER)
        claim = await connection.fetchval("SELECT current_setting('ringwall.claim')")
        first = await connection.fetch(CLAIMED)
        await connection.execute("COMMIT; BEGIN")
        second = await connection.fetch(CLAIMED)
        await connection.execute("SELECT set_config('ringwall.claim', $1, false)", claim)
        third = await connection.fetch(CLAIMED)
        await connection.close()
        return [first, second, third]

    first, second, third = asyncio.run(run())
    assert first
    assert second == third == []


def test_a_claim_expires(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    from ringwall.boundaries.data.retrieval.postgres import claims

    monkeypatch.setattr(claims, "_LASTS_S", -5)
    assert attack(bench, MANAGER, CLAIMED) == []


REFUSED = [
    "SELECT * FROM ringwall.words",
    "SELECT count(*) FROM ringwall.words",
    "SELECT * FROM ringwall.claim_key",
    "SELECT * FROM ringwall.access_class",
    "SELECT * FROM ringwall.class_reader",
    "SELECT * FROM ringwall.collection_reader",
    "SET ROLE rw_owner",
    "SET SESSION AUTHORIZATION rw_owner",
    "ALTER TABLE ringwall.passage DISABLE ROW LEVEL SECURITY",
    "ALTER TABLE ringwall.passage NO FORCE ROW LEVEL SECURITY",
    "DROP POLICY reads ON ringwall.passage",
    "CREATE POLICY mine ON ringwall.passage FOR SELECT USING (true)",
    "SET row_security = off; SELECT * FROM ringwall.passage",
    "INSERT INTO ringwall.class_reader VALUES ('role', 'customer', 1)",
    "UPDATE ringwall.document SET class = 1",
    "DELETE FROM ringwall.passage",
    "TRUNCATE ringwall.passage",
    "CREATE TABLE ringwall.mine AS SELECT 1",
    "COPY ringwall.claim_key TO STDOUT",
    "COPY ringwall.passage TO PROGRAM 'cat'",
    "COPY ringwall.passage TO '/tmp/rows'",
    "SELECT starelid FROM pg_statistic",
    "CREATE OR REPLACE FUNCTION ringwall.permitted() RETURNS integer[] LANGUAGE sql AS 'SELECT ARRAY[1,2,3]'",
    "ALTER FUNCTION ringwall.permitted() SET search_path = pg_temp",
    "SELECT pg_read_file('postgresql.conf')",
    "SELECT lo_import('/etc/passwd')",
    "CREATE FUNCTION pg_temp.f(integer) RETURNS boolean LANGUAGE sql LEAKPROOF AS 'SELECT true'",
]


@pytest.mark.parametrize("statement", REFUSED)
def test_the_reader_is_refused(bench: Bench, statement: str) -> None:
    with pytest.raises(asyncpg.PostgresError) as caught:
        attack(bench, CASEY, *statement.split("; "))
    assert caught.value.sqlstate in ("42501", "0A000", "42P17", "42P13"), caught.value


def test_the_search_by_words_admits_like_the_policies(bench: Bench) -> None:
    """It runs with the rights of the writer, so the list is its own business."""
    rows = bench.sql("SELECT DISTINCT unnest(tsvector_to_array(words)) AS word FROM ringwall.words")
    every = "|".join(row["word"] for row in rows)
    alone = f"ARRAY[{', '.join(repr(row['word']) for row in rows)}]::tsquery[]"
    call = f"SELECT passage FROM ringwall.worded('{every}', {alone}, 999, NULL)"
    owned = "SELECT p.id, d.document FROM ringwall.passage p JOIN ringwall.document d ON d.id = p.document"
    names = {row["id"]: row["document"] for row in bench.sql(owned)}
    assert attack(bench, None, call) == []
    assert attack(bench, MANAGER, call, key=b"x" * 32) == []
    assert {names[row["passage"]] for row in attack(bench, CASEY, call)} == {"pets", "money"}
    assert {names[row["passage"]] for row in attack(bench, MANAGER, call)} == {"pets", "money", "margins"}


def test_reset_and_discard_leave_no_rights(bench: Bench) -> None:
    for statement in ("RESET ALL", "RESET ringwall.claim", "RESET ROLE", "SET ringwall.claim TO DEFAULT"):
        rows = attack(bench, CASEY, statement, CLAIMED)
        assert {row["document"] for row in rows} <= {"pets", "money"}


NOSY = """
CREATE FUNCTION pg_temp.nosy(whole anyelement) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 IMMUTABLE AS
$$ BEGIN RAISE WARNING 'seen %', whole; RETURN true; END $$
"""


def test_errors_and_notices_tell_nothing_of_hidden_rows(bench: Bench) -> None:
    """A cheap function in the condition must not be run on rows before the policy has dropped them."""
    told: list[str] = []

    async def run() -> None:
        connection = await _session(bench, CASEY)
        connection.add_log_listener(lambda _, message: told.append(str(message.message)))
        await connection.execute(NOSY)
        await connection.fetch("SELECT 1 FROM ringwall.document d WHERE pg_temp.nosy(d.document)")
        await connection.fetch(
            "SELECT 1 FROM ringwall.document d JOIN ringwall.passage p ON pg_temp.nosy(d.document)"
        )
        for leak in (
            "1 / (CASE WHEN document = 'margins' THEN 0 ELSE 1 END) > 0",
            "document::integer IS NULL",
        ):
            try:
                await connection.execute("SAVEPOINT s")
                await connection.fetch(f"SELECT 1 FROM ringwall.document WHERE {leak}")
            except asyncpg.PostgresError as error:
                told.append(str(error))
                await connection.execute("ROLLBACK TO s")
        await connection.close()

    asyncio.run(run())
    text = "\n".join(told)
    assert "pets" in text
    assert not any(hidden in text for hidden in ("margins", "amy", "south", "division"))


def test_statistics_and_plans_tell_nothing_of_contents(bench: Bench) -> None:
    bench.sql("ANALYZE ringwall.document, ringwall.passage, ringwall.words, ringwall.code, ringwall.vector")
    assert attack(bench, CASEY, "SELECT attname FROM pg_stats WHERE schemaname = 'ringwall'") == []
    assert (
        attack(bench, CASEY, "SELECT statistics_name FROM pg_stats_ext WHERE schemaname = 'ringwall'") == []
    )
    plans = []
    for name in ("margins", "nothing"):
        rows = attack(bench, CASEY, f"EXPLAIN SELECT 1 FROM ringwall.document WHERE document = '{name}'")
        plans.append([row[0].replace(name, "?") for row in rows])
    assert plans[0] == plans[1]
    analysed = attack(
        bench, CASEY, "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) SELECT * FROM ringwall.document"
    )
    assert all("margins" not in row[0] for row in analysed)


def test_copy_gives_the_permitted_rows_only(bench: Bench) -> None:
    async def run() -> bytes:
        connection = await _session(bench, CASEY)
        parts: list[bytes] = []

        async def kept(part: bytes) -> None:
            parts.append(part)

        await connection.copy_from_query("SELECT document FROM ringwall.document", output=kept)
        await connection.copy_from_table(
            "document", schema_name="ringwall", columns=["document"], output=kept
        )
        await connection.close()
        return b"".join(parts)

    copied = asyncio.run(run())
    assert set(copied.decode().split()) == {"pets", "money"}


@pytest.mark.parametrize(
    ("grant", "match"),
    [
        ("ALTER ROLE {reader} BYPASSRLS", "may bypass"),
        ("ALTER ROLE {reader} SUPERUSER", "may bypass"),
        ("ALTER ROLE {reader} CREATEROLE", "may bypass"),
        ("GRANT {owner} TO {reader}", "may bypass"),
        ("GRANT pg_read_all_data TO {reader}", "may bypass"),
        ("GRANT SELECT ON ringwall.claim_key TO {reader}", "claim_key"),
        ("GRANT SELECT (inner_pad) ON ringwall.claim_key TO {reader}", "claim_key"),
        ("GRANT SELECT ON ringwall.class_reader TO PUBLIC", "class_reader"),
        ("GRANT INSERT ON ringwall.passage TO {reader}", "passage"),
        ("GRANT CREATE ON SCHEMA ringwall TO {reader}", "may create"),
        ("ALTER TABLE ringwall.passage NO FORCE ROW LEVEL SECURITY", "passage"),
        ("ALTER TABLE ringwall.code DISABLE ROW LEVEL SECURITY", "code"),
        ("CREATE POLICY more ON ringwall.vector FOR SELECT USING (true)", "policies"),
        ("ALTER POLICY reads ON ringwall.vector USING (true)", "policies"),
        ("ALTER ROLE {owner} SUPERUSER", "superuser"),
    ],
)
def test_roles_with_too_much_and_open_tables_refuse_the_start(
    postgres_server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, grant: str, match: str
) -> None:
    urls = postgres_server.database(roles=True)
    made = Bench(urls, tmp_path, monkeypatch)
    try:
        made.store.configure({"plain": PLAIN})
        made.sql(grant.format(reader=urls.reader_name, owner=urls.owner_name), role="admin")
        again = made.open()
        with pytest.raises(ConfigError, match=match):
            again.configure({"plain": PLAIN})
        again.close()
    finally:
        made.close()


def test_the_same_role_twice_refuses_the_start(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("T_READER", bench.urls.owner)
    same = bench.open()
    with pytest.raises(ConfigError, match="same role"):
        same.configure({"plain": PLAIN})
    same.close()
    monkeypatch.setenv("T_READER", bench.urls.reader)


@pytest.mark.parametrize(
    ("url", "verified"),
    [
        ("postgresql://u@127.0.0.1/d", False),
        ("postgresql://u:p@localhost:5432/d", False),
        ("postgresql://u@[::1]:5432/d", False),
        ("postgresql://u@/d?host=/var/run", False),
        ("postgresql://u@db.example/d", True),
        ("postgres://u:p@db.example:5432/d?sslmode=verify-full", True),
        ("postgresql://u@localhost,db.example/d", True),
        ("postgresql://u@localhost.example/d", True),
        ("postgresql://u@127.0.0.1/d?host=db.example", True),
    ],
)
def test_another_machine_is_reached_over_verified_tls_only(url: str, verified: bool) -> None:
    import ssl

    made = tls_of("URL", url)
    assert bool(made) is verified
    if verified:
        assert isinstance(made, ssl.SSLContext)
        assert made.check_hostname
        assert made.verify_mode is ssl.CERT_REQUIRED


@pytest.mark.parametrize("mode", ["disable", "allow", "prefer", "require", "verify-ca"])
def test_less_than_verified_tls_is_refused(mode: str) -> None:
    with pytest.raises(ConfigError, match="verify-full"):
        tls_of("URL", f"postgresql://u@db.example/d?sslmode={mode}")


@pytest.mark.parametrize("url", ["", "postgresql:///d", "mysql://u@h/d", "host=db.example"])
def test_an_address_without_a_host_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="URL"):
        tls_of("URL", url)


def test_errors_of_the_server_do_not_quote_values(bench: Bench, person: Callable[..., Principal]) -> None:
    other = bench.open()
    other.configure({"handbook": HANDBOOK})
    bench.sql("ALTER TABLE ringwall.words RENAME TO words_away")
    try:
        with pytest.raises(DataError, match="42P01") as caught:
            other.search(person("casey", "customer"), ["handbook"], "secretword")
        assert "secretword" not in str(caught.value)
    finally:
        bench.sql("ALTER TABLE ringwall.words_away RENAME TO words")
        other.close()


ROLES = ["customer", "agent", 'it\'s "quoted"', "{a,b}", "\\x00"]
SUBJECTS = ["amy", "bob", "o'hara", "anonymous"]
ACCESS = st.builds(
    Access,
    st.sampled_from(["", "north", "south"]),
    st.frozensets(st.sampled_from(ROLES), max_size=2),
    st.frozensets(st.sampled_from(SUBJECTS), max_size=1),
)
PRINCIPALS = st.builds(
    Principal,
    st.sampled_from([*SUBJECTS, "amy\x00", "\ud800"]),
    st.sampled_from(["north", "south", "", "north\n"]),
    st.frozensets(st.sampled_from([*ROLES, "editor", "customer\x00"]), max_size=3),
    credential=st.sampled_from(["", "key"]),
)


@given(
    readers=st.lists(st.sampled_from(["customer", "agent"]), max_size=2, unique=True).map(tuple),
    isolated=st.booleans(),
    lists=st.lists(ACCESS, min_size=1, max_size=6),
    askers=st.lists(PRINCIPALS, min_size=1, max_size=5),
    query=st.one_of(st.just("'); DROP TABLE ringwall.passage; --"), st.text(max_size=60)),
)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_zero_leaks_and_everything_permitted_is_found(
    bench: Bench,
    readers: tuple[str, ...],
    isolated: bool,
    lists: list[Access],
    askers: list[Principal],
    query: str,
) -> None:
    collection = CollectionSettings(readers=readers, isolate_tenants=isolated, search="hybrid")
    store = bench.store
    store.configure({"handbook": HANDBOOK, "plain": PLAIN, "random": collection}, RETRIEVAL)
    store.apply("random", [], store.indexed("random"))
    documents = [doc(f"d{n}", "Pets are welcome.", access, "random") for n, access in enumerate(lists)]
    store.apply("random", [store.prepare(one, f"own_{one.id}") for one in documents], [])
    for asker in askers:
        plain = asker.tenant.isalnum() and asker.subject.isprintable()
        may = {d.id for d in documents if plain and d.access.admits(asker, collection)}
        found = store.search(asker, ["random", "nowhere"], query, 50)
        assert {chunk.document for chunk in found} <= may
        assert {c.document for c in store.search(asker, ["random"], "pets welcome", 50)} == may
