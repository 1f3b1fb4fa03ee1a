"""Servers over streamable HTTP and SSE: the official package on the other side."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from llamafarm.config.model import McpServer
from llamafarm.tools import McpServers
from tests.faultserver.server import Exchange, FaultServer
from tests.faultserver.speech import refuses
from tests.tools.helpers import calling, listening, with_servers, written

TRANSPORTS = ("http", "sse")


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_session_from_the_list_to_a_crash_and_back(transport: str, tmp_path: Path) -> None:
    async with listening(transport) as (server, process), calling(server) as call:
        before = await call.names()
        assert (await call("add", a=1, b=2)).text == "3"
        assert (await call("add", a="x", b=2)).is_error
        assert (await call("fail")).is_error
        assert "a llama\n[image, image/png" in (await call("picture")).text
        answers = await asyncio.gather(*(call("echo", text=str(number)) for number in range(8)))
        assert [answer.text for answer in answers] == [str(number) for number in range(8)]

        await call("grow")
        async with asyncio.timeout(10):  # the word of it comes on a stream of its own
            while "newcomer" not in await call.names():  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert sorted(await call.names()) == sorted([*before, "newcomer"])

        running = asyncio.create_task(call("hang", mark=str(tmp_path / "mark")))
        await written(tmp_path / "mark", "begun")
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await written(tmp_path / "mark", "cancelled")
        assert (await call("echo", text="hay")).text == "hay"

        crashed = await call("crash")
        assert crashed.is_error
        await process.wait()
        gone = await call.servers.offer(call.project, [transport])
        assert "nothing answers at 127.0.0.1:" in gone.missing[transport]

        port = int((server.base_url or "").split(":")[2].partition("/")[0])
        async with listening(transport, port):
            await asyncio.sleep(0.02)  # the pause after a failed start
            assert (await call("echo", text="back")).text == "back"


async def test_headers_are_sent_and_never_told() -> None:
    async with FaultServer(refuses(401, "no")) as fault, McpServers() as servers:
        server = McpServer.model_validate(
            {"name": "db", "transport": "http", "base_url": f"{fault.url}/mcp", "headers": {"X-Key": "key-secret-1"}}
        )
        offer = await servers.offer(with_servers(server), ["db"])
        assert fault.requests[0].headers["x-key"] == "key-secret-1"
        assert fault.requests[0].path == "/mcp"
    assert "refuses the connection (HTTP 401)" in offer.missing["db"]
    assert "headers" in offer.missing["db"]
    assert "key-secret-1" not in str(offer)


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_silent_server_is_given_up(transport: str) -> None:
    async def silent(exchange: Exchange) -> None:
        await exchange.hang()

    async with FaultServer(silent) as fault, McpServers() as servers:
        server = McpServer.model_validate(
            {"name": "db", "transport": transport, "base_url": fault.url, "timeout": {"connect": 1.5}}
        )
        offer = await servers.offer(with_servers(server), ["db"])
        assert "did not start within 1.5 s" in offer.missing["db"]
        await asyncio.wait_for(fault.requests[0].gone.wait(), 10)


async def test_what_is_no_mcp_server_says_so() -> None:
    async def page(exchange: Exchange) -> None:
        await exchange.head(content_type="text/html")
        await exchange.send(b"<html>hello</html>")
        await exchange.end()

    async with FaultServer(page) as fault, McpServers() as servers:
        server = McpServer.model_validate({"name": "db", "transport": "http", "base_url": fault.url})
        offer = await servers.offer(with_servers(server), ["db"])
    assert "does not answer as an MCP server" in offer.missing["db"]
    assert "text/html" in offer.missing["db"]


async def test_a_result_as_large_as_an_answer_may_be_passes() -> None:
    async with listening("http") as (server, _), calling(server) as call:
        assert len((await call("huge", size=2_000_000)).text) > 1_000_000
        assert json.loads((await call("environment")).text)["PATH"]
