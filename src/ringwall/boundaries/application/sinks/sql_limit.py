"""The most rows that a query may return, written into it."""

from sqlglot import exp

from ..handling_settings import SqlHandling
from .unsafe import Unsafe

_ENDLESS = 10**12


def limited(tree: exp.Query, rules: SqlHandling) -> exp.Query:
    """The query with a ``LIMIT`` of at most ``rules.limit``. One that is no plain number counts as none:
    what an engine makes of ``-1``, ``ALL``, ``NULL`` or an expression differs."""
    most = rules.limit
    if most is None:
        return tree
    given = tree.args.get("limit")
    rows = _rows(given)
    if rows <= most and isinstance(given, exp.Limit):
        return tree
    if isinstance(tree, exp.SetOperation) and rules.dialect == "tsql":
        raise Unsafe("limit", f"put the combined query into one with TOP {most}")
    tree.set("limit", None)
    return tree.limit(min(rows, most), copy=False)


def _rows(given: exp.Expr | None) -> int:
    """What a ``LIMIT n``, ``TOP n`` or ``FETCH FIRST n ROWS ONLY`` says; else as good as endless."""
    if not isinstance(given, (exp.Limit, exp.Fetch)) or given.args.get("expressions"):
        return _ENDLESS
    options = given.args.get("limit_options")
    if options and any(value for key, value in options.args.items() if key != "rows"):
        return _ENDLESS  # PERCENT, WITH TIES
    count = given.args.get("count" if isinstance(given, exp.Fetch) else "expression")
    if not isinstance(count, exp.Literal) or count.is_string:
        return _ENDLESS
    digits = count.name
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 12 else _ENDLESS
