"""Reasoning that no server told apart: each protocol, and all that shows it, tell it as what it was."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from llamafarm.core.events import (
    Asking,
    Event,
    Finished,
    HeldBack,
    ReasoningDelta,
    Reclassified,
    Started,
    TextDelta,
    ToolCalled,
)
from llamafarm.core.reply import Reply
from llamafarm.core.types import ChatRequest, JsonValue
from llamafarm.engine.lane import Lane
from llamafarm.engine.replies import Replies
from llamafarm.pricing import PriceBook
from llamafarm.providers.policies.prompted import Prompted
from tests.engine.fakes import project
from tests.faultserver.server import FaultServer
from tests.faultserver.speech import Protocol, chunk, ending, plays, said, thought
from tests.providers.helpers import REQUEST, ask, asking, named, text_of

PROVIDERS: tuple[tuple[str, Protocol], ...] = (
    ("openai", "openai"), ("ollama", "ollama"), ("universal", "openai"), ("lemonade", "openai"),
)  # fmt: skip
HARMONY = "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>so"
GAP_S = 0.15
PAUSE_S = 0.02  # pieces come apart


def folded(events: list[Event]) -> Reply:
    model = named("openai", "http://127.0.0.1:1")
    whole = Replies(project([model]), (Lane("lane", model),), PriceBook())
    start = events[0].at
    for event in (Started(at=start), Asking(at=start, model=model.name, request=REQUEST), *events):
        whole.add("lane", event)
    return whole.reply("lane")


@pytest.mark.parametrize(("provider", "protocol"), PROVIDERS)
@pytest.mark.parametrize(
    "texts",
    [("hm", "</th", "ink>", "\n\nso"), ("h", "m</think>so"), tuple(HARMONY), ("[THINK]hm[/THI", "NK]so"),
     ("◁think▷hm◁/think▷", "so"), ("<thinking>hm</thinking>so",)],
)  # fmt: skip
async def test_it_is_no_answer(provider: str, protocol: Protocol, texts: tuple[str, ...]) -> None:
    pieces = [*(said(protocol, text) for text in texts), ending(protocol)]
    async with FaultServer(plays(protocol, pieces)) as server:
        events, error = await ask(named(provider, server.url))
    assert error is None
    reply = folded(events)
    assert (reply.reasoning, reply.text, reply.status) == ("hm", "so", "done")
    assert reply.usage.reasoning is not None


@pytest.mark.parametrize(("provider", "protocol"), PROVIDERS)
async def test_ttft_is_that_of_the_visible_answer(provider: str, protocol: Protocol) -> None:
    pieces: list[bytes | float] = [said(protocol, "hm"), GAP_S, said(protocol, "</think>"), GAP_S, said(protocol, "so")]
    async with FaultServer(plays(protocol, [*pieces, ending(protocol)])) as server:
        events, _ = await ask(named(provider, server.url))
    first = next(event.at for event in events if isinstance(event, TextDelta))
    visible = next(event.at for event in events if isinstance(event, TextDelta) and event.text == "so")
    timings = folded(events).timings
    assert [type(event) for event in events].count(Reclassified) == 1
    assert timings.ttfr_s == pytest.approx(first - events[0].at)
    assert timings.ttft_s == pytest.approx(visible - events[0].at)
    assert visible - first >= GAP_S


@pytest.mark.parametrize(("provider", "protocol"), PROVIDERS)
@pytest.mark.parametrize(
    "texts",
    [("t", "o be or not"), ("to", " be"), ("to", "=", "day"), ("to=x", " is set"), ("<", "b>bold</b>"), ("[T", "1]"),
     ("\u25c1", " so"), ("<thi", "s>"), ("`", "ls`"), ("<|", "x"), ("to",), ("<",), ("\n", "t", "o be")],
)  # fmt: skip
async def test_ttft_is_that_of_the_first_letter_though_it_was_held_back(
    provider: str, protocol: Protocol, texts: tuple[str, ...]
) -> None:
    pieces = [each for text in texts for each in (said(protocol, text), PAUSE_S)]
    async with FaultServer(plays(protocol, [*pieces, ending(protocol)])) as server:
        events, _ = await ask(named(provider, server.url))
    came = [event.at for event in events if isinstance(event, TextDelta | HeldBack)]
    reply = folded(events)
    visible = came[1] if texts[0].isspace() else came[0]
    assert reply.text == "".join(texts)
    assert reply.timings.ttft_s == pytest.approx(visible - events[0].at)


@pytest.mark.parametrize("texts", [("{", '"a": 1}'), ("<tool", "box>"), ("<tool_call>", "no JSON"), ("t", "o be")])
async def test_so_it_is_where_the_model_writes_its_calls(texts: tuple[str, ...]) -> None:
    tool: dict[str, JsonValue] = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}
    request = ChatRequest(REQUEST.messages, {}, (tool,))
    pieces = [each for text in texts for each in (said("openai", text), PAUSE_S)]
    async with FaultServer(plays("openai", [*pieces, ending("openai")])) as server:
        model = named("openai", server.url)
        async with asking(model) as provider:
            events = [event async for event in Prompted(provider, model.context_window or 4096).stream(request)]
    first = next(event.at for event in events if isinstance(event, HeldBack))
    reply = folded(events)
    assert reply.text == "".join(texts)
    assert reply.timings.ttft_s == pytest.approx(first - events[0].at)


@pytest.mark.parametrize(("provider", "protocol"), PROVIDERS)
@pytest.mark.parametrize("answer", ["`</think>` ends it", "```\n</think>\n```", "<b>a</b> [1] < 2"])
async def test_what_is_text_stays_text(provider: str, protocol: Protocol, answer: str) -> None:
    pieces = [*(said(protocol, letter) for letter in answer), ending(protocol)]
    async with FaultServer(plays(protocol, pieces)) as server:
        events, _ = await ask(named(provider, server.url))
    assert text_of(events) == answer
    assert not any(isinstance(event, ReasoningDelta | Reclassified) for event in events)


@pytest.mark.parametrize(("provider", "protocol"), PROVIDERS)
async def test_a_mark_is_text_where_the_server_tells_reasoning_apart(provider: str, protocol: Protocol) -> None:
    pieces = [thought(protocol, "hm"), said(protocol, "the tag </think> "), said(protocol, "ends"), ending(protocol)]
    async with FaultServer(plays(protocol, pieces)) as server:
        events, _ = await ask(named(provider, server.url))
    assert text_of(events) == "the tag </think> ends"


async def test_a_call_that_is_written_behind_it_is_made() -> None:
    tools: tuple[Mapping[str, JsonValue], ...] = (
        {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}},
    )
    texts = ('{"a": 1', "} hm", "</think>", '{"name": "look", "arguments": {"x": 1}}')
    async with FaultServer(plays("openai", [*(said("openai", text) for text in texts), ending("openai")])) as server:
        request = ChatRequest(REQUEST.messages, {}, tools)
        async with asking(named("openai", server.url)) as provider:
            events = [event async for event in Prompted(provider, 4096).stream(request)]
    assert [event.call.name for event in events if isinstance(event, ToolCalled)] == ["look"]
    assert isinstance(events[-1], Finished)
    assert events[-1].reason == "tool_calls"
    assert folded(events).reasoning == '{"a": 1} hm'


async def test_a_secret_in_it_stays_hidden() -> None:
    model = named("openai", "http://127.0.0.1:1")
    key = model.api_key.get_secret_value() if model.api_key else ""
    pieces = [chunk({"content": f"the key {key[:12]}"}), chunk({"content": f"{key[12:]}</think>so"}), ending("openai")]
    async with FaultServer(plays("openai", pieces)) as server:
        events, _ = await ask(model.model_copy(update={"base_url": server.url}))
    reply = folded(events)
    assert (reply.reasoning, reply.text) == ("the key (hidden)", "so")
    assert key not in json.dumps([str(event) for event in events])
