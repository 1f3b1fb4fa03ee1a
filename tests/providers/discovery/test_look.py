"""Looking at the usual addresses: what is there, in every server's words, and nothing that hurts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest

from llamafarm.config.discovery.found import FoundModel
from llamafarm.config.profiles import PROFILES
from llamafarm.core.types import JsonValue
from llamafarm.providers.discovery import look as looking
from llamafarm.providers.discovery.listed import billions_of, models_in
from llamafarm.providers.discovery.look import Seen, look
from llamafarm.providers.discovery.places import PLACES, Place
from llamafarm.providers.http.client import open_client
from tests.faultserver.server import Exchange, FaultServer, Script
from tests.faultserver.speech import refuses

TAGS = {
    "models": [
        {"name": "smollm2:latest", "model": "smollm2:latest", "size": 9,
         "details": {"family": "llama", "families": ["llama"], "parameter_size": "134.52M", "quantization_level": "Q4_1"},
         "capabilities": ["completion", "tools", "vision", "thinking"]},
        {"name": "nomic-embed-text:latest", "details": {"family": "nomic-bert", "parameter_size": "137M"}},
        {"name": "mine:latest", "details": {"family": "bert", "families": None}, "capabilities": ["embedding"]},
        {"name": "gpt-oss:120b-cloud", "remote_host": "https://ollama.com:443", "details": {"parameter_size": ""}},
    ]
}  # fmt: skip
OLLAMA = Place(1, "Ollama", "ollama", "/api/tags")
OTHER = Place(1, "vLLM", "openai", "/v1/models", "/v1")


def told(body: Any, place: Place = OTHER) -> tuple[FoundModel, ...]:
    return models_in(body, place, "http://h")


def names(body: Any) -> list[str]:
    return [model.model for model in told(body)]


def test_what_ollama_lists() -> None:
    small, large = told(TAGS, OLLAMA)
    assert (small.server, small.provider, small.base_url, small.model) == (
        "Ollama",
        "ollama",
        "http://h",
        "smollm2:latest",
    )
    assert small.billions == pytest.approx(0.13452)
    assert small.quantization == "Q4_1"
    assert small.abilities == ("tools", "vision", "reasoning")
    assert (large.billions, large.abilities) == (120.0, ("runs elsewhere",))


def test_what_lm_studio_lists() -> None:
    one, other = told(
        {"object": "list", "data": [
            {"id": "qwen2-vl-7b-instruct", "type": "vlm", "quantization": "4bit", "max_context_length": 32768},
            {"id": "text-embedding-nomic-embed-text-v1.5", "type": "embeddings"},
            {"id": "granite-embedding-chat", "type": "llm", "capabilities": ["tool_use"]},
        ]}
    )  # fmt: skip
    assert (one.billions, one.quantization, one.abilities, one.context_window) == (7.0, "4bit", ("vision",), None)
    assert (other.model, other.abilities) == ("granite-embedding-chat", ("tools",))


def test_what_lemonade_llama_cpp_and_vllm_list() -> None:
    assert names({"data": [{"id": "Qwen3-0.6B-GGUF", "labels": ["reasoning", "tool-calling"]},
                           {"id": "Whisper-Tiny", "labels": ["audio", "transcription"]},
                           {"id": "x", "labels": ["embeddings"]}]}) == ["Qwen3-0.6B-GGUF"]  # fmt: skip
    (one,) = told({"models": [{"name": "/m/x.gguf", "capabilities": ["completion"]}],
                   "data": [{"id": "/m/x.gguf", "owned_by": "llamacpp", "meta": {"n_params": 134515008}}]})  # fmt: skip
    assert one.billions == pytest.approx(0.134515008)
    (two,) = told({"object": "list", "data": [{"id": "smollm2", "owned_by": "vllm", "max_model_len": 2048}]})
    assert two.context_window == 2048


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("llama3.1:8b", 8.0), ("smollm2-135m-instruct", 0.135), ("mixtral-8x7b", 56.0), ("Qwen2.5-0.5B", 0.5), ("Qwen3-30B-A3B", 30.0),
        ("x-4bit", None), ("gpt-4", None), ("phi3:mini", None), ("claude-3", None), ("kimi-1t", 1000.0), ("0b", None),
        ("9" * 400 + "b", None),
    ],
)  # fmt: skip
def test_the_size_that_a_name_tells(name: str, size: float | None) -> None:
    assert billions_of(name) == size


@pytest.mark.parametrize(
    "name",
    [
        "bge-m3",
        "BAAI/bge-reranker-v2",
        "mxbai-embed-large",
        "all-minilm:22m",
        "intfloat/e5-large",
        "whisper-1",
        "sdxl-turbo",
        "flux",
        "sd3",
    ],
)
def test_what_embeds_ranks_hears_or_draws_is_left_out(name: str) -> None:
    assert names({"data": [{"id": name}]}) == []


@pytest.mark.parametrize("name", ["gemma-2b", "fluxion-7b", "sdk-coder", "robert-7b", "clipper", "e500-chat"])
def test_what_merely_sounds_alike_stays(name: str) -> None:
    assert names({"data": [{"id": name}]}) == [name]


HOSTILE: list[JsonValue] = [
    None, 3, "x", [], {}, {"data": 3}, {"data": [None, 3, "x", [], {}]}, {"data": [{"id": 3}, {"id": None}, {"id": ["x"]}]},
    {"models": [{"name": {"a": 1}}]}, {"data": [{"id": "${env:HOME}"}, {"id": "a\nb"}, {"id": "x" * 300}]},
]  # fmt: skip


@pytest.mark.parametrize("body", HOSTILE)
def test_what_is_no_list_has_no_models(body: JsonValue) -> None:
    assert told(body) == ()


def test_a_word_of_the_wrong_kind_is_no_word() -> None:
    odd = {"id": "x", "details": 3, "capabilities": "tools", "labels": {"a": 1}, "meta": [], "type": 7, "quantization": "a\nb: c",
           "max_model_len": True, "families": 3}  # fmt: skip
    huge = {"id": "y", "details": {"parameter_size": "9" * 300 + "B", "families": [3]}, "meta": {"n_params": 10**40},
            "max_model_len": -1, "capabilities": ["tools\n", 3]}  # fmt: skip
    assert told({"data": [odd, huge]}) == tuple(FoundModel("vLLM", "openai", "http://h", name) for name in "xy")


def test_a_playground_names_the_models_of_others() -> None:
    assert told({"data": [{"id": "a", "llamafarm": {}}, {"id": "auto", "llamafarm": {}}]}) == ()


def test_a_list_is_read_to_a_bound() -> None:
    assert len(told({"data": [{"id": f"m{n}"} for n in range(5000)]})) == 500


# --- asking


@asynccontextmanager
async def servers(*scripts: Script) -> AsyncIterator[list[FaultServer]]:
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(FaultServer(script)) for script in scripts]


def at(server: FaultServer, listing: str = "/v1/models") -> Place:
    return Place(server.port, "vLLM", "openai", listing, "/v1")


async def seen(*places: Place) -> Seen:
    async with open_client() as client:
        return await look(client, places)


def lists(*ids: str) -> Script:
    return refuses(200, {"data": [{"id": name} for name in ids]})


async def test_everything_that_answers_is_found_with_get_alone() -> None:
    async with servers(lists("a"), lists("b", "c")) as (one, other):
        found = await seen(at(one), at(other, "/api/v1/models"))
        assert [(model.model, model.base_url) for model in found.models] == [
            ("a", f"{one.url}/v1"), ("b", f"{other.url}/v1"), ("c", f"{other.url}/v1")
        ]  # fmt: skip
        asked = [*one.requests, *other.requests]
        assert [(request.method, request.path, request.body) for request in asked] == [
            ("GET", "/v1/models", b""), ("GET", "/api/v1/models", b"")
        ]  # fmt: skip
        assert not any("authorization" in request.headers for request in asked)


async def test_of_two_lists_at_a_port_the_first_with_models_is_it() -> None:
    async def script(exchange: Exchange) -> None:
        known = exchange.seen.path == "/v1/models"
        await (lists("a") if known else refuses(404, {}))(exchange)

    async with servers(script) as (server,):
        first = Place(server.port, "Lemonade", "lemonade", "/api/v1/models", "/api/v1")
        assert [model.server for model in (await seen(first, at(server))).models] == ["vLLM"]


async def _silent(exchange: Exchange) -> None:
    await exchange.hang()


async def _drips(exchange: Exchange) -> None:
    await exchange.head(content_type="application/json")
    await exchange.send(b'{"data": [')
    await exchange.hang()


async def _cut(exchange: Exchange) -> None:
    await exchange.head(content_type="application/json")
    await exchange.send(b'{"data": [{"id": "a"}]')
    await exchange.cut()


async def _endless(exchange: Exchange) -> None:
    await exchange.head(content_type="application/json")
    while not exchange.seen.gone.is_set():
        await exchange.send(b" " * 65536)


BAD: list[Script] = [
    _silent, _drips, _cut, _endless,
    refuses(200, b"<html>", "text/html"), refuses(200, b"{", "application/json"), refuses(200, b"[" * 200_000),
    refuses(200, b'{"data": [{"id": "\xff"}]}'), refuses(302, {}, location="http://127.0.0.1:9/v1/models"), refuses(500, {}),
    refuses(404, {"data": [{"id": "x"}]}), refuses(200, b""), refuses(200, {"error": "Unexpected endpoint"}),
]  # fmt: skip


async def test_whatever_answers_the_others_are_found_in_time() -> None:
    async with servers(lists("a"), *BAD) as (good, *bad):
        started = time.perf_counter()
        found = await seen(*(at(server) for server in bad), at(good))
        assert time.perf_counter() - started < 3
        assert [model.model for model in found.models] == ["a"]
        assert {note.partition(" ")[0] for note in found.notes} <= {f"127.0.0.1:{server.port}" for server in bad}


async def test_a_redirect_is_not_followed() -> None:
    async with servers(lists("secret")) as (target,):
        async with servers(refuses(302, {}, location=f"{target.url}/v1/models")) as (server,):
            assert (await seen(at(server))).models == ()
        assert target.requests == []


async def test_who_is_silent_or_wants_a_key_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "LOOK_S", 0.3)
    async with servers(_silent, refuses(401, {})) as (silent, locked):
        assert (await seen(at(silent), at(locked))).notes == (
            f"127.0.0.1:{silent.port} said nothing in time.",
            f"127.0.0.1:{locked.port} wants a key: write it into a project by hand.",
        )
        await silent.requests[0].gone.wait()


async def test_nobody_there_is_no_word() -> None:
    async with servers(lists("a")) as (gone,):
        place = at(gone)
    assert await seen(place) == await seen() == Seen()


async def test_who_stops_looking_leaves_nobody_waiting() -> None:
    async with servers(_silent) as (server,):
        task = asyncio.create_task(seen(at(server)))
        while not server.requests:
            await asyncio.wait_for(server.arrived.wait(), 20)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await server.requests[0].gone.wait()


def test_the_usual_addresses_are_those_of_the_documentation() -> None:
    ports = {place.port for place in PLACES}
    assert {11434, 11540, 1234, 8080, 8000, 13305} <= ports
    assert all(place.provider in PROFILES for place in PLACES)
