"""The tool loop: a model asks, we call, it is asked again, until it answers or a bound is met."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from functools import partial
from typing import Any

import pytest

from llamafarm.config.model import McpServer, NamedModel, Project
from llamafarm.core.errors import ContextTooLong, ServerFailed, ToolsUnsupported
from llamafarm.core.events import (
    Asking,
    Event,
    Failed,
    Finished,
    NextTurn,
    TextDelta,
    ToolCalled,
    ToolHeld,
    ToolReturned,
    ToolsOffered,
    ToolStarted,
    Waiting,
)
from llamafarm.core.reply import Reply
from llamafarm.core.types import JsonValue, Message, Tool, ToolCall
from llamafarm.engine.comparison import Comparison
from llamafarm.engine.cooldown import Cooldowns
from llamafarm.engine.lane import Lane, Question, chat
from llamafarm.engine.replies import Replies
from llamafarm.engine.tool_loop.calls import DENIED, Approve
from llamafarm.engine.tool_loop.loop import Toolbox
from llamafarm.providers.base import Provider
from llamafarm.tools.base import ToolResult
from tests.engine.fakes import FakeServers, FlatPrices, Registry, Scripted, Turns, asks, model, project, tool

MODEL = model("m", mcp_servers=("fs",))
SERVER = McpServer(name="fs", transport="stdio", command="x")


def whole(named: NamedModel = MODEL) -> Project:
    return project([named], mcp_servers=(SERVER,))


@asynccontextmanager
async def running(
    provider: Provider,
    servers: FakeServers,
    named: NamedModel = MODEL,
    *,
    approve: Approve | None = None,
    window: int | None = None,
    question: Question | None = None,
) -> AsyncIterator[Comparison]:
    lane = Lane("lane", named)
    box = Toolbox(servers, lambda _: window, approve)
    asked = question or Question.of("What is in the barn?")
    registry, cooldowns = Registry({named.name: provider}), Cooldowns()
    folded = Replies(whole(named), (lane,), FlatPrices())
    opening = partial(chat, whole(named), question=asked, providers=registry, cooldowns=cooldowns, box=box)
    async with Comparison([lane], opening, folded) as comparison:
        yield comparison


async def run(
    provider: Provider, servers: FakeServers, named: NamedModel = MODEL, **rest: Any
) -> tuple[list[Event], Reply]:
    async with (
        running(provider, servers, named, **rest) as comparison,
        aclosing(comparison.events()) as events,
    ):
        seen = [told.event async for told in events]
    return seen, comparison.reply("lane")


def kinds(events: Sequence[Event]) -> list[str]:
    return [type(event).__name__ for event in events]


async def test_the_model_asks_we_call_and_it_answers() -> None:
    provider = Turns(["Let me see.", asks("look", '{"at": "barn"}')], ["There is hay."])
    servers = FakeServers(tool("look"), look=[ToolResult("hay")])
    events, reply = await run(provider, servers)
    assert kinds(events) == [
        "Started", "Waiting", "ToolsOffered", "Asking", "TextDelta", "ToolCalled", "ToolStarted", "ToolReturned",
        "NextTurn", "TextDelta", "Finished",
    ]  # fmt: skip
    assert servers.calls == [("look", {"at": "barn"})]
    first, second = provider.requests
    assert first.tools == ({"type": "function", "function": {
        "name": "look", "description": "To look.", "parameters": {"type": "object", "properties": {}}}},)  # fmt: skip
    call = ToolCall("c1", "look", '{"at": "barn"}')
    assert second.messages[1:] == (
        Message("assistant", "Let me see.", (call,)),
        Message("tool", "hay", tool_call_id="c1"),
    )
    assert (reply.status, reply.finish_reason) == ("done", "stop")
    assert reply.text == "Let me see.\n\nThere is hay."
    assert reply.said == (*second.messages[1:], Message("assistant", "There is hay."))
    (ran,) = reply.tool_runs
    assert (ran.call, ran.server, ran.tool, ran.state, ran.text, ran.turn) == (call, "fs", "look", "done", "hay", 1)


async def test_the_calls_of_one_turn_run_together_and_keep_their_order() -> None:
    gates = {"a": asyncio.Event(), "b": asyncio.Event()}
    servers = FakeServers(
        tool("a"), tool("b"), a=[gates["a"], ToolResult("from a")], b=[gates["b"], ToolResult("from b")]
    )
    provider = Turns([asks("a", call_id="1"), asks("b", call_id="2")], ["Done."])
    returned = []
    async with running(provider, servers) as comparison, aclosing(comparison.events()) as events:
        async for told in events:
            if isinstance(told.event, ToolStarted) and len(servers.calls) == 2:
                gates["b"].set()
            if isinstance(told.event, ToolReturned):
                returned.append(told.event.tool)
                gates["a"].set()
    assert returned == ["b", "a"]
    assert [message.content for message in provider.requests[1].messages[2:]] == ["from a", "from b"]


@pytest.mark.parametrize(
    ("called", "result", "words"),
    [
        (asks("look"), ToolResult("it broke", is_error=True), "it broke"),
        (asks("look"), RuntimeError("a defect"), "The playground itself failed here"),
        (asks("fly"), None, "There is no tool fly. The tools are: look."),
        (asks("look", "not JSON"), None, "not a JSON object"),
        (asks("look", "[1]"), None, "not a JSON object"),
    ],
    ids=["failed", "defect", "unknown", "no JSON", "no object"],
)
async def test_what_goes_wrong_is_an_answer_to_the_model(called: ToolCalled, result: Any, words: str) -> None:
    servers = FakeServers(tool("look"), look=[result])
    provider = Turns([called], ["I see."])
    _, reply = await run(provider, servers)
    assert (reply.status, reply.text) == ("done", "I see.")
    assert reply.tool_runs[0].state == "failed"
    assert words in reply.tool_runs[0].text
    assert words in provider.requests[1].messages[-1].content
    assert json.loads(provider.requests[1].messages[-2].tool_calls[0].arguments) == {}


@pytest.mark.parametrize("arguments", ["", "null", '"{}"', "{}"])
async def test_arguments_may_be_left_out_or_be_the_text_of_a_text(arguments: str) -> None:
    servers = FakeServers(tool("look"))
    await run(Turns([asks("look", arguments)], ["x"]), servers)
    assert servers.calls == [("look", {})]


async def test_the_number_of_turns_is_bounded() -> None:
    provider = Turns([asks("look")])
    servers = FakeServers(tool("look"))
    _, reply = await run(provider, servers, model("m", mcp_servers=("fs",), max_tool_turns=3))
    assert len(servers.calls) == 3
    assert len(provider.requests) == 4
    assert (reply.status, reply.finish_reason) == ("done", "tool_turns")
    assert [ran.state for ran in reply.tool_runs] == ["done", "done", "done", "stopped"]
    assert len({ran.call.id for ran in reply.tool_runs}) == 4


async def test_nonsense_is_not_asked_for_ever() -> None:
    provider = Turns([asks("fly")])
    _, reply = await run(provider, FakeServers(tool("look")))
    assert len(provider.requests) == 3
    assert (reply.status, reply.finish_reason) == ("done", "tool_turns")


@pytest.mark.parametrize("both", [False, True])
async def test_a_call_that_the_asker_answers_ends_the_turn(both: bool) -> None:
    theirs: dict[str, Any] = {"type": "function", "function": {"name": "theirs", "parameters": {}}}
    steps = [asks("theirs", call_id="1"), *([asks("look", call_id="2")] if both else [])]
    servers = FakeServers(tool("look"))
    provider = Turns([*steps, Finished(at=0.0, reason="tool_calls")])
    question = Question((Message("user", "Go"),), tools=(theirs,))
    _, reply = await run(provider, servers, question=question)
    assert reply.finish_reason == "tool_calls"
    assert reply.tool_calls[0].name == "theirs"
    assert servers.calls == []
    assert len(provider.requests[0].tools) == 2


async def test_without_servers_a_call_ends_the_turn_as_ever() -> None:
    provider = Turns([asks("look"), Finished(at=0.0, reason="tool_calls")])
    _, reply = await run(provider, FakeServers(tool("look")), model("m"))
    assert (reply.finish_reason, reply.tool_runs) == ("tool_calls", ())


async def test_results_are_cut_to_the_models_context() -> None:
    servers = FakeServers(tool("look"), look=[ToolResult("x" * 100_000)])
    provider = Turns([asks("look", call_id="1"), asks("look", call_id="2")], ["I see."])
    _, reply = await run(provider, servers, window=4000)
    results = [message.content for message in provider.requests[1].messages if message.role == "tool"]
    assert len(results) == 2
    assert sum(map(len, results)) < 4000 // 4 * 3 + 200
    assert all(result.endswith("characters are left out.]") for result in results)
    assert reply.tool_runs[0].text == results[0]


async def test_a_context_that_is_full_ends_the_answer_and_not_in_failure() -> None:
    full = ContextTooLong("Too long.")
    _, reply = await run(Turns(["Let me see.", asks("look")], [full]), FakeServers(tool("look")))
    assert (reply.status, reply.finish_reason, reply.text) == ("done", "length", "Let me see.")
    _, reply = await run(Turns([full]), FakeServers(tool("look")))
    assert reply.status == "failed"


async def test_a_failure_in_a_later_turn_keeps_what_came() -> None:
    _, reply = await run(Turns(["Let me see.", asks("look")], [ServerFailed("It broke.")]), FakeServers(tool("look")))
    assert (reply.status, reply.text) == ("failed", "Let me see.")
    assert reply.tool_runs[0].state == "done"


async def test_a_person_allows_and_denies() -> None:
    asked: list[tuple[str, str, str]] = []

    async def approve(lane: str, asked_tool: Tool, call: ToolCall, sent: Mapping[str, JsonValue]) -> str | None:
        asked.append((lane, asked_tool.server, call.name))
        return None if call.id == "yes" else DENIED

    servers = FakeServers(tool("look"))
    provider = Turns([asks("look", call_id="yes"), asks("look", call_id="no")], ["I see."])
    events, reply = await run(provider, servers, approve=approve)
    assert asked == [("lane", "fs", "look")] * 2
    assert len([event for event in events if isinstance(event, ToolHeld)]) == 2
    assert [ran.state for ran in reply.tool_runs] == ["done", "denied"]
    assert provider.requests[1].messages[-1].content == DENIED
    assert len(servers.calls) == 1


async def test_stop_while_a_person_thinks_and_while_a_tool_runs() -> None:
    never = asyncio.Event()

    async def approve(lane: str, asked_tool: Tool, call: ToolCall, sent: Mapping[str, JsonValue]) -> str | None:
        if call.id != "yes":
            await never.wait()
        return None

    servers = FakeServers(tool("look"), look=[never])
    provider = Turns([asks("look", call_id="yes"), asks("look", call_id="wait")])
    async with (
        running(provider, servers, approve=approve) as comparison,
        aclosing(comparison.events()) as events,
    ):
        async for _ in events:
            states = [ran.state for ran in comparison.reply("lane").tool_runs]
            if states == ["running", "held"]:
                assert comparison.reply("lane").status == "calling"
                await servers.began.wait()
                comparison.stop()
    assert servers.cancelled == ["look"]
    reply = comparison.reply("lane")
    assert (reply.status, [ran.state for ran in reply.tool_runs]) == ("stopped", ["stopped", "stopped"])
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("tool ")]


async def test_servers_that_fail_are_told_and_the_lane_goes_on() -> None:
    servers = FakeServers(missing={"fs": "It does not start."})
    events, reply = await run(Turns(["Hello."]), servers)
    assert (reply.status, reply.text) == ("done", "Hello.")
    assert reply.tools_missing == {"fs": "It does not start."}
    assert [event.what for event in events if isinstance(event, Waiting)] == ["MCP server fs"]


async def test_a_model_that_cant_use_tools_is_asked_without_them_and_says_so() -> None:
    provider = Turns([ToolsUnsupported("m can't use tools.", hint="Set prompt_based.")], ["Hello."])
    events, reply = await run(provider, FakeServers(tool("look")))
    assert (reply.status, reply.text, reply.tools) == ("done", "Hello.", ())
    assert reply.tools_missing == {"fs": "m can't use tools. Set prompt_based."}
    assert [len(event.request.tools) for event in events if isinstance(event, Asking)] == [1, 0]
    assert [len(event.tools) for event in events if isinstance(event, ToolsOffered)] == [1, 0]


async def test_the_files_own_tools_are_not_taken_away() -> None:
    named = model("m", mcp_servers=("fs",), tools=({"type": "function", "function": {"name": "theirs"}},))
    _, reply = await run(Turns([ToolsUnsupported("m can't use tools.")]), FakeServers(tool("look")), named)
    assert reply.status == "failed"


async def test_after_a_tool_call_there_is_no_way_back_to_another_model() -> None:
    models = [model("m", mcp_servers=("fs",), fallback=("spare",)), model("spare")]
    spare = Scripted("spare")
    registry = Registry({"m": Turns([asks("look")], [ServerFailed("It broke.")]), "spare": spare})
    lane = Lane("lane", models[0])
    box = Toolbox(FakeServers(tool("look")), lambda _: None)
    events = [e async for e in chat(project(models), lane, Question.of("Go"), registry, Cooldowns(), box)]
    assert isinstance(events[-1], Failed)
    assert spare.requests == []


async def test_prompt_based_calls_leave_no_trace_in_the_text() -> None:
    named = model("m", mcp_servers=("fs",), tool_call_strategy="prompt_based")
    written = ["I look.\n<tool", '_call>{"name": "look", "argu', 'ments": {"at": "barn"}}</tool_call>']
    provider = Turns(written, ["There ", "is hay."])
    servers = FakeServers(tool("look"), look=[ToolResult("hay")])
    events, reply = await run(provider, servers, named)
    assert servers.calls == [("look", {"at": "barn"})]
    assert reply.text == "I look.\n\n\nThere is hay."
    assert reply.finish_reason == "stop"
    first, second = provider.requests
    assert first.tools == ()
    assert first.messages[0].role == "system"
    assert '"name": "look"' in first.messages[0].content
    assert [message.role for message in second.messages] == ["system", "user", "assistant", "user"]
    assert second.messages[2].content == 'I look.\n<tool_call>{"name": "look", "arguments": {"at": "barn"}}</tool_call>'
    assert second.messages[3].content == "<tool_response>\nhay\n</tool_response>"
    assert next(e.request.messages[-1].role for e in events if isinstance(e, NextTurn)) == "tool"
    assert not any("tool_call" in e.text for e in events if isinstance(e, TextDelta))
