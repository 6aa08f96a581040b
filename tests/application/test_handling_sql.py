"""SQL that a model wrote: attacks in six dialects, and honest queries on a real database."""

import contextlib
import itertools
import logging
import random
import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ringwall import safe
from ringwall.boundaries.application.handling_settings import Dialect, SqlHandling
from ringwall.boundaries.application.sinks.sql import check_sql

TABLES = ("orders", "customers", "shop.items", "t")


def rules(dialect: str, **more: object) -> SqlHandling:
    return SqlHandling.model_validate({"dialect": dialect, "tables": TABLES, **more})


def refused(text: str, given: SqlHandling) -> str:
    """The rule that refuses the text."""
    with pytest.raises(safe.Unsafe) as caught:
        check_sql(text, given)
    return caught.value.rule


@pytest.fixture(scope="module")
def database() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:")
    connection.executescript(
        """
        CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT, city TEXT, since TEXT, password TEXT);
        CREATE TABLE orders (
          id INTEGER PRIMARY KEY, customer_id INT, status TEXT, total REAL, placed TEXT, note TEXT
        );
        CREATE TABLE t (a INT, b TEXT, "order" TEXT);
        CREATE TABLE secrets (word TEXT);
        INSERT INTO secrets VALUES ('the-word');
        """
    )
    chance = random.Random(7)
    cities = ["Bergen", "O'Fallon", "São Paulo", None, "a\\b"]
    for number in range(1, 21):
        row = (
            number,
            f"Name {number}",
            chance.choice(cities),
            f"20{number + 3:02}-0{number % 9 + 1}-11",
            "hunter2",
        )
        connection.execute("INSERT INTO customers VALUES (?,?,?,?,?)", row)
    for number in range(1, 101):
        status = chance.choice(["open", "sent", "paid", "it's late"])
        day = f"2026-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}"
        note = chance.choice([None, '{"a": {"b": [1, 2]}}', '{"a": 5}'])
        row = (number, chance.randint(1, 25), status, round(chance.random() * 900, 2), day, note)
        connection.execute("INSERT INTO orders VALUES (?,?,?,?,?,?)", row)
    connection.executemany(
        "INSERT INTO t VALUES (?,?,?)", [(n % 4, chr(97 + n % 7), str(n)) for n in range(30)]
    )
    return connection


CORPORA = Path(__file__).with_name("corpora")
HONEST = [text.replace("\\n", "\n") for text in (CORPORA / "sql_honest.txt").read_text("utf-8").splitlines()]
CORPUS: dict[str, Any] = yaml.safe_load((CORPORA / "sql.yaml").read_text("utf-8"))
ATTACKS: dict[str, list[str]] = CORPUS["attacks"]


@pytest.mark.parametrize("text", HONEST)
def test_an_honest_query_gives_the_same_rows(database: sqlite3.Connection, text: str) -> None:
    made = check_sql(text, rules("sqlite", limit=None))
    assert database.execute(made.sql).fetchall() == database.execute(text).fetchall()
    assert check_sql(made.sql, rules("sqlite", limit=None)).sql == made.sql
    limited = check_sql(text, rules("sqlite", limit=7)).sql
    assert database.execute(limited).fetchall() == database.execute(text).fetchall()[:7]


def test_honest_queries_of_other_dialects_pass() -> None:
    for dialect, texts in CORPUS["honest"].items():
        for text in texts:
            assert check_sql(text, rules(dialect)).sql


@pytest.mark.parametrize("dialect", sorted(ATTACKS))
def test_attacks_are_refused(dialect: str) -> None:
    given = rules(dialect)
    for text in [*ATTACKS[dialect], *CORPUS["anywhere"]]:
        assert refused(text, given), text
    for text in (
        "SELECT 1; DROP TABLE orders",
        "SELECT 1;SELECT word FROM secrets",
        "SELECT 1;;;DELETE FROM orders",
    ):
        assert refused(text, given) in ("stacked", "syntax")


