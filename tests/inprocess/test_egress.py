"""Tools that fetch: through the list, from every kind of function, on the ledger before anything leaves."""

import asyncio
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ringwall import Ringwall
from ringwall.boundaries.application.egress_outbound import EgressRefused

FILE = """\
workload: shop
applications:
  assistant: {{tools: [page, page_now]}}
interface:
  anonymous: true
  controls: {{interface.injection: {{tier: ngrams}}}}
application:
  egress: [{{host: 127.0.0.1, schemes: [http], ports: [{port}], path: /open, private: true}}]
  tools:
    page:
      description: A page.
      parameters: {{type: object, properties: {{path: {{type: string}}}}, required: [path]}}
      effect: read
    page_now:
      description: A page.
      parameters: {{type: object, properties: {{path: {{type: string}}}}, required: [path]}}
      effect: read
"""


class _Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.send_response(200)
        self.send_header("content-type", "text/plain")
        self.send_header("content-length", "6")
        self.end_headers()
        self.wfile.write(b"a lamp")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    made = ThreadingHTTPServer(("127.0.0.1", 0), _Page)
    made.asked = []
    thread = threading.Thread(target=made.serve_forever)
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


def test_tools_reach_what_is_listed(server, tmp_path):
    port = server.server_address[1]
    path = tmp_path / "ringwall.yaml"
    path.write_text(FILE.format(port=port), "utf-8")
    with Ringwall(path, data_dir=tmp_path / "data") as wall:

        @wall.guard_tool
        async def page(path: str, egress) -> str:
            return (await egress.fetch(f"http://127.0.0.1:{port}{path}")).text

        @wall.guard_tool
        def page_now(path: str, egress) -> str:
            return egress.fetch_now(f"http://127.0.0.1:{port}{path}").text

        with wall.session(wall.principal("casey")) as session:
            session.user("Look at /open/1, /open/2, /open/3, /secret and /open/../secret.")
            assert "a lamp" in page_now("/open/1")
            assert "a lamp" in asyncio.run(page("/open/2"))
            assert "a lamp" in asyncio.run(page("/open/3"))  # another loop
            for elsewhere in ("/secret", "/open/../secret"):
                with pytest.raises(EgressRefused):
                    page_now(elsewhere)
    assert server.asked == ["/open/1", "/open/2", "/open/3"]
