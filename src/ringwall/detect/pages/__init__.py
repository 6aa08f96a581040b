"""Pages of text with mark-up: what they show, and what they hide from their reader."""

from .html import Hidden, Page, read_html
from .markdown import read_markdown

__all__ = ["Hidden", "Page", "read_html", "read_markdown"]