SECRET = [
    "{}",
    '"{}"',
    "{} AS orders",
    "{} orders",
    "(SELECT * FROM {}) AS orders",
    "orders, {}",
    "orders JOIN {} ON 1 = 1",
    "orders NATURAL JOIN {}",
    "(orders JOIN {} ON 1 = 1)",
]
AROUND = [
    "SELECT * FROM {}",
    "SELECT 1 FROM orders UNION SELECT * FROM {}",
    "SELECT (SELECT 1 FROM {})",
    "SELECT 1 FROM orders WHERE id IN (SELECT 1 FROM {})",
    "SELECT 1 FROM orders ORDER BY (SELECT 1 FROM {})",
    "WITH orders AS (SELECT * FROM {}) SELECT * FROM orders",
    "SELECT CASE WHEN EXISTS (SELECT 1 FROM {}) THEN 1 END",
    "WITH secrets AS (SELECT * FROM {}) SELECT * FROM secrets",
    "SELECT 1 LIMIT (SELECT 1 FROM {})",
    "SELECT * FROM orders WHERE id = (WITH q AS (SELECT 1 FROM {}) SELECT * FROM q)",
    "SELECT MAX(id) OVER (PARTITION BY (SELECT 1 FROM {})) FROM orders",
    "SELECT 1 FROM orders GROUP BY (SELECT 1 FROM {}) HAVING (SELECT 1 FROM {}) = 1",
]


@pytest.mark.parametrize("dialect", sorted(ATTACKS))
def test_no_other_table_is_read_wherever_it_stands(dialect: str) -> None:
    names = ("secrets", "shop.secrets", "other.orders", "items")
    quote = {"mysql": "`", "bigquery": "`"}.get(dialect, '"')
    for around, inner, name in itertools.product(AROUND, SECRET, names):
        text = around.replace("{}", inner.replace('"', quote).replace("{}", name))
        assert refused(text, rules(dialect)) in ("table", "syntax", "clause", "limit"), text


PIECES = [
    "secrets",
    "IN secrets",
    "NOT IN secrets",
    "IN (secrets)",
    ", secrets",
    "JOIN secrets",
    "FROM secrets",
    "(SELECT word FROM secrets)",
    "UNION SELECT * FROM secrets",
    "'secrets'",
    '"secrets"',
    "main.secrets",
    "IN main.secrets",
    "SELECT * FROM secrets",
    "(secrets)",
    "[secrets]",
    "AS secrets",
    "EXISTS (SELECT * FROM secrets)",
    "(VALUES (1))",
    "pragma_table_info('secrets')",
]


def test_sqlite_itself_sees_no_other_table_read(database: sqlite3.Connection) -> None:
    """Honest queries with a word of an attack at every place, before the authoriser of the database."""
    read: set[str] = set()
    allowed = {sqlite3.SQLITE_READ, sqlite3.SQLITE_SELECT, sqlite3.SQLITE_FUNCTION}

    def authorise(action: int, first: str | None, *_: str | None) -> int:
        if action == sqlite3.SQLITE_READ:
            read.add(str(first))
        return sqlite3.SQLITE_OK if action in allowed else sqlite3.SQLITE_DENY

    chance = random.Random(11)
    judged = 0
    database.set_authorizer(authorise)
    try:
        for text in HONEST:
            words = re.findall(r"\w+|'[^']*'|\s+|.", text)
            for place in range(chance.randrange(3), len(words) + 1, 3):
                after = words[place + chance.randrange(2) :]
                made = "".join([*words[:place], " ", chance.choice(PIECES), " ", *after])
                with contextlib.suppress(safe.Unsafe, sqlite3.Error):
                    made = check_sql(made, rules("sqlite")).sql
                    database.execute(made).fetchall()
                    judged += 1
                assert read.isdisjoint({"secrets", "sqlite_master"}), made
    finally:
        database.set_authorizer(None)
    assert judged > 20


