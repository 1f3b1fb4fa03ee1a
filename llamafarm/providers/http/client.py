"""The one HTTP client of the process."""

from __future__ import annotations

import os
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import lru_cache, partial
from urllib.request import getproxies

import certifi
import httpx

from llamafarm import __version__
from llamafarm.providers.http.body import EXTENSION
from llamafarm.providers.http.endings import Endings
from llamafarm.providers.http.outside import outside_socket
from llamafarm.providers.http.transport import KNOWN, Transport

RawHeaders = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Client:
    """Sends requests to model servers, through httpx.

    `outside` connects to the internet at large alone, for those who may not reach what is near. `endings` takes answers
    to their end, for the next request on the same connection. Redirects are not followed: a
    key must not travel to an address that nobody wrote down. Of httpx no more is asked than a request needs: with a
    hundred lanes the time of each would make the others late. So addresses and headers are read once (`heads`).
    `refused` are fields that we add to requests and that the server at an address does not take.
    `toolless` tells of addresses and models whether tools are left out of the prompt there, once that was asked.
    """

    http: httpx.AsyncClient
    outside: httpx.AsyncClient
    endings: Endings
    heads: Callable[[str, tuple[tuple[str, str], ...]], tuple[httpx.URL, RawHeaders]]
    refused: dict[str, frozenset[str]] = field(default_factory=dict)
    toolless: dict[tuple[str, str], bool] = field(default_factory=dict)

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        content: bytes | None = None,
        connect_s: float | None = None,
        outside: bool = False,
    ) -> httpx.Response:
        """The response, once its headers have come; to be closed. Raises httpx's RequestError and InvalidURL."""
        address, known = self.heads(url, tuple(headers.items()))
        sized = [] if content is None else [(b"Content-Length", str(len(content)).encode())]
        request = httpx.Request(
            method,
            address,
            headers=[*known, *sized],
            stream=httpx.ByteStream(content or b""),  # with `content`, httpx would build the headers three times
            extensions={"timeout": {"connect": connect_s}},
        )
        response = await (self.outside if outside else self.http).send(request, stream=True)
        if isinstance(stream := response.extensions.get(EXTENSION), httpx.AsyncByteStream):
            response.stream = stream  # httpx's own holds the response, which then waits for a garbage collection
        return response


def _head(always: httpx.Headers, url: str, given: tuple[tuple[str, str], ...]) -> tuple[httpx.URL, RawHeaders]:
    """The address, and all headers but the body's length. Raises httpx's InvalidURL."""
    address = httpx.URL(url)
    headers = httpx.Headers([(b"Host", address.netloc), *always.raw])
    headers.update(httpx.Headers([(name.encode(), value.encode()) for name, value in given]))
    return address, headers.raw


@asynccontextmanager
async def open_client(transport: httpx.AsyncBaseTransport | None = None) -> AsyncIterator[Client]:
    """A client with the proxies and certificates that the environment names, or over a `transport` of one's own."""
    if transport is None:
        tls = _tls()  # once for both: Mozilla's list takes some 20 ms to read
        near: httpx.AsyncBaseTransport = Transport(tls, getproxies())
        far: httpx.AsyncBaseTransport = Transport(tls, {}, outside_socket)  # a proxy would look names up by itself
    else:
        near = far = transport
    http, outside = _Http(near), _Http(far)
    async with http, outside, Endings() as endings:
        yield Client(http, outside, endings, lru_cache(KNOWN)(partial(_head, http.headers)))


class _Http(httpx.AsyncClient):
    """Has no cookies: all who use the process share its client, and to look for some takes as long as to send."""

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        agent = f"llamafarm-playground/{__version__}"
        super().__init__(transport=transport, headers={"User-Agent": agent}, timeout=None, trust_env=False)
        self._none = _NoCookies()
        del self.headers["Connection"]  # HTTP/1.1 keeps connections; who wants another thing says so

    @property
    def cookies(self) -> httpx.Cookies:
        return self._none

    @cookies.setter
    def cookies(self, _: object) -> None:
        raise TypeError("This client keeps no cookies.")


class _NoCookies(httpx.Cookies):
    def extract_cookies(self, response: httpx.Response) -> None:
        pass


def _tls() -> ssl.SSLContext:
    """Trusts SSL_CERT_FILE and SSL_CERT_DIR where they are set, else Mozilla's list: slim systems have none."""
    file, folder = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    return ssl.create_default_context(cafile=file if file or folder else certifi.where(), capath=folder)
