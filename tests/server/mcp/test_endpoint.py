"""The playground as an MCP server, called by the official client."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from jsonschema import Draft202012Validator
from mcp import Client
from mcp.types import CallToolResult

from llamafarm.runtime import open_runtime
from llamafarm.server.mcp import McpEndpoint
from tests.faultserver.server import FaultServer, Script
from tests.faultserver.speech import answer, plays, refuses, said

MODES = ("auto", "legacy")


@asynccontextmanager
async def served(folder: Path, script: Script, mode: Any = "auto") -> AsyncIterator[tuple[Client, FaultServer]]:
    """A client of an endpoint whose project has two models at a scripted server, and one that can't be used."""
    async with FaultServer(script) as fault:
        (folder / "llamafarm.yaml").write_text(
            f"version: v1\nname: barn\nnamespace: farm\nruntime:\n  default_model: slow\n  models:\n"
            f"    - {{name: fast, provider: openai, model: x, base_url: '{fault.url}/v1', tier: fast}}\n"
            f"    - {{name: slow, provider: openai, model: y, base_url: '{fault.url}/v1', description: Takes time}}\n"
            f"    - {{name: locked, provider: openai, model: z, api_key: '${{env:NO_SUCH_KEY}}'}}\n"
        )
        with socket.socket() as sock:
            sock.bind(("127.0.0.1", 0))
            sock.listen()
            async with open_runtime([folder / "llamafarm.yaml"]) as runtime, McpEndpoint(runtime) as endpoint:
                server = uvicorn.Server(uvicorn.Config(endpoint, log_level="error", lifespan="off"))
                task = asyncio.create_task(server.serve(sockets=[sock]))
                try:
                    async with Client(f"http://127.0.0.1:{sock.getsockname()[1]}/mcp", mode=mode) as client:
                        yield client, fault
                finally:
                    server.should_exit = True
                    await task


def text_of(result: CallToolResult) -> str:
    return "\n".join(block.text for block in result.content if block.type == "text")


HAY = plays("openai", answer("openai", "Hay ", "and grass."))


@pytest.mark.parametrize("mode", MODES)
async def test_the_four_tools(tmp_path: Path, mode: str) -> None:
    async with served(tmp_path, HAY, mode) as (client, fault):
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert set(tools) == {"list_models", "compare", "route", "chat"}
        assert tools["chat"].input_schema["required"] == ["prompt"]
        assert all(tool.description for tool in tools.values())

        listed: Any = (await client.call_tool("list_models")).structured_content
        assert listed["project"] == "farm/barn"
        assert [(m["name"], m["default"], m["usable"]) for m in listed["models"]] == [
            ("fast", False, True), ("slow", True, True), ("locked", False, False),
        ]  # fmt: skip
        assert "NO_SUCH_KEY" in listed["models"][2]["problems"][0]

        routed: Any = (await client.call_tool("route", {"prompt": "What do llamas eat?"})).structured_content
        assert routed["complexity"]["model"] == "fast"
        assert fault.requests == []

        said_all = await client.call_tool("chat", {"prompt": "What do llamas eat?", "system": "Be brief."})
        assert text_of(said_all) == "Hay and grass."
        record: Any = said_all.structured_content
        assert (record["model"], record["status"], record["usage"]["output"]) == ("slow", "done", 7)
        assert fault.requests[0].json()["messages"][0] == {"role": "system", "content": "Be brief."}

        compared: Any = (await client.call_tool("compare", {"prompt": "What do llamas eat?"})).structured_content
        assert [(lane["model"], lane["text"]) for lane in compared["lanes"]] == [
            ("fast", "Hay and grass."), ("slow", "Hay and grass."),
        ]  # fmt: skip
        assert compared["lanes"][0]["timings"]["ttft_s"] > 0


async def test_what_clients_are_told_before_they_call(tmp_path: Path) -> None:
    async with served(tmp_path, HAY) as (client, _):
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    for tool in tools.values():
        schema = json.dumps(tool.input_schema)
        assert "null" not in schema
        assert "anyOf" not in schema
        assert set(tool.input_schema["properties"]) >= set(tool.input_schema.get("required", ()))
        Draft202012Validator.check_schema(tool.input_schema)
        assert tool.output_schema is not None
        Draft202012Validator.check_schema(tool.output_schema)
        assert tool.annotations is not None
        assert tool.annotations.title == tool.title
        assert tool.annotations.destructive_hint is False
    asking = {name for name, tool in tools.items() if tool.annotations and not tool.annotations.read_only_hint}
    assert asking == {"chat", "compare"}
    assert tools["chat"].input_schema["properties"]["model"]["type"] == "string"