def test_a_name_of_the_query_hides_no_table() -> None:
    """A WITH name counts as one only where every engine of the dialect takes it so."""
    for dialect, text in [
        ("postgres", 'WITH "Secrets" AS (SELECT 1) SELECT * FROM secrets'),
        ("postgres", 'WITH "SECRETS" AS (SELECT 1) SELECT * FROM secrets'),
        ("snowflake", 'WITH "secrets" AS (SELECT 1) SELECT * FROM secrets'),
        ("mysql", "WITH Secrets AS (SELECT 1) SELECT * FROM secrets"),
        ("sqlite", "WITH \u017fecrets AS (SELECT 1) SELECT * FROM secrets"),
        ("postgres", "WITH secrets AS (SELECT * FROM secrets) SELECT * FROM secrets"),
        ("postgres", "WITH a AS (SELECT * FROM secrets), secrets AS (SELECT 1) SELECT * FROM a"),
        ("postgres", "SELECT * FROM (WITH secrets AS (SELECT 1) SELECT * FROM secrets) q, secrets"),
        ("postgres", "WITH secrets AS (SELECT 1) SELECT * FROM public.secrets"),
    ]:
        assert refused(text, rules(dialect)) == "table", text
    assert (
        check_sql("WITH Secrets AS (SELECT 1) SELECT * FROM secrets", rules("sqlite")).tables == frozenset()
    )
    assert refused('SELECT * FROM "Orders"', rules("postgres")) == "table"
    assert check_sql("SELECT * FROM Orders", rules("postgres")).tables == {"orders"}


@pytest.mark.parametrize("dialect", ["sqlite", "postgres", "mysql", "tsql", "snowflake", "bigquery"])
def test_every_dialect_can_narrow_to_columns(dialect: Dialect) -> None:
    """The query of the listed columns, as it is written, is known again: also where its columns are named."""
    given = SqlHandling(dialect=dialect, tables=frozenset({"orders"}), columns={"orders": ("id", "total")})
    made = check_sql("SELECT o.id, o.secret FROM orders o WHERE o.total > 5", given)
    assert "secret" in made.sql and made.sql.count("(SELECT") == 1
    made = check_sql("SELECT secret AS id, total FROM orders", given)
    assert made.sql.count("(SELECT") == 1


def test_columns_that_are_not_listed_do_not_exist(database: sqlite3.Connection) -> None:
    given = SqlHandling(
        dialect="sqlite",
        tables=frozenset({"customers", "orders", "t"}),
        columns={"customers": ("id", "name"), "t": ("a", '"order"')},
    )
    for text in (
        "SELECT password FROM customers",
        "SELECT c.password FROM customers c",
        "SELECT o.id FROM orders o JOIN customers c ON c.id = o.customer_id WHERE c.password LIKE 'h%'",
        "SELECT id FROM customers ORDER BY password",
        "SELECT name FROM customers WHERE city = 'x' AND password IS NOT NULL",
        "SELECT (SELECT password) FROM customers",
        "SELECT customers.password FROM customers GROUP BY customers.password",
    ):
        with pytest.raises(sqlite3.OperationalError, match="no such column"):
            database.execute(check_sql(text, given).sql)
    for text in (
        "SELECT * FROM customers",
        "SELECT c.* FROM customers AS c WHERE c.id < 4",
        "WITH q AS (SELECT * FROM customers) SELECT * FROM q",
        'SELECT "password" FROM customers',
        "SELECT * FROM orders o, customers c WHERE o.customer_id = c.id",
        "SELECT id, name FROM customers",
    ):
        made = check_sql(text, given).sql
        assert "hunter2" not in str(database.execute(made).fetchall())
        assert check_sql(made, given).sql == made
    assert (
        check_sql("SELECT id, name FROM customers", given).sql == "SELECT id, name FROM customers LIMIT 1000"
    )
    assert len(database.execute(check_sql("SELECT * FROM t", given).sql).fetchone()) == 2


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("SELECT * FROM t", 10),
        ("SELECT * FROM t LIMIT 5", 5),
        ("SELECT * FROM t LIMIT 10", 10),
        ("SELECT * FROM t LIMIT 11", 10),
        ("SELECT * FROM t LIMIT -1", 10),
        ("SELECT * FROM t LIMIT 99999999999999999999", 10),
        ("SELECT * FROM t LIMIT 5 + 500", 10),
        ("SELECT * FROM t LIMIT '500'", 10),
        ("SELECT * FROM t LIMIT (SELECT 500)", 10),
        ("SELECT * FROM t UNION ALL SELECT * FROM t", 10),
        ("SELECT * FROM (SELECT * FROM t LIMIT 500)", 10),
        ("(SELECT * FROM t LIMIT 500)", 10),
        ("SELECT * FROM t LIMIT 500 OFFSET 25", 5),
        ("SELECT * FROM t LIMIT 0", 0),
        ("SELECT * FROM t LIMIT 3.9", 10),
        ("SELECT * FROM t LIMIT 1e3", 10),
        ("WITH q AS (SELECT * FROM t) SELECT * FROM q", 10),
    ],
)
def test_no_more_rows_than_allowed(database: sqlite3.Connection, text: str, rows: int) -> None:
    made = check_sql(text, rules("sqlite", limit=10)).sql
    assert len(database.execute(made).fetchall()) == rows


