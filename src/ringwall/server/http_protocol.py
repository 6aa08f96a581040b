"""uvicorn's HTTP protocol with a bound on the header block, which its parser does not have, and with the
client's certificate, which uvicorn keeps to itself."""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEADERS = 100
CLIENT_CERTIFICATE = "ringwall.client_certificate"
"""Key among the ``extensions`` of an ASGI scope: the certificate (DER) that TLS has verified."""
_TEXT = b"The request line or the headers are too large.\n"
_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: text/plain\r\n"
    b"content-length: %d\r\nconnection: close\r\n\r\n" % len(_TEXT)
) + _TEXT


class BoundedProtocol(HttpToolsProtocol):
    """Answers 431 and closes the connection when request line and headers exceed their bounds."""

    max_header_bytes = 16 * 1024
    """``interface.limits.header_bytes``."""
    _refused = False
    _in_headers = False
    _unfinished = 0
    _ended = False
    """Whether the piece at hand holds the end of an earlier request: its length is then not the header's."""

    _certificate = b""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        tls = transport.get_extra_info("ssl_object")
        # Without a verified chain `getpeercert` gives nothing: the context asks for one, or for none at all.
        self._certificate = (tls.getpeercert(binary_form=True) or b"") if tls is not None else b""

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        self._ended = False
        super().data_received(data)
        if self._in_headers and not self._refused:
            self._unfinished += 0 if self._ended else len(data)
            if self._unfinished > self.max_header_bytes:
                self._refuse()

    def on_message_begin(self) -> None:
        self._in_headers = True
        self._unfinished = 0
        super().on_message_begin()
        if self._certificate:
            self.scope["extensions"] = {CLIENT_CERTIFICATE: self._certificate}  # type: ignore[dict-item]

    def on_header(self, name: bytes, value: bytes) -> None:
        """Trailers of a chunked body come here as well: they count as headers."""
        if self._refused:
            return
        if len(self.headers) >= MAX_HEADERS:
            self._refuse()
        else:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_headers = False
        if self._refused:
            return
        size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if size > self.max_header_bytes:
            self._refuse()
        else:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        if not self._refused:
            super().on_body(body)

    def on_message_complete(self) -> None:
        if not self._refused:
            self._ended = True
            super().on_message_complete()

    def _refuse(self) -> None:
        self._refused = True
        self.transport.write(_TOO_LARGE)
        self.transport.close()


def bounded(header_bytes: int) -> type[BoundedProtocol]:
    """The protocol with this bound."""
    return type("BoundedProtocol", (BoundedProtocol,), {"max_header_bytes": header_bytes})
