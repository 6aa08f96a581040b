"""The report as one page, without script and without anything to load."""

from collections.abc import Mapping
from importlib import resources
from typing import Any

from jinja2 import Environment, StrictUndefined


def to_html(report: Mapping[str, Any]) -> str:
    """``report``: what ``ringwall data extraction --json`` prints."""
    source = resources.files(__package__).joinpath("page.html.j2").read_text("utf-8")
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(source).render(report=report)
