"""The files and vector stores APIs in the OpenAPI description."""

from collections.abc import Callable
from typing import Any

_ATTRIBUTES: dict[str, Any] = {
    "type": "object",
    "maxProperties": 16,
    "additionalProperties": {
        "anyOf": [{"type": "string", "maxLength": 512}, {"type": "number"}, {"type": "boolean"}]
    },
}
_CHUNKING: dict[str, Any] = {
    "type": "object",
    "required": ["type"],
    "additionalProperties": False,
    "properties": {"type": {"const": "auto"}},
}
_TERM = {"type": "string", "maxLength": 2000}
_TERMS: dict[str, Any] = {
    **dict.fromkeys(("licence", "consent", "origin"), _TERM),
    "signature": {"type": "object"},
}
_ATTACHMENT: dict[str, Any] = {
    "type": "object",
    "required": ["file_id"],
    "additionalProperties": False,
    "properties": {
        "file_id": {"type": "string", "minLength": 1, "maxLength": 64},
        "attributes": _ATTRIBUTES,
        "chunking_strategy": _CHUNKING,
        **_TERMS,
    },
}
_ROWS: dict[str, Any] = {
    "type": "object",
    "required": ["file_id"],
    "additionalProperties": False,
    "properties": {"file_id": {"type": "string", "minLength": 1, "maxLength": 64}, **_TERMS},
}
_LIST = {"type": "array", "minItems": 1, "maxItems": 100}
_BATCH: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "file_ids": {**_LIST, "items": {"type": "string", "minLength": 1, "maxLength": 64}},
        "files": {**_LIST, "items": _ATTACHMENT},
        "attributes": _ATTRIBUTES,
        "chunking_strategy": _CHUNKING,
        **dict.fromkeys(("licence", "consent", "origin"), _TERM),
    },
}
_QUERY = {"type": "string", "minLength": 1, "maxLength": 4096}
_SEARCH: dict[str, Any] = {
    "type": "object",
    "required": ["query"],
    "additionalProperties": False,
    "properties": {
        "query": {"anyOf": [_QUERY, {"type": "array", "minItems": 1, "maxItems": 8, "items": _QUERY}]},
        "filters": {"type": "object", "required": ["type"], "properties": {"type": {"type": "string"}}},
        "max_num_results": {"type": "integer", "minimum": 1, "maximum": 50},
        "ranking_options": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "ranker": {"enum": ["auto", "none", "default-2024-11-15"]},
                "score_threshold": {"type": "number", "minimum": 0, "maximum": 1},
            },
        },
        "rewrite_query": {"type": "boolean"},
    },
}
_CHANGE: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {"attributes": _ATTRIBUTES},
}
_UPLOAD: dict[str, Any] = {
    "type": "object",
    "required": ["file", "purpose"],
    "properties": {
        "file": {"type": "string", "format": "binary"},
        "purpose": {"enum": ["assistants", "user_data", "fine-tune"]},
    },
}
SCHEMAS: dict[str, Any] = {
    "Attachment": _ATTACHMENT,
    "AttachmentBatch": _BATCH,
    "AttachmentChange": _CHANGE,
    "VectorSearch": _SEARCH,
    "Rows": _ROWS,
    "Upload": _UPLOAD,
}


def paths(operation: Callable[..., dict[str, Any]]) -> dict[str, Any]:
    """``operation`` describes one as the rest of the document does."""
    store, file, batch = ("store",), ("store", "file"), ("store", "batch")
    upload = operation("Upload a file; it is nothing until it is attached")
    upload["requestBody"] = {
        "required": True,
        "content": {"multipart/form-data": {"schema": {"$ref": "#/components/schemas/Upload"}}},
    }
    return {
        "/v1/files": {"get": operation("One's own files"), "post": upload},
        "/v1/files/{file}": {
            "get": operation("One's own file", path="file"),
            "delete": operation("Delete one's own file", path="file"),
        },
        "/v1/files/{file}/content": {"get": operation("The file as it was uploaded", path="file")},
        "/v1/collections/{collection}/files": {
            "post": operation(
                "Contribute an uploaded file of rows to a training set",
                body="Rows",
                path="collection",
                ok=("200", "201", "202"),
            )
        },
        "/v1/vector_stores": {
            "get": operation("Collections that one may read"),
            "post": operation("Refused: collections come from the workload file"),
        },
        "/v1/vector_stores/{store}": {
            "get": operation("One collection", path=store),
            "post": operation("Refused: collections come from the workload file", path=store),
            "delete": operation("Refused: collections come from the workload file", path=store),
        },
        "/v1/vector_stores/{store}/search": {
            "post": operation("Search a collection", body="VectorSearch", path=store)
        },
        "/v1/vector_stores/{store}/files": {
            "get": operation("What one attached", path=store),
            "post": operation("Contribute an uploaded file", body="Attachment", path=store),
        },
        "/v1/vector_stores/{store}/files/{file}": {
            "get": operation("What became of an attached file", path=file),
            "post": operation("Change its attributes", body="AttachmentChange", path=file),
            "delete": operation("Remove it from the collection", path=file),
        },
        "/v1/vector_stores/{store}/files/{file}/content": {
            "get": operation("The text of a file that one may read", path=file)
        },
        "/v1/vector_stores/{store}/file_batches": {
            "post": operation("Contribute several files", body="AttachmentBatch", path=store)
        },
        "/v1/vector_stores/{store}/file_batches/{batch}": {"get": operation("One's own batch", path=batch)},
        "/v1/vector_stores/{store}/file_batches/{batch}/cancel": {
            "post": operation("Leave out what is not begun", path=batch)
        },
        "/v1/vector_stores/{store}/file_batches/{batch}/files": {
            "get": operation("Files of a batch", path=batch)
        },
    }
