"""Supervises one MCP server: starts it on first use, shares it, and restarts it after a crash."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from llamafarm.config.model import McpServer
from llamafarm.core.errors import ToolServerFailed
from llamafarm.core.types import JsonValue, Tool
from llamafarm.tools.base import ToolResult

if TYPE_CHECKING:
    from llamafarm.tools.session import Session


@dataclass(frozen=True, slots=True)
class Deadlines:
    """After a crash the server starts again, at most `restarts` times in `within_s` seconds.

    Before each a pause, `pause_s` at first and doubled each time. A start that failed is not tried anew for `pause_s`:
    those who come in the meantime hear of the same failure.
    """

    restarts: int = 3
    within_s: float = 60.0
    pause_s: float = 0.5


def _session_type() -> type[Session]:
    """The package takes half a second to import: only once a server is needed, and in a thread."""
    from llamafarm.tools.session import Session  # noqa: PLC0415

    return Session


def _hear(start: asyncio.Task[Session]) -> None:
    """Take note of a failure that nobody waits for any more."""
    if not start.cancelled():
        start.exception()


class Supervisor:
    """One server; `close` once at the end."""

    def __init__(self, server: McpServer, deadlines: Deadlines) -> None:
        self.server = server
        self.used_at = time.monotonic()
        self.busy = 0
        self._patience = deadlines
        self._session: Session | None = None
        self._starting: asyncio.Task[Session] | None = None
        self._failed: tuple[float, ToolServerFailed] | None = None
        self._crashes: list[float] = []

    @property
    def running(self) -> bool:
        """Whether there is a session that calls can be made on."""
        return self._session is not None and self._session.alive

    async def tools(self) -> tuple[Tool, ...]:
        """The server's tools. Raises ToolServerFailed."""
        with self._use():
            session = await self._open()
            return await session.tools()

    async def call(self, name: str, arguments: Mapping[str, JsonValue]) -> ToolResult:
        """The result of a call. Raises ToolServerFailed.

        It is made a second time only where the first certainly never arrived: calls may change things.
        """
        with self._use():
            try:
                return await (await self._open()).call(name, arguments)
            except ToolServerFailed as error:
                if not error.unsent or self.running:
                    raise
            return await (await self._open()).call(name, arguments)

    @contextmanager
    def _use(self) -> Iterator[None]:
        self.busy += 1
        try:
            yield
        finally:
            self.busy -= 1
            self.used_at = time.monotonic()

    async def close(self) -> None:
        """End the session, or the start of one."""
        starting, self._starting = self._starting, None
        if starting is not None:
            starting.cancel()
            await asyncio.gather(starting, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    async def _open(self) -> Session:
        if self._session is not None and self._session.alive:
            return self._session
        if self._starting is None or self._starting.done():
            if self._failed and time.monotonic() - self._failed[0] < self._patience.pause_s:
                raise self._failed[1].with_traceback(None)
            self._starting = asyncio.create_task(self._start(), name=f"mcp start {self.server.name}")
            self._starting.add_done_callback(_hear)
        return await asyncio.shield(self._starting)

    async def _start(self) -> Session:
        await self._after_crash()
        session: Session = (await asyncio.to_thread(_session_type))(self.server)
        try:
            await session.open()
        except ToolServerFailed as error:
            self._failed = (time.monotonic(), error)
            raise
        self._session, self._failed = session, None
        return session

    async def _after_crash(self) -> None:
        crashed, self._session = self._session, None
        if crashed is None:
            return
        await crashed.close()
        now, deadlines = time.monotonic(), self._patience
        self._crashes = [at for at in self._crashes if now - at < deadlines.within_s]
        if len(self._crashes) >= deadlines.restarts:
            self._session = crashed
            raise ToolServerFailed(
                f"The MCP server {self.server.name} was lost {len(self._crashes) + 1} times within "
                f"{deadlines.within_s:g} s and is not started again yet.",
                hint="Run its command by hand to see why.",
            )
        self._crashes.append(now)
        await asyncio.sleep(deadlines.pause_s * 2 ** (len(self._crashes) - 1))
