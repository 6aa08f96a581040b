"""Chat templates are programs that come inside a model file. They are parsed here and never run.

Refused: reaching for attributes that lead out of a template's sandbox, loading other templates, the ``attr``
filter, what does not parse. Noted: a template that does something else depending on what a message says,
which is how a planted one hides; honest templates compare with the tags of their own dialogue format.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

import jinja2
from jinja2 import nodes
from jinja2.ext import Extension
from jinja2.parser import Parser

_MAX_SIZE = 256 * 1024
_FORBIDDEN = re.compile(
    r"^(__.*|mro|func_\w+|im_\w+|gi_\w+|cr_\w+|ag_\w+|f_\w+|tb_\w+|_mapping|_fail_with_undefined_error)$"
)
_FORBIDDEN_NAMES = frozenset(
    {
        "self",
        "lipsum",
        "cycler",
        "joiner",
        "request",
        "config",
        "url_for",
        "get_flashed_messages",
        "os",
        "sys",
    }
)
_TAGS = {"generation"}
_TAG = re.compile(r"^\s*(<\W?[\w|/ ]+\W?>|\[\W?\w+\W?\])\s*$")


@dataclass(frozen=True, slots=True)
class TemplateReport:
    refusals: tuple[str, ...]
    """Clauses that go on from "The chat template …"."""
    notes: tuple[str, ...]


class _Generation(Extension):
    """``{% generation %}…{% endgeneration %}``, by which trainers mark the assistant's text."""

    tags = _TAGS

    def parse(self, parser: Parser) -> list[nodes.Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


@lru_cache(maxsize=1)
def _environment() -> jinja2.Environment:
    extensions: list[str | type[Extension]] = ["jinja2.ext.loopcontrols", "jinja2.ext.do", _Generation]
    return jinja2.Environment(extensions=extensions)  # noqa: S701  nothing is ever rendered


def inspect_template(template: str) -> TemplateReport:
    """Never raises."""
    if len(template) > _MAX_SIZE:
        return TemplateReport((f"is longer than {_MAX_SIZE} characters",), ())
    try:
        tree = _environment().parse(template)
        refusals = sorted(set(_refusals(tree)))
        notes = sorted(set(_notes(tree)))
    except jinja2.TemplateSyntaxError:
        return TemplateReport(("can't be parsed",), ())
    except RecursionError:
        return TemplateReport(("is nested too deeply",), ())
    return TemplateReport(tuple(refusals), tuple(notes))


def _refusals(tree: nodes.Template) -> list[str]:
    out: list[str] = []
    loads = (nodes.Import, nodes.FromImport, nodes.Include, nodes.Extends)
    out.extend("loads another template" for _ in tree.find_all(loads))
    for attribute in tree.find_all(nodes.Getattr):
        if _FORBIDDEN.match(attribute.attr):
            out.append("reaches for internals of Python objects")
    for constant in tree.find_all(nodes.Const):
        if isinstance(constant.value, str) and _FORBIDDEN.match(constant.value):
            out.append("reaches for internals of Python objects")
    for applied in tree.find_all(nodes.Filter):
        if applied.name == "attr" or any(
            keyword.key == "attribute" and _dunder(keyword.value) for keyword in applied.kwargs
        ):
            out.append("reads attributes by computed names")
    for name in tree.find_all(nodes.Name):
        if name.ctx == "load" and name.name in _FORBIDDEN_NAMES:
            out.append(f"uses the name '{name.name}', which no chat template needs")
    return out


def _dunder(value: nodes.Node) -> bool:
    return isinstance(value, nodes.Const) and isinstance(value.value, str) and "__" in value.value


def _notes(tree: nodes.Template) -> list[str]:
    out: list[str] = []
    for compare in tree.find_all(nodes.Compare):
        terms = [compare.expr, *(operand.expr for operand in compare.ops)]
        texts = [t.value for t in terms if isinstance(t, nodes.Const) and isinstance(t.value, str)]
        if any(_reads_content(term) for term in terms):
            strange = [text for text in texts if text.strip() and not _TAG.match(text)]
            if strange:
                out.append("depends on what a message says: have a person read it")
    return out


def _reads_content(node: nodes.Node) -> bool:
    if isinstance(node, nodes.Name):
        return node.name == "content"
    if isinstance(node, nodes.Getattr):
        return node.attr == "content"
    if isinstance(node, nodes.Getitem):
        return isinstance(node.arg, nodes.Const) and node.arg.value == "content"
    return any(_reads_content(child) for child in node.iter_child_nodes())
