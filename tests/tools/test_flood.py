"""MCP servers that send without end: given up, told, and the memory and the event loop stay well."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from llamafarm.config.model import McpServer
from llamafarm.tools import McpServers
from llamafarm.tools.flood import MOST_MESSAGES, Flood
from llamafarm.tools.stderr import LastWords
from tests.faultserver.server import Exchange, FaultServer, Script
from tests.tools.helpers import QUICK, raw, with_servers

HERE = Path(__file__).parent
GROWTH_MIB = 250  # three tries, with a message of 16 MiB each


def flooding(*how: str) -> McpServer:
    settings = {"command": sys.executable, "args": (str(HERE / "flooding.py"), *how), "timeout": {"connect": 10}}
    return McpServer.model_validate({"name": "raw", "transport": "stdio", **settings})


def resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / 1024 / 1024


class Watch:
    """How late the loop was at most, and how much memory there was at most."""

    def __init__(self) -> None:
        self.lag = self.most = 0.0

    async def __call__(self) -> None:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(0.01)
            self.lag = max(self.lag, time.perf_counter() - began - 0.01)
            self.most = max(self.most, resident_mib())


async def missing(server: McpServer) -> str:
    """What is said of a server that can't be used; memory and loop are looked at."""
    watch = Watch()
    async with McpServers(QUICK) as servers:
        await servers.offer(with_servers(raw(name="other")), ["other"])  # imports are not what is measured
        before, watching = resident_mib(), asyncio.create_task(watch())
        async with asyncio.timeout(60):
            offer = await servers.offer(with_servers(server), [server.name])
        watching.cancel()
    assert watch.most - before < GROWTH_MIB
    assert watch.lag < 3
    return offer.missing[server.name]


@pytest.mark.skipif(sys.platform == "win32", reason="the package's own transport there")
@pytest.mark.parametrize(
    ("how", "words"),
    [
        (("line",), "it sent a message of more than 16 MiB"),
        (("before", "line"), "it sent a message of more than 16 MiB"),
        (("json",), "it sent a message of more than 16 MiB"),
        (("storm",), "it sent more than 5,000 messages within 10 s"),
        (("requests",), "it sent more than 5,000 messages within 10 s"),
        (("answers",), "it sent more than 5,000 messages within 10 s"),
        (("before", "text"), "it sent more than 5,000 messages within 10 s"),
        (("before", "empty"), "did not start within"),
        (("stderr",), "did not start within"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else "",
)
async def test_a_server_that_floods_is_given_up_and_told(how: tuple[str, ...], words: str) -> None:
    told = await missing(flooding(*how))
    assert words in told
    assert len(told) < 1000


def test_last_words_are_the_last_ones() -> None:
    words = LastWords()
    with words:
        for _ in range(20):
            words.file.write("x" * 65536)
        words.file.write("the end")
        words.file.flush()
    reader = words._reader
    assert reader is not None
    reader.join(10)
    assert words.since().endswith("the end")
    assert len(words.since()) <= 2000


def test_a_server_that_says_much_over_a_long_time_is_no_flood() -> None:
    now = 0.0
    flood = Flood(clock=lambda: now)
    for _ in range(20 * MOST_MESSAGES):
        now += 0.01
        assert not flood.message()


# --- over HTTP -----------------------------------------------------------------------------------------

ANSWER = {"protocolVersion": "2025-06-18", "capabilities": {"tools": {}}, "serverInfo": {"name": "f", "version": "1"}}


def endless(kind: str, head: bytes, piece: bytes, **headers: Any) -> Script:
    async def script(exchange: Exchange) -> None:
        await exchange.head(content_type=kind, **headers)
        await exchange.send(head)
        while not exchange.seen.gone.is_set():
            exchange.seen.sent.clear()
            await exchange.send(piece)

    return script


def event(message: Any) -> bytes:
    return f"event: message\ndata: {json.dumps(message)}\n\n".encode()


CHANGED = {"jsonrpc": "2.0", "method": "notifications/tools/list_changed"}
OVER_HTTP: dict[str, tuple[str, bytes, bytes, dict[str, str]]] = {
    "a body": ("application/json", b'{"jsonrpc": "2.0", "x": "', b"x" * 65536, {}),
    "an event": ("text/event-stream", b"data: ", b"x" * 65536, {}),
    "notifications": ("text/event-stream", b"\n", event(CHANGED) * 100, {}),
    "a compressed body": ("application/json", b"", gzip.compress(b" " * 50_000_000), {"content_encoding": "gzip"}),
    "a compressed stream": ("text/event-stream", b"", gzip.compress(b" " * 50_000_000), {"content_encoding": "gzip"}),
}


@pytest.mark.parametrize("transport", ["http", "sse"])
@pytest.mark.parametrize("case", OVER_HTTP)
async def test_a_flood_over_http_is_given_up_and_told(case: str, transport: str) -> None:
    kind, head, piece, headers = OVER_HTTP[case]
    async with FaultServer(endless(kind, head, piece, **headers)) as server:
        settings = {"base_url": f"{server.url}/mcp", "timeout": {"connect": 10}}
        told = await missing(McpServer.model_validate({"name": "raw", "transport": transport, **settings}))
    assert told
    assert len(told) < 1000


async def test_an_untrusted_file_starts_and_calls_nothing() -> None:
    async def nobody(_: Exchange) -> None:
        raise AssertionError("it was called")

    async with FaultServer(nobody) as server, McpServers(QUICK) as servers:
        called = McpServer.model_validate({"name": "web", "transport": "http", "base_url": f"{server.url}/mcp"})
        project = with_servers(flooding("storm"), called, trusted=False)
        offer = await servers.offer(project, ["raw", "web"])
        assert set(offer.missing) == {"raw", "web"}
        assert all("not trusted" in why for why in offer.missing.values())
        assert server.requests == []
        assert servers.running(project) == frozenset()
