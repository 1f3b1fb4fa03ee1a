"""The whole application on a real port, in a thread with a loop of its own."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import uvicorn
from pydantic import SecretStr

from llamafarm.access.operator import link
from llamafarm.access.settings import ServerSettings
from llamafarm.runtime import open_runtime
from llamafarm.server import build_app, http_config
from llamafarm.server.mcp import McpEndpoint

TOKEN = "the-token-of-the-operators-link"  # noqa: S105 - made up


def link_to(url: str) -> str:
    """The operator's link to a server of these tests, where `url` is one of its page."""
    parts = urlsplit(url)
    return link(f"{parts.scheme}://{parts.netloc}", TOKEN) + (f"&{parts.query}" if parts.query else "")


class Announcing(uvicorn.Server):
    """A server that says when it listens."""

    def __init__(self, config: uvicorn.Config, ready: threading.Event | asyncio.Event) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn's, and then the word is given."""
        await super().startup(sockets)
        self._ready.set()


@contextmanager
def listening_socket() -> Iterator[socket.socket]:
    """A free port of this machine."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        yield sock


@contextmanager
def serving(configs: list[Path], settings: ServerSettings | None = None) -> Iterator[str]:
    """The address of a real server with these projects."""
    with listening_socket() as sock:
        stop, ready = threading.Event(), threading.Event()

        async def run() -> None:
            own = settings or ServerSettings(port=sock.getsockname()[1])
            opening = open_runtime(configs, generations=own.generations)
            async with opening as runtime, McpEndpoint(runtime) as mcp:
                app = build_app(runtime, replace(own, operator_token=SecretStr(TOKEN)), mcp)
                server = Announcing(http_config(app, log_level="error"), ready)
                task = asyncio.create_task(server.serve(sockets=[sock]))
                await asyncio.to_thread(stop.wait)
                server.should_exit = True
                await task

        thread = threading.Thread(target=lambda: asyncio.run(run()), daemon=True)
        thread.start()
        try:
            assert ready.wait(60)
            yield f"http://127.0.0.1:{sock.getsockname()[1]}"
        finally:
            stop.set()
            thread.join(20)
        assert not thread.is_alive()