FAILING = refuses(401, {"error": {"message": "bad key"}})


@pytest.mark.parametrize("script", [HAY, FAILING], ids=["answers", "fails"])
@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("list_models", {}),
        ("route", {"prompt": "Hi"}),
        ("chat", {"prompt": "Hi"}),
        ("chat", {"prompt": "Hi", "model": None, "system": None, "project": None}),
        ("compare", {"prompt": "Hi"}),
        ("compare", {"prompt": "Hi", "models": ["auto", "slow"]}),
        ("compare", {"prompt": "Hi", "models": ["locked"]}),
    ],
)
async def test_every_result_satisfies_its_schema(
    tmp_path: Path, tool: str, arguments: dict[str, Any], script: Script
) -> None:
    async with served(tmp_path, script) as (client, _):
        schemas = {each.name: each.output_schema for each in (await client.list_tools()).tools}
        result = await client.call_tool(tool, arguments)
    Draft202012Validator(schemas[tool] or False).validate(result.structured_content)


@pytest.mark.parametrize(
    ("asked", "strategy", "model"),
    [("auto", "complexity", "fast"), ("slow", "named", "slow"), (None, "default", "slow")],
)
async def test_chat_takes_auto_and_says_how_the_model_was_found(
    tmp_path: Path, asked: str | None, strategy: str, model: str
) -> None:
    async with served(tmp_path, HAY) as (client, fault):
        result = await client.call_tool("chat", {"prompt": "What do llamas eat?"} | ({"model": asked} if asked else {}))
    told: Any = result.structured_content
    assert (told["route"]["strategy"], told["route"]["model"], told["model"]) == (strategy, model, model)
    assert fault.requests[0].json()["model"] == {"fast": "x", "slow": "y"}[model]


async def test_a_lane_of_a_comparison_may_be_the_routers_pick(tmp_path: Path) -> None:
    async with served(tmp_path, HAY) as (client, _):
        result = await client.call_tool(
            "compare", {"prompt": "What do llamas eat?", "models": ["auto", "slow", "auto"]}
        )
    told: Any = result.structured_content
    assert [lane["model"] for lane in told["lanes"]] == ["fast", "slow"]


async def test_each_lane_that_ends_is_told(tmp_path: Path) -> None:
    heard: list[tuple[float, float | None, str | None]] = []

    async def heard_of(progress: float, total: float | None, message: str | None) -> None:
        heard.append((progress, total, message))

    async with served(tmp_path, HAY) as (client, _):
        result = await client.call_tool("compare", {"prompt": "Hi"}, progress_callback=heard_of)
    assert json.loads(text_of(result))["lanes"]
    assert [(done, total) for done, total, _ in heard] == [(1, 2), (2, 2)]
    assert {message for _, _, message in heard} == {"fast: done", "slow: done"}


@pytest.mark.parametrize(
    ("tool", "arguments", "words"),
    [
        ("chat", {"prompt": "x", "model": "no"}, "There is no model no. The project has: fast, slow, locked, auto."),
        ("chat", {"prompt": "x", "model": "fsat"}, "Did you mean fast?"),
        ("chat", {"prompt": "x", "project": "no/no"}, "There is no project no/no. There is: farm/barn."),
        ("chat", {"prompt": "x", "model": "locked"}, "NO_SUCH_KEY"),
        ("chat", {}, "prompt: Field required."),
        ("chat", {"prompt": ""}, "prompt: "),
        ("chat", {"prompt": "x", "temperature": 1}, "temperature: "),
        ("compare", {"prompt": "x", "models": []}, "models: "),
        ("fly", {}, "There is no tool fly."),
    ],
)
async def test_what_cant_be_done_says_why(tmp_path: Path, tool: str, arguments: dict[str, Any], words: str) -> None:
    async with served(tmp_path, HAY) as (client, fault):
        result = await client.call_tool(tool, arguments)
    assert result.is_error
    assert words in text_of(result)
    assert fault.requests == []


@pytest.mark.parametrize("mode", MODES)
async def test_who_goes_away_stops_the_models(tmp_path: Path, mode: str) -> None:
    endless = plays("openai", [said("openai", "Hay")], then="hang")
    async with served(tmp_path, endless, mode) as (client, fault):
        asking = asyncio.create_task(client.call_tool("compare", {"prompt": "x"}))
        async with asyncio.timeout(20):
            while len(fault.requests) < 2 or not all(seen.sent for seen in fault.requests):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            asking.cancel()
            await asyncio.gather(*(seen.gone.wait() for seen in fault.requests))


def test_the_package_is_imported_with_the_first_client() -> None:
    code = "import sys, llamafarm.server.mcp; assert 'mcp' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
