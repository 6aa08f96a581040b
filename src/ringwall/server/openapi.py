"""``GET /openapi.json``: what this gateway speaks, for tools that test or generate clients."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from ringwall import __version__

from .openapi_stores import SCHEMAS, paths
from .replies import json_response

_ERROR = {
    "description": "Refused or failed, in the error shape of the OpenAI API.",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
}
_ERRORS = {str(status): _ERROR for status in (400, 401, 403, 404, 409, 413, 415, 422, 429, 502, 503, 504)}


def document() -> dict[str, Any]:
    """The OpenAPI 3.1 description of the API."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Ringwall gateway", "version": __version__},
        "components": {
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer"},
                "certificate": {"type": "mutualTLS"},
            },
            "schemas": {
                "ChatRequest": _CHAT,
                "Document": _DOCUMENT,
                "FalseAlarm": _FALSE_ALARM,
                "HoldDecision": _HOLD_DECISION,
                "Amendment": _AMENDMENT,
                "Error": _ERROR_BODY,
                "Exchange": _EXCHANGE,
                "McpMessage": _MCP,
                **SCHEMAS,
            },
        },
        "security": [{"key": []}, {"certificate": []}],
        "paths": {
            "/v1/chat/completions": {"post": _operation("One turn of a conversation", body="ChatRequest")},
            "/v1/models": {"get": _operation("The models that may be asked")},
            "/v1/models/{model}": {"get": _operation("One model", path="model")},
            "/v1/collections/{collection}/documents": {
                "post": _operation(
                    "Contribute a document", body="Document", path="collection", ok=("201", "202")
                )
            },
            **paths(_operation),
            "/mcp/{server}": {
                "post": _operation(
                    "A message of the Model Context Protocol to a server behind the gateway",
                    body="McpMessage",
                    path="server",
                    ok=("200", "202"),
                )
            },
            "/oauth/token": {"post": _exchange()},
            "/v1/ringwall/decisions/{id}": {"get": _operation("One decision", path="id")},
            "/v1/ringwall/decisions/{id}/false-positive": {
                "post": _operation(
                    "Report findings as false alarms", body="FalseAlarm", path="id", ok=("201",)
                )
            },
            "/v1/ringwall/holds": {
                "get": _operation("Held calls: one's own, and those that one may approve")
            },
            "/v1/ringwall/holds/{id}": {"get": _operation("One held call", path="id")},
            "/v1/ringwall/holds/{id}/approve": {"post": _decision("Let exactly this call through, once")},
            "/v1/ringwall/holds/{id}/refuse": {"post": _decision("Refuse the call")},
            "/v1/ringwall/holds/{id}/amend": {
                "post": _decision("Let the call through once, with other arguments", "Amendment")
            },
        },
    }


def _decision(summary: str, body: str = "HoldDecision") -> dict[str, Any]:
    return _operation(summary, body=body, path="id")


def _operation(
    summary: str, *, body: str = "", path: str | tuple[str, ...] = (), ok: tuple[str, ...] = ("200",)
) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "summary": summary,
        "responses": {**{status: {"description": "Done."} for status in ok}, **_ERRORS},
    }
    if path:
        text = {"type": "string", "minLength": 1}
        names = (path,) if isinstance(path, str) else path
        operation["parameters"] = [
            {"name": name, "in": "path", "required": True, "schema": text} for name in names
        ]
    if body:
        schema = {"$ref": f"#/components/schemas/{body}"}
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    return operation


def _exchange() -> dict[str, Any]:
    """Token exchange (RFC 8693): a form, and errors in the shape of OAuth."""
    schema = {"$ref": "#/components/schemas/Exchange"}
    failed = {"description": "Refused, in the error shape of OAuth 2.0 (RFC 6749)."}
    return {
        "summary": "A token for a user, for the service that acts on their behalf",
        "requestBody": {
            "required": True,
            "content": {"application/x-www-form-urlencoded": {"schema": schema}},
        },
        "responses": {
            "200": {"description": "Done."},
            **dict.fromkeys(("400", "401", "403", "413", "429", "503"), failed),
        },
    }


_TEXT = {"type": "string"}
_CHAT: dict[str, Any] = {
    "type": "object",
    "required": ["model", "messages"],
    "properties": {
        "model": {"type": "string", "minLength": 1},
        "messages": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["role"],
                "properties": {
                    "role": {"enum": ["system", "developer", "user", "assistant", "tool"]},
                    "content": {"type": ["string", "array", "null"]},
                    "tool_call_id": _TEXT,
                    "tool_calls": {"type": "array"},
                },
            },
        },
        "tools": {"type": "array", "items": {"type": "object"}},
        "stream": {"type": "boolean"},
        "max_tokens": {"type": "integer", "minimum": 1},
        "temperature": {"type": "number"},
        "metadata": {"type": "object"},
    },
}
_DOCUMENT: dict[str, Any] = {
    "type": "object",
    "required": ["title", "text"],
    "additionalProperties": False,
    "properties": {
        "title": {"type": "string", "minLength": 1, "maxLength": 200},
        "text": {"type": "string", "minLength": 1},
        "format": {"enum": ["text", "markdown", "html"]},
        "origin": _TEXT,
        "readers": {"type": "array", "items": _TEXT},
    },
}
_FALSE_ALARM: dict[str, Any] = {
    "type": "object",
    "required": ["findings", "expires", "reason"],
    "additionalProperties": False,
    "properties": {
        "findings": {
            "type": "array",
            "minItems": 1,
            "maxItems": 20,
            "items": {"type": "integer", "minimum": 1},
        },
        "expires": {"type": "string", "pattern": "^[1-9][0-9]{0,3}[hdw]$"},
        "reason": {"type": "string", "minLength": 1, "maxLength": 1000},
        "owner": {"type": "string", "maxLength": 200},
        "match": {"enum": ["text", "span", "phrase"]},
        "phrase": {"type": "string", "maxLength": 2000},
    },
}
_HASH: dict[str, Any] = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_HOLD_DECISION: dict[str, Any] = {
    "type": "object",
    "required": ["call"],
    "additionalProperties": False,
    "properties": {"call": _HASH},
}
_AMENDMENT: dict[str, Any] = {
    "type": "object",
    "required": ["call", "arguments"],
    "additionalProperties": False,
    "properties": {"call": _HASH, "arguments": {"type": "object"}},
}
_MCP: dict[str, Any] = {
    "type": "object",
    "required": ["jsonrpc"],
    "properties": {
        "jsonrpc": {"const": "2.0"},
        "id": {"type": ["string", "integer"]},
        "method": {"type": "string"},
        "params": {"type": "object"},
    },
}
_EXCHANGE: dict[str, Any] = {
    "type": "object",
    "required": ["grant_type", "subject_token", "subject_token_type"],
    "properties": {
        "grant_type": {"const": "urn:ietf:params:oauth:grant-type:token-exchange"},
        "subject_token": {"type": "string", "minLength": 1},
        "subject_token_type": {
            "enum": [
                "urn:ietf:params:oauth:token-type:access_token",
                "urn:ietf:params:oauth:token-type:jwt",
            ]
        },
        "audience": _TEXT,
        "scope": _TEXT,
    },
}
_ERROR_BODY: dict[str, Any] = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type"],
            "properties": {"message": _TEXT, "type": _TEXT, "param": {}, "code": {}},
        }
    },
}


async def openapi(request: Request) -> Response:
    return json_response(document())
