"""The web pages: the chat with its panel of boundaries, and the operator's console."""

from .backend import Backend
from .pages import error_page
from .routes import routes
from .sessions import SessionStore

__all__ = ["Backend", "SessionStore", "error_page", "routes"]
