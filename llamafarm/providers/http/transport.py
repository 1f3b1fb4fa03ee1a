"""httpx over aiohttp: all that is aiohttp's stays in here.

The package's transport (https://github.com/karpetrosyan/httpx-aiohttp) names a refused connection a time-out, has the
whole of a compressed piece in memory at once, knows one proxy, and hands on each piece through generators. `Transport`
is one that mends these four; what it is built on, the pool of connections, its limits and its time-outs, are aiohttp's.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import suppress
from functools import lru_cache, partial
from typing import Any, cast
from urllib.request import proxy_bypass

import aiohttp
import httpx
import yarl
from aiohttp.abc import AbstractStreamWriter
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection, SocketFactoryType
from aiohttp.http_exceptions import ContentEncodingError
from aiohttp.tracing import Trace
from httpx_aiohttp import AiohttpTransport

from llamafarm.core.addresses import is_loopback
from llamafarm.providers.http.body import EXTENSION, RECONNECTED
from llamafarm.providers.http.leaving import WRITES_AT_ONCE, begun

KNOWN = 256  # as many models as anybody asks at one time
CONNECTIONS = 1000  # aiohttp's own limit is 100: the 101st lane would wait
IDLE_S = 4.0  # uvicorn (vLLM), Node and llama.cpp's server close an idle connection after 5 s: this must come first
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
    `sockets`, where given, makes the socket for each address that is tried.
    """

    def __init__(
        self, tls: ssl.SSLContext, proxies: Mapping[str, str], sockets: SocketFactoryType | None = None
    ) -> None:
        super().__init__(verify=tls)
        self._proxies = proxies
        self._session = self.client = aiohttp.ClientSession(
            connector=_Connector(limit=CONNECTIONS, keepalive_timeout=IDLE_S, ssl=tls, socket_factory=sockets),
            request_class=_Request,
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The response, once its headers have come. See `httpx.AsyncBaseTransport`."""
        try:
            url = _address(str(request.url))
        except ValueError as error:
            raise httpx.UnsupportedProtocol("No address that can be called.") from error
        once_more = _OnceMore()
        try:
            response = await self._session.request(
                request.method,
                url,
                data=await request.aread() or None,
                headers=[(name.decode(), value.decode()) for name, value in request.headers.raw],
                allow_redirects=False,
                timeout=_limits(*map(request.extensions.get("timeout", {}).get, ("pool", "connect", "read"))),
                proxy=self._proxy(request.url) if self._proxies else None,
                middlewares=(once_more,),
            )
        except (aiohttp.ClientError, ValueError) as error:
            raise _unanswered(error) from error
        body = _Body(response)
        headers = response.raw_headers
        if "content-encoding" in response.headers:
            headers = tuple(header for header in headers if header[0].lower() not in DECODED)
        extensions = {
            "http_version": b"HTTP/1.1",
            "reason_phrase": (response.reason or "").encode(),
            EXTENSION: body,
            RECONNECTED: once_more.lost_s,
        }
        return _Response(response.status, headers=headers, stream=body, request=request, extensions=extensions)

    def _proxy(self, url: httpx.URL) -> str | None:
        return None if is_loopback(url.host) or proxy_bypass(url.host) else self._proxies.get(url.scheme)


class _Line(ResponseHandler):
    """One connection: how many requests it has carried, and whether anything came since the newest began."""

    carried = 0
    heard = False

    def begin(self) -> None:
        self.carried += 1
        self.heard = False

    def data_received(self, data: bytes) -> None:
        self.heard = True
        super().data_received(data)

    def resume_reading(self, resume_parser: bool = True) -> None:  # noqa: FBT001, FBT002 - the signature is aiohttp's
        """Go on where reading was paused; aiohttp asks for it with each piece that is taken, paused or not."""
        if self._reading_paused:
            super().resume_reading(resume_parser)

    @property
    def was_closed(self) -> bool:
        """Whether it was kept from an earlier request, and nothing of an answer to the newest came."""
        return self.carried > 1 and not self.heard


class _Request(aiohttp.ClientRequest):
    """Knows its connection, and begins to write its body where it is sent, not in a task that is yet to run."""

    line: _Line | None = None
    anew = False

    async def send(self, conn: Connection) -> aiohttp.ClientResponse:
        if isinstance(conn.protocol, _Line):
            self.line = conn.protocol
            self.line.begin()
        return await super().send(conn)

    def write_bytes(
        self, writer: AbstractStreamWriter, conn: Connection, content_length: int | None = None
    ) -> Coroutine[Any, Any, None]:
        """What is left to write, for aiohttp's task: most often nothing."""
        work = super().write_bytes(writer, conn, content_length)
        return work if WRITES_AT_ONCE else begun(work)


class _Connector(aiohttp.TCPConnector):
    """Makes a new connection where a request asks for one, and lets go of all idle ones to its server with that."""

    def __init__(
        self,
        *,
        limit: int,
        keepalive_timeout: float,
        ssl: ssl.SSLContext,
        socket_factory: SocketFactoryType | None = None,
    ) -> None:
        super().__init__(limit=limit, keepalive_timeout=keepalive_timeout, ssl=ssl, socket_factory=socket_factory)
        self._factory = cast("partial[ResponseHandler]", partial(_Line, loop=self._loop))

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - the signature is aiohttp's
    ) -> Connection:
        if isinstance(req, _Request) and req.anew:
            for line, _ in self._conns.pop(req.connection_key, ()):
                line.close()
        return await super().connect(req, traces, timeout)


