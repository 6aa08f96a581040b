"""Rules for routes: which paths they hold for, and what they see."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringwall.boundaries.interface.route_rules import Route, RouteRule


def route(**rule: Any) -> Route:
    return Route(RouteRule.model_validate({"path": "/v1/**", **rule}), 1)


@pytest.mark.parametrize(
    ("path", "fits", "not_"),
    [
        (
            "/v1/models",
            ["/v1/models"],
            ["/v1/models/", "/v1/models/x", "/v1/model", "/V1/models", "x/v1/models"],
        ),
        ("/v1/*/documents", ["/v1/a/documents", "/v1/a\n/documents"], ["/v1/a/b/documents", "/v1/documents"]),
        ("/v1/**", ["/v1/", "/v1/a/b", "/v1/a\nb"], ["/v1", "/v2/a"]),
        ("/v1/a.c", ["/v1/a.c"], ["/v1/abc"]),
        ("/apps/*/v1/chat/completions", ["/apps/shop/v1/chat/completions"], ["/v1/chat/completions"]),
    ],
)
def test_paths_are_exact_but_for_their_stars(path: str, fits: list[str], not_: list[str]) -> None:
    made = route(path=path)
    assert all(made.fits(one) for one in fits)
    assert not any(made.fits(one) for one in not_)


def test_headers() -> None:
    rules = {
        "required": ["X-Tenant"],
        "forbidden": ["x-debug"],
        "match": {"x-tenant": "^[a-z]{1,8}$"},
        "refuse": {"user-agent": "(?i)scanner"},
    }
    made = route(headers=rules)
    good = {"x-tenant": ["shop"], "user-agent": ["curl"]}
    assert made.head("POST", good) is None
    for bad in (
        {"user-agent": ["curl"]},
        good | {"x-debug": [""]},
        good | {"x-tenant": ["Shop"]},
        good | {"x-tenant": ["shop", "SHOP"]},  # every value counts, not the first
        good | {"user-agent": ["curl", "A-Scanner/1"]},
    ):
        refused = made.head("POST", bad)
        assert refused is not None
        assert refused.status == 400
        assert "shop" not in refused.message.lower()


def test_methods_types_and_sizes() -> None:
    made = route(methods=["POST"], content_types=["Application/JSON"], max_body=10)
    body = {"content-length": ["5"], "content-type": ["application/json; charset=utf-8"]}
    assert made.head("POST", body) is None
    assert made.head("POST", {}) is None  # no body: no type is needed
    statuses = [
        made.head("GET", body),
        made.head("POST", body | {"content-type": ["text/plain"]}),
        made.head("POST", body | {"content-type": ["application/json", "text/plain"]}),
        made.head("POST", {"transfer-encoding": ["chunked"]}),
        made.head("POST", body | {"content-length": ["11"]}),
        made.head("POST", body | {"content-length": ["9" * 5000]}),
        made.head("POST", body | {"content-length": ["\xb2"]}),
    ]
    assert [one.status for one in statuses if one] == [405, 415, 415, 415, 413, 413]


def test_bodies() -> None:
    made = route(body={"refuse": ["(?i)drop\\s+table", "\\x00"], "match": "^\\{"})
    assert made.reads_body
    assert made.content(b'{"a": 1}') is None
    for bad in (b"[]", b"", b'{"a": "DROP \n TABLE"}', b"{\0}", b"\xff{}"):
        assert made.content(bad) is not None
    assert not route().reads_body


@pytest.mark.parametrize("pattern", ["(a", "(?=a)", "(a)\\1", "x" * 501, ""])
def test_patterns_that_are_none(pattern: str) -> None:
    with pytest.raises(ValueError, match="error"):
        RouteRule.model_validate({"path": "/", "body": {"refuse": [pattern]}})


@given(st.text(max_size=40), st.binary(max_size=60))
def test_no_request_breaks_a_rule(text: str, body: bytes) -> None:
    made = route(
        headers={"refuse": {"user-agent": "(a|a)*b"}}, body={"refuse": ["(x+x+)+y"], "match": "."}, max_body=5
    )
    made.fits(text)
    made.head(text, {"user-agent": [text], "content-length": [text], "content-type": [text]})
    made.content(body)
