"""One session with one MCP server, owned from open to close by one task.

The package's contexts must be closed by the task that opened them, so that task opens them, waits, and closes them;
all others only call. A server that goes away cancels that task alone.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

from mcp import Client, MCPError
from mcp.client.session import IncomingMessage
from mcp.client.subscriptions import SubscriptionLost
from mcp.types import CONNECTION_CLOSED, Implementation, ToolListChangedNotification
from mcp.types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import ValidationError

from llamafarm import __version__
from llamafarm.config.model import McpServer
from llamafarm.config.secrets.known import server_scrubber
from llamafarm.core.errors import ToolServerFailed
from llamafarm.core.types import JsonValue, Tool
from llamafarm.tools.base import ToolResult
from llamafarm.tools.faults import form, hidden, lost, start_failure
from llamafarm.tools.results import result_of, scrubbed, tool_of
from llamafarm.tools.transports import Line, connected

MAX_PAGES = 50
LISTEN_AGAIN_S = (1.0, 60.0)  # the first and the longest pause before a lost subscription is opened again
SESSION_GONE = "Session terminated"  # the package's words for a session that its HTTP server no longer knows

# A library's loggers print what nobody handles; what matters of it reaches people as an error of the call.
for _name in ("mcp", "client"):
    logging.getLogger(_name).addHandler(logging.NullHandler())


class Session:
    """A session that is open, or was: `alive` tells. `open` once, `close` once."""

    def __init__(self, server: McpServer) -> None:
        self._server = server
        self._scrubber = server_scrubber(server)
        self._line = Line(ended=self._end)
        self._client: Client | None = None
        self._tools: tuple[Tool, ...] = ()
        self._error: BaseException | None = None
        self._over = False
        self._stale = False
        self._wake = asyncio.Event()
        self._fresh = asyncio.Event()
        self._ready = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def alive(self) -> bool:
        """Whether calls can be made."""
        return self._client is not None and not self._over

    async def open(self) -> None:
        """Start the server, or connect to it. Raises ToolServerFailed."""
        self._task = asyncio.create_task(self._own(), name=f"mcp {self._server.name}")
        try:
            await self._ready.wait()
        except asyncio.CancelledError:
            await self.close()
            raise
        if not self.alive:
            await self.close()
            await self._line.words.all_read()
            raise start_failure(self._server, self._line, self._error or ConnectionError("it ended"))

    async def close(self) -> None:
        """End the session; a stdio server's process and all that it started are gone afterwards."""
        task, self._task = self._task, None
        if task is not None:
            self._end()
            if not self._ready.is_set():
                task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def tools(self) -> tuple[Tool, ...]:
        """The server's tools, as it last listed them; waits where it has just told of a change."""
        await self._fresh.wait()
        return self._tools

    async def call(self, name: str, arguments: Mapping[str, JsonValue]) -> ToolResult:
        """The result of one call, without the server's own secrets; what goes wrong with the call is a result too.

        Raises ToolServerFailed where the server is lost.
        """
        result = await self._called(name, arguments)
        return replace(result, text=self._scrubber.clean(result.text))

    async def _called(self, name: str, arguments: Mapping[str, JsonValue]) -> ToolResult:
        if self._client is None or self._over:
            raise ToolServerFailed(f"The MCP server {self._server.name} is not running.", unsent=True)
        bound, heard = self._server.timeout.call, self._line.words.written
        try:
            async with asyncio.timeout(bound):
                return result_of(await self._client.call_tool(name, dict(arguments)))
        except TimeoutError:
            return ToolResult(f"The tool {name} gave no answer within {bound:g} s and was given up.", is_error=True)
        except MCPError as error:
            if error.message == SESSION_GONE:
                self._end()
                raise ToolServerFailed(f"{self._server.name} has forgotten the session.", unsent=True) from None
            if error.code == CONNECTION_CLOSED and not self.alive:
                await self._closed()
                raise lost(self._server, self._line, self._error, heard) from None
            return ToolResult(f"The tool {name} failed: {hidden(self._server, error.message)}", is_error=True)
        except ValidationError as error:
            return ToolResult(f"The tool {name} answered in a form that is not MCP's: {form(error)}.", is_error=True)
        except RuntimeError as error:  # the package's check of structured content against the tool's own schema
            first = str(error).partition("\n")[0]
            return ToolResult(f"The tool {name} answered in a form that it does not declare: {first}", is_error=True)

    async def _own(self) -> None:
        try:
            async with (
                asyncio.timeout(self._server.timeout.connect) as bound,
                Client(
                    connected(self._server, self._line),
                    message_handler=self._told,
                    client_info=Implementation(name="llamafarm-playground", version=__version__),
                ) as client,
            ):
                await self._list(client)
                bound.reschedule(None)
                self._client = client
                self._ready.set()
                await self._live(client)
        except Exception as error:  # whatever it is, it ends this session and nothing else
            self._error = error
        finally:
            self._client = None
            self._over = True
            self._fresh.set()
            self._ready.set()

    async def _live(self, client: Client) -> None:
        """Keep the list of tools fresh until the session is over."""
        listener = asyncio.create_task(self._listen(client), name=f"mcp {self._server.name} changes")
        try:
            while not self._over:
                if self._stale:
                    self._stale = False
                    with suppress(MCPError, ValidationError, TimeoutError):  # the old list stays
                        async with asyncio.timeout(self._server.timeout.call):
                            await self._list(client)
                if not self._stale:
                    self._fresh.set()
                    await self._wake.wait()
                    self._wake.clear()
        finally:
            listener.cancel()
            await asyncio.gather(listener, return_exceptions=True)

    async def _list(self, client: Client) -> None:
        tools: dict[str, Tool] = {}
        cursor: str | None = None
        if client.server_capabilities.tools is not None:
            for _ in range(MAX_PAGES):
                page = await client.list_tools(cursor=cursor, cache_mode="refresh")
                tools |= {each.name: scrubbed(tool_of(self._server.name, each), self._scrubber) for each in page.tools}
                cursor = page.next_cursor
                if cursor is None:
                    break
        self._tools = tuple(tools.values())

    async def _told(self, message: IncomingMessage) -> None:
        """Servers of 2025 tell of a change with a notification."""
        if isinstance(message, ToolListChangedNotification):
            self._relist()

    async def _listen(self, client: Client) -> None:
        """Servers of 2026 tell of a change on a subscription."""
        able = client.server_capabilities.tools
        pause, longest = LISTEN_AGAIN_S
        while able and able.list_changed and client.protocol_version in MODERN_PROTOCOL_VERSIONS:
            try:
                async with client.listen(tools_list_changed=True) as changes:
                    async for _ in changes:
                        self._relist()
            except SubscriptionLost:
                self._relist()
            except (MCPError, TimeoutError):
                return
            await asyncio.sleep(pause)
            pause = min(2 * pause, longest)

    def _relist(self) -> None:
        self._stale = True
        self._fresh.clear()
        self._wake.set()

    def _end(self) -> None:
        """The server's side has ended."""
        self._over = True
        self._wake.set()

    async def _closed(self) -> None:
        if self._task is not None:
            await asyncio.wait((self._task,))
        await self._line.words.all_read()