BOMBS = {
    "parentheses": "SELECT " + "(" * 4000 + "1" + ")" * 4000,
    "subqueries": "SELECT * FROM " + "(SELECT * FROM " * 500 + "t" + ")" * 500,
    "not": "SELECT " + "NOT " * 1900 + "1",
    "minus": "SELECT " + "- " * 1900 + "1",
    "case": "SELECT " + "CASE WHEN 1 THEN " * 400 + "1" + " END" * 400,
    "or": "SELECT 1" + " OR 1" * 900,
    "plus": "SELECT 1" + " + 1" * 900,
    "union": "SELECT 1" + " UNION ALL SELECT 1" * 400,
    "in": "SELECT 1 IN " + "(1 IN " * 400 + "(1)" + ")" * 400,
    "between": "SELECT 1" + " BETWEEN 1 AND 1" * 400,
    "cast": "SELECT 1" + "::int" * 900,
    "brackets": "SELECT a" + "[1]" * 900,
    "aliases": "SELECT " + "a AS b, " * 600 + "1",
    "joins": "SELECT * FROM t" + " JOIN t ON 1 = 1" * 300,
    "quotes": "SELECT " + "'" * 5001,
    "comments": "SELECT " + "/*" * 4000,
    "words": "SELECT " + "a " * 4500,
    "long": "SELECT '" + "x" * 2_000_000 + "'",
    "with": "WITH " + ", ".join(f"q{n} AS (SELECT 1)" for n in range(300)) + " SELECT 1",
    "collate": "SELECT b" + " COLLATE nocase" * 900,
    "interval": "SELECT " + "interval " * 900,
    "dots": "SELECT " + "a." * 1900 + "b",
    "json": "SELECT a" + " -> 'b'" * 600,
}


@pytest.mark.parametrize("dialect", sorted(ATTACKS))
@pytest.mark.parametrize("bomb", sorted(BOMBS))
def test_bombs_end_in_an_answer(dialect: str, bomb: str) -> None:
    given = rules(dialect)
    try:
        made = check_sql(BOMBS[bomb], given).sql
    except safe.Unsafe:
        return
    assert check_sql(made, given).sql == made


_WORDS = st.sampled_from((CORPORA / "sql_words.txt").read_text("utf-8").split())


@settings(max_examples=200, deadline=None)
@given(st.lists(_WORDS, max_size=25).map(" ".join), st.sampled_from(sorted(ATTACKS)))
@example("SELECT CAST(1 AS)", "postgres")
def test_words_in_any_order_are_refused_or_stay_as_they_are(text: str, dialect: str) -> None:
    """Never another exception; and what is made reads the same again and names no other table."""
    for start in ("", "SELECT "):
        try:
            made = check_sql(start + text, rules(dialect))
        except safe.Unsafe:
            continue
        assert check_sql(made.sql, rules(dialect)).sql == made.sql
        assert made.tables <= set(TABLES)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=80))
