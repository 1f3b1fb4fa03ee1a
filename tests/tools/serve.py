"""An MCP server for the tests: `python serve.py stdio|http|sse [--port N] [--option …]`, with tools that misbehave."""

from __future__ import annotations

import argparse
import asyncio
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import uvicorn
from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.types import ImageContent, TextContent
from starlette.applications import Starlette

server = MCPServer("tests")


@server.tool()
def echo(text: str) -> str:
    """Say it again."""
    return text


@server.tool()
def add(a: int, b: int) -> int:
    """Add two whole numbers."""
    return a + b


@server.tool()
def fail() -> str:
    """Fail."""
    raise ValueError("it broke")


@server.tool()
def crash() -> str:
    """End the process in the middle of the call."""
    os._exit(3)


@server.tool()
async def hang(mark: str) -> str:
    """Wait for ever; the file `mark` says begun, and then cancelled."""
    write = Path(mark).write_text
    write("begun")
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        write("cancelled")
        raise
    return "never"


@server.tool()
def huge(size: int) -> str:
    """So many characters."""
    return "x" * size


@server.tool()
def picture() -> list[TextContent | ImageContent]:
    """A text and an image."""
    return [TextContent(text="a llama"), ImageContent(data="aGF5IQ==", mime_type="image/png")]


@server.tool()
def environment() -> dict[str, str]:
    """The whole environment of this process."""
    return dict(os.environ)


@server.tool()
def where() -> str:
    """The working directory and the process id."""
    return f"{Path.cwd()} {os.getpid()}"


@server.tool()
def child() -> str:
    """Start a process of its own, and tell its id."""
    return str(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]).pid)


@server.tool()
async def grow(ctx: Context) -> str:
    """Get one tool more, and say so to the client."""

    def newcomer() -> str:
        return "new"

    server.add_tool(newcomer)
    await ctx.notify_tools_changed()
    await ctx.session.send_tool_list_changed()
    return "grown"


def listen(app: Starlette, port: int) -> None:
    """Serve on `port` (0: any), whose number is the first line of the output."""
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("127.0.0.1", port))
        sock.listen()  # who connects before the server is up waits
        sys.stdout.write(f"{sock.getsockname()[1]}\n")
        sys.stdout.flush()
        config = uvicorn.Config(app, log_level="critical", timeout_graceful_shutdown=1)
        asyncio.run(uvicorn.Server(config).serve(sockets=[sock]))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("transport", choices=["stdio", "http", "sse"])
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--wait", type=float, default=0.0, help="seconds before it answers at all")
    parser.add_argument("--die", default="", help="last words, before it ends at once")
    options = parser.parse_args()
    if options.die:
        sys.exit(options.die)
    time.sleep(options.wait)
    match options.transport:
        case "http":
            listen(server.streamable_http_app(), options.port)
        case "sse":
            listen(server.sse_app(), options.port)
        case _:
            server.run("stdio")


if __name__ == "__main__":
    main()
