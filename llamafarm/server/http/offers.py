"""HTTP/1.1 and 1.0 as clients speak it: offers of another protocol are passed over, and 1.0 gets no chunks."""

from __future__ import annotations

import re
from typing import Any, cast

import httptools
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from llamafarm.access.asgi import App, Message, Receive, Scope, Send

OFFER = (b"upgrade", b"http2-settings")  # RFC 7540, 3.2
_ABSOLUTE = re.compile(rb"[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*")


class PlainProtocol(HttpToolsProtocol):
    """Answers a request that offers an upgrade (h2c, as Java's client does) as if it offered none: RFC 9110, 7.8.

    httptools stops behind the head of such a request, and uvicorn drops what follows, which is its body. So the head is
    parsed once more, without the offer. A websocket is uvicorn's, as ever.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._offered = False

    def data_received(self, data: bytes) -> None:
        """Feed the parser."""
        try:
            self._unset_keepalive_if_required()
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as offer:
            if self._offered:
                self._again(data[offer.args[0] :])
            elif self._should_upgrade():
                self.handle_websocket_upgrade()
        except httptools.HttpParserError:
            self.send_400_response("Invalid HTTP request received.")

    def on_headers_complete(self) -> None:
        """The head is here: it is the request's, unless it offers something."""
        upgrades, method = self.parser.should_upgrade(), self.parser.get_method()
        self._offered = upgrades and method != b"CONNECT" and not self._should_upgrade()
        if self._offered:
            return
        if found := _ABSOLUTE.match(self.url):  # RFC 9112, 3.2.2: as a proxy is asked
            path = self.url[found.end() :]
            self.url = path if path.startswith(b"/") else b"/" + path
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The request is whole."""
        if not self._offered:
            super().on_message_complete()

    def _again(self, rest: bytes) -> None:
        """Parse the head anew, without what it offers, and then `rest`."""
        lines = [self.parser.get_method() + b" " + self.url + b" HTTP/" + self.parser.get_http_version().encode()]
        for name, value in self.headers:
            if name == b"connection":
                kept = [word for word in value.split(b",") if word.strip().lower() not in OFFER]
                lines.append(name + b": " + b",".join(kept))
            elif name not in OFFER:
                lines.append(name + b": " + value)
        self.parser = httptools.HttpRequestParser(self)
        self.data_received(b"\r\n".join([*lines, b"", b""]))
        if rest and not self.transport.is_closing():
            self.data_received(rest)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        old = cycle.scope["http_version"] == "1.0"
        super()._start_asgi_task(cycle, cast("ASGI3Application", _Unchunked(cycle, app)) if old else app)


class _Unchunked:
    """Wraps the application for HTTP/1.0, which knows no chunks: the end of the connection is that of the body."""

    def __init__(self, cycle: RequestResponseCycle, app: App) -> None:
        self._cycle = cycle
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; each piece of an answer of unknown length is just written."""
        counted = True

        async def written(message: Message) -> None:
            nonlocal counted
            if message["type"] == "http.response.start":
                counted = any(name.lower() == b"content-length" for name, _ in message.get("headers", []))
                if not counted:
                    self._cycle.chunked_encoding = False
            elif not counted:
                self._cycle.expected_content_length = len(message.get("body", b""))
            await send(message)

        await self._app(scope, receive, written)
