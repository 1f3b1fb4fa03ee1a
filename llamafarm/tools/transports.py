"""From a server's entry in the project file to the package's streams: stdio, streamable HTTP, SSE."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import anyio
import httpx2
from mcp.client.sse import sse_client
from mcp.client.stdio import DEFAULT_INHERITED_ENV_VARS, StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client

from llamafarm.config.model import McpServer
from llamafarm.core.addresses import LOOPBACK
from llamafarm.tools.flood import MAX_LINE, Flood
from llamafarm.tools.stderr import LastWords
from llamafarm.tools.stdio import posix_stdio

GIVEN = ("PATH", "HOME")  # all that a stdio server gets of our environment
HTTP_TIMEOUT_S = 30.0
# The package ends a server's process group only where the server does not end by itself; what that had started would
# stay. A shell at the head of the group waits for the server, however it ends and whoever ended it, and ends the rest:
# with SIGTERM, and what does not heed that with SIGKILL. `trap :` and not `''`, which the server would inherit.
WARDEN = """trap : TERM INT HUP
exec 3<&0 # what runs in the background would read nothing
"$@" <&3 3<&- &
wait $!
code=$?
trap '' TERM
kill -TERM 0
(sleep 1; kill -KILL 0) <&- >&- 2>&- &
exit $code"""
SHELL_S_OWN = ("PWD", "OLDPWD", "SHLVL", "_")  # what shells add to the environment
SSE = "text/event-stream"  # its events have a bound of their own


@dataclass(slots=True)
class Line:
    """What is known of a connection from outside the protocol: `status` of the last refusal, the process's last words.

    `ended` is called when the server's side of the stream has ended.
    """

    ended: Callable[[], None]
    status: int | None = None
    words: LastWords = field(default_factory=LastWords)
    flood: Flood = field(default_factory=Flood)


@asynccontextmanager
async def connected(server: McpServer, line: Line) -> AsyncIterator[tuple[Any, Any]]:
    """The read and write streams to `server`, for `mcp.Client`; to be opened and closed by one task.

    Raises OSError where a command can't be started.
    """
    headers = {name: value.get_secret_value() for name, value in server.headers.items()}
    address = server.base_url or ""
    async with AsyncExitStack() as stack:
        if server.transport == "stdio":
            stack.enter_context(line.words)
            opening = _stdio(parameters(server), line)
        elif server.transport == "http":
            client = await stack.enter_async_context(_client(line, headers))
            opening = streamable_http_client(address, http_client=client, max_sse_event_size=MAX_LINE)
        else:
            opening = sse_client(address, httpx_client_factory=_Clients(line, headers))
        read, write = await stack.enter_async_context(opening)
        if server.transport == "stdio":
            line.words.started()
        yield _Watched(read, line), write


def _stdio(server: StdioServerParameters, line: Line) -> AbstractAsyncContextManager[tuple[Any, Any]]:
    """On Windows the package's own transport, which knows its processes, and no bound on a line."""
    if os.name == "posix":
        return posix_stdio(server, line.words, line.flood)
    return stdio_client(server, errlog=line.words.file)


def parameters(server: McpServer) -> StdioServerParameters:
    """How a stdio server is started: in its project's folder, with the file's environment, PATH and HOME alone.

    Shells add a few variables: on POSIX systems, `env -u` takes them away before the command runs. Values never stand
    in the arguments, where any user could read them.
    """
    env = {name: os.environ[name] for name in GIVEN if name in os.environ}
    env |= {name: value.get_secret_value() for name, value in server.env.items()}
    command, arguments = server.command or "", list(server.args)
    folder = server.folder or "."
    unwanted = [name for name in (*DEFAULT_INHERITED_ENV_VARS, *SHELL_S_OWN) if name not in env]
    if os.name == "posix" and (taker := shutil.which("env")) and (shell := shutil.which("sh")):
        place = str(Path(folder) / command) if "/" in command else command
        if not shutil.which(place, path=env.get("PATH")):
            raise FileNotFoundError(command)
        taken = [part for name in unwanted for part in ("-u", name)]
        command, arguments = shell, ["-c", WARDEN, "mcp", taker, *taken, command, *arguments]
    return StdioServerParameters(command=command, args=arguments, env=env, cwd=folder)


def _client(line: Line, headers: dict[str, str]) -> httpx2.AsyncClient:
    """The HTTP client of one server. Reading has no bound here: each call has one, and a stream may be silent."""

    async def note(response: httpx2.Response) -> None:
        if response.is_error:
            line.status = response.status_code
        encoding = response.headers.get("content-encoding", "identity").strip().lower()
        if encoding not in ("", "identity"):  # a few bytes may stand for gigabytes
            raise httpx2.DecodingError(f"The server compresses its answer ({encoding[:20]}).", request=response.request)
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != SSE and isinstance(response.stream, httpx2.AsyncByteStream):
            response.stream = _Counted(response.stream, line)

    direct = httpx2.AsyncHTTPTransport()
    here = [f"[{host}]" if ":" in host else host for host in LOOPBACK]
    return httpx2.AsyncClient(
        headers={**headers, "Accept-Encoding": "identity"},
        timeout=httpx2.Timeout(HTTP_TIMEOUT_S, read=None),
        event_hooks={"response": [note]},
        mounts={f"all://{host}": direct for host in here},
    )


@dataclass(frozen=True, slots=True)
class _Clients:
    """Gives the package our client where it would make its own."""

    line: Line
    headers: dict[str, str]

    def __call__(
        self,
        headers: dict[str, str] | None = None,  # noqa: ARG002 - the package's signature
        timeout: httpx2.Timeout | None = None,  # noqa: ARG002
        auth: httpx2.Auth | None = None,  # noqa: ARG002
    ) -> httpx2.AsyncClient:
        return _client(self.line, self.headers)


class _Counted(httpx2.AsyncByteStream):
    """The body of an answer that the package reads whole; it ends with an error where it is too long."""

    def __init__(self, inner: httpx2.AsyncByteStream, line: Line) -> None:
        self._inner = inner
        self._line = line

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for chunk in self._inner:
            size += len(chunk)
            if size > MAX_LINE:
                self._line.flood.line()
                raise httpx2.ReadError(self._line.flood.told)
            yield chunk

    async def aclose(self) -> None:
        """Close the body."""
        await self._inner.aclose()


class _Watched:
    """A read stream that tells when it has ended, and ends where too much comes. The package itself says nothing."""

    def __init__(self, inner: Any, line: Line) -> None:
        self._inner = inner
        self._line = line

    @property
    def last_context(self) -> Any:
        """The context of the newest message, where the inner stream keeps one."""
        return getattr(self._inner, "last_context", None)

    async def receive(self) -> Any:
        """The next message."""
        message = await self._inner.receive()
        if self._line.flood.message():
            self._line.ended()
            raise anyio.EndOfStream
        return message

    async def aclose(self) -> None:
        """Close the stream."""
        await self._inner.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        try:
            return await self.receive()
        except anyio.EndOfStream:
            raise StopAsyncIteration from None

    async def __aenter__(self) -> Self:
        await self._inner.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._line.ended()
        await self._inner.__aexit__(kind, error, trace)
