"""Calls that a model writes as harmony messages, where its server passes them on as text: calls, and never text."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from llamafarm.core.events import Event, Finished, ReasoningDelta, ToolCalled
from llamafarm.core.types import ChatRequest, JsonValue, Message, ToolCall
from llamafarm.providers.policies.prompted import Prompted
from tests.faultserver.server import FaultServer
from tests.faultserver.speech import Protocol, chunk, ending, plays, said
from tests.providers.helpers import REQUEST, ask, asking, named, reasoning_of, text_of

PROVIDERS: tuple[tuple[str, Protocol], ...] = (
    ("openai", "openai"), ("ollama", "ollama"), ("universal", "openai"), ("lemonade", "openai"),
)  # fmt: skip
TO_LOOK = "<|channel|>commentary to=functions.look <|constrain|>json<|message|>"
THINKS = "<|channel|>analysis<|message|>hm<|end|><|start|>assistant"
CASES: dict[str, tuple[str, list[tuple[str, str]]]] = {
    "one": (f'{THINKS}{TO_LOOK}{{"x": "é😀"}}<|call|>', [("look", '{"x": "é😀"}')]),
    "two": (
        f'{THINKS}{TO_LOOK}{{"x": 1}}<|call|><|start|>assistant{TO_LOOK}{{"x": 2}}<|call|>',
        [("look", '{"x": 1}'), ("look", '{"x": 2}')],
    ),
    "the stop token is not passed on": (f'{THINKS}{TO_LOOK}{{"x": 1}}', [("look", '{"x": 1}')]),
    "the role is addressed": (
        f'{THINKS} to=functions.look<|channel|>commentary json<|message|>{{"x": 1}}<|call|>',
        [("look", '{"x": 1}')],
    ),
    "nobody knows the recipient": (
        f"{THINKS}<|channel|>commentary to=browser.search<|message|>{{}}<|call|>",
        [("browser.search", "{}")],
    ),
    "broken JSON": (f'{THINKS}{TO_LOOK}{{"x": <|call|>', [("look", '{"x":')]),
    "no arguments": (f"{THINKS}{TO_LOOK}<|call|>", [("look", "{}")]),
}


def calls_of(events: list[Event]) -> list[ToolCall]:
    return [event.call for event in events if isinstance(event, ToolCalled)]


@pytest.mark.parametrize(("provider", "protocol"), PROVIDERS)
@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize("case", CASES)
async def test_they_are_calls_in_every_protocol(provider: str, protocol: Protocol, size: int, case: str) -> None:
    text, calls = CASES[case]
    pieces = [said(protocol, text[at : at + size]) for at in range(0, len(text), size)]
    async with FaultServer(plays(protocol, [*pieces, ending(protocol)])) as server:
        events, error = await ask(named(provider, server.url))
    found = calls_of(events)
    assert error is None
    assert [(call.name, call.arguments) for call in found] == calls
    assert len({call.id for call in found}) == len(calls)
    assert (text_of(events), reasoning_of(events)) == ("", "hm")
    assert isinstance(events[-1], Finished)
    assert events[-1].reason == "tool_calls"


@pytest.mark.parametrize("size", [1, 2, 3, 5])
async def test_bytes_may_be_split_anywhere(size: int) -> None:
    text, calls = CASES["one"]
    whole = said("openai", text) + ending("openai")
    async with FaultServer(plays("openai", [whole[at : at + size] for at in range(0, len(whole), size)])) as server:
        events, _ = await ask(named("openai", server.url))
    assert [(call.name, call.arguments) for call in calls_of(events)] == calls


async def test_a_whole_answer_and_one_beside_calls_of_the_server() -> None:
    text, calls = CASES["two"]
    server_s = {"index": 0, "id": "call_0", "function": {"name": "find", "arguments": '{"y": 1}'}}
    pieces = [chunk({"content": text[:60]}), chunk({"tool_calls": [server_s]}), chunk({"content": text[60:]})]
    async with FaultServer(plays("openai", [*pieces, ending("openai", "tool_calls")])) as server:
        events, _ = await ask(named("openai", server.url))
    found = {(call.name, call.arguments) for call in calls_of(events)}
    assert found == {*calls, ("find", '{"y": 1}')}
    assert len({call.id for call in calls_of(events)}) == 3


async def test_a_prompted_model_that_writes_its_own_form_gets_new_ids_each_turn() -> None:
    text, calls = CASES["one"]
    before = Message("assistant", "", (ToolCall("call_0", "look", "{}"), ToolCall("call_1", "look", "{}")))
    tool: Mapping[str, JsonValue] = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}
    request = ChatRequest((*REQUEST.messages, before, Message("tool", "so", (), "call_0")), {}, (tool,))
    script = plays("openai", [*(said("openai", each) for each in text), ending("openai")])
    async with FaultServer(script) as server, asking(named("openai", server.url)) as provider:
        events = [event async for event in Prompted(provider, 4096).stream(request)]
    (call,) = calls_of(events)
    assert [(call.name, call.arguments)] == calls
    assert call.id not in ("call_0", "call_1")


@pytest.mark.parametrize("text", ["I write `<|channel|>` and <|call|> here.", "to=5 holds", "Look <|message|>"])
async def test_what_is_no_message_stays_text(text: str) -> None:
    async with FaultServer(plays("openai", [*(said("openai", each) for each in text), ending("openai")])) as server:
        events, _ = await ask(named("openai", server.url))
    assert (text_of(events), calls_of(events)) == (text, [])
    assert not any(isinstance(event, ReasoningDelta) for event in events)
