"""Requests of the vector stores API, read strictly: what is not understood is refused, not ignored."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from .errors import WireError, invalid
from .vector_filters import Filter, Value, is_value, read_filter

_QUERIES = 8
_QUERY_CHARS = 4096
_RESULTS = 50
_ATTRIBUTES = 16
_BATCH = 100
OWN = frozenset({"citation", "title", "origin", "integrity", "sensitivity", "passage", "corroboration"})
"""Attributes that the gateway tells of every passage: no file may claim them."""
_TERMS = ("licence", "consent", "origin")
_TERM_CHARS = 2000
_RANKERS = frozenset({"auto", "none", "default-2024-11-15", "default_2024_08_21"})


@dataclass(frozen=True, slots=True)
class SearchCall:
    queries: tuple[str, ...]
    filter: Filter | None = None
    most: int = 10
    threshold: float = 0.0


@dataclass(frozen=True, slots=True)
class AttachCall:
    file: str
    attributes: Mapping[str, Value] = field(default_factory=dict)
    licence: str = ""
    consent: str = ""
    origin: str = ""
    signature: bytes = b""
    """As JSON: what ``ringwall data sign`` makes."""


def read_search(body: Any) -> SearchCall:
    """Raises WireError (400)."""
    given = fields(body, {"query", "filters", "max_num_results", "ranking_options", "rewrite_query"})
    most = given.get("max_num_results", 10)
    if not _whole(most) or not 1 <= most <= _RESULTS:
        raise invalid(f"'max_num_results' is a number from 1 to {_RESULTS}.", "max_num_results")
    if given.get("rewrite_query") not in (None, False, True):
        raise invalid("'rewrite_query' is a boolean.", "rewrite_query")
    wanted = given.get("filters")
    return SearchCall(
        _queries(given.get("query")),
        read_filter(wanted) if wanted is not None else None,
        most,
        _threshold(given.get("ranking_options")),
    )


def read_attach(body: Any) -> AttachCall:
    """One file for a vector store. Raises WireError (400)."""
    given = fields(body, {"file_id", "attributes", "chunking_strategy", *_TERMS, "signature"})
    _chunking(given.get("chunking_strategy"))
    return AttachCall(_file(given.get("file_id")), read_attributes(given.get("attributes")), **_terms(given))


def read_rows_call(body: Any) -> AttachCall:
    """One file for a training set. Raises WireError (400)."""
    given = fields(body, {"file_id", *_TERMS, "signature"})
    return AttachCall(_file(given.get("file_id")), **_terms(given))


def read_batch(body: Any) -> tuple[AttachCall, ...]:
    """Files for a vector store, as ``file_ids`` (with common attributes) or as ``files``. Raises WireError
    (400)."""
    given = fields(body, {"file_ids", "files", "attributes", "chunking_strategy", *_TERMS})
    _chunking(given.get("chunking_strategy"))
    ids, files = given.get("file_ids"), given.get("files")
    if (ids is None) == (files is None):
        raise invalid("Give 'file_ids' or 'files'.", "file_ids")
    listed = ids if files is None else files
    if not isinstance(listed, list) or not 0 < len(listed) <= _BATCH:
        raise invalid(f"A batch has 1 to {_BATCH} files.", "file_ids" if files is None else "files")
    if files is None:
        attributes, terms = read_attributes(given.get("attributes")), _terms(given)
        calls = [AttachCall(_file(one), attributes, **terms) for one in listed]
    else:
        calls = [read_attach(one) for one in listed]
    if len({call.file for call in calls}) < len(calls):
        raise invalid("A batch names each file once.", "file_ids" if files is None else "files")
    return tuple(calls)


def read_attributes(given: Any) -> dict[str, Value]:
    """Up to 16 pairs. Raises WireError (400)."""
    if given is None:
        return {}
    if not isinstance(given, dict) or len(given) > _ATTRIBUTES:
        raise invalid(f"'attributes' is an object of at most {_ATTRIBUTES} pairs.", "attributes")
    for key, value in given.items():
        if not 0 < len(key) <= 64 or not key.isprintable():
            raise invalid("The name of an attribute has 1 to 64 printable characters.", "attributes")
        if key in OWN:
            raise invalid(f"The attribute {key!r} is the gateway's own: choose another name.", "attributes")
        if not is_value(value) or (isinstance(value, str) and not value.isprintable()):
            message = "The value of an attribute is a number, a boolean or at most 512 printable characters."
            raise invalid(message, "attributes")
    return dict(given)


def fields(body: Any, known: set[str]) -> Mapping[str, Any]:
    """The body as an object with known fields only. Raises WireError (400)."""
    if not isinstance(body, dict):
        raise invalid("The request body must be a JSON object.", "body")
    unknown = sorted(body.keys() - known)
    if unknown:
        raise invalid(f"Unknown field {unknown[0][:64]!r}.", unknown[0][:64])
    return body


def _terms(given: Mapping[str, Any]) -> dict[str, Any]:
    terms: dict[str, Any] = {name: given.get(name, "") for name in _TERMS}
    for name, value in terms.items():
        if not isinstance(value, str) or len(value) > _TERM_CHARS:
            raise invalid(f"{name!r} is a string of at most {_TERM_CHARS} characters.", name)
    signature = given.get("signature")
    if signature is not None:
        if not isinstance(signature, dict):
            raise invalid("'signature' is the object that `ringwall data sign` makes.", "signature")
        terms["signature"] = orjson.dumps(signature)
    return terms


def _queries(given: Any) -> tuple[str, ...]:
    listed = [given] if isinstance(given, str) else given
    if not isinstance(listed, list) or not 0 < len(listed) <= _QUERIES:
        raise invalid(f"'query' is a string, or a list of 1 to {_QUERIES} strings.", "query")
    for one in listed:
        if not isinstance(one, str) or not one.strip() or len(one) > _QUERY_CHARS:
            raise invalid(f"A query is a string of 1 to {_QUERY_CHARS} characters.", "query")
    return tuple(listed)


def _threshold(given: Any) -> float:
    if given is None:
        return 0.0
    if not isinstance(given, dict):
        raise invalid("'ranking_options' is an object.", "ranking_options")
    unknown = sorted(given.keys() - {"ranker", "score_threshold"})
    if unknown:
        message = f"The ranking option {unknown[0][:64]!r} is not supported here: leave it out."
        raise invalid(message, "ranking_options")
    ranker = given.get("ranker")
    if ranker is not None and not (isinstance(ranker, str) and ranker in _RANKERS):
        raise invalid(f"'ranker' is one of: {', '.join(sorted(_RANKERS))}.", "ranking_options")
    threshold = given.get("score_threshold")
    if threshold is None:
        return 0.0
    if isinstance(threshold, bool) or not isinstance(threshold, (int, float)) or not 0 <= threshold <= 1:
        raise invalid("'score_threshold' is a number from 0 to 1.", "ranking_options")
    return float(threshold)


def _chunking(given: Any) -> None:
    if given is not None and given != {"type": "auto"}:
        message = (
            "How documents are cut is set in the workload file (data.collections.NAME.chunk_chars): "
            "leave 'chunking_strategy' out."
        )
        raise WireError(400, message, "unsupported_parameter", "chunking_strategy")


def _file(given: Any) -> str:
    if not isinstance(given, str) or not 0 < len(given) <= 64:
        raise invalid("'file_id' is the id of a file that you uploaded.", "file_id")
    return given


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
