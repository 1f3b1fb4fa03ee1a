"""A model server that sends as fast as it can: memory and the event loop of a real server process stay well."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from tests.faultserver.server import Exchange, FaultServer, Script
from tests.faultserver.speech import said
from tests.server.api.test_compare import events

SENT = 800 * 1024 * 1024
LANES = 2
MEMORY_MIB = 600  # more than before: what two answers of 8 MiB and their records take, and as much again
LAG_S = 5.0


def flood(piece: bytes) -> Script:
    async def script(exchange: Exchange) -> None:
        await exchange.head()
        sent = 0
        while sent < SENT:
            await exchange.send(piece)
            exchange.seen.sent.clear()
            sent += len(piece)
        await exchange.end()

    return script


def resident_mib(process: Process) -> float:
    pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / 1024 / 1024


@asynccontextmanager
async def served(config: Path) -> AsyncIterator[tuple[Process, httpx.AsyncClient]]:
    command = (
        sys.executable,
        "-c",
        "from llamafarm.cli import main; main()",
        "serve",
        "--port",
        "0",
        "--config",
        str(config),
    )
    environment = os.environ | {"LF_DATA_DIR": str(config.parent / "data")}
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE, env=environment)
    assert process.stdout is not None
    try:
        address = ""
        while not address:
            line = (await process.stdout.readline()).decode()
            assert line, "the server ended"
            address = next((word.rstrip("/.,") for word in line.split() if word.startswith("http://")), "")
        origin = "/".join(address.split("/")[:3])
        transport = httpx.AsyncHTTPTransport(retries=5)
        async with httpx.AsyncClient(base_url=origin, timeout=60, transport=transport) as client:
            yield process, client
    finally:
        process.terminate()
        await process.communicate()


async def lag(client: httpx.AsyncClient, process: Process, over: asyncio.Event) -> tuple[float, float]:
    """The longest that `/health` took, and the most memory that was held, until `over`."""
    worst = most = 0.0
    while not over.is_set():
        began = time.perf_counter()
        assert (await client.get("/health")).status_code == 200
        worst, most = max(worst, time.perf_counter() - began), max(most, resident_mib(process))
        await asyncio.sleep(0.01)
    return worst, most


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads memory from /proc")
@pytest.mark.parametrize("text", ["草 " * 4, "x" * 65536], ids=["tokens", "without spaces"])
async def test_eight_hundred_megabytes_at_once(tmp_path: Path, text: str) -> None:
    async with FaultServer(flood(said("openai", text) * (1 if len(text) > 100 else 500))) as upstream:
        named = "".join(
            f"    - {{name: m{at}, provider: openai, base_url: '{upstream.url}', model: m}}\n" for at in range(LANES)
        )
        config = tmp_path / "llamafarm.yaml"
        config.write_text(f"version: v1\nname: p\nnamespace: n\nruntime:\n  models:\n{named}")
        async with served(config) as (process, client):
            await client.get("/health")
            before, over = resident_mib(process), asyncio.Event()
            watching = asyncio.create_task(lag(client, process, over))
            body = {"messages": [{"role": "user", "content": "Hello"}]}
            told = await client.post("/v1/projects/n/p/compare", json=body)
            over.set()
            worst, most = await watching
    replies = [data for kind, data in events(told.text) if kind == "reply"]
    assert len(replies) == LANES
    for reply in replies:
        assert reply["status"] == "failed"
        assert "8 MiB" in json.dumps(reply["error"])
        assert 7.9 < len(reply["text"].encode()) / 1024 / 1024 <= 8
    assert most - before < MEMORY_MIB
    assert worst < LAG_S
