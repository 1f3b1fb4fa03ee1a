"""What went wrong with an MCP server, in words for people and models; no value of its settings is in them."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx2
from mcp import MCPError
from mcp.types import CONNECTION_CLOSED
from pydantic import ValidationError

from llamafarm.config.model import McpServer
from llamafarm.config.secrets.known import server_scrubber
from llamafarm.config.secrets.secret import HIDDEN
from llamafarm.core.errors import ToolServerFailed
from llamafarm.tools.transports import Line

EXCERPT = 300
SHORTEST_SECRET = 4
UNAUTHORIZED, FORBIDDEN, NOT_FOUND = 401, 403, 404


def start_failure(server: McpServer, line: Line, error: BaseException) -> ToolServerFailed:
    """The error for a server that could not be started or reached."""
    where, said = f"The MCP server {server.name}", last_words(server, line)
    if line.flood.told:
        return _flooded(server, line)
    for cause in causes(error):
        match cause:
            case TimeoutError() | httpx2.TimeoutException():
                return ToolServerFailed(
                    f"{where} did not start within {server.timeout.connect:g} s{said}",
                    hint="The bound can be raised: timeout: {connect: seconds} in its entry.",
                )
            case FileNotFoundError() | PermissionError() | NotADirectoryError():
                why = f"{cause.strerror or 'no such command'} ({cause.filename or server.command})"
                return ToolServerFailed(
                    f"{where} can't be started: {why}.",
                    hint="Is it installed, and in PATH? `npx` comes with Node, `uvx` with uv.",
                )
            case httpx2.ConnectError():
                return ToolServerFailed(
                    f"{where} can't be reached: nothing answers at {address(server)}.",
                    hint="Is it running? Else look at base_url.",
                    unsent=True,
                )
            case ValidationError():
                return ToolServerFailed(
                    f"{where} answers in a form that is not MCP's: {form(cause)}.", hint=_version_hint(server)
                )
    if line.status is not None:
        return ToolServerFailed(f"{where} refuses the connection (HTTP {line.status}).", hint=_status_hint(line.status))
    told = next((cause.message for cause in causes(error) if isinstance(cause, MCPError) and not _closed(cause)), "")
    if server.transport == "stdio" and not told:
        return ToolServerFailed(f"{where} ended before it was ready{said}", hint="Run its command by hand to see why.")
    reason = f": “{hidden(server, told)[:EXCERPT]}”." if told else "."
    return ToolServerFailed(f"{where} does not answer as an MCP server{reason}", hint=_version_hint(server))


def lost(server: McpServer, line: Line, error: BaseException | None, heard: int) -> ToolServerFailed:
    """The error for a server that was lost in a call; what it had said before (`heard` bytes) is left out."""
    if line.flood.told:
        return _flooded(server, line)
    unsent = any(isinstance(cause, httpx2.ConnectError) for cause in causes(error))
    return ToolServerFailed(
        f"The MCP server {server.name} ended or was lost before it answered{last_words(server, line, heard)}",
        hint="It is started or called anew when it is next needed.",
        unsent=unsent,
    )


def _flooded(server: McpServer, line: Line) -> ToolServerFailed:
    return ToolServerFailed(
        f"The MCP server {server.name} was given up: it sent {line.flood.told}.", hint="Look at what it does."
    )


def last_words(server: McpServer, line: Line, heard: int = 0) -> str:
    """The end of what a stdio server wrote on its standard error, as the end of a sentence."""
    text = " ".join(hidden(server, line.words.since(heard)).split()) if server.transport == "stdio" else ""
    return f": “{text[-EXCERPT:]}”." if text else "."


def hidden(server: McpServer, text: str) -> str:
    """`text` without the server's secrets, nor any other value of its environment and headers."""
    text = server_scrubber(server).clean(text)
    values = [value.get_secret_value() for value in (*server.env.values(), *server.headers.values())]
    for value in sorted(values, key=len, reverse=True):
        if len(value) >= SHORTEST_SECRET:
            text = text.replace(value, HIDDEN)
    return text


def address(server: McpServer) -> str:
    """Host and port of a server, without a user name or a path, which may hold a key."""
    parts = urlsplit(server.base_url or "")
    return parts.netloc.rpartition("@")[2] or "its address"


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """`error` and everything beneath it: the members of groups, causes and contexts."""
    if error is None:
        return
    yield error
    for inner in error.exceptions if isinstance(error, BaseExceptionGroup) else ():
        yield from causes(inner)
    yield from causes(error.__cause__ or (None if error.__suppress_context__ else error.__context__))


def form(error: ValidationError) -> str:
    """What is wrong with the form of an answer, and where in it."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"


def _closed(error: MCPError) -> bool:
    return error.code == CONNECTION_CLOSED


def _status_hint(status: int) -> str:
    if status in (UNAUTHORIZED, FORBIDDEN):
        return "Look at its headers in the project file: is the key right?"
    return "Does base_url end as the server wants it, such as in /mcp?" if status == NOT_FOUND else "Look at its log."


def _version_hint(server: McpServer) -> str:
    return f"Is it an MCP server, with transport {server.transport}?"
