"""Whole lanes: a scripted model server asks for tools, and real MCP servers run them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from llamafarm.cli.terminal.table import tool_lines
from llamafarm.config import parse
from llamafarm.config.model import McpServer, NamedModel, Project
from llamafarm.config.profiles import BUNDLED
from llamafarm.core.reply import Reply
from llamafarm.core.types import Count
from llamafarm.engine.lane import Lane, Question
from llamafarm.output.contracts import lane_json
from llamafarm.runtime import Runtime, open_runtime
from tests.engine.fakes import model, project
from tests.faultserver.server import FaultServer
from tests.faultserver.speech import Protocol, answer, chunk, ending, plays, record, refuses, said
from tests.tools.helpers import listening, raw


@pytest.fixture
async def runtime() -> AsyncIterator[Runtime]:
    async with open_runtime() as opened:
        yield opened


def asking(protocol: Protocol, *calls: tuple[str, dict[str, Any]]) -> list[bytes]:
    """A turn in which the model says something and asks for tools."""
    if protocol == "ollama":
        functions = [{"function": {"name": name, "arguments": arguments}} for name, arguments in calls]
        return [said("ollama", "I look."), record({"content": "", "tool_calls": functions}), ending("ollama")]
    pieces = []
    for index, (name, arguments) in enumerate(calls):
        text = json.dumps(arguments)
        start = {"index": index, "id": f"call_{index}", "function": {"name": name, "arguments": text[:3]}}
        pieces += [
            chunk({"tool_calls": [start]}),
            chunk({"tool_calls": [{"index": index, "function": {"arguments": text[3:]}}]}),
        ]
    return [said("openai", "I look."), *pieces, ending("openai", "tool_calls")]


async def ask(runtime: Runtime, whole: Project, prompt: str = "What is 1 + 2?") -> Reply:
    lane = Lane("lane", whole.models[0])
    async with runtime.compare(whole, [lane], Question.of(prompt)) as comparison:
        return (await comparison.ended())["lane"]


def named(protocol: Protocol, url: str, *servers: McpServer, **settings: Any) -> Project:
    names = tuple(server.name for server in servers)
    one = NamedModel.model_validate(
        {"name": "m", "provider": protocol, "model": "x", "base_url": url, "mcp_servers": names} | settings
    )
    return project([one], mcp_servers=servers)


async def test_a_model_uses_a_python_server_over_http(runtime: Runtime) -> None:
    turns = [
        plays("openai", asking("openai", ("add", {"a": 1, "b": 2}), ("echo", {"text": "hay"}))),
        plays("openai", answer("openai", "It is ", "three.")),
    ]
    async with listening("http") as (server, _), FaultServer(turns[-1], *turns) as fault:
        reply = await ask(runtime, named("openai", f"{fault.url}/v1", server))
        first, second = (seen.json() for seen in fault.requests)
    assert "add" in {tool["function"]["name"] for tool in first["tools"]}
    assert second["tools"] == first["tools"]
    assistant, *results = second["messages"][1:]
    assert assistant["content"] == "I look."
    assert [call["function"]["arguments"] for call in assistant["tool_calls"]] == [
        '{"a": 1, "b": 2}',
        '{"text": "hay"}',
    ]
    assert results == [
        {"role": "tool", "content": "3", "tool_call_id": "call_0"},
        {"role": "tool", "content": "hay", "tool_call_id": "call_1"},
    ]
    assert (reply.status, reply.text, reply.finish_reason) == ("done", "I look.\n\nIt is three.", "stop")
    assert [(ran.server, ran.tool, ran.state, ran.text) for ran in reply.tool_runs] == [
        ("http", "add", "done", "3"), ("http", "echo", "done", "hay"),
    ]  # fmt: skip
    assert (reply.usage.input, reply.usage.output) == (Count(22, "reported"), Count(14, "reported"))
    assert reply.timings.tools_s is not None
    assert 0 < reply.timings.tools_s < (reply.timings.total_s or 0)


async def test_a_model_of_ollama_uses_a_server_over_stdio(runtime: Runtime) -> None:
    turns = [plays("ollama", asking("ollama", ("echo", {"text": "hay"}))), plays("ollama", answer("ollama", "Hay."))]
    async with FaultServer(turns[-1], *turns, looks=refuses(200, {"models": []})) as fault:
        reply = await ask(runtime, named("ollama", fault.url, raw()))
        second = fault.asked[1].json()
    assert second["messages"][1]["tool_calls"] == [
        {"id": "call_0_echo", "function": {"name": "echo", "arguments": {"text": "hay"}}}
    ]
    result = {"role": "tool", "content": "hay", "tool_call_id": "call_0_echo", "tool_name": "echo"}
    assert second["messages"][2] == result
    assert reply.text == "I look.\n\nHay."


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (400, "registry.ollama.ai/library/x does not support tools"),
        (400, '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'),
        (500, "tools param requires --jinja flag"),
        (404, "No endpoints found that support tool use."),
    ],
)
async def test_a_server_that_cant_use_tools_is_asked_without(runtime: Runtime, status: int, message: str) -> None:
    without = plays("openai", answer("openai", "Hello."))
    async with FaultServer(without, refuses(status, {"error": {"message": message}}), without) as fault:
        reply = await ask(runtime, named("openai", f"{fault.url}/v1", raw()))
        assert ["tools" in seen.json() for seen in fault.requests] == [True, False]
    assert (reply.status, reply.text) == ("done", "Hello.")
    assert "can't use tools" in reply.tools_missing["raw"]
    assert "prompt_based" in reply.tools_missing["raw"]


async def test_a_crash_in_mid_call_is_told_to_the_model(runtime: Runtime) -> None:
    turns = [plays("openai", asking("openai", ("crash", {}))), plays("openai", answer("openai", "It is gone."))]
    async with FaultServer(turns[-1], *turns) as fault:
        reply = await ask(runtime, named("openai", f"{fault.url}/v1", raw()))
        told = fault.requests[1].json()["messages"][-1]["content"]
    assert "last words" in told
    assert (reply.status, reply.tool_runs[0].state) == ("done", "failed")


async def test_a_project_that_is_not_trusted_starts_nothing(runtime: Runtime, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    async with FaultServer(plays("openai", answer("openai", "Hello."))) as fault:
        uploaded = (
            f"version: v1\nname: n\nnamespace: n\nmcp: {{servers: [{{name: raw, command: touch, args: ['{mark}']}}, "
            f"{{name: db, base_url: '{fault.url}/mcp'}}]}}\n"
            f"runtime: {{models: [{{name: m, provider: openai, model: x, base_url: '{fault.url}/v1'}}]}}\n"
        )
        held, trusted = (parse(uploaded, trusted=trusted, environ={}).project for trusted in (False, True))
        assert held is not None
        assert trusted is not None
        reply = await ask(runtime, held)
        assert [seen.path for seen in fault.requests] == ["/v1/chat/completions"]
        assert "tools" not in fault.requests[0].json()
        assert not mark.exists()
        assert (reply.status, reply.text) == ("done", "Hello.")
        assert "not trusted" in reply.tools_missing["raw"]
        assert "not trusted" in reply.tools_missing["db"]
        await ask(runtime, trusted)
        assert mark.exists()  # so the test would see it
        assert "/mcp" in [seen.path for seen in fault.requests]


async def test_the_embedded_model_says_that_it_cant_use_tools(runtime: Runtime) -> None:
    settings = {"parameters": {"max_tokens": 8}, "base_url": None}
    whole = project(
        [model("m", provider="embedded", model=BUNDLED, mcp_servers=("raw",), **settings)], mcp_servers=(raw(),)
    )
    reply = await ask(runtime, whole)
    assert reply.status == "done"
    assert reply.text
    assert "can't use tools" in reply.tools_missing["raw"]


@pytest.mark.parametrize("prompt", ["Use the tool echo to say hay.", "Call the tool fly now!"])
async def test_the_embedded_model_never_breaks_its_lane_with_prompt_based(runtime: Runtime, prompt: str) -> None:
    settings = {
        "parameters": {"max_tokens": 40, "temperature": 0.9, "seed": 7}, "base_url": None,
        "tool_call_strategy": "prompt_based", "max_tool_turns": 3,
    }  # fmt: skip
    whole = project(
        [model("m", provider="embedded", model=BUNDLED, mcp_servers=("raw",), **settings)], mcp_servers=(raw("few"),)
    )
    reply = await ask(runtime, whole, prompt)
    assert reply.status == "done"
    assert reply.finish_reason in ("stop", "length", "tool_turns")
    assert reply.tools
    assert reply.text or reply.tool_runs
    assert not any(ran.pending for ran in reply.tool_runs)


async def test_the_embedded_model_survives_its_own_nonsense(runtime: Runtime) -> None:
    """It is made to write a call of a tool that is not there, and then one of a tool that is."""
    settings = {
        "parameters": {"max_tokens": 40, "temperature": 0}, "base_url": None, "max_tool_turns": 1,
        "tool_call_strategy": "prompt_based",
    }  # fmt: skip
    for name in ("fly", "echo"):
        forced = {"extra_body": {"grammar": f'root ::= "<tool_call>{{\\"name\\": \\"{name}\\"}}</tool_call>"'}}
        one = model("m", provider="embedded", model=BUNDLED, mcp_servers=("raw",), **settings, **forced)
        reply = await ask(runtime, project([one], mcp_servers=(raw("few"),)))
        assert (reply.status, reply.finish_reason, reply.text) == ("done", "tool_turns", "")
        assert {ran.call.name for ran in reply.tool_runs} == {name}


async def test_a_record_and_a_terminal_tell_what_was_called(runtime: Runtime) -> None:
    turns = [plays("openai", asking("openai", ("echo", {"text": "hay"}))), plays("openai", answer("openai", "Hay."))]
    down = McpServer(name="down", transport="http", base_url="http://127.0.0.1:9/mcp")
    async with FaultServer(turns[-1], *turns) as fault:
        reply = await ask(runtime, named("openai", f"{fault.url}/v1", raw("few"), down))
    told = lane_json(reply)
    (called,) = json.loads(json.dumps(told["tool_calls"]))
    assert called.pop("seconds") >= 0
    assert called == {
        "server": "raw", "tool": "echo", "arguments": '{"text": "hay"}', "turn": 1, "state": "done", "result": "hay",
    }  # fmt: skip
    missing, line = tool_lines(reply)
    assert missing.startswith("no tools of down: The MCP server down can't be reached: nothing answers at 127.0.0.1:9.")
    assert line.startswith('raw: echo {"text": "hay"} → done, ')
    assert line.endswith(": hay")
