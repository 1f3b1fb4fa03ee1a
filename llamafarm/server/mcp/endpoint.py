"""The address at which MCP clients connect: an ASGI application that is opened with its first request."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import TYPE_CHECKING, Self

from starlette.types import Receive, Scope, Send

from llamafarm.runtime import Runtime

if TYPE_CHECKING:
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager


class McpEndpoint:
    """Streamable HTTP for MCP clients, at whatever path it is mounted; guards and keys are for who mounts it.

    An async context manager around the server's life. The package is imported, in a thread, when the first client
    comes; its sessions belong to one task, which opens and closes them.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._stop = asyncio.Event()
        self._ready: asyncio.Future[StreamableHTTPSessionManager] | None = None
        self._owner: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        if self._owner is not None:
            await asyncio.gather(self._owner, return_exceptions=True)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if self._ready is None:
            self._ready = asyncio.get_running_loop().create_future()
            self._owner = asyncio.create_task(self._own(self._ready), name="mcp endpoint")
        sessions = await asyncio.shield(self._ready)
        await sessions.asgi_app(scope, receive, send)

    async def _own(self, ready: asyncio.Future[StreamableHTTPSessionManager]) -> None:
        try:
            sessions = await asyncio.to_thread(_sessions, self._runtime)
            async with sessions.run():
                ready.set_result(sessions)
                await self._stop.wait()
        finally:
            ready.cancel()  # nothing, once it is there


def _sessions(runtime: Runtime) -> StreamableHTTPSessionManager:
    from llamafarm.server.mcp.protocol import sessions  # noqa: PLC0415 - half a second to import

    return sessions(runtime)
