"""The one HTTP client of the process."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.request import getproxies

import httpx
from httpx_aiohttp import AiohttpTransport

# A number, never None: without one the transport falls back to 100 connections, and the 101st lane waits.
CONNECTIONS = 1000
LOCAL = ("localhost", "127.0.0.1", "[::1]")


@asynccontextmanager
async def open_client() -> AsyncIterator[httpx.AsyncClient]:
    """httpx over the aiohttp transport, which stays near raw asyncio with a hundred streams at once.

    Redirects are not followed: a key must not travel to an address that nobody wrote down. Proxies are
    those of the environment, and never for this machine.
    """
    limits = httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
    context = httpx.create_ssl_context()
    direct = AiohttpTransport(verify=context, limits=limits)
    proxied = {
        f"{scheme}://": AiohttpTransport(verify=context, limits=limits, proxy=httpx.Proxy(address))
        for scheme, address in getproxies().items()
        if scheme in ("http", "https")
    }
    spared = [host.strip() for host in os.environ.get("NO_PROXY", os.environ.get("no_proxy", "")).split(",")]
    mounts = proxied | {f"all://{host}": direct for host in (*LOCAL, *spared) if host}
    async with httpx.AsyncClient(transport=direct, mounts=mounts, follow_redirects=False) as client:
        yield client
