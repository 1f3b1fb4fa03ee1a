"""MCP over a process's standard input and output, with bounds on what it writes.

The package's own transport holds a line until it ends, however long it is. The rest is as there: streams of messages
for `mcp.Client`, and the order of a shutdown,
https://modelcontextprotocol.io/specification/2025-11-25/basic/lifecycle#shutdown.
"""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import anyio
from anyio.abc import Process
from mcp.client.stdio import StdioServerParameters
from mcp.os.posix.utilities import terminate_posix_process_tree
from mcp.shared.message import SessionMessage
from mcp.types import jsonrpc_message_adapter

from llamafarm.tools.flood import MAX_LINE, Flood
from llamafarm.tools.stderr import LastWords

GRACE_S = 2.0  # for a process to end once its input has; then again once it was asked to
POLL_S = 0.01
GONE = (anyio.ClosedResourceError, anyio.BrokenResourceError, anyio.EndOfStream, OSError)


@asynccontextmanager
async def posix_stdio(server: StdioServerParameters, words: LastWords, flood: Flood) -> AsyncIterator[tuple[Any, Any]]:
    """The read and write streams to a process, which is gone with all that it started afterwards.

    What it writes too much of is told to `flood`, and the read stream ends. Raises OSError where it can't be started.
    """
    process = await anyio.open_process(
        [server.command, *server.args], stderr=words.file, env=server.env, cwd=server.cwd, start_new_session=True
    )
    heard, messages = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    sent, to_send = anyio.create_memory_object_stream[SessionMessage](0)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_read, process, heard, flood)
        tasks.start_soon(_write, process, to_send, heard)
        try:
            yield messages, sent
        finally:
            with anyio.CancelScope(shield=True):
                messages.close()
                sent.close()
                await _stop(process)
            tasks.cancel_scope.cancel()


async def _read(process: Process, heard: Any, flood: Flood) -> None:
    """Messages, line by line; other text is passed over. After too much, what still comes is thrown away."""
    assert process.stdout is not None  # noqa: S101 - a pipe
    lines = _Lines()
    with suppress(*GONE):
        async with heard:
            while not flood.told:
                chunk = await process.stdout.receive()
                for line in lines.feed(chunk):
                    if flood.message():
                        break
                    with suppress(ValueError):  # servers write other text too
                        await heard.send(SessionMessage(jsonrpc_message_adapter.validate_json(line, by_name=False)))
                if lines.held > MAX_LINE:
                    flood.line()
        lines.forget()
        while True:
            await process.stdout.receive()


async def _write(process: Process, to_send: Any, heard: Any) -> None:
    assert process.stdin is not None  # noqa: S101 - a pipe
    try:
        async with to_send:
            async for message in to_send:
                text = message.message.model_dump_json(by_alias=True, exclude_unset=True)
                await process.stdin.send(f"{text}\n".encode())
    except GONE:
        await heard.aclose()


async def _stop(process: Process) -> None:
    """Close its input; ask it to end, where it has not, and all that it started; then end them."""
    assert process.stdin is not None  # noqa: S101 - both are pipes
    assert process.stdout is not None  # noqa: S101
    with suppress(*GONE):
        await process.stdin.aclose()
    await _ended(process)
    await terminate_posix_process_tree(process, GRACE_S)
    await _ended(process)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    with suppress(*GONE):
        await process.stdout.aclose()
    transport = getattr(getattr(process, "_process", None), "_transport", None)
    with suppress(PermissionError):  # a child that holds a pipe would keep it open
        getattr(transport, "close", lambda: None)()


async def _ended(process: Process) -> None:
    """Wait a while; `process.wait` would also wait for whoever else holds its pipes."""
    with anyio.move_on_after(GRACE_S):
        while process.returncode is None:  # noqa: ASYNC110 - nobody else tells
            await anyio.sleep(POLL_S)


class _Lines:
    """Splits what comes at LF; `held` bytes of a line have come that has not ended."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Let go of what is held."""
        self._pieces: list[bytes] = []
        self.held = 0

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        first, *rest = chunk.split(b"\n")
        self._hold(first)
        for part in rest:
            whole = b"".join(self._pieces).strip()
            self.forget()
            self._hold(part)
            if whole:
                yield whole

    def _hold(self, part: bytes) -> None:
        self._pieces.append(part)
        self.held += len(part)