class _OnceMore:
    """Sends a request again, once and on a new connection, where a kept one closes before anything of the answer.

    That says nothing about the server: it may close an idle connection at any time, and llama.cpp's closes behind each
    streamed answer though it says that it won't (RFC 9112, section 9.3.1, on retrying requests). A request that could
    have been carried out is sent again too: to ask a model twice does no harm.

    `lost_s`: seconds that went to the first connection, None where there was no need for another.
    """

    def __init__(self) -> None:
        self.lost_s: float | None = None

    async def __call__(self, request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        began = time.perf_counter()
        try:
            return await send(request)
        except (aiohttp.ClientConnectionError, OSError) as error:
            if not isinstance(request, _Request) or not _is_stale(request, error):
                raise _unanswered(error) from error  # aiohttp itself would ask for a list again, whatever happened
            with suppress(aiohttp.ClientError, OSError):
                await request.close()  # what was left to write
            request.anew = True
            self.lost_s = time.perf_counter() - began
        try:
            return await send(request)
        except (aiohttp.ClientConnectionError, OSError) as error:
            raise _unanswered(error) from error


def _is_stale(request: _Request, error: Exception) -> bool:
    late = isinstance(error, TimeoutError)
    return request.line is not None and request.line.was_closed and not late


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
        return self._content.is_eof()  # where the writer has not been told yet, the connection is free a moment later

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
        """Waits for nothing, so that one who is cancelled has closed the connection; one that is free stays."""
        if not self.ended:
            self._response.close()


@lru_cache(KNOWN)
def _address(url: str) -> yarl.URL:
    """`url` as it stands: yarl itself would write some of it anew. Raises ValueError."""
    address = yarl.URL(url, encoded=True)
    _ = address.port  # only now is it looked at
    return address


@lru_cache(KNOWN)
def _limits(pool: float | None, connect: float | None, read: float | None) -> aiohttp.ClientTimeout:
    """httpx's time-outs as aiohttp has them."""
    return aiohttp.ClientTimeout(connect=pool, sock_connect=connect, sock_read=read)


def _unanswered(error: Exception) -> httpx.TransportError:
    kind, words = next((kind, words) for known, kind, words in UNANSWERED if isinstance(error, known))
    return kind(words)


def _read_error(error: aiohttp.ClientError) -> httpx.RequestError:
    if isinstance(error.__cause__, ContentEncodingError):
        return httpx.DecodingError("Bytes that can't be decompressed.")
    if isinstance(error, aiohttp.SocketTimeoutError):
        return httpx.ReadTimeout("Nothing came for too long.")
    return httpx.ReadError("The connection was cut in mid-answer.")
