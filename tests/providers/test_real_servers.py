"""What real servers sent is read as they meant it: text, usage, finish, calls and errors, in whatever pieces it comes."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from llamafarm.core.conditions import ModelNamed
from llamafarm.core.errors import AuthFailed, Interrupted, ModelNotFound, ProviderError, RequestRejected, ServerFailed
from llamafarm.core.events import Event, Finished, ToolCalled, UsageReported
from tests.faultserver.server import Exchange, FaultServer, Script
from tests.providers.captured import FIXTURES, sends
from tests.providers.helpers import ask, named, reasoning_of, text_of

PARIS = '{"city": "Paris"}'


@dataclass(frozen=True)
class Told:
    """What a capture holds; `starts` begins its text, which has `letters`. `calls` are names and arguments."""

    starts: str
    letters: int
    finish: str
    given: int
    made: int
    model: str = "smollm2"
    calls: tuple[tuple[str, str], ...] = ()


ANSWERS: dict[str, Told] = {
    "vllm_text": Told("Hello! I'", 109, "stop", 33, 30),
    "vllm_length": Told("1. Red\n2", 8, "length", 34, 5),
    "vllm_stop": Told("1. Red\n2. ", 10, "stop", 34, 7),
    "vllm_whole": Told("1. Red\n2. Blue\n3. Green", 23, "stop", 34, 12),
    "vllm_required_call": Told("", 0, "tool_calls", 41, 45, calls=(("get_weather", '"Paris"'),)),
    "litellm_length": Told("1. Red\n2", 8, "length", 13, 5),
    "litellm_json": Told('{\n    "name": "John"', 79, "stop", 18, 38),
    "litellm_tools": Told("", 0, "tool_calls", 220, 31, calls=(("get_weather", PARIS),)),
    "llamacpp_length": Told("1. Red\n2", 8, "length", 34, 5),
    "llamacpp_stop": Told("1. Red\n2. ", 10, "stop", 34, 7),
    "llamacpp_tools_said": Told("", 0, "tool_calls", 220, 31, calls=(("get_weather", PARIS),)),
    "transformers_length": Told("1. Red\n2", 8, "length", 34, 5, "/models/smollm2@main"),
    "transformers_tools": Told("The weather", 102, "stop", 65, 27, "/models/smollm2@main"),
    "ollama_openai": Told("The capital of France is Paris.", 31, "stop", 19, 8),
    "ollama_text_0_33": Told("Bonne voque", 92, "stop", 19, 31),
    "ollama_stop": Told("The capital of France is Paris", 30, "stop", 19, 7),
    "ollama_call_0_17": Told("", 0, "tool_calls", 149, 31, calls=(("get_weather", PARIS),)),
    "ollama_two_calls": Told("", 0, "tool_calls", 253, 63,
                             calls=(("get_weather", PARIS), ("get_weather", PARIS.replace("Paris", "Berlin")))),
}  # fmt: skip
ERRORS: dict[str, tuple[type[ProviderError], str, str]] = {
    "ollama_think": (RequestRejected, "request", '“"smollm2" does not support thinking”'),
    "ollama_unknown_model": (ModelNotFound, "model", "“model 'no-such-model' not found”"),
    "llamacpp_wrong_key": (AuthFailed, "key", "“Invalid API Key”"),
    "transformers_bad_option": (ServerFailed, "server", "“Internal Server Error”"),
    "transformers_long": (Interrupted, "server", "cut the connection in mid-answer"),
}


def in_pieces(name: str, size: int) -> Script:
    """The bytes of a capture, `size` at a time."""
    whole = (FIXTURES / f"{name}.http").read_bytes()

    async def script(exchange: Exchange) -> None:
        for at in range(0, len(whole), size):
            await exchange.send(whole[at : at + size])

    return script


def provider_of(name: str) -> str:
    """The protocol that a capture is of."""
    return "ollama" if name.startswith("ollama") and name != "ollama_openai" else "openai"


def read(events: list[Event]) -> Told:
    (usage,) = [event.usage for event in events if isinstance(event, UsageReported)][-1:]
    text, last = text_of(events), events[-1]
    assert usage.input is not None
    assert usage.output is not None
    assert isinstance(last, Finished)
    assert usage.doubts == ()
    assert reasoning_of(events) == ""
    model = next(event.model for event in events if isinstance(event, ModelNamed)).removesuffix("-two")
    calls = tuple((event.call.name, event.call.arguments) for event in events if isinstance(event, ToolCalled))
    return Told(text[:1000], len(text), last.reason, usage.input.value, usage.output.value, model, calls)


@pytest.mark.parametrize("size", [3, 100_000])
@pytest.mark.parametrize("name", ANSWERS)
async def test_its_answers(name: str, size: int) -> None:
    told = ANSWERS[name]
    async with FaultServer(in_pieces(name, size)) as server:
        events, error = await ask(named(provider_of(name), server.url))
    assert error is None
    found = read(events)
    assert found.starts.startswith(told.starts)
    assert (found.letters, found.finish, found.given, found.made) == (told.letters, told.finish, told.given, told.made)
    assert found.calls == told.calls
    assert found.model.startswith(told.model)


@pytest.mark.parametrize("name", ERRORS)
async def test_its_errors(name: str) -> None:
    kind, culprit, says = ERRORS[name]
    async with FaultServer(sends(name)) as server:
        _, error = await ask(named(provider_of(name), server.url))
    assert type(error) is kind
    assert error.culprit == culprit
    assert says in error.message
