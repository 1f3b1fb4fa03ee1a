"""The one HTTP client of the process."""

from __future__ import annotations

import os
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
import certifi

from llamafarm.providers.http.endings import Endings
from llamafarm.providers.http.leaving import Request

CONNECTIONS = 1000  # aiohttp's own limit is 100: the 101st lane would wait
IDLE_S = 4.0  # uvicorn (vLLM), Node and llama.cpp's server close an idle connection after 5 s: this must come first
LOCAL = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Client:
    """Sends requests to model servers, on connections that are kept; `proxies` are addresses by scheme.

    `endings` takes answers to their end, for the next request on the same connection.

    aiohttp without a layer over it: with a hundred lanes the layer's time for each request would make the lanes
    late. Redirects are not followed: a key must not travel to an address that nobody wrote down. Cookies are not
    kept: all who use the process share its client. Proxies are never taken for this machine.
    """

    session: aiohttp.ClientSession
    proxies: Mapping[str, str]
    endings: Endings

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        content: bytes | None = None,
        connect_s: float | None = None,
    ) -> aiohttp.ClientResponse:
        """The response, once its headers have come; to be closed. Raises aiohttp's ClientError."""
        return await self.session.request(
            method,
            url,
            data=content,
            headers=headers,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=connect_s),
            proxy=self._proxy(url) if self.proxies else None,
        )

    def _proxy(self, url: str) -> str | None:
        address = urlsplit(url)
        host = address.hostname or ""
        return None if host in LOCAL or proxy_bypass(host) else self.proxies.get(address.scheme)


@asynccontextmanager
async def open_client() -> AsyncIterator[Client]:
    """A client with the proxies and certificates that the environment names."""
    connector = aiohttp.TCPConnector(limit=CONNECTIONS, keepalive_timeout=IDLE_S, ssl=_tls())
    session = aiohttp.ClientSession(
        connector=connector,
        request_class=Request,
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": f"llamafarm-playground/{version('llamafarm-playground')}"},
    )
    async with session, Endings() as endings:
        yield Client(session, getproxies(), endings)


def _tls() -> ssl.SSLContext:
    """Trusts SSL_CERT_FILE and SSL_CERT_DIR where they are set, else Mozilla's list: slim systems have none."""
    file, folder = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    return ssl.create_default_context(cafile=file if file or folder else certifi.where(), capath=folder)
