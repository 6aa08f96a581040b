"""SQL that a model wrote: parsed, checked, and written anew from the tree.

What the database gets is the text that was *generated* from the tree that was checked, and that text
parses to the same tree again: so a second reading of the model's text (comments that run, odd escapes,
another dialect) is nobody's reading.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.errors import ErrorLevel, SqlglotError
from sqlglot.tokenizer_core import Token, TokenType

from ..handling_settings import SqlHandling
from . import sql_words
from .characters import refuse_invisible
from .sql_limit import limited
from .sql_names import Names
from .sql_quiet import quiet
from .unsafe import Unsafe

_TOKENS = 1000
_DEPTH = 24
_WORD = re.compile(r"[A-Za-z_]{1,40}")
_BEGINS = frozenset({TokenType.SELECT, TokenType.WITH, TokenType.L_PAREN})
_OPENS = frozenset({TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.CASE})
_CLOSES = frozenset({TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.END})
_STATEMENTS = {
    "Select": sql_words.SELECT,
    "Union": sql_words.COMBINED,
    "Intersect": sql_words.COMBINED,
    "Except": sql_words.COMBINED,
    "Subquery": sql_words.SUBQUERY,
    "Table": sql_words.TABLE,
    "With": frozenset({"expressions"}),
    "CTE": frozenset({"this", "alias", "materialized"}),
    "In": frozenset({"this", "expressions", "query"}),  # SQLite reads ``x IN t`` from the table t
}


@dataclass(frozen=True, slots=True)
class SafeSql:
    """A query that reads what it may."""

    sql: str
    """Run this, not the text that came."""
    tables: frozenset[str]
    """Tables that it reads, as the query names them."""


def check_rules(rules: SqlHandling) -> None:
    """Raises ValueError for a table or column that is not written as in a query."""
    try:
        Names(rules)
    except (SqlglotError, Unsafe):
        raise ValueError(
            "write tables and columns as in a query, with quotes where the database needs them"
        ) from None


def check_sql(text: str, rules: SqlHandling) -> SafeSql:
    """The query, written anew. Raises Unsafe. Time is linear in the text but for the parser's lookahead;
    the text, its tokens and its nesting are bounded before it is parsed."""
    made, tables = _rewritten(text, rules)
    again, _ = _rewritten(made, rules)
    if again != made:
        raise Unsafe("ambiguous", "it can be read in more than one way")
    return SafeSql(made, tables)


def _rewritten(text: str, rules: SqlHandling) -> tuple[str, frozenset[str]]:
    if len(text) > rules.characters:
        raise Unsafe("size", f"it is longer than {rules.characters} characters")
    try:
        with quiet():
            tree = _parsed(text, rules.dialect)
            names = Names(rules)
            _walked(tree, rules)
            tables = names.check(tree)
            tree = limited(names.narrowed(tree), rules)
            return _written(tree, rules.dialect), tables
    except (SqlglotError, ValueError, TypeError, AttributeError, KeyError, IndexError):
        # What the parser's builders raise for odd arguments is a failure to parse like any other.
        raise Unsafe("syntax", f"it is no {rules.dialect} query that can be read") from None
    except RecursionError:
        raise Unsafe("nesting", "it is nested too deeply") from None


def _parsed(text: str, dialect: str) -> exp.Query:
    refuse_invisible(text, allowed="\t\n\r")
    if dialect == "mysql" and ("/*!" in text or "/*M!" in text):
        raise Unsafe("comment", "it holds a comment that MySQL would run")
    tokens = sqlglot.tokenize(text, read=dialect)
    _bounded(tokens)
    if not tokens or tokens[0].token_type not in _BEGINS:
        raise Unsafe("statement", "only one SELECT is allowed here")
    trees = [tree for tree in sqlglot.parse(text, read=dialect, error_level=ErrorLevel.RAISE) if tree]
    if len([tree for tree in trees if not isinstance(tree, exp.Semicolon)]) != 1:
        raise Unsafe("stacked", "only one statement is allowed here")
    tree: exp.Expr = trees[0]
    while isinstance(tree, exp.Subquery) and not any(
        value for key, value in tree.args.items() if key != "this"
    ):
        tree = tree.this
    if not isinstance(tree, (exp.Select, exp.SetOperation)):
        raise Unsafe("statement", "only one SELECT is allowed here")
    return tree


def _bounded(tokens: list[Token]) -> None:
    if len(tokens) > _TOKENS:
        raise Unsafe("size", f"it has more than {_TOKENS} words")
    depth = 0
    for token in tokens:
        depth += (token.token_type in _OPENS) - (token.token_type in _CLOSES)
        if depth > _DEPTH:
            raise Unsafe("nesting", f"it is nested deeper than {_DEPTH} levels")


def _walked(tree: exp.Expr, rules: SqlHandling) -> None:
    """Every node, and every clause of a statement, is one that is listed."""
    own = {name.lower() for name in rules.functions}
    for node in tree.walk():
        name = type(node).__name__
        if (clauses := _STATEMENTS.get(name)) is not None:
            _clauses(node, clauses)
        if isinstance(node, exp.Select) and not node.expressions:
            raise Unsafe("syntax", "a SELECT names no column")
        if isinstance(node, exp.Anonymous):
            called = node.this if isinstance(node.this, str) else ""
            if called.lower() not in own | sql_words.NAMED[rules.dialect]:
                raise Unsafe("function", f"the function {_shown(called)} is not allowed here")
        elif isinstance(node, exp.Func) and name not in sql_words.GRAMMAR:
            if name not in sql_words.FUNCTIONS and own.isdisjoint(_called(node)):
                raise Unsafe("function", f"the function {_shown(node.sql_name())} is not allowed here")
        elif name not in sql_words.GRAMMAR:
            raise Unsafe("clause", f"{_shown(node.key.upper())} is not allowed here")
        _leaf(node)


def _clauses(node: exp.Expr, allowed: frozenset[str]) -> None:
    for key, value in node.args.items():
        if value and key not in allowed:
            raise Unsafe("clause", f"{_shown(key.strip('_').upper())} is not allowed here")


def _called(node: exp.Func) -> Iterator[str]:
    return (name.lower() for name in node.sql_names())


def _leaf(node: exp.Expr) -> None:
    """Leaves whose text is written as it is."""
    if isinstance(node, exp.Var) and not _WORD.fullmatch(node.name):
        raise Unsafe("word", "it holds a word that is not allowed here")
    if isinstance(node, exp.DataType) and (
        not isinstance(node.this, exp.DType) or node.this.value not in sql_words.TYPES
    ):
        raise Unsafe("type", "it converts to a type that is not allowed here")
    bare = isinstance(node, exp.Identifier) and not node.args.get("quoted")
    if bare and not re.sub(r"[$#@]", "_", node.name).isidentifier():
        raise Unsafe("name", "it holds a name that must be quoted")


def _written(tree: exp.Expr, dialect: str) -> str:
    return tree.sql(
        dialect=dialect, comments=False, normalize_functions=False, unsupported_level=ErrorLevel.RAISE
    )


def _shown(word: str) -> str:
    return re.sub(r"\W", "", word)[:40].upper() or "it calls"
