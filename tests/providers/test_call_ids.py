"""Calls keep the ids that servers give them; those without one get one that is new in the conversation."""

from __future__ import annotations

import pytest

from llamafarm.core.events import ToolCalled
from llamafarm.core.types import ChatRequest, JsonValue, Message, ToolCall
from llamafarm.providers.policies.prompted import Prompted
from tests.faultserver.server import FaultServer, Script
from tests.faultserver.speech import Protocol, answer, chunk, ending, plays, record, said
from tests.providers.captured import sends
from tests.providers.helpers import ask, asking, named

LOOK: dict[str, JsonValue] = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}
NAMELESS: dict[Protocol, Script] = {
    "openai": plays("openai", [
        chunk({"tool_calls": [{"index": 0, "function": {"name": "look", "arguments": "{}"}}]}),
        chunk({"tool_calls": [{"index": 1, "function": {"name": "look", "arguments": "{}"}}]}),
        ending("openai", "tool_calls"),
    ]),
    "ollama": plays("ollama", [
        record({"content": "", "tool_calls": [{"function": {"name": "look", "arguments": {}}}]}),
        record({"content": "", "tool_calls": [{"function": {"name": "look", "arguments": {}}}]}),
        ending("ollama"),
    ]),
}  # fmt: skip


def after(*ids: str) -> ChatRequest:
    """A request that goes on after calls with `ids`, and their results."""
    calls = tuple(ToolCall(known, "look", "{}") for known in ids)
    results = tuple(Message("tool", "seen", tool_call_id=known) for known in ids)
    return ChatRequest((Message("user", "Look!"), Message("assistant", "", calls), *results), tools=(LOOK,))


async def ids(provider: str, script: Script, request: ChatRequest) -> list[str]:
    async with FaultServer(script) as server:
        events, error = await ask(named(provider, server.url), request=request)
    assert error is None
    return [event.call.id for event in events if isinstance(event, ToolCalled)]


async def test_the_real_ollamas_ids_are_kept() -> None:
    request = ChatRequest((Message("user", "weather?"),), tools=(LOOK,))
    assert await ids("ollama", sends("ollama_two_calls"), request) == ["call_aao5ye9q", "call_vn5l2dfe"]


@pytest.mark.parametrize("provider", ["openai", "ollama", "universal", "lemonade"])
async def test_ids_of_ours_are_new_in_each_turn(provider: str) -> None:
    script = NAMELESS["ollama" if provider == "ollama" else "openai"]
    first = await ids(provider, script, ChatRequest((Message("user", "Look!"),), tools=(LOOK,)))
    second = await ids(provider, script, after(*first))
    third = await ids(provider, script, after(*first, *second))
    assert len({*first, *second, *third}) == 6


async def test_so_are_those_that_are_written_in_text() -> None:
    text = '<tool_call>{"name": "look", "arguments": {}}</tool_call>'
    found: list[str] = []
    server = FaultServer(plays("openai", answer("openai", text)))
    async with server, asking(named("openai", server.url)) as plain:
        for _ in range(3):
            stream = Prompted(plain, 4096).stream(after(*found))
            found += [event.call.id async for event in stream if isinstance(event, ToolCalled)]
    assert len(set(found)) == 3


async def test_results_go_back_to_ollama_with_id_and_name() -> None:
    async with FaultServer(plays("ollama", [said("ollama", "so"), ending("ollama")])) as server:
        await ask(named("ollama", server.url), request=after("call_6u272w7q", "call_2"))
        _, asked, one, two = server.requests[0].json()["messages"]
    assert [call["id"] for call in asked["tool_calls"]] == ["call_6u272w7q", "call_2"]
    assert (one["tool_call_id"], one["tool_name"]) == ("call_6u272w7q", "look")
    assert (two["tool_call_id"], two["tool_name"]) == ("call_2", "look")
