"""The surface: every route is described, every shape of traffic guarded, an application's address narrows."""

from typing import Any

import httpx2 as httpx
import openai
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.stores.conftest import upload

from ringwall.server.openapi import document
from ringwall.server.vector_stores.routes import vector_store_routes
from ringwall.workload.live import cells, gaps
from ringwall.workload.matrix import Cover


def test_every_route_is_described() -> None:
    described = document()["paths"]
    for route in vector_store_routes(lambda endpoint, _: endpoint):
        path = route.path  # type: ignore[attr-defined]
        if path.startswith("/v1/"):
            for method in route.methods - {"HEAD"}:  # type: ignore[attr-defined]
                assert method.lower() in described[path], (method, path)


def test_no_shape_is_unguarded(stores: Any) -> None:
    seen = {(cell.endpoint, cell.direction, cell.part): cell.cover for cell in cells(stores.live.site)}
    for shape in (
        ("vector_stores", "request", "text"),
        ("vector_stores", "retrieval", "document"),
        ("vector_stores", "retrieval", "text"),
        ("vector_stores", "contribution", "document"),
        ("collections.files", "contribution", "document"),
        ("mcp", "request", "text"),
        ("mcp", "retrieval", "document"),
        ("mcp", "retrieval", "text"),
    ):
        assert seen[shape] is Cover.GUARDED
    assert gaps(stores.live.site) == []


@settings(
    max_examples=10,
    deadline=None,
    database=None,
    derandomize=True,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)
@given(
    body=st.binary(max_size=200),
    kind=st.sampled_from(["multipart/form-data; boundary=b", "multipart/form-data", "text/plain", ""]),
)
def test_any_upload_is_answered(stores: Any, body: bytes, kind: str) -> None:
    headers = {"authorization": f"Bearer {stores.keys['editor-north']}", "content-type": kind}
    for sent in (body, b'--b\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n' + body):
        got = httpx.post(f"{stores.url}/v1/files", content=sent, headers=headers, timeout=60)
        assert 400 <= got.status_code < 500
        assert "error" in got.json()
        assert stores.record(got.headers["x-ringwall-decision"])


def test_an_application_s_address_narrows(start: Any) -> None:
    gateway = start(applications={"plain": {"roles": ["customer", "editor"], "collections": []}})
    client = openai.OpenAI(
        base_url=f"{gateway.url}/apps/plain/v1", api_key=gateway.keys["both"], max_retries=0
    )
    assert list(client.vector_stores.list()) == []
    file = upload(client, "hello there")
    for denied in (
        lambda: client.vector_stores.search("handbook", query="lamp"),
        lambda: client.vector_stores.retrieve("handbook"),
        lambda: client.vector_stores.files.create(vector_store_id="handbook", file_id=file.id),
    ):
        with pytest.raises(openai.NotFoundError):
            denied()
    got = httpx.post(
        f"{gateway.url}/apps/plain/mcp/retrieval",
        json={"jsonrpc": "2.0", "id": 1, "method": "tools/list"},
        headers={"authorization": f"Bearer {gateway.keys['both']}"},
        timeout=60,
    )
    assert got.status_code == 404


def test_what_was_found_is_untrusted_in_the_conversation(stores: Any) -> None:
    session = "conversation-4711"
    stores.client("casey").vector_stores.search(
        "handbook", query="lamp returned", extra_headers={"x-ringwall-session": session}
    )
    app = stores.live.site.application()
    from ringwall.core import Principal

    casey = Principal("casey", credential="key")
    key = app.sessions.find(casey, app.application.name, session, (), "")
    assert app.labels.session(key).integrity.name == "UNTRUSTED"


def test_the_gateway_s_own_mcp_server_keeps_its_name(tmp_path: Any, model_server: Any) -> None:
    from tests.conftest import workload, write_workload

    from ringwall.core import ConfigError
    from ringwall.workload.load import load

    content = workload(model_server.url)
    content["application"]["mcp"] = {"servers": {"retrieval": {"url": "https://mcp.example/mcp"}}}
    with pytest.raises(ConfigError, match="choose another name"):
        load(write_workload(tmp_path, content))
