"""Routes of the files and vector stores APIs, at ``/v1`` and at each application's own address."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from ringwall.boundaries.interface.scopes import Scope

from ..files.endpoint import delete_file, file_content, list_files, show_file
from ..files.upload import upload_file
from .batches import begin_batch, cancel_batch, list_batch, show_batch
from .files import attach_file, change_attached, list_attached, remove_attached, show_attached
from .search import file_text, search_store
from .stores import list_stores, refuse_change, show_store

Endpoint = Callable[[Request], Awaitable[Response]]
_FILE = "/vector_stores/{store}/files/{file}"
_BATCH = "/vector_stores/{store}/file_batches/{batch}"
_ROUTES: tuple[tuple[str, str, Endpoint, Scope], ...] = (
    ("POST", "/files", upload_file, Scope.CONTRIBUTE),
    ("GET", "/files", list_files, Scope.CONTRIBUTE),
    ("GET", "/files/{file}", show_file, Scope.CONTRIBUTE),
    ("DELETE", "/files/{file}", delete_file, Scope.CONTRIBUTE),
    ("GET", "/files/{file}/content", file_content, Scope.CONTRIBUTE),
    ("GET", "/vector_stores", list_stores, Scope.RETRIEVE),
    ("POST", "/vector_stores", refuse_change, Scope.CONTRIBUTE),
    ("GET", "/vector_stores/{store}", show_store, Scope.RETRIEVE),
    ("POST", "/vector_stores/{store}", refuse_change, Scope.CONTRIBUTE),
    ("DELETE", "/vector_stores/{store}", refuse_change, Scope.CONTRIBUTE),
    ("POST", "/vector_stores/{store}/search", search_store, Scope.RETRIEVE),
    ("POST", "/vector_stores/{store}/files", attach_file, Scope.CONTRIBUTE),
    ("GET", "/vector_stores/{store}/files", list_attached, Scope.CONTRIBUTE),
    ("GET", _FILE, show_attached, Scope.CONTRIBUTE),
    ("POST", _FILE, change_attached, Scope.CONTRIBUTE),
    ("DELETE", _FILE, remove_attached, Scope.CONTRIBUTE),
    ("GET", f"{_FILE}/content", file_text, Scope.RETRIEVE),
    ("POST", "/vector_stores/{store}/file_batches", begin_batch, Scope.CONTRIBUTE),
    ("GET", _BATCH, show_batch, Scope.CONTRIBUTE),
    ("POST", f"{_BATCH}/cancel", cancel_batch, Scope.CONTRIBUTE),
    ("GET", f"{_BATCH}/files", list_batch, Scope.CONTRIBUTE),
)


def vector_store_routes(guarded: Callable[[Endpoint, Scope], Endpoint]) -> list[BaseRoute]:
    """``guarded`` answers errors in the protocol's shape, and has the credential be good for the scope."""
    return [
        Route(prefix + path, guarded(endpoint, scope), methods=[method])
        for prefix in ("/v1", "/apps/{application}/v1")
        for method, path, endpoint, scope in _ROUTES
    ]
