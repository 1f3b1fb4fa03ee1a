"""Servers for the tests, as a project names them."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from llamafarm.config.model import McpServer, Project
from llamafarm.tools import McpServers, ToolResult
from llamafarm.tools.supervisor import Deadlines
from tests.engine.fakes import model, project

HERE = Path(__file__).parent
QUICK = Deadlines(restarts=2, pause_s=0.01)


def raw(*quirks: str, name: str = "raw", **settings: Any) -> McpServer:
    """The server that is written by hand, over stdio."""
    return McpServer.model_validate(
        {"name": name, "transport": "stdio", "command": sys.executable, "args": (str(HERE / "raw.py"), *quirks)}
        | settings
    )


def with_servers(*servers: McpServer, trusted: bool = True) -> Project:
    return project([model("m")], mcp_servers=servers, trusted=trusted)


class Caller:
    """Calls the tools of one server by their own names."""

    def __init__(self, servers: McpServers, server: McpServer) -> None:
        self.servers = servers
        self.project = with_servers(server)
        self.name = server.name

    async def names(self) -> list[str]:
        offer = await self.servers.offer(self.project, [self.name])
        assert not offer.missing
        return [tool.name for tool in offer.tools]

    async def __call__(self, tool: str, **arguments: Any) -> ToolResult:
        offer = await self.servers.offer(self.project, [self.name])
        (found,) = [each for each in offer.tools if each.name == tool] or [pytest.fail(f"no {tool}: {offer}")]
        return await self.servers.call(self.project, found, arguments)


@asynccontextmanager
async def calling(server: McpServer) -> AsyncIterator[Caller]:
    async with McpServers(QUICK) as servers:
        yield Caller(servers, server)


@asynccontextmanager
async def listening(transport: str, port: int = 0) -> AsyncIterator[tuple[McpServer, asyncio.subprocess.Process]]:
    """The server of the official package over `http` or `sse`, in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(HERE / "serve.py"), transport, "--port", str(port),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        number = int(await asyncio.wait_for(process.stdout.readline(), 60))
        path = "mcp" if transport == "http" else "sse"
        base_url = f"http://127.0.0.1:{number}/{path}"
        yield McpServer.model_validate({"name": transport, "transport": transport, "base_url": base_url}), process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def runs(pid: int) -> bool:
    """Whether the process lives (one that has ended but was not waited for does not)."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


async def written(path: Path, text: str) -> None:
    """Wait until the server has written `text` to `path`."""
    async with asyncio.timeout(20):
        while not path.exists() or path.read_text() != text:  # noqa: ASYNC110, ASYNC240 - another process writes it
            await asyncio.sleep(0.01)
