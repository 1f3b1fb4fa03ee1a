"""Tools of MCP servers, which the server itself runs, beside tools that the caller runs."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from llamafarm.server.api.bodies.answers import ChatCompletion
from tests.faultserver.speech import answer, chunk, ending, plays, said, thought
from tests.server.api.test_stream import chunks
from tests.server.api.world import HELLO, World, config_text

pytestmark = pytest.mark.asyncio(loop_scope="package")

RAW = Path(__file__).parents[2] / "tools" / "raw.py"
TOOLED = "/v1/projects/default/tooled/chat/completions"
MINE: dict[str, Any] = {"type": "function", "function": {"name": "mine", "parameters": {"type": "object"}}}


@pytest.fixture(scope="module")
def tooled(shared_world: World) -> None:
    """One more project: its models may use an MCP server."""
    server = {"name": "raw", "transport": "stdio", "command": sys.executable, "args": [str(RAW)]}
    text = config_text(f"{shared_world.upstream.url}/v1", "tooled", mcp={"servers": [server]})
    (shared_world.config.parent / "t.json").write_text(text)
    shared_world.services.runtime.library.look()


def asks(*names: str) -> list[bytes]:
    """A turn in which the model thinks, says something, and asks for tools."""
    calls = [
        {"index": index, "id": f"call_{index}", "function": {"name": name, "arguments": json.dumps({"text": "hay"})}}
        for index, name in enumerate(names)
    ]
    head = [thought("openai", "Hm."), said("openai", "I look.")]
    return [*head, chunk({"tool_calls": calls}), ending("openai", "tool_calls")]


def turns(here: World, *pieces: list[bytes]) -> None:
    """What the model says, turn by turn."""
    first, *others = (plays("openai", each) for each in pieces)
    here.says(others[-1] if others else first)
    here.upstream.play(first, *others[:-1])


@pytest.mark.usefixtures("tooled")
async def test_mcp_tools_are_run_here_and_told_beside(here: World) -> None:
    turns(here, asks("echo"), [thought("openai", "Ah."), *answer("openai", "Hay", ".")])
    told = ChatCompletion.model_validate((await here.ask(TOOLED)).json())
    message = told.choices[0].message
    assert (message.content, message.reasoning_content, message.tool_calls) == ("I look.\n\nHay.", "Hm.\n\nAh.", None)
    assert told.choices[0].finish_reason == "stop"
    assert told.llamafarm.tools is not None
    assert [(run.server, run.tool, run.state) for run in told.llamafarm.tools] == [("raw", "echo", "done")]
    assert told.llamafarm.timings.tools_s is not None
    assert told.usage is not None
    assert told.usage.prompt_tokens == 22  # of both turns


@pytest.mark.usefixtures("tooled")
async def test_a_stream_is_the_same_text_and_has_no_call_of_ours(here: World) -> None:
    turns(here, asks("echo"), [thought("openai", "Ah."), *answer("openai", "Hay", ".")])
    told = chunks((await here.ask(TOOLED, stream=True)).content)
    deltas = [each.choices[0].delta for each in told]
    assert "".join(delta.content or "" for delta in deltas) == "I look.\n\nHay."
    assert "".join(delta.reasoning_content or "" for delta in deltas) == "Hm.\n\nAh."
    assert not any(delta.tool_calls for delta in deltas)
    assert told[-1].choices[0].finish_reason == "stop"


@pytest.mark.usefixtures("tooled")
@pytest.mark.parametrize("stream", [False, True])
async def test_only_the_callers_own_calls_are_returned(here: World, stream: bool) -> None:
    turns(here, asks("echo", "mine"))
    told = await here.ask(TOOLED, stream=stream, tools=[MINE], headers={"X-Session-ID": f"mixed-{stream}"})
    if stream:
        *_, last = events = chunks(told.content)
        calls: list[Any] = [call for each in events for call in each.choices[0].delta.tool_calls or []]
        reason = last.choices[0].finish_reason
    else:
        choice = ChatCompletion.model_validate(told.json()).choices[0]
        calls, reason = list(choice.message.tool_calls or []), choice.finish_reason
    assert [call.function.name for call in calls] == ["mine"]
    assert reason == "tool_calls"
    here.says(plays("openai", answer("openai", "Done.")))
    result = [{"role": "tool", "tool_call_id": calls[0].id, "content": "42"}]
    await here.ask(TOOLED, messages=result, headers={"X-Session-ID": f"mixed-{stream}"})
    user, assistant, tool = here.last.json()["messages"]
    assert user == HELLO["messages"][0]
    assert [call["function"]["name"] for call in assistant["tool_calls"]] == ["mine"]
    assert tool["tool_call_id"] == calls[0].id


@pytest.mark.usefixtures("tooled")
async def test_a_session_keeps_what_the_tools_gave(here: World) -> None:
    turns(here, asks("echo"), answer("openai", "Hay."))
    await here.ask(TOOLED, headers={"X-Session-ID": "gave"})
    await here.ask(TOOLED, headers={"X-Session-ID": "gave"})
    assert [message["role"] for message in here.last.json()["messages"]] == [
        "user", "assistant", "tool", "assistant", "user"]  # fmt: skip


@pytest.mark.usefixtures("tooled")
async def test_a_model_that_only_asks_for_tools_is_cut_short(here: World) -> None:
    here.says(plays("openai", asks("echo")))
    told = ChatCompletion.model_validate((await here.ask(TOOLED)).json())
    assert told.choices[0].finish_reason == "length"
    assert told.choices[0].message.tool_calls is None
    assert told.llamafarm.finish_reason == "tool_turns"


# --- models that are told of tools in the prompt


@pytest.fixture
def texted(here: World) -> str:
    """A project whose model knows no tools."""
    model = {"name": "plain", "provider": "openai", "model": "x", "base_url": f"{here.upstream.url}/v1"}
    text = config_text(
        model["base_url"], "texted", runtime={"models": [model | {"tool_call_strategy": "prompt_based"}]}
    )
    (here.config.parent / "u.json").write_text(text)
    here.services.runtime.library.look()
    return "/v1/projects/default/texted/chat/completions"


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        ("auto", "Where no tool is needed, just answer."),
        ("required", "Call a tool now"),
        ({"type": "function", "function": {"name": "mine"}}, "Call the tool mine now"),
        ("none", None),
    ],
)
async def test_how_tools_may_be_called_goes_into_the_prompt(
    here: World, texted: str, choice: Any, words: str | None
) -> None:
    told = await here.ask(texted, tools=[MINE], tool_choice=choice, parallel_tool_calls=True)
    assert told.status_code == 200
    assert not {"tools", "tool_choice", "parallel_tool_calls"} & set(here.last.json())
    first = here.last.json()["messages"][0]
    assert (first["role"], words is None or words in first["content"]) == ("user" if words is None else "system", True)


async def test_a_tool_that_there_is_not_is_no_choice(here: World, texted: str) -> None:
    choice = {"type": "function", "function": {"name": "yours"}}
    told = await here.ask(texted, tools=[MINE], tool_choice=choice)
    assert (told.status_code, "There is: mine" in told.json()["error"]["message"]) == (400, True)
    assert here.upstream.requests == []
