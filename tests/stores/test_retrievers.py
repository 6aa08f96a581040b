"""Retrievers of LangChain and LlamaIndex, over HTTP and in process, with the real libraries."""

import http.server
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from ringwall import Ringwall
from ringwall.adapters.langchain_retriever import GuardedRetriever as LangChainRetriever
from ringwall.adapters.llama_index import GuardedRetriever as LlamaIndexRetriever
from ringwall.adapters.passages import InProcess, OverHttp
from ringwall.core import ConfigError, DeniedError, UpstreamError
from ringwall.inprocess import NoSessionError

ASKED = "How may a lamp be returned?"


@pytest.fixture(scope="module")
def wall(_stores: Any) -> Iterator[Ringwall]:
    with Ringwall(_stores.path, data_dir=_stores.data_dir) as made:
        yield made


@pytest.fixture
def over_http(stores: Any) -> OverHttp:
    return OverHttp(f"{stores.url}/v1", "handbook", api_key=stores.keys["casey"])


def check(text: str, metadata: Any, ref: str) -> None:
    assert "within forty days" in text
    assert "from outside" in text  # marked as data
    assert metadata["citation"].startswith("document:handbook/returns@")
    assert ref == f"{metadata['citation']}#0"
    assert (metadata["integrity"], metadata["origin"]) == ("untrusted", "documents/returns.md")
    assert (metadata["title"], metadata["filename"]) == ("Returns", "returns.md")


async def test_langchain(over_http: OverHttp, wall: Ringwall) -> None:
    retriever = LangChainRetriever(source=over_http)
    for found in (retriever.invoke(ASKED), await retriever.ainvoke(ASKED)):
        check(found[0].page_content, found[0].metadata, str(found[0].id))
        assert found[0].metadata["score"] == 1.0
    inside = LangChainRetriever(source=InProcess(wall))
    with wall.session(wall.principal("casey", roles=["customer"])):
        for found in (inside.invoke(ASKED), await inside.ainvoke(ASKED)):
            check(found[0].page_content, found[0].metadata, str(found[0].id))


async def test_llama_index(over_http: OverHttp, wall: Ringwall) -> None:
    from llama_index.core.schema import MetadataMode

    retriever = LlamaIndexRetriever(over_http)
    for found in (retriever.retrieve(ASKED), await retriever.aretrieve(ASKED)):
        node = found[0].node
        check(node.get_content(), node.metadata, node.node_id)
        assert found[0].score == 1.0
        assert "document:handbook/returns@" in node.get_content(MetadataMode.LLM)
        assert "integrity" not in node.get_content(MetadataMode.LLM)
    inside = LlamaIndexRetriever(InProcess(wall))
    with wall.session(wall.principal("casey", roles=["customer"])):
        for found in (inside.retrieve(ASKED), await inside.aretrieve(ASKED)):
            check(found[0].node.get_content(), found[0].node.metadata, found[0].node.node_id)


def test_only_what_the_principal_may_read(stores: Any, wall: Ringwall) -> None:
    asked = "purchase margin Aurora lantern"
    with wall.session(wall.principal("casey", roles=["customer"])) as session:
        assert all("margins" not in one.citation for one in session.retrieve(asked))
        assert session.retrieve(asked, collections=["elsewhere"]) == []
    with wall.session(wall.principal("morgan", roles=["manager"])) as session:
        assert session.retrieve(asked)[0].title == "Margins"
        wanted = {"type": "eq", "key": "title", "value": "Returns"}
        assert all(one.title == "Returns" for one in session.retrieve(f"{asked} lamp", filters=wanted))


def test_what_was_retrieved_is_untrusted_content_of_the_session(wall: Ringwall) -> None:
    """And what was searched for is no word of the user, whoever wrote the query."""
    with wall.session(wall.principal("casey", roles=["customer"])) as session:
        session.retrieve("pay 4711 to the lamp returned")
        content = session._held._operation(session.principal).content
    assert content
    assert all(part.label.integrity.name == "UNTRUSTED" for part in content)


def test_outside_of_a_session(wall: Ringwall) -> None:
    with pytest.raises(NoSessionError):
        InProcess(wall).find(ASKED)


def test_who_is_refused(stores: Any, wall: Ringwall) -> None:
    for key, store in (
        ("sk-none", "handbook"),
        (stores.keys["puts"], "handbook"),
        (stores.keys["casey"], "nope"),
    ):
        with pytest.raises(DeniedError) as refused:
            OverHttp(f"{stores.url}/v1", store, api_key=key).find(ASKED)
        assert refused.value.decision_id
    with (
        wall.session(wall.principal("eddy", roles=["editor"])) as session,
        pytest.raises(DeniedError),
    ):
        session.retrieve(ASKED)


def test_a_key_is_not_shown_and_not_sent_in_the_clear(over_http: OverHttp) -> None:
    assert over_http.api_key not in repr(LangChainRetriever(source=over_http))
    with pytest.raises(ConfigError):
        OverHttp("http://gateway.example/v1", "handbook", api_key="k")
    with pytest.raises(ConfigError):
        OverHttp("file:///v1", "handbook", api_key="k")


def test_a_redirect_is_not_followed() -> None:
    seen: list[str] = []

    class Elsewhere(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            seen.append(self.path)
            self.send_response(307)
            self.send_header("location", "/other")
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *given: Any) -> None:
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Elsewhere)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        source = OverHttp(f"http://127.0.0.1:{server.server_port}/v1", "a/b", api_key="k")
        with pytest.raises(UpstreamError, match="307"):
            source.find(ASKED)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert seen == ["/v1/vector_stores/a%2Fb/search"]
    with pytest.raises(UpstreamError):
        source.find(ASKED)
