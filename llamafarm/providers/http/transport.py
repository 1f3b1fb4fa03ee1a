"""httpx over aiohttp: all that is aiohttp's stays in here.

The package's transport (https://github.com/karpetrosyan/httpx-aiohttp) names a refused connection a time-out, has the
whole of a compressed piece in memory at once, knows one proxy, and hands on each piece through generators. `Transport`
is one that mends these four; what it is built on, the pool of connections, its limits and its time-outs, are aiohttp's.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Coroutine, Mapping
from typing import Any
from urllib.request import proxy_bypass

import aiohttp
import httpx
from aiohttp.abc import AbstractStreamWriter
from aiohttp.connector import Connection
from aiohttp.http_exceptions import ContentEncodingError
from httpx_aiohttp import AiohttpTransport

from llamafarm.providers.http.body import EXTENSION
from llamafarm.providers.http.leaving import WRITES_AT_ONCE, begun

CONNECTIONS = 1000  # aiohttp's own limit is 100: the 101st lane would wait
IDLE_S = 4.0  # uvicorn (vLLM), Node and llama.cpp's server close an idle connection after 5 s: this must come first
LOCAL = ("localhost", "127.0.0.1", "::1")
DECODED = (b"content-encoding", b"content-length")  # true of the bytes that came, not of those that are handed on

UNANSWERED: tuple[tuple[type[Exception], type[httpx.TransportError], str], ...] = (  # the first that fits
    (aiohttp.SocketTimeoutError, httpx.ReadTimeout, "Nothing came for too long."),
    (aiohttp.ServerTimeoutError, httpx.ConnectTimeout, "No connection in time."),
    (aiohttp.ClientProxyConnectionError, httpx.ProxyError, "No connection to the proxy."),
    (aiohttp.ClientHttpProxyError, httpx.ProxyError, "The proxy refuses."),
    (aiohttp.ClientConnectorError, httpx.ConnectError, "No connection."),
    (aiohttp.ClientConnectionError, httpx.ReadError, "The connection was closed before an answer came."),
    (aiohttp.InvalidURL, httpx.UnsupportedProtocol, "No address that can be called."),
    (aiohttp.NonHttpUrlClientError, httpx.UnsupportedProtocol, "No address of HTTP."),
    (aiohttp.ClientResponseError, httpx.RemoteProtocolError, "What came is not HTTP."),
    (ValueError, httpx.LocalProtocolError, "A header holds what HTTP can't carry."),
    (Exception, httpx.ReadError, "No answer came."),
)


class Transport(AiohttpTransport):
    """Sends httpx's requests through aiohttp, on connections that are kept; `proxies` are addresses by scheme.

    It raises httpx's exceptions, each from the one of the standard library that tells why, and decompresses as it
    reads. Proxies are never taken for this machine. Cookies are not kept: all who use the process share its client.
    """

    def __init__(self, tls: ssl.SSLContext, proxies: Mapping[str, str]) -> None:
        super().__init__(verify=tls)
        self._proxies = proxies
        self._session = self.client = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=CONNECTIONS, keepalive_timeout=IDLE_S, ssl=tls),
            request_class=Request,
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The response, once its headers have come. See `httpx.AsyncBaseTransport`."""
        limits = request.extensions.get("timeout", {})
        try:
            response = await self._session.request(
                request.method,
                str(request.url),
                data=await request.aread() or None,
                headers=[(name.decode(), value.decode()) for name, value in request.headers.raw],
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(
                    connect=limits.get("pool"), sock_connect=limits.get("connect"), sock_read=limits.get("read")
                ),
                proxy=self._proxy(request.url) if self._proxies else None,
            )
        except (aiohttp.ClientError, ValueError) as error:
            raise _unanswered(error) from error
        body = _Body(response)
        headers = response.raw_headers
        if "content-encoding" in response.headers:
            headers = tuple(header for header in headers if header[0].lower() not in DECODED)
        extensions = {"http_version": b"HTTP/1.1", "reason_phrase": (response.reason or "").encode(), EXTENSION: body}
        return _Response(response.status, headers=headers, stream=body, request=request, extensions=extensions)

    def _proxy(self, url: httpx.URL) -> str | None:
        return None if url.host in LOCAL or proxy_bypass(url.host) else self._proxies.get(url.scheme)


class Request(aiohttp.ClientRequest):
    """Begins to write its body where it is sent, and not in a task that is yet to run."""

    def write_bytes(
        self, writer: AbstractStreamWriter, conn: Connection, content_length: int | None = None
    ) -> Coroutine[Any, Any, None]:
        """What is left to write, for aiohttp's task: most often nothing."""
        work = super().write_bytes(writer, conn, content_length)
        return work if WRITES_AT_ONCE else begun(work)


class _Response(httpx.Response):
    """A response whose redirect nobody follows, so that httpx need not prepare it."""

    @property
    def has_redirect_location(self) -> bool:
        return False


class _Body(httpx.AsyncByteStream):
    """The body of an aiohttp response; see `Body`."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self._content = response.content

    @property
    def ended(self) -> bool:
        return self._response.connection is None

    async def read(self) -> bytes:
        try:
            return await self._content.readany()
        except aiohttp.ClientError as error:
            raise _read_error(error) from error

    def close(self) -> None:
        self._response.close()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while data := await self.read():
            yield data

    async def aclose(self) -> None:
        """Waits for nothing, so that one who is cancelled has closed the connection."""
        self._response.close()


def _unanswered(error: Exception) -> httpx.TransportError:
    kind, words = next((kind, words) for known, kind, words in UNANSWERED if isinstance(error, known))
    return kind(words)


def _read_error(error: aiohttp.ClientError) -> httpx.RequestError:
    if isinstance(error.__cause__, ContentEncodingError):
        return httpx.DecodingError("Bytes that can't be decompressed.")
    if isinstance(error, aiohttp.SocketTimeoutError):
        return httpx.ReadTimeout("Nothing came for too long.")
    return httpx.ReadError("The connection was cut in mid-answer.")
