"""The whole application on a real port, in a thread with a loop of its own."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from llamafarm.mcpserver import McpEndpoint
from llamafarm.runtime import open_runtime
from llamafarm.server import build_app
from llamafarm.settings import ServerSettings


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
def serving(configs: list[Path], settings: ServerSettings | None = None) -> Iterator[str]:
    """The address of a real server with these projects."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        stop, ready = threading.Event(), threading.Event()

        async def run() -> None:
            async with open_runtime(configs) as runtime, McpEndpoint(runtime) as mcp:
                app = build_app(runtime, settings or ServerSettings(port=sock.getsockname()[1]), mcp)
                config = uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1)
                server = Announcing(config, ready)
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
