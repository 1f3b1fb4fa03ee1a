"""The MCP servers of a process, for all lanes: opened when first needed, shared, closed with the process."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Self

from llamafarm.config.model import McpServer, Project
from llamafarm.core.errors import ToolServerFailed
from llamafarm.core.types import JsonValue, Tool
from llamafarm.tools.base import Offer, ToolResult
from llamafarm.tools.names import call_names
from llamafarm.tools.supervisor import Deadlines, Supervisor

UNTRUSTED = "The file is not trusted, so its MCP servers are not started."
MAX_SERVERS = 24  # kept at once; beyond, the one that was not used for longest is closed


class McpServers:
    """An async context manager: leaving it closes every session, and no process is left behind.

    Two projects that name the same server with the same settings share it. For a project that is not trusted
    nothing is started and nothing is called.
    """

    def __init__(self, deadlines: Deadlines | None = None) -> None:
        self._patience = deadlines or Deadlines()
        self._keepers: dict[Hashable, Supervisor] = {}
        self._closing: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        keepers = list(self._keepers.values())
        self._keepers.clear()
        await asyncio.gather(*(supervisor.close() for supervisor in keepers), *self._closing, return_exceptions=True)

    async def offer(self, project: Project, servers: Sequence[str], taken: Collection[str] = ()) -> Offer:
        """The tools of the project's `servers`, which are started where they are not running, all at once.

        `taken` are names of other functions that the same model is told of. A server that fails is in `missing`, and
        the others' tools are there.
        """
        chosen = [server for server in project.mcp_servers if server.name in servers]
        if not project.trusted:
            return Offer(missing=dict.fromkeys(servers, UNTRUSTED))
        lists = await asyncio.gather(*(self._keeper(server).tools() for server in chosen), return_exceptions=True)
        found: list[Tool] = []
        missing: dict[str, str] = {}
        for server, listed in zip(chosen, lists, strict=True):
            match listed:
                case ToolServerFailed():
                    missing[server.name] = str(listed)
                case BaseException():
                    raise listed
                case tools:
                    found += tools
        names = call_names([(tool.server, tool.name) for tool in found], taken)
        return Offer(tuple(replace(tool, call_name=name) for tool, name in zip(found, names, strict=True)), missing)

    async def call(self, project: Project, tool: Tool, arguments: Mapping[str, JsonValue]) -> ToolResult:
        """The result of a call; whatever goes wrong is a result too, with `is_error`. Cancelling cancels the call."""
        server = next((each for each in project.mcp_servers if each.name == tool.server), None)
        if not project.trusted:
            return ToolResult(UNTRUSTED, is_error=True)
        if server is None:
            return ToolResult(f"There is no MCP server {tool.server}.", is_error=True)
        try:
            return await self._keeper(server).call(tool.name, arguments)
        except ToolServerFailed as error:
            return ToolResult(str(error), is_error=True)

    def running(self, project: Project) -> frozenset[str]:
        """The names of the project's servers that are up now."""
        keepers = {server.name: self._keepers.get(_identity(server)) for server in project.mcp_servers}
        return frozenset(name for name, supervisor in keepers.items() if supervisor is not None and supervisor.running)

    def _keeper(self, server: McpServer) -> Supervisor:
        key = _identity(server)
        if key not in self._keepers:
            self._make_room()
            self._keepers[key] = Supervisor(server, self._patience)
        return self._keepers[key]

    def _make_room(self) -> None:
        idle = [key for key, supervisor in self._keepers.items() if not supervisor.busy]
        if len(self._keepers) >= MAX_SERVERS and idle:
            oldest = min(idle, key=lambda key: self._keepers[key].used_at)
            task = asyncio.create_task(self._keepers.pop(oldest).close(), name="mcp close")
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)


def _identity(server: McpServer) -> Hashable:
    """All of a server's settings: what differs in any of them is another server."""
    return (
        *(server.name, server.transport, server.command, server.args, server.base_url, server.folder, server.timeout),
        frozenset(server.env.items()),
        frozenset(server.headers.items()),
    )