def test_any_literal_comes_back_as_it_was(value: str) -> None:
    quoted = value.replace("'", "''")
    try:
        made = check_sql(f"SELECT '{quoted}' AS v", rules("sqlite"))
    except safe.Unsafe as unsafe:
        assert unsafe.rule == "characters"
        return
    assert sqlite3.connect(":memory:").execute(made.sql).fetchone() == (value,)


_ATOMS = st.sampled_from(
    [
        "a",
        "b",
        '"order"',
        "t.a",
        "1",
        "2.5",
        "'x'",
        "''''",
        "NULL",
        "TRUE",
        "x'41'",
        "(SELECT MAX(id) FROM orders)",
        "-3",
    ]
)
_JOINED = st.sampled_from(
    [
        *[
            "+",
            "-",
            "*",
            "/",
            "%",
            "||",
            "=",
            "==",
            "<>",
            "!=",
            "<",
            "<=",
            ">",
            ">=",
            "AND",
            "OR",
            "IS",
            "LIKE",
            "&",
            "|",
            "<<",
            ">>",
            "GLOB",
        ],
        "IS NOT",
        "NOT LIKE",
    ]
)


def _grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    two, three = st.tuples(inner, inner), st.tuples(inner, inner, inner)
    return st.one_of(
        st.tuples(inner, _JOINED, inner).map(" ".join),
        inner.map("({})".format),
        st.tuples(st.sampled_from(["NOT ", "-", "+", "~", "- "]), inner).map("".join),
        inner.map("{} IS NULL".format),
        inner.map("CAST({} AS TEXT)".format),
        three.map(lambda given: "{} BETWEEN {} AND {}".format(*given)),
        three.map(lambda given: "CASE WHEN {} THEN {} ELSE {} END".format(*given)),
        two.map(lambda given: "COALESCE({}, {})".format(*given)),
        two.map(lambda given: "{} IN ({}, 1)".format(*given)),
    )


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.recursive(_ATOMS, _grown, max_leaves=8), st.recursive(_ATOMS, _grown, max_leaves=4))
def test_any_expression_means_the_same(database: sqlite3.Connection, shown: str, where: str) -> None:
    """Whatever binds tighter: SQLite reads what was made as it reads what came."""
    text = f"SELECT {shown} AS v FROM t WHERE {where} ORDER BY {shown}, b LIMIT 9"
    try:
        rows = database.execute(text).fetchall()
        made = check_sql(text, rules("sqlite"))
    except (sqlite3.Error, safe.Unsafe):
        return
    assert repr(database.execute(made.sql).fetchall()) == repr(rows), made.sql


def test_nothing_of_a_query_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for text in (
        "EXPLAIN ANALYZE SELECT 'my-secret'",
        "SELECT json_extract(a, '$.my-secret[') FROM t",
        "SELECT my-secret FROM",
    ):
        try:
            made = check_sql(text, rules("sqlite")).sql
        except safe.Unsafe as unsafe:
            made = str(unsafe)
            assert "secret" not in made
    assert "secret" not in caplog.text


def test_own_functions_can_be_added() -> None:
    assert refused("SELECT fiscal_year(placed) FROM orders", rules("sqlite")) == "function"
    given = rules("sqlite", functions=["fiscal_year", "printf"])
    assert "fiscal_year(placed)" in check_sql("SELECT fiscal_year(placed) FROM orders", given).sql.lower()
    assert refused("SELECT x.fiscal_year(placed) FROM orders", given) == "clause"


def test_the_library_says_what_it_made() -> None:
    made = safe.sql(
        "select id from orders where note = 'x' -- now", dialect="sqlite", tables=["orders"], limit=5
    )
    assert made.sql == "SELECT id FROM orders WHERE note = 'x' LIMIT 5"
    assert made.tables == {"orders"}
    with pytest.raises(ValueError, match="as in a query"):
        safe.sql("SELECT 1", dialect="sqlite", tables=["orders o"])
    with pytest.raises(ValueError, match="among the tables"):
        safe.sql("SELECT 1", dialect="sqlite", tables=["orders"], columns={"x": ["y"]})
