"""Zeroes the instrument: runs whatever a process does for the first time before anything is measured.

The first answer of a process imports modules, opens the history, compiles statements and fills caches. All of it
takes the interpreter from the event loop, so that the lanes' clocks would measure this program. So a few answers of
a server of our own are asked first, on the way that every answer takes; their records are written and taken back.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace

from llamafarm.config import parse
from llamafarm.config.model import Project
from llamafarm.engine.cooldown import Cooldowns
from llamafarm.engine.lane import Lane, Question
from llamafarm.engine.recording import Origin, Recording
from llamafarm.history.model import Record
from llamafarm.runtime.runtime import Runtime
from llamafarm.runtime.settling import settle

log = logging.getLogger(__name__)

PROTOCOLS = ("openai", "ollama")  # all others speak one of these
LANES = 3  # of each: the interpreter adapts its code to what it has seen run several times
WORDS = 40
QUESTION = Question.of("Is everything ready?")
LONGEST_S = 5.0  # a history that is slow, or away, holds nobody up for longer
HEAD = "HTTP/1.1 200 OK\r\ncontent-type: {}\r\ntransfer-encoding: chunked\r\n\r\n"
LAST = b"0\r\n\r\n"


async def zero(runtime: Runtime) -> None:
    """Let `runtime` do all that it does once, then keep the garbage collector out of what is measured.

    Nothing of it is kept, nothing leaves this machine, and nothing of it can fail: where a part can't be rehearsed (a
    system that lets nobody listen, a history that is away), the first answer pays for that part.
    """
    began = time.perf_counter()
    with suppress(TimeoutError):
        async with asyncio.timeout(LONGEST_S):
            try:
                await _rehearsed(runtime)
            except Exception:
                log.debug("what comes first could not be rehearsed", exc_info=True)
    settle()
    log.debug("ready to measure after %.3f s", time.perf_counter() - began)


async def _rehearsed(runtime: Runtime) -> None:
    await runtime.read_probes()
    async with _answering() as address:
        project = _project(address)
        lanes = [Lane(f"{model.name}-{number}", model) for model in project.models for number in range(LANES)]
        apart, kept = replace(runtime, store=None, cooldowns=Cooldowns()), _Kept()
        named, replies = {lane.id: lane for lane in lanes}, runtime.replies(project, lanes)
        recording = Recording(kept, project, named, QUESTION, Origin(), replies)
        comparison = apart.compare(project, lanes, QUESTION, looked=True)
        async with comparison, aclosing(comparison.batches(heartbeat_s=None)) as batches:
            async for batch in batches:
                for told in batch:
                    replies.add(told.lane, told.event)
                    recording.watch(told)
                comparison.replies()
        if runtime.store is not None:
            await runtime.store.rehearse(kept.records)


@dataclass(slots=True)
class _Kept:
    """A recorder whose records go nowhere."""

    records: list[Record] = field(default_factory=list)

    def take(self, record: Record) -> None:
        self.records.append(record)


def _project(address: str) -> Project:
    models = [
        {"name": name, "provider": name, "model": "rehearsal", "base_url": address, "api_key": "none"}
        for name in PROTOCOLS
    ]
    loaded = parse(json.dumps({"runtime": {"models": models}}), name="rehearsal.json", trusted=True)
    if loaded.project is None:
        raise RuntimeError("the project of the rehearsal can't be read")
    return loaded.project


@asynccontextmanager
async def _answering() -> AsyncIterator[str]:
    """The address of a server that answers a few requests in either protocol, on this machine alone.

    It has a name, so that one is looked up: the first look-up of a process is a slow one.
    """
    server = await asyncio.start_server(_answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    other = None
    with suppress(OSError):  # no IPv6 here, or somebody else has this port
        other = await asyncio.start_server(_answer, "::1", port)
    try:
        yield f"http://localhost:{port}"
    finally:
        server.close()
        if other is not None:
            other.close()


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One answer, a word a write: so it arrives in pieces, as a model's does."""
    try:
        request = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = next(line for line in request.split("\r\n") if line.startswith("content-length:"))
        await reader.readexactly(int(length.partition(":")[2]))
        openai = "/chat/completions" in request
        writer.write(HEAD.format("text/event-stream" if openai else "application/x-ndjson").encode())
        for number in range(WORDS + 1):
            line = _openai(last=number == WORDS) if openai else _ollama(last=number == WORDS)
            writer.write(b"%x\r\n%s\r\n" % (len(line), line))
            await writer.drain()
            await asyncio.sleep(0)
        writer.write(LAST)
        await writer.drain()
    finally:
        writer.close()


def _openai(*, last: bool) -> bytes:
    chunk: dict[str, object] = {"choices": [{"index": 0, "delta": {} if last else {"content": "yes "}}]}
    if not last:
        return f"data: {json.dumps(chunk)}\n\n".encode()
    chunk = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    usage = {"choices": [], "usage": {"prompt_tokens": 8, "completion_tokens": WORDS, "total_tokens": 8 + WORDS}}
    return f"data: {json.dumps(chunk)}\n\ndata: {json.dumps(usage)}\n\ndata: [DONE]\n\n".encode()


def _ollama(*, last: bool) -> bytes:
    record: dict[str, object] = {"message": {"role": "assistant", "content": "" if last else "yes "}, "done": last}
    if last:
        record |= {"done_reason": "stop", "prompt_eval_count": 8, "eval_count": WORDS, "load_duration": 1_000_000}
    return json.dumps(record).encode() + b"\n"
