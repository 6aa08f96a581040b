"""Which tables a query reads, by the rules of its dialect, and the columns of them that it may see."""

import string

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect, NormalizationStrategy

from ..handling_settings import SqlHandling
from .unsafe import Unsafe

_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_UPPER = str.maketrans(string.ascii_lowercase, string.ascii_uppercase)
_QUOTES = frozenset('"`[')
_MOST = 40
"""Tables in one query, each counted as often as it is named."""
Name = tuple[str, ...]


class Names:
    """Raises Unsafe or SqlglotError for rules whose names can't be read. Names are folded as the dialect
    folds them, ASCII only: two names that are equal here are so in every engine of that dialect. A name
    that is not surely a query's own ``WITH`` name is a table's."""

    def __init__(self, rules: SqlHandling) -> None:
        self._strategy = Dialect.get_or_raise(rules.dialect).normalization_strategy
        self._any_case = rules.dialect in ("sqlite", "tsql")
        self._dialect = rules.dialect
        self._allowed = {self._listed(table): table for table in rules.tables}
        self._columns = {
            self._listed(table): [exp.parse_identifier(name, rules.dialect) for name in columns]
            for table, columns in rules.columns.items()
        }

    def check(self, tree: exp.Expr) -> frozenset[str]:
        """The tables that are read. Raises Unsafe for one that is not listed."""
        read: set[str] = set()
        count = 0
        for table, visible in self._tables(tree):
            count += 1
            if count > _MOST:
                raise Unsafe("size", f"it names more than {_MOST} tables")
            name = self._name(table)
            if len(name) == 1 and name[0] in visible:
                continue
            if name not in self._allowed:
                raise Unsafe("table", "it reads a table that is not allowed here")
            read.add(self._allowed[name])
        return frozenset(read)

    def narrowed(self, tree: exp.Query) -> exp.Query:
        """With every table whose columns are listed replaced by a query of those columns: then the
        database itself knows no others, however they are spelled."""
        if not self._columns:
            return tree
        for table, visible in list(self._tables(tree)):
            name = self._name(table)
            columns = self._columns.get(name)
            if columns and not (len(name) == 1 and name[0] in visible) and not self._bare(table, columns):
                table.replace(_narrow(table, columns))
        return tree

    def _tables(self, tree: exp.Expr) -> "list[tuple[exp.Table, frozenset[str]]]":
        """Each table with the ``WITH`` names that it may mean. Without recursion, since a tree may be
        deep."""
        found: list[tuple[exp.Table, frozenset[str]]] = []
        waiting: list[tuple[exp.Expr, frozenset[str]]] = [(tree, frozenset())]
        while waiting:
            node, visible = waiting.pop()
            if isinstance(node, exp.Table):
                found.append((node, visible))
            given = node.args.get("with_")
            for cte in given.expressions if given else ():
                waiting.append((cte.this, visible))
                visible |= {self._folded(cte.args["alias"].this)}  # it doesn't see itself: no recursion
            waiting += [(child, visible) for child in node.iter_expressions() if child is not given]
        return found

    def _name(self, table: exp.Table) -> Name:
        parts = [table.args.get("catalog"), table.args.get("db"), table.this]
        if any(part and not isinstance(part, exp.Identifier) for part in parts) or not table.this:
            raise Unsafe("table-function", "it reads from something that is no table")
        return tuple(self._folded(part) for part in parts if part)

    def _listed(self, table: str) -> Name:
        read = exp.to_table(table, dialect=self._dialect)
        guessed = any(part.args.get("quoted") for part in read.parts) and not _QUOTES & set(table)
        if guessed or read.args.get("alias"):
            raise Unsafe("table", "it is more than the name of a table")
        return self._name(read)

    def _folded(self, name: exp.Identifier) -> str:
        quoted = bool(name.args.get("quoted")) and not self._any_case
        return name.name if quoted else self._fold(name.name)

    def _fold(self, name: str) -> str:
        match self._strategy:
            case NormalizationStrategy.UPPERCASE:
                return name.translate(_UPPER)
            case NormalizationStrategy.LOWERCASE:
                return name.translate(_LOWER)
            case _:
                return name.translate(_LOWER) if self._any_case else name

    def _bare(self, table: exp.Table, columns: list[exp.Identifier]) -> bool:
        """Whether it is read by ``SELECT <listed columns> FROM table`` and nothing more."""
        select = table.parent.parent if isinstance(table.parent, exp.From) else None
        if not isinstance(select, exp.Select) or any(
            value for key, value in select.args.items() if key not in ("expressions", "from_", "limit")
        ):
            return False
        listed = {self._folded(column) for column in columns}
        return not table.args.get("alias") and all(
            isinstance(one, exp.Column)
            and isinstance(one.this, exp.Identifier)
            and not one.table
            and self._folded(one.this) in listed
            for one in (shown.unalias() for shown in select.expressions)
        )


def _narrow(table: exp.Table, columns: list[exp.Identifier]) -> exp.Subquery:
    alias = table.args.get("alias") or exp.TableAlias(this=table.this.copy())
    joins = table.args.get("joins")
    bare = exp.Table(this=table.this, db=table.args.get("db"), catalog=table.args.get("catalog"))
    shown = [exp.column(name.copy()) for name in columns]
    narrow = exp.Subquery(this=exp.select(*shown).from_(bare), alias=alias)
    if joins:
        narrow.set("joins", joins)
    return narrow
